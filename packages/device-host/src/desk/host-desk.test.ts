import type { DeviceCommand, ListeningEnd } from '@moorage/dialect-api';
import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { MessageLimits } from '../options.ts';
import { attribute, Deferred, deviceRef, FakeDownload, HostFixture, points } from '../test-fakes.ts';

const DEVICE = deviceRef('d1');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const rpc = { kind: 'rpc', id: '3', method: 'm', params: 'null' } as const;
const shared = { kind: 'sharedAttributes', values: null, deleted: ['a'] } as const;

function setUp(limits?: MessageLimits) {
  const time = new FakeTime();
  const fixture = new HostFixture({ time, ...(limits === undefined ? {} : { limits }) });
  return { time, fixture, desk: fixture.host.desk('http') };
}

describe('submit', () => {
  it('notes activity and resolves once every effect is durable', async () => {
    const { fixture, desk } = setUp();
    let outcome: string | null = null;
    const done = desk.submit(DEVICE, [
      { kind: 'telemetry', points: points(2) },
      { kind: 'attributes', scope: 'CLIENT', values: points(1) },
    ]);
    done.then((settled) => {
      outcome = settled;
    });
    await turn();
    expect(fixture.events).toEqual(['active d1', 'telemetry d1 2', 'attributes d1 CLIENT 1']);
    expect(outcome).toBeNull();
    fixture.owed.shift()?.release('stored');
    await turn();
    expect(outcome).toBeNull();
    fixture.commit('full');
    expect(await done).toBe('full');
  });

  it('a message without effects is stored at once; a request is no connect', async () => {
    const { fixture, desk } = setUp();
    expect(await desk.submit(DEVICE, [])).toBe('stored');
    expect(await desk.submit(DEVICE, [{ kind: 'rpcResponse', id: '1', payload: '2' }])).toBe('stored');
    expect(fixture.platform.answers).toEqual(['d1/1=2']);
    expect(new Set(fixture.events)).toEqual(new Set(['active d1']));
  });

  it('fails after 30 s without an answer of the store', async () => {
    const { time, desk } = setUp();
    const done = desk.submit(DEVICE, [{ kind: 'telemetry', points: points() }]);
    await turn();
    time.advance(30_000);
    expect(await done).toBe('failed');
  });

  it('5.1 a claim is durable when the request is answered', async () => {
    const { fixture, desk } = setUp();
    const opened = new Deferred<'stored'>();
    fixture.platform.claim = () => opened.promise;
    let answered = false;
    const done = desk.submit(DEVICE, [{ kind: 'claim', secretKey: 's', durationMs: null }]).finally(() => {
      answered = true;
    });
    await turn();
    expect(answered).toBe(false);
    opened.resolve('stored');
    expect(await done).toBe('stored');
  });

  it('over the rate limit nothing is done, and the log says so', async () => {
    const taken: string[] = [];
    const { fixture, desk } = setUp({
      limiterOf: (_device, role) => ({
        take: (count) => {
          taken.push(`${role} ${count}`);
          return taken.length < 2;
        },
      }),
      sessionLimits: () => ({}) as never,
      removed: () => {},
    });
    const message = [{ kind: 'telemetry', points: points(3) }] as const;
    const first = desk.submit(DEVICE, message);
    await turn();
    fixture.commit();
    expect(await first).toBe('stored');
    expect(await desk.submit(DEVICE, message)).toBe('throttled');
    expect(taken).toEqual(['device 3', 'device 3']);
    expect(fixture.host.log.of('d1')[0]).toMatchObject({
      listener: 'http',
      reason: 'the device is over its rate limit',
    });
    expect(JSON.parse(await desk.clientRpc(DEVICE, 'm', 'null'))).toHaveProperty('error');
  });
});

describe('questions', () => {
  it('reads attributes, calls the server, downloads and provisions', async () => {
    const { fixture, desk } = setUp();
    fixture.attributes = async (_owner, scope) => (scope === null ? [] : [attribute(scope, 'k', 1)]);
    expect(await desk.attributes(DEVICE, null, 'all')).toMatchObject({ client: [], shared: [{ key: 'k' }] });
    expect(await desk.clientRpc(DEVICE, 'getTime', 'null')).toBe('"getTime"');
    const download = new FakeDownload('abc');
    fixture.platform.open = async () => download;
    expect(await desk.download(DEVICE, 'SOFTWARE')).toBe(download);
    expect(await desk.provision({} as never)).toEqual({ status: 'NOT_FOUND' });
    expect(fixture.platform.calls).toContain('open d1 SOFTWARE');
    expect(desk.text(new Uint8Array([0x61]))).toBe('a');
  });

  it('slows down who guesses at tokens, and logs the attempt without the token', async () => {
    const { time, fixture, desk } = setUp();
    const token = 'A1B2C3D4E5F6G7H8I9J0';
    for (let n = 0; n < 10; n++) await desk.refused('10.0.0.9', token, 'token not known');
    let answered = false;
    desk.refused('10.0.0.9', token, 'token not known').then(() => {
      answered = true;
    });
    await turn();
    expect(answered).toBe(false);
    time.advance(5_000);
    await turn();
    expect(answered).toBe(true);
    const [entry] = fixture.host.log.of(null);
    expect(entry).toMatchObject({ event: 'refused', listener: 'http', address: '10.0.0.9', level: 0 });
    expect(JSON.stringify(fixture.host.log.of(null))).not.toContain(token);
  });
});

describe('listen', () => {
  function listener(desk: ReturnType<typeof setUp>['desk'], kinds: readonly DeviceCommand['kind'][], takes = true) {
    const heard: string[] = [];
    const ends: ListeningEnd[] = [];
    const delivered: ((arrived: boolean) => void)[] = [];
    const take = (command: DeviceCommand, done: (arrived: boolean) => void): boolean => {
      if (takes) heard.push(command.kind);
      if (takes) delivered.push(done);
      return takes;
    };
    const listening = desk.listen(DEVICE, kinds, take, (why) => ends.push(why));
    return { heard, ends, delivered, listening };
  }

  it('9 a pending RPC goes to one listener only, shared attributes to all', () => {
    const { fixture, desk } = setUp();
    const older = listener(desk, ['rpc', 'sharedAttributes']);
    const newer = listener(desk, ['rpc', 'sharedAttributes']);
    expect(fixture.host.send('d1', rpc)).toBe('sent');
    expect([older.heard, newer.heard]).toEqual([[], ['rpc']]);
    fixture.host.sharedAttributesChanged('d1', { deleted: ['a'] });
    expect([older.heard, newer.heard]).toEqual([['sharedAttributes'], ['rpc', 'sharedAttributes']]);
  });

  it('9 an RPC that the newest poll does not take goes to the next', () => {
    const { fixture, desk } = setUp();
    const older = listener(desk, ['rpc']);
    listener(desk, ['rpc'], false);
    listener(desk, ['sharedAttributes']);
    expect(fixture.host.send('d1', rpc)).toBe('sent');
    expect(older.heard).toEqual(['rpc']);
    older.listening.close();
    expect(fixture.host.send('d1', rpc)).toBe('notSubscribed');
  });

  it('tells once whether the command arrived', () => {
    const { fixture, desk } = setUp();
    const { delivered } = listener(desk, ['rpc']);
    const results: string[] = [];
    fixture.host.send('d1', rpc, (result) => results.push(result));
    expect(results).toEqual([]);
    delivered[0]?.(true);
    delivered[0]?.(false);
    fixture.host.send('d1', rpc, (result) => results.push(result));
    delivered[1]?.(false);
    expect(results).toEqual(['acknowledged', 'lost']);
  });

  it('gets what waits once the caller has the listener in hand, and only if it hears RPC', () => {
    const { time, fixture, desk } = setUp();
    const heard: string[] = [];
    fixture.platform.onListening = (deviceId) => void fixture.host.send(deviceId, rpc);
    const take = (command: DeviceCommand): boolean => {
      heard.push(command.kind);
      listening.close();
      return true;
    };
    const listening = desk.listen(DEVICE, ['rpc'], take, () => {});
    listener(desk, ['sharedAttributes']);
    expect(fixture.platform.listening).toEqual([]);
    time.endTurn();
    expect(heard).toEqual(['rpc']);
    expect(fixture.platform.listening).toEqual(['d1']);
  });

  it('waiting does not make a device present: connect and disconnect stay those of its connections', () => {
    const { fixture, desk } = setUp();
    const { listening } = listener(desk, ['rpc']);
    expect(fixture.events).toEqual(['active d1']);
    const connection = fixture.connect();
    expect(fixture.events.at(-1)).toBe('connected d1');
    connection.lose();
    expect(fixture.events.at(-1)).toBe('disconnected d1');
    listening.close();
    expect(fixture.events.at(-1)).toBe('disconnected d1');
    expect(fixture.host.connectionCount).toBe(0);
  });

  it.each([
    ['deleted', 'deviceDeleted'],
    ['credentialsChanged', 'credentialsChanged'],
  ] as const)('a device that was %s ends its listeners with %s', (reason, end) => {
    const { fixture, desk } = setUp();
    const { ends, heard } = listener(desk, ['rpc']);
    fixture.host.revoked('d1', reason);
    expect(ends).toEqual([end]);
    fixture.host.send('d1', shared);
    expect(heard).toEqual([]);
  });

  it('the end of the server ends every listener', () => {
    const { fixture, desk } = setUp();
    const listeners = [listener(desk, ['rpc']), listener(desk, ['sharedAttributes'])];
    fixture.host.close();
    expect(listeners.map(({ ends }) => ends)).toEqual([['stopping'], ['stopping']]);
  });

  it('ends the oldest of too many listeners of one device', () => {
    const { desk } = setUp();
    const listeners = Array.from({ length: 21 }, () => listener(desk, ['rpc']));
    expect(listeners.map(({ ends }) => ends.length)).toEqual([1, ...Array(20).fill(0)]);
    expect(listeners[0]?.ends).toEqual(['replaced']);
  });

  it('a listener that throws has not taken the command', () => {
    const { fixture, desk } = setUp();
    const broken = (): never => {
      throw new TypeError('broken');
    };
    desk.listen(DEVICE, ['rpc'], broken, broken);
    expect(fixture.host.send('d1', rpc)).toBe('notSubscribed');
    fixture.host.close();
    expect(fixture.faults).toHaveLength(2);
  });
});

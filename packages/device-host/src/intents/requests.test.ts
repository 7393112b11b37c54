import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { attribute, Deferred, deviceRef, FakeSession, HostFixture, points } from '../test-fakes.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const time = new FakeTime();
  const fixture = new HostFixture({ time });
  return { time, fixture };
}

const REQUEST = { deviceKey: 'key', deviceSecret: 'secret' } as never;

describe('effects of a connection', () => {
  it('telemetry, attributes and answers of the device reach the platform', () => {
    const { fixture } = setUp();
    const device = fixture.connect();
    fixture.events.length = 0;
    const { token } = device.say([
      { kind: 'telemetry', points: points(2) },
      { kind: 'attributes', scope: 'CLIENT', values: points(1) },
      { kind: 'rpcResponse', id: '7', payload: '{}' },
    ]);
    expect(fixture.events).toEqual(['telemetry d1 2', 'attributes d1 CLIENT 1']);
    expect(fixture.platform.answers).toEqual(['d1/7={}']);
    expect(token.held).toBe(2);
    fixture.commit();
    expect(token.outcomes).toEqual(['stored', 'stored']);
  });

  it('5.1 the acknowledgement of a claim waits until the window is durable', async () => {
    const { fixture } = setUp();
    const device = fixture.connect();
    const stored = new Deferred<'stored'>();
    fixture.platform.claim = () => stored.promise;
    const { token } = device.say([{ kind: 'claim', secretKey: 's', durationMs: null }]);
    await turn();
    expect(token.outcomes).toEqual([]);
    stored.resolve('stored');
    await turn();
    expect(token.outcomes).toEqual(['stored']);
    expect(fixture.platform.calls).toContain('claim d1 s');
  });

  it('a claim that breaks fails its message and is reported', async () => {
    const { fixture } = setUp();
    fixture.platform.claim = () => Promise.reject(new TypeError('broken'));
    const { token } = fixture.connect().say([{ kind: 'claim', secretKey: '', durationMs: null }]);
    await turn();
    expect(token.outcomes).toEqual(['failed']);
    expect(fixture.faults).toHaveLength(1);
  });
});

describe('attribute requests', () => {
  it('3.3 reads the scopes asked for, never the server scope, and answers without holding the acknowledgement', async () => {
    const { fixture } = setUp();
    const asked: unknown[] = [];
    fixture.attributes = async (owner, scope, keys) => {
      asked.push([owner, scope, keys]);
      return scope === null ? [] : [attribute(scope, 'a', 1)];
    };
    const device = fixture.connect();
    const ask = { kind: 'attributesRequest', ref: 'res/1' } as const;
    const { token } = device.say([{ ...ask, clientKeys: null, sharedKeys: ['a', 'a'] }]);
    expect(token.held).toBe(0);
    await turn();
    device.say([{ ...ask, clientKeys: 'all', sharedKeys: 'all' }]);
    await turn();
    expect(asked).toEqual([
      ['d1', 'SHARED', ['a']],
      ['d1', 'CLIENT', null],
      ['d1', 'SHARED', null],
    ]);
    expect(device.handle.pushed).toEqual(['res/1=[SHARED.a]', 'res/1=[CLIENT.a,SHARED.a]']);
  });

  it('an answer for a connection that is gone goes to nobody, not to a newer connection of the device', async () => {
    const { fixture } = setUp();
    const read = new Deferred<never[]>();
    fixture.attributes = () => read.promise;
    const device = fixture.connect();
    device.say([{ kind: 'attributesRequest', ref: 'r', clientKeys: 'all', sharedKeys: 'all' }]);
    device.lose();
    const newer = fixture.connect();
    read.resolve([]);
    await turn();
    expect([...device.handle.pushed, ...newer.handle.pushed]).toEqual([]);
  });

  it('refuses the request behind a thousand that wait, and takes requests again once they are answered', async () => {
    const { fixture } = setUp();
    const read = new Deferred<never[]>();
    fixture.attributes = () => read.promise;
    const device = fixture.connect();
    const ask = { kind: 'attributesRequest', ref: 'r', clientKeys: 'all', sharedKeys: null } as const;
    for (let n = 0; n < 1_000; n++) expect(device.say([ask]).verdict).toMatchObject({ reasonCode: 0 });
    expect(device.say([ask]).verdict).toMatchObject({ reasonCode: 0x97, close: null });
    expect(fixture.counted).toContain('attributes_request_refused');
    read.resolve([]);
    await turn();
    expect(device.handle.pushed).toHaveLength(1_000);
    expect(device.say([ask]).verdict).toMatchObject({ reasonCode: 0 });
  });

  it('bounds the memory of requests that wait', () => {
    const { fixture } = setUp();
    fixture.attributes = () => new Deferred<never[]>().promise;
    const device = fixture.connect();
    const sharedKeys = Array.from({ length: 20_000 }, (_, index) => `key${index}`);
    const ask = { kind: 'attributesRequest', ref: 'r', clientKeys: null, sharedKeys } as const;
    const codes = [1, 2, 3].map(() => device.say([ask]).verdict);
    expect(codes).toMatchObject([{ reasonCode: 0 }, { reasonCode: 0 }, { reasonCode: 0x97 }]);
  });

  it('a read that fails is reported and counted', async () => {
    const { fixture } = setUp();
    fixture.attributes = () => Promise.reject(new TypeError('disk'));
    fixture.connect().say([{ kind: 'attributesRequest', ref: 'r', clientKeys: 'all', sharedKeys: null }]);
    await turn();
    expect(fixture.faults).toHaveLength(1);
    expect(fixture.counted).toContain('attributes_request_failed');
  });
});

describe('client-side RPC', () => {
  it('4.4 is answered on the asking connection and knows the limits of the session', async () => {
    const { fixture } = setUp();
    fixture.platform.call = async (_method, limits) => JSON.stringify(limits);
    const device = fixture.connect({ device: deviceRef('g', { gateway: true }) });
    device.say([{ kind: 'clientRpc', method: 'getSessionLimits', params: 'null', ref: 'rpc/response/1' }]);
    await turn();
    const [topic, payload] = device.handle.pushed[0]?.split('=') ?? [];
    expect(topic).toBe('rpc/response/1');
    expect(JSON.parse(payload ?? '')).toMatchObject({
      maxPayloadSize: 65_536,
      maxInflightMessages: 100,
      messages: '',
      subDevice: { messages: '' },
    });
  });
});

describe('provisioning', () => {
  function provisioning(closeAfterReplyMs?: number) {
    const { time, fixture } = setUp();
    fixture.principal = { device: null };
    const session = new FakeSession();
    if (closeAfterReplyMs !== undefined) session.closeAfterReplyMs = closeAfterReplyMs;
    return { time, fixture, link: fixture.connectSession(session) };
  }
  const ask = { kind: 'provision', request: REQUEST, ref: 'p' } as const;

  it('6.2 answers somebody without an identity and closes some time after the first answer', async () => {
    const { time, fixture, link } = provisioning(60_000);
    fixture.platform.provision = async () => ({ status: 'FAILURE', reason: 'x' });
    const { token } = link.say([ask]);
    expect(token.held).toBe(0);
    await turn();
    expect(link.handle.pushed).toEqual(['p=FAILURE']);
    time.advance(40_000);
    link.say([ask]);
    await turn();
    time.advance(19_999);
    expect(link.handle.disconnected).toEqual([]);
    time.advance(1);
    expect(link.handle.disconnected).toEqual([0xa0]);
  });

  it('a connection that never asks is closed after ten minutes, and its timer goes with it', () => {
    const { time, link } = provisioning(60_000);
    const before = time.timers;
    time.advance(600_000);
    expect(link.handle.disconnected).toEqual([0xa0]);
    const other = provisioning(60_000);
    other.link.lose();
    expect(other.time.timers).toBe(before - 1);
  });

  it('takes one request at a time', async () => {
    const { fixture, link } = provisioning();
    const made = new Deferred<'full'>();
    fixture.platform.provision = () => made.promise;
    expect(link.say([ask]).verdict).toMatchObject({ reasonCode: 0 });
    expect(link.say([ask]).verdict).toMatchObject({ reasonCode: 0x97 });
    made.resolve('full');
    await turn();
    expect(link.handle.pushed).toEqual(['p=FAILURE']);
    expect(link.say([ask]).verdict).toMatchObject({ reasonCode: 0 });
  });

  it('delays the answer to the eleventh wrong key of one address', async () => {
    const { time, fixture, link } = provisioning();
    for (let n = 0; n < 11; n++) {
      link.say([ask]);
      await turn();
    }
    expect(link.handle.pushed).toHaveLength(10);
    time.advance(5_000);
    await turn();
    expect(link.handle.pushed).toHaveLength(11);
    expect(fixture.counted.filter((event) => event === 'provision_not_found')).toHaveLength(11);
  });

  it('a device that connects is known to have its credentials', () => {
    const { fixture } = setUp();
    fixture.connect();
    expect(fixture.platform.calls).toEqual(['connected d1']);
  });
});

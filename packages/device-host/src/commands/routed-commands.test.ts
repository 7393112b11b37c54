import { CommandRouter, type RpcCall, type RpcOutcome, type SendResult, type WriteOutcome } from '@moorage/core';
import type { DeviceCommand, Dialect, RoutedCommand } from '@moorage/dialect-api';
import { Broker, MemoryRetainedStore, MemorySessionStore } from '@moorage/mqtt-broker';
import {
  DelayedSessionStore,
  FakeTime,
  MemoryStream,
  RawClient,
  readText,
  TEST_LISTENER,
  TestObserver,
  WHOLE_STANDARD,
} from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { deviceRef, FakeSession, HostFixture } from '../test-fakes.ts';

const SPACING_MS = 50;
const PUBACK = 4;
const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const rpc = (params: string): DeviceCommand => ({ kind: 'rpc', id: '0', method: 'set', params });

let running: Broker | null = null;
afterEach(async () => {
  await running?.close();
  running = null;
});

class RoutedSession extends FakeSession {
  override subscribe(topicFilter = '', options?: { readonly qos: 0 | 1 | 2 }) {
    return { reasonCode: options?.qos ?? 0, enter: [topicFilter] };
  }

  override command(): never {
    throw new TypeError('a routed command is not asked of the session');
  }
}

/** One message for each letter of `params`, in the account `acc`; `!` is too large. */
function routedCommand(
  device: { readonly id: string },
  command: DeviceCommand,
): ReturnType<NonNullable<Dialect['routedCommand']>> {
  if (command.kind !== 'rpc') return 'notSupported';
  if (command.params === '!') return 'tooLarge';
  const messages: RoutedCommand['messages'] = [...command.params].map((letter) => ({
    topicName: `Sub/${device.id}`,
    payload: bytes(letter),
    qos: 1,
  }));
  return { account: 'acc', messages, spacingMs: SPACING_MS };
}

async function start() {
  const time = new FakeTime();
  const store = new DelayedSessionStore(new MemorySessionStore(() => time.now()));
  const fixture = new HostFixture({
    time,
    dialect: { routedCommand },
    dialectOf: (id) => (id.startsWith('d') ? 'test' : undefined),
  });
  fixture.devices.set('d2', deviceRef('d2'));
  const broker = new Broker({
    authenticator: fixture.host,
    sessions: store,
    retained: new MemoryRetainedStore(),
    clock: time,
    scheduler: time,
    readText,
    observer: new TestObserver(),
  });
  fixture.broker = broker;
  running = broker;
  await broker.start();
  const commit = async (): Promise<void> => {
    for (let round = 0; round < 5; round++) {
      store.commit();
      time.endTurn();
      await Promise.resolve();
    }
  };
  const connect = async (id: string, fields: Parameters<RawClient['connect']>[0] = {}): Promise<RawClient> => {
    const device = fixture.devices.get(id) ?? null;
    fixture.principal = { device, identity: id, account: 'acc', policy: WHOLE_STANDARD };
    fixture.session = new RoutedSession();
    const stream = new MemoryStream();
    broker.accept(stream, TEST_LISTENER);
    const client = new RawClient(stream, 5, () => time.endTurn());
    client.send(client.connectPacket({ clientId: id, username: 'u', ...fields }));
    await commit();
    return client;
  };
  const subscribe = async (client: RawClient, topicFilter: string, qos: 0 | 1 | 2 = 1): Promise<void> => {
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    client.send({ type: 8, packetIdentifier: 9, subscriptions: [{ topicFilter, options }], properties: null });
    await commit();
    client.receive();
  };
  const router = new CommandRouter({ gateway: fixture.host, scheduler: time });
  const call = (params: string, fields: Partial<RpcCall> = {}): RpcOutcome[] => {
    const outcomes: RpcOutcome[] = [];
    const device = fixture.devices.get('d1') ?? deviceRef('d1');
    const asked = { tenantId: 'tenant', device, method: 'set', timeoutMs: 10_000, oneway: false, waitForDevice: true };
    router.call({ ...asked, params, ...fields }, (outcome) => outcomes.push(outcome));
    return outcomes;
  };
  return { time, fixture, broker, store, connect, subscribe, commit, call };
}

function receiversOf(result: SendResult): number | string {
  return typeof result === 'string' ? result : result.receivers;
}

describe('a command that the dialect routes', () => {
  it('reaches every subscriber of the space with their QoS, the device and others, and ends its call at once', async () => {
    const { connect, subscribe, call, commit, time } = await start();
    const device = await connect('d1');
    const other = await connect('d2');
    await subscribe(device, 'Sub/d1', 1);
    await subscribe(other, 'Sub/#', 0);
    for (const oneway of [false, true]) {
      const outcomes = call('a', { oneway });
      await commit();
      expect(outcomes).toEqual([{ kind: 'routed', receivers: 2 }]);
      expect(device.messages()).toMatchObject([{ topicName: 'Sub/d1', qos: 1, retain: false, payload: bytes('a') }]);
      expect(other.messages()).toMatchObject([{ topicName: 'Sub/d1', qos: 0 }]);
      time.advance(SPACING_MS);
    }
  });

  it('WS-37 that reaches nobody ends with 0 receivers at once, and nothing arrives later', async () => {
    const { connect, subscribe, call, commit, time, fixture } = await start();
    expect(call('ab')).toEqual([{ kind: 'routed', receivers: 0 }]);
    const device = await connect('d1');
    await subscribe(device, 'Sub/d1');
    await commit();
    time.advance(1_000);
    expect(device.messages()).toEqual([]);
    expect(fixture.faults).toEqual([]);
  });

  it('WS-23 is kept for an absent Session, and its caller is told only when it is', async () => {
    const { connect, subscribe, call, commit, store } = await start();
    const device = await connect('d1', KEPT);
    await subscribe(device, 'Sub/d1', 1);
    device.lose();
    await commit();
    const outcomes = call('a');
    expect(store.pending).toBeGreaterThan(0);
    expect(outcomes).toEqual([]);
    await commit();
    expect(outcomes).toEqual([{ kind: 'routed', receivers: 1 }]);
    const back = await connect('d1', KEPT);
    await commit();
    expect(back.messages()).toMatchObject([{ topicName: 'Sub/d1', qos: 1, payload: bytes('a') }]);
  });

  it.each(['full', 'failed'] as const)('that a store could not keep (%s) is told so', async (outcome) => {
    const { connect, subscribe, call, commit, store } = await start();
    const device = await connect('d1', KEPT);
    await subscribe(device, 'Sub/d1', 1);
    device.lose();
    await commit();
    store.outcome = outcome;
    const outcomes = call('a');
    await commit();
    expect(outcomes).toEqual([{ kind: 'notStored', outcome }]);
  });

  it('is not handed to an absent Session that subscribed with QoS 0, for that keeps nothing', async () => {
    const { connect, subscribe, call, commit } = await start();
    const device = await connect('d1', KEPT);
    await subscribe(device, 'Sub/d1', 0);
    device.lose();
    await commit();
    expect(call('a')).toEqual([{ kind: 'routed', receivers: 0 }]);
  });

  it('counts a Shared Subscription once', async () => {
    const { connect, subscribe, fixture } = await start();
    for (const id of ['d1', 'd2']) await subscribe(await connect(id), '$share/g/Sub/d1');
    expect(receiversOf(fixture.host.send('d1', rpc('a')))).toBe(1);
  });

  it('WS-34 of several messages sends them in order, 50 ms apart, and the next command behind them', async () => {
    const { connect, subscribe, call, commit, time } = await start();
    const device = await connect('d1');
    await subscribe(device, 'Sub/#');
    const letters = (): string => {
      const messages = device.messages();
      for (const { packetIdentifier } of messages) device.acknowledge(PUBACK, packetIdentifier);
      return messages.map(({ payload }) => new TextDecoder().decode(payload)).join('');
    };
    expect(call('abc')).toHaveLength(1);
    await commit();
    expect(letters()).toBe('a');
    time.advance(SPACING_MS - 1);
    const second = call('xy');
    expect([letters(), second]).toEqual(['', []]);
    time.advance(1);
    expect(letters()).toBe('b');
    time.advance(SPACING_MS);
    expect(letters()).toBe('c');
    time.advance(SPACING_MS);
    expect([letters(), second]).toEqual(['x', [{ kind: 'routed', receivers: 1 }]]);
    time.advance(10 * SPACING_MS);
    expect(letters()).toBe('y');
    // The line is empty: the next one goes at once.
    call('z');
    time.endTurn();
    expect(letters()).toBe('z');
  });

  it('keeps a bounded number waiting: what is beyond goes without a pause, in order', async () => {
    const { connect, subscribe, fixture, time } = await start();
    const device = await connect('d1');
    await subscribe(device, 'Sub/#', 0);
    const timers = time.timers;
    for (let round = 0; round < 300; round++) fixture.host.send('d1', rpc('0123456789'));
    time.endTurn();
    const sent = device.messages().map(({ payload }) => new TextDecoder().decode(payload));
    expect(sent).toHaveLength(2_000);
    expect(sent.join('')).toBe('0123456789'.repeat(200));
    time.advance(2_000 * SPACING_MS);
    expect(device.messages()).toHaveLength(1_000);
    expect(time.timers).toBe(timers);
  });

  it('too large for the device is not sent', async () => {
    const { connect, subscribe, call, fixture } = await start();
    await subscribe(await connect('d1'), '#');
    expect(call('!')).toEqual([{ kind: 'tooLarge' }]);
    expect(fixture.faults).toEqual([]);
  });

  it('without a message, or one that the dialect fails to make, is not supported', async () => {
    const { call, fixture } = await start();
    expect(call('')).toEqual([{ kind: 'notSupported' }]);
    expect(fixture.faults).toEqual([]);
    const broken = new HostFixture({
      time: new FakeTime(),
      dialectOf: () => 'test',
      dialect: {
        routedCommand: () => {
          throw new TypeError('broken');
        },
      },
    });
    expect(broken.host.send('d1', rpc('a'))).toBe('notSupported');
    expect(broken.faults).toHaveLength(1);
  });

  it('is asked for by the dialect of the connection or, where there is none, of the credentials', async () => {
    const { fixture, connect } = await start();
    fixture.devices.set('x1', deviceRef('x1'));
    expect(fixture.host.send('x1', rpc('a'))).toBe('notConnected');
    expect(receiversOf(fixture.host.send('d2', rpc('a')))).toBe(0);
    await connect('x1');
    expect(receiversOf(fixture.host.send('x1', rpc('a')))).toBe(0);
    fixture.devices.delete('d2');
    expect(fixture.host.send('d2', rpc('a'))).toBe('notConnected');
  });

  it('is asked for by the dialect that knows a space of the device, where nobody knows the credentials', () => {
    const fixture = new HostFixture({
      time: new FakeTime(),
      dialect: { routedCommand, spaceAccount: ({ id }) => (id === 'd1' ? 'acc' : null) },
    });
    fixture.devices.set('d2', deviceRef('d2'));
    expect(receiversOf(fixture.host.send('d1', rpc('a')))).toBe(0);
    for (const id of ['d2', 'gone']) expect(fixture.host.send(id, rpc('a'))).toBe('notConnected');
  });

  it('that the dialect has no word for goes nowhere: shared attributes', async () => {
    const { connect, subscribe, fixture, time } = await start();
    const device = await connect('d1');
    await subscribe(device, '#');
    fixture.host.sharedAttributesChanged('d1', { deleted: ['a'] });
    time.endTurn();
    expect(device.messages()).toEqual([]);
  });

  it('goes out before the server stops, without a pause; that of a deleted device does not', async () => {
    const { connect, subscribe, call, fixture, time } = await start();
    const device = await connect('d1');
    await subscribe(device, 'Sub/#', 0);
    call('abc');
    fixture.host.close();
    time.endTurn();
    expect(device.messages()).toHaveLength(3);
    const again = await start();
    const other = await again.connect('d2');
    await again.subscribe(other, 'Sub/#', 0);
    again.call('abc');
    again.fixture.host.revoked('d1', 'deleted');
    again.time.advance(1_000);
    expect(other.messages()).toHaveLength(1);
  });

  it('tells how it ended to whoever asks, also late', async () => {
    const { fixture } = await start();
    const result = fixture.host.send('d1', rpc('a'));
    const told: WriteOutcome[] = [];
    if (typeof result !== 'string') for (let times = 0; times < 2; times++) result.whenStored((one) => told.push(one));
    expect(told).toEqual(['stored', 'stored']);
  });
});

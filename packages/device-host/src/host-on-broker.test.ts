import { perform } from '@moorage/dialect-api';
import { Broker, MemoryRetainedStore, MemorySessionStore } from '@moorage/mqtt-broker';
import {
  FakeTime,
  MemoryStream,
  RawClient,
  readText,
  TEST_LISTENER,
  TestObserver,
  WHOLE_STANDARD,
} from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { MessageLimits } from './options.ts';
import { deviceRef, FakeDownload, FakeSession, HostFixture, points } from './test-fakes.ts';

const PUBLISH = 3;
const PUBACK = 4;
const DISCONNECT = 14;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let running: Broker | null = null;

afterEach(async () => {
  await running?.close();
  running = null;
});

/** The host behind a real broker, with one client of 5.0. */
async function setUp(options: { limits?: MessageLimits; gateway?: boolean } = {}) {
  const time = new FakeTime();
  const { limits } = options;
  const fixture = new HostFixture({ time, ...(limits === undefined ? {} : { limits }) });
  const device = deviceRef('d1', { gateway: options.gateway ?? false });
  fixture.principal = { device, identity: 'd1', policy: { ...WHOLE_STANDARD, persistence: 'never' } };
  const observer = new TestObserver();
  const broker = new Broker({
    authenticator: fixture.host,
    sessions: new MemorySessionStore(() => time.now()),
    retained: new MemoryRetainedStore(),
    clock: time,
    scheduler: time,
    readText,
    observer,
  });
  running = broker;
  await broker.start();
  const connect = (session = new FakeSession()) => {
    fixture.session = session;
    const stream = new MemoryStream();
    broker.accept(stream, TEST_LISTENER);
    const client = new RawClient(stream, 5, () => time.endTurn());
    client.connect({ username: 'u' });
    return { client, stream, session };
  };
  const settle = async (): Promise<void> => {
    await turn();
    time.endTurn();
    await turn();
  };
  return { time, fixture, observer, connect, settle };
}

describe('the host on a broker', () => {
  it('7.3 PUBACK for the request comes before the chunk, which comes without a subscription', async () => {
    const { fixture, connect, settle } = await setUp();
    fixture.platform.open = async () => new FakeDownload('abcdef');
    const { client, session } = connect();
    const ask = { kind: 'otaChunk', type: 'FIRMWARE', requestId: '1', size: 4 } as const;
    session.disposition = perform([{ ...ask, chunk: 1, ref: 'fw/1' }]);
    client.publish('request', { qos: 1 });
    await settle();
    const packets = client.receive();
    expect(packets.map(({ type }) => type)).toEqual([PUBACK, PUBLISH]);
    expect(packets[1]).toMatchObject({ topicName: 'fw/1', payload: new TextEncoder().encode('ef') });
  });

  it('8 one PUBACK for a gateway message, after every device in it exists and has its data stored', async () => {
    const { fixture, connect, settle } = await setUp({ gateway: true });
    const { client, session } = connect();
    const behind = (name: string) =>
      ({ kind: 'subDevice', name, type: null, intents: [{ kind: 'telemetry', points: points() }] }) as const;
    session.disposition = perform([behind('A'), behind('B')]);
    client.publish('v1/gateway/telemetry', { qos: 1 });
    await settle();
    expect(client.receive()).toEqual([]);
    fixture.commit();
    await settle();
    expect(client.receive()).toMatchObject([{ type: PUBACK, reasonCode: 0 }]);
  });

  it('8 a device that may not be made: PUBACK 0x97, and the connection stays usable', async () => {
    const { fixture, connect, settle } = await setUp({ gateway: true });
    fixture.platform.ensure = async () => ({ outcome: 'refused', reason: 'no more devices' });
    const { client, session } = connect();
    session.disposition = perform([{ kind: 'subDevice', name: 'A', type: null, intents: [] }]);
    client.publish('v1/gateway/connect', { qos: 1 });
    await settle();
    expect(client.receive().filter(({ type }) => type === PUBACK)).toMatchObject([{ reasonCode: 0x97 }]);
    session.disposition = perform([]);
    client.publish('other', { qos: 1, packetIdentifier: 2 });
    expect(client.receive()).toMatchObject([{ type: PUBACK, packetIdentifier: 2, reasonCode: 0 }]);
  });

  it('TB-104 over the rate limit: DISCONNECT 0x83 and no PUBACK', async () => {
    // CONNECT and two messages.
    let left = 3;
    const { fixture, connect } = await setUp({
      limits: { limiterOf: () => ({ take: () => left-- > 0 }), sessionLimits: () => ({}) as never, removed: () => {} },
    });
    const { client, stream } = connect();
    for (const packetIdentifier of [1, 2]) client.publish('t', { qos: 1, packetIdentifier });
    expect(client.receive().map(({ type }) => type)).toEqual([PUBACK, PUBACK]);
    client.publish('t', { qos: 1, packetIdentifier: 3 });
    expect(client.receive()).toMatchObject([{ type: DISCONNECT, reasonCode: 0x83 }]);
    expect(stream.ended).toBe(true);
    expect(fixture.host.log.of('d1').map(({ reason }) => reason)).toContain('the device is over its rate limit');
  });

  it('TB-104 a SUBSCRIBE over the rate limit closes as well', async () => {
    let left = 1;
    const { connect } = await setUp({
      limits: { limiterOf: () => ({ take: () => left-- > 0 }), sessionLimits: () => ({}) as never, removed: () => {} },
    });
    const { client, stream, session } = connect();
    session.listens = false;
    client.send({
      type: 8,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 'f', options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
      ],
      properties: null,
    });
    expect(client.receive()).toMatchObject([{ type: DISCONNECT, reasonCode: 0x83 }]);
    expect(stream.ended).toBe(true);
    expect(session.listens).toBe(false);
  });

  it('4.1 what waits for the device is sent behind SUBACK, and PUBACK tells that it arrived', async () => {
    const { fixture, connect } = await setUp();
    const results: string[] = [];
    fixture.platform.onListening = (deviceId) => {
      const rpc = { kind: 'rpc', id: '0', method: 'm', params: 'null' } as const;
      fixture.host.send(deviceId, rpc, (result) => results.push(result));
    };
    const { client } = connect();
    expect(client.subscribe('rpc/+', { qos: 1 })).toMatchObject({ reasonCodes: [0] });
    const [push] = client.messages();
    expect(push).toMatchObject({ topicName: 'rpc/0', qos: 1 });
    expect(results).toEqual([]);
    client.acknowledge(PUBACK, push?.packetIdentifier ?? 0);
    expect(results).toEqual(['acknowledged']);
  });

  it('9 the answer to a question goes to the connection that asked, not to its successor', async () => {
    const { fixture, connect, settle } = await setUp();
    const first = connect();
    first.session.disposition = perform([{ kind: 'clientRpc', method: 'getTime', params: 'null', ref: 'res/1' }]);
    first.client.publish('request');
    const second = connect();
    await settle();
    expect(first.client.messages()).toEqual([]);
    expect(second.client.messages()).toEqual([]);
    expect(first.stream.ended).toBe(true);
    expect(fixture.host.connectionCount).toBe(1);
  });
});

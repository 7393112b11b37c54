import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectPacket, type Packet, PacketType, type Properties, type PublishPacket } from '@moorage/mqtt-codec';
import { FakeTime, type RawClient, TestBroker } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteSessionStore } from './sqlite-session-store.ts';

const PERSISTENT = { sessionExpiryInterval: 100 };
const USER_PROPERTIES = [
  ['b', '1'],
  ['a', '2'],
  ['b', '1'],
  ['', ''],
] as const;

describe('the broker on the session store', () => {
  let directory = '';
  let store: SqliteSessionStore;
  let test: TestBroker;
  let time = new FakeTime();

  const start = async () => {
    store = await SqliteSessionStore.open({
      directory,
      installationId: 'broker',
      now: () => time.now(),
      ballastBytes: 0,
    });
    test = await TestBroker.start({
      sessions: store,
      retained: store.retained,
      time,
      policy: { maximumSessionExpiryInterval: 0xffffffff },
      restoredWills: () => true,
    });
    await settle();
  };
  /** The process is killed, and started again after a while. */
  const crash = async (downMs = 0) => {
    await store.terminate();
    time = new FakeTime(time.now() + downMs);
    await start();
  };
  /** Lets commits end and the broker answer them. */
  const settle = async () => {
    for (let turn = 0; turn < 4; turn++) {
      await store.drained();
      await new Promise(setImmediate);
      time.endTurn();
    }
  };
  const connect = async (clientId: string, fields: Partial<ConnectPacket> = {}) => {
    const client = test.open();
    client.send(client.connectPacket({ clientId, cleanStart: false, properties: PERSISTENT, ...fields }));
    await settle();
    const [connack, ...rest] = client.receive();
    if (connack?.type !== PacketType.Connack) throw new TypeError('No CONNACK came.');
    return { client, present: connack.sessionPresent, rest };
  };
  const sent = async (client: RawClient, ...packets: Packet[]) => {
    client.send(...packets);
    await settle();
    return client.receive();
  };
  const subscribe = (client: RawClient, topicFilter: string, qos: 0 | 1 | 2 = 2) => {
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const subscriptions = [{ topicFilter, options }];
    return sent(client, { type: PacketType.Subscribe, packetIdentifier: 9, subscriptions, properties: null });
  };
  const publish = (client: RawClient, topicName: string, input: Parameters<RawClient['publish']>[1]) =>
    sent(client, client.publishPacket(topicName, { qos: 1, ...input }));
  const answer = (type: 4 | 5 | 6 | 7, packetIdentifier: number) =>
    ({ type, packetIdentifier, reasonCode: 0, properties: null }) as const;
  const publishes = (packets: readonly Packet[]) =>
    packets.filter((packet): packet is PublishPacket => packet.type === PacketType.Publish);
  const text = (packet: PublishPacket | undefined) => new TextDecoder().decode(packet?.payload);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-broker-'));
    time = new FakeTime();
    await start();
  });
  afterEach(async () => {
    expect(test.observer.faults).toEqual([]);
    await store.terminate();
    rmSync(directory, { recursive: true });
  });

  it('K-40 killed between PUBREC and PUBREL: PUBREL gets PUBCOMP, a repeated PUBLISH only PUBREC, one delivery in all', async () => {
    const { client: away } = await connect('away');
    await subscribe(away, 't');
    away.lose();
    const { client: publisher } = await connect('publisher');
    const publication = { qos: 2, packetIdentifier: 5, payload: 'once' } as const;
    expect(await publish(publisher, 't', publication)).toMatchObject([
      { type: PacketType.Pubrec, packetIdentifier: 5 },
    ]);
    await crash();
    const { client: again, present } = await connect('publisher');
    expect(present).toBe(true);
    expect(await publish(again, 't', { ...publication, dup: true })).toMatchObject([
      { type: PacketType.Pubrec, reasonCode: 0 },
    ]);
    expect(await sent(again, answer(6, 5))).toMatchObject([{ type: PacketType.Pubcomp, reasonCode: 0 }]);
    expect(await sent(again, answer(6, 5))).toMatchObject([{ type: PacketType.Pubcomp, reasonCode: 0x92 }]);
    const { rest } = await connect('away');
    expect(publishes(rest).map(text)).toEqual(['once']);
  });

  it('K-40 goes on with PUBREL, and not with PUBLISH, when killed after the subscriber sent PUBREC', async () => {
    const { client } = await connect('subscriber');
    await subscribe(client, 't');
    const { client: publisher } = await connect('publisher');
    await publish(publisher, 't', { qos: 2, packetIdentifier: 1, payload: 'x' });
    const [message] = publishes(client.receive());
    expect(message).toMatchObject({ qos: 2, dup: false });
    const packetIdentifier = message?.packetIdentifier ?? 0;
    expect(await sent(client, answer(5, packetIdentifier))).toMatchObject([
      { type: PacketType.Pubrel, packetIdentifier },
    ]);
    await crash();
    const { client: again, rest } = await connect('subscriber');
    expect(rest).toMatchObject([{ type: PacketType.Pubrel, packetIdentifier }]);
    expect(await sent(again, answer(7, packetIdentifier))).toEqual([]);
    await crash();
    expect((await connect('subscriber')).rest).toEqual([]);
  });

  it('F1 delivers what was acknowledged to an absent Session and to one that was connected, in order and with DUP', async () => {
    const { client } = await connect('subscriber', { properties: { ...PERSISTENT, receiveMaximum: 2 } });
    await subscribe(client, '#', 1);
    const { client: publisher } = await connect('publisher');
    for (let number = 1; number <= 6; number++) {
      const answered = await publish(publisher, 't', { packetIdentifier: number, payload: String(number) });
      expect(answered).toMatchObject([{ type: PacketType.Puback, packetIdentifier: number }]);
    }
    expect(publishes(client.receive()).map(text)).toEqual(['1', '2']);
    await crash();
    const { client: again, present, rest } = await connect('subscriber');
    expect(present).toBe(true);
    await settle();
    const all = publishes([...rest, ...again.receive()]);
    expect(all.map((packet) => [text(packet), packet.dup])).toEqual([
      ['1', true],
      ['2', true],
      ['3', false],
      ['4', false],
      ['5', false],
      ['6', false],
    ]);
    for (const { packetIdentifier } of all) await sent(again, answer(4, packetIdentifier));
    await crash();
    expect((await connect('subscriber')).rest).toEqual([]);
    expect(store.statistics().messages).toBe(0);
  });

  it('K-44 ends Sessions in time across a restart, with 0xFFFFFFFF never, and as DISCONNECT has changed it', async () => {
    const { client: short } = await connect('short');
    const { client: connected } = await connect('connected');
    const { client: endless } = await connect('endless', { properties: { sessionExpiryInterval: 0xffffffff } });
    const { client: changed } = await connect('changed');
    await subscribe(connected, 't');
    short.lose();
    endless.lose();
    changed.disconnect(0, { sessionExpiryInterval: 20 });
    await settle();
    await crash(30_000);
    expect(store.statistics().sessions).toBe(3);
    time.advance(60_000);
    expect((await connect('short')).present).toBe(true);
    expect((await connect('changed')).present).toBe(false);
    await crash(200_000);
    // What was connected at the crash has its whole time from the start on.
    expect((await connect('short')).present).toBe(true);
    time.advance(101_000);
    await settle();
    expect((await connect('connected')).present).toBe(false);
    await crash(20 * 365 * 86_400_000);
    expect((await connect('endless')).present).toBe(true);
  });

  it('K-45 N3 restores subscriptions, shared ones included, and not those that were unsubscribed', async () => {
    const { client } = await connect('subscriber');
    expect(await subscribe(client, '$share/g/shared', 1)).toMatchObject([
      { type: PacketType.Suback, reasonCodes: [1] },
    ]);
    await subscribe(client, 'own/+', 1);
    await subscribe(client, 'left', 1);
    const unsubscribe = { type: PacketType.Unsubscribe, packetIdentifier: 3, topicFilters: ['left'], properties: null };
    expect(await sent(client, unsubscribe as Packet)).toMatchObject([{ type: PacketType.Unsuback }]);
    await crash();
    expect(test.broker.statistics().subscriptions).toBe(2);
    const { client: publisher } = await connect('publisher');
    for (const [index, topicName] of ['shared', 'own/x', 'left', 'shared'].entries()) {
      await publish(publisher, topicName, { packetIdentifier: index + 1, payload: String(index) });
    }
    await crash();
    const { rest } = await connect('subscriber');
    expect(publishes(rest).map((packet) => `${packet.topicName}=${text(packet)}`)).toEqual([
      'shared=0',
      'own/x=1',
      'shared=3',
    ]);
  });

  it('K-11 a Retained Message keeps its deadline across a restart', async () => {
    const { client: publisher } = await connect('publisher');
    const properties: Properties = { messageExpiryInterval: 10 };
    await publish(publisher, 'soon', { retain: true, properties, payload: 'soon' });
    await publish(publisher, 'cleared', { retain: true, payload: 'x', packetIdentifier: 2 });
    await publish(publisher, 'cleared', { retain: true, payload: '', packetIdentifier: 3 });
    await crash(4_000);
    const { client } = await connect('subscriber');
    const found = publishes(await subscribe(client, '#', 0));
    expect(found).toMatchObject([{ topicName: 'soon', retain: true, properties: { messageExpiryInterval: 6 } }]);
    await crash(7_000);
    const { client: later } = await connect('later');
    expect(publishes(await subscribe(later, '#', 0))).toEqual([]);
    time.advance(61_000);
    await settle();
    expect(store.retained.statistics()).toEqual({ messages: 0, bytes: 0 });
  });

  it('K-59 N4 keeps User Properties in queue, retained store and Will across a restart; the Will is sent once', async () => {
    const { client: away } = await connect('away');
    await subscribe(away, '#', 1);
    away.lose();
    const { client: publisher } = await connect('publisher');
    const properties = { userProperties: USER_PROPERTIES };
    await publish(publisher, 'retained', { retain: true, properties, payload: 'kept' });
    const will = { topicName: 'will', payload: new Uint8Array([1]), qos: 1, retain: false } as const;
    const delayed = { ...will, properties: { ...properties, willDelayInterval: 5 } };
    const { client: mourned } = await connect('mourned', { will: delayed });
    mourned.lose();
    await settle();
    await crash(2_000);
    time.advance(4_000);
    await settle();
    await crash();
    time.advance(10_000);
    await settle();
    const { client, rest } = await connect('away');
    expect(publishes(rest).map((packet) => [packet.topicName, packet.properties?.userProperties])).toEqual([
      ['retained', USER_PROPERTIES],
      ['will', USER_PROPERTIES],
    ]);
    const again = publishes(await subscribe(client, 'retained', 0));
    expect(again).toMatchObject([{ retain: true, properties: { userProperties: USER_PROPERTIES } }]);
  });
});

import { encodePacket, type Packet, PacketType, type ProtocolLevel } from '@moorage/mqtt-codec';
import { TestBroker } from '@moorage/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const OPTIONS = { qos: 2, noLocal: false, retainAsPublished: true, retainHandling: 0 } as const;
const identifier = fc.integer({ min: 1, max: 6 });
const topicName = fc.constantFrom('a', 'a', 'a/b', 'a/b', 'c', '$x');
const payload = fc.uint8Array({ maxLength: 20 });

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({
    type: fc.constant(PacketType.Publish),
    topicName,
    payload,
    qos: fc.constantFrom(0, 1, 2),
    dup: fc.boolean(),
    retain: fc.boolean(),
    packetIdentifier: identifier,
    properties: fc.constantFrom(
      null,
      { topicAlias: 1 },
      { messageExpiryInterval: 0 },
      { userProperties: [['k', 'v']] },
    ),
  }) as fc.Arbitrary<Packet>,
  fc.record({
    type: fc.constantFrom(PacketType.Puback, PacketType.Pubrec, PacketType.Pubrel, PacketType.Pubcomp),
    packetIdentifier: identifier,
    reasonCode: fc.constantFrom(0, 0x80),
    properties: fc.constant(null),
  }) as fc.Arbitrary<Packet>,
  fc.record({
    type: fc.constant(PacketType.Subscribe),
    packetIdentifier: identifier,
    subscriptions: fc.array(
      fc.record({ topicFilter: fc.constantFrom('#', 'a/+', 'a', '$share/g/#'), options: fc.constant(OPTIONS) }),
      { minLength: 1, maxLength: 3 },
    ),
    properties: fc.constantFrom(null, { subscriptionIdentifiers: [5] }),
  }) as fc.Arbitrary<Packet>,
  fc.record({
    type: fc.constant(PacketType.Unsubscribe),
    packetIdentifier: identifier,
    topicFilters: fc.constantFrom(['#'], ['a', 'a/+']),
    properties: fc.constant(null),
  }) as fc.Arbitrary<Packet>,
  fc.constant<Packet>({ type: PacketType.Pingreq }),
  fc.record({
    type: fc.constant(PacketType.Disconnect),
    reasonCode: fc.constantFrom(0, 4),
    properties: fc.constant(null),
  }) as fc.Arbitrary<Packet>,
);

/** What a hostile client does: packets, some of them broken, in chunks of any size; it may stop reading, leave, and come back. */
interface Step {
  readonly who: number;
  readonly packets: readonly Packet[];
  readonly flip: number;
  readonly cut: number;
  readonly next: 'go on' | 'stall' | 'drain' | 'lose' | 'wait';
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(2),
  packets: fc.array(packet, { maxLength: 8, size: 'max' }),
  flip: fc.integer({ min: 0, max: 2_000 }),
  cut: fc.integer({ min: 1, max: 60 }),
  next: fc.constantFrom('go on', 'go on', 'go on', 'stall', 'drain', 'lose', 'wait'),
});

describe('hostile clients', () => {
  it('cost themselves their connection, nobody else anything, and leave nothing behind [B2] [L5]', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
        fc.constantFrom(3, 4, 5),
        async (steps, level) => {
          const test = await TestBroker.start({
            policy: {
              queue: { messages: 20, bytes: 5_000, ageMs: 1e6 },
              receiveMaximum: 3,
              maximumSessionExpiryInterval: 100,
            },
          });
          const bystander = test.connect('bystander', 5);
          const idle = test.broker.statistics();
          const clients = [0, 1, 2].map(() => test.open(level as ProtocolLevel));
          for (const { who, packets, flip, cut, next } of steps) {
            let client = clients[who] as (typeof clients)[number];
            if (client.stream.closed || client.stream.ended) {
              client = test.open(level as ProtocolLevel);
              clients[who] = client;
            }
            if (client.stream.writes.length === 0) {
              client.send(
                client.connectPacket({
                  clientId: `c${who}`,
                  cleanStart: flip % 2 === 0,
                  properties:
                    level === 5
                      ? { sessionExpiryInterval: flip % 3, receiveMaximum: 2, topicAliasMaximum: flip % 5 }
                      : null,
                }),
              );
            }
            const bytes = packets.flatMap((one) => [...(encodePacket(level as ProtocolLevel, one) ?? [])]);
            if (flip < bytes.length) bytes[flip] = (bytes[flip] ?? 0) ^ (1 << (flip % 8));
            for (let at = 0; at < bytes.length; at += cut) client.bytes(Uint8Array.from(bytes.slice(at, at + cut)));
            if (next === 'stall') client.stream.stalled = true;
            else if (next === 'drain') client.stream.drain();
            else if (next === 'lose') client.lose();
            else if (next === 'wait') test.time.advance(2_000);
            await Promise.resolve();
            test.time.endTurn();
            expect(test.broker.statistics().queuedMessages).toBeLessThanOrEqual(3 * 25);
          }
          bystander.ping();
          expect(bystander.receive().at(-1)).toMatchObject({ type: PacketType.Pingresp });
          for (const client of clients) client.stream.lose();
          test.time.advance(200_000);
          for (let round = 0; round < 20; round++) {
            await Promise.resolve();
            test.time.endTurn();
          }
          const {
            publishReceived: _read,
            publishSent: _sent,
            retainedMessages: _kept,
            retainedBytes: _bytes,
            routesCached: _routes,
            ...now
          } = test.broker.statistics();
          expect(now).toMatchObject({
            connections: idle.connections,
            sessions: idle.sessions,
            subscriptions: 0,
            queuedMessages: 0,
            queuedBytes: 0,
            storedMessages: 0,
            spaces: 0,
          });
          expect(test.observer.faults).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  }, 20_000);
});

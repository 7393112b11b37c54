import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { ConnectRejection } from './connect-rejection.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { type Packet, PacketType, type Properties, type ProtocolLevel } from './packets.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Sender } from './reason-code-tables.ts';
import { BAD_VECTORS, LEGAL_VECTORS } from './vectors/all-vectors.ts';
import { decodeBytes } from './vectors/decode-bytes.ts';
import { bodyOf, hex, packet } from './vectors/wire.ts';

/**
 * What this codec refuses and mqtt-packet takes: the clauses on which the refusal stands. Nothing else may differ, and
 * every line is proven by one of the vectors or mutations below.
 */
const STRICTER: Readonly<Record<string, string>> = {
  level: 'MQTT with level 3 is answered with return code 1 (mqtt.md, 2.1)',
  'MQTT 1.2': 'fields past the end of the packet, and bytes behind the last field',
  'MQTT-1.5.4-1, MQTT-1.5.4-2': 'ill-formed UTF-8 and U+0000 in strings',
  'v3.1.1 MQTT-1.5.3-1, MQTT-1.5.3-2': 'the same on 3.x',
  'O-3': 'control characters and non-characters in strings',
  'MQTT-1.5.5-1': 'Variable Byte Integers cut short or not in their shortest form',
  'U-1': 'properties in packets where they may not stand',
  'U-2': 'once-only properties twice',
  'U-3': 'values out of range',
  'U-5': 'Authentication Data without a method',
  'U-6': 'no Topic Name and no Topic Alias',
  'U-14': 'AUTH without a method',
  'U-22': 'more than 64 User Properties',
  'O-14': 'more than 1,000 Topic Filters',
  'MQTT-2.2.1-3': 'Packet Identifier 0',
  'v3.1.1 MQTT-2.3.1-1': 'Packet Identifier 0',
  'v3.1.1 MQTT-3.1.2-14': 'Will QoS 3',
  'MQTT-3.1.2-12': 'Will QoS 3',
  'v3.1.1 MQTT-3.1.2-22': 'a password without a user name',
  'MQTT-4.7.0-1': 'a wildcard in the Will Topic',
  'v3.1.1 MQTT-4.7.1-1': 'a wildcard in the Will Topic',
  'MQTT-4.7.3-1': 'an empty Will Topic, Topic Filter or Response Topic',
  'v3.1.1 MQTT-4.7.3-1': 'an empty Topic Name',
  'MQTT-3.2.2-6': 'Session Present on a refusal',
  'v3.1.1 MQTT-3.2.2-4': 'Session Present on a refusal',
  'MQTT-3.2.2-8': 'Reason Codes that may not stand in CONNACK',
  'v3.1.1 MQTT-3.2.2-6': 'return codes above 5',
  'MQTT-3.3.1-2': 'DUP on QoS 0',
  'MQTT-3.3.2-2': 'wildcards in the Topic Name of a PUBLISH',
  'MQTT-3.3.2-8': 'Topic Alias 0',
  'MQTT-3.3.2-14': 'wildcards in a Response Topic',
  'MQTT-3.3.4-6': 'a Subscription Identifier from a client',
  'v3.1.1 MQTT 3.4.1': 'acknowledgements of another length',
  'MQTT-3.8.3-2': 'SUBSCRIBE without a filter',
  'v3.1.1 MQTT-3.8.3-3': 'SUBSCRIBE without a filter',
  'MQTT-3.8.3-4': 'No Local on a Shared Subscription',
  'v3.1.1 MQTT-3.8.4-5': 'SUBACK without a code',
  'MQTT-3.9.3-2': 'SUBACK without a code or with a wrong one',
  'v3.1.1 MQTT-3.9.3-2': 'SUBACK of 3.1 with 0x80',
  'MQTT-3.10.3-2': 'UNSUBSCRIBE without a filter',
  'v3.1.1 MQTT-3.10.3-2': 'UNSUBSCRIBE without a filter',
  'MQTT-3.11.3-2': 'UNSUBACK without a code or with a wrong one',
  'MQTT-3.14.2-1': 'Reason Codes that the other side alone may send',
  'MQTT-3.14.2-2': 'a Session Expiry Interval from a server',
  'MQTT-4.7.1-1, MQTT-4.7.1-2': 'misplaced wildcards in a Topic Filter',
  'MQTT-4.8.2-1': 'an empty ShareName',
  'MQTT-4.8.2-2': 'a ShareName with a wildcard, or without a filter',
};

type Reference = Readonly<Record<string, unknown>>;

/** One packet as mqtt-packet reads it; null where it reports an error or finds none. */
function parse(level: ProtocolLevel, whole: Uint8Array): Reference | null {
  const parser = mqttPacket.parser({ protocolVersion: level });
  const found: Reference[] = [];
  let isBroken = false;
  parser.on('packet', (read) => found.push({ ...read }));
  parser.on('error', () => {
    isBroken = true;
  });
  try {
    parser.parse(Buffer.from(whole));
  } catch (error) {
    // It throws on some malformed input, where this codec must not.
    if (!(error instanceof Error)) throw error;
    isBroken = true;
  }
  return isBroken ? null : (found[0] ?? null);
}

const FLAGS: readonly (keyof Properties)[] = [
  'payloadFormatIndicator',
  'requestProblemInformation',
  'requestResponseInformation',
  'retainAvailable',
  'wildcardSubscriptionAvailable',
  'subscriptionIdentifierAvailable',
  'sharedSubscriptionAvailable',
];
const OTHER_NAMES: Readonly<Record<string, string>> = {
  subscriptionIdentifiers: 'subscriptionIdentifier',
  subscriptionIdentifierAvailable: 'subscriptionIdentifiersAvailable',
};

function translateProperties(properties: Properties | null): Reference | undefined {
  if (properties === null) return undefined;
  const translated: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(properties)) {
    const name = OTHER_NAMES[key] ?? key;
    if (key === 'userProperties') {
      const grouped: Record<string, unknown> = {};
      for (const [property, text] of properties.userProperties ?? []) {
        const before = grouped[property];
        grouped[property] = before === undefined ? text : [before, text].flat();
      }
      translated[name] = grouped;
    } else if (FLAGS.some((flag) => flag === key)) translated[name] = value === 1;
    else if (key === 'subscriptionIdentifiers' && Array.isArray(value) && value.length === 1)
      translated[name] = value[0];
    else translated[name] = value instanceof Uint8Array ? Buffer.from(value) : value;
  }
  return translated;
}

/** The fields of a packet under the names of mqtt-packet. */
function translate(level: ProtocolLevel, own: Packet): Reference {
  const properties = 'properties' in own ? translateProperties(own.properties) : undefined;
  const base = properties === undefined ? {} : { properties };
  switch (own.type) {
    case PacketType.Connect:
      return {
        ...base,
        cmd: 'connect',
        clientId: own.clientId,
        clean: own.cleanStart,
        keepalive: own.keepAlive,
        protocolVersion: own.level,
        ...(own.username === null ? {} : { username: own.username }),
        ...(own.password === null ? {} : { password: Buffer.from(own.password) }),
        ...(own.will === null
          ? {}
          : {
              will: {
                topic: own.will.topicName,
                payload: Buffer.from(own.will.payload),
                qos: own.will.qos,
                retain: own.will.retain,
                ...(own.will.properties === null ? {} : { properties: translateProperties(own.will.properties) }),
              },
            }),
      };
    case PacketType.Connack:
      return {
        ...base,
        cmd: 'connack',
        sessionPresent: own.sessionPresent,
        [level === 5 ? 'reasonCode' : 'returnCode']: own.reasonCode,
      };
    case PacketType.Publish: {
      const { qos, dup, retain } = own;
      const numbered = qos === 0 ? {} : { messageId: own.packetIdentifier };
      return {
        ...base,
        cmd: 'publish',
        topic: own.topicName,
        payload: Buffer.from(own.payload),
        qos,
        dup,
        retain,
        ...numbered,
      };
    }
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp: {
      const names = { [PacketType.Puback]: 'puback', [PacketType.Pubrec]: 'pubrec' } as Record<number, string>;
      const cmd = names[own.type] ?? (own.type === PacketType.Pubrel ? 'pubrel' : 'pubcomp');
      const code = level === 5 ? { reasonCode: own.reasonCode } : {};
      return { ...base, cmd, messageId: own.packetIdentifier, ...code };
    }
    case PacketType.Subscribe:
      return {
        ...base,
        cmd: 'subscribe',
        messageId: own.packetIdentifier,
        subscriptions: own.subscriptions.map(({ topicFilter, options }) => ({
          topic: topicFilter,
          qos: options.qos,
          ...(level === 5 ? { nl: options.noLocal, rap: options.retainAsPublished, rh: options.retainHandling } : {}),
        })),
      };
    case PacketType.Suback:
      return { ...base, cmd: 'suback', messageId: own.packetIdentifier, granted: own.reasonCodes };
    case PacketType.Unsubscribe:
      return { ...base, cmd: 'unsubscribe', messageId: own.packetIdentifier, unsubscriptions: own.topicFilters };
    case PacketType.Unsuback:
      return {
        ...base,
        cmd: 'unsuback',
        messageId: own.packetIdentifier,
        ...(level === 5 ? { granted: own.reasonCodes } : {}),
      };
    case PacketType.Pingreq:
      return { cmd: 'pingreq' };
    case PacketType.Pingresp:
      return { cmd: 'pingresp' };
    case PacketType.Disconnect:
      return { ...base, cmd: 'disconnect', ...(level === 5 ? { reasonCode: own.reasonCode } : {}) };
    case PacketType.Auth:
      return { ...base, cmd: 'auth', reasonCode: own.reasonCode };
  }
}

interface Mutation {
  readonly kind: 'replace' | 'insert' | 'remove' | 'cut';
  readonly at: number;
  readonly value: number;
}

/** Changes the body and corrects the Remaining Length; position 0 is the first byte. */
function mutate(whole: Uint8Array, { kind, at, value }: Mutation): Uint8Array {
  const plain = [whole[0] ?? 0, ...bodyOf(whole)];
  const index = at % plain.length;
  if (kind === 'replace') plain[index] = value;
  else if (kind === 'insert') plain.splice(index + 1, 0, value);
  else if (kind === 'remove' && index > 0) plain.splice(index, 1);
  else if (index > 0) plain.length = index;
  return packet(plain[0] ?? 0, plain.slice(1));
}

/** mqtt-packet refuses these and this codec takes them; the reason stands in front. */
function isLenient(level: ProtocolLevel, own: Packet): boolean {
  // O-31: reserved bits, Will bits, a missing user name; DUP on PUBREL, SUBSCRIBE, UNSUBSCRIBE.
  if (level === 3) return LENIENT_ON_3.includes(own.type);
  // An AUTH without a body means Success; 0x8C may be sent in DISCONNECT.
  return own.type === PacketType.Auth || (own.type === PacketType.Disconnect && own.reasonCode === 0x8c);
}
const LENIENT_ON_3: readonly PacketType[] = [
  ...[PacketType.Connect, PacketType.Connack],
  ...[PacketType.Pubrel, PacketType.Subscribe, PacketType.Unsubscribe],
];

/** Compares both on one packet; gives the clause where only this codec refuses. */
function compare(level: ProtocolLevel, whole: Uint8Array, sender?: Sender): string | null {
  const own = decodeBytes(level, whole, sender === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, sender });
  const reference = parse(level, whole);
  if (own === 'incomplete') throw new TypeError(hex(whole));
  if (own instanceof ProtocolError) return reference === null ? null : own.clause;
  if (own instanceof ConnectRejection) return reference === null ? null : 'level';
  if (reference === null) expect(isLenient(level, own), hex(whole)).toBe(true);
  // 3.1 does not look at the byte that 3.1.1 made Session Present.
  else if (level === 3 && own.type === PacketType.Connack) expect(reference.returnCode).toBe(own.reasonCode);
  else expect(reference, hex(whole)).toMatchObject(translate(level, own));
  return null;
}

/** Legal packets that mqtt-packet does not write. */
const UNWRITABLE: readonly string[] = [
  'the shortest CONNECT of 5.0', // no Client Identifier without Clean Start
  'a password without a user name on 5.0',
  'AUTH without a body', // it writes a Reason Code and an empty Property Length, against U-14
];

describe('mqtt-packet', () => {
  it('reads every legal packet as this codec does', () => {
    for (const vector of LEGAL_VECTORS) {
      for (const level of vector.levels) expect(compare(level, vector.bytes)).toBeNull();
    }
  });

  it('writes packets that this codec reads as they were meant', () => {
    let count = 0;
    for (const vector of LEGAL_VECTORS) {
      if (vector.notShortest === true || UNWRITABLE.some((title) => vector.title.startsWith(title))) continue;
      for (const level of vector.levels) {
        const fields = { protocolId: level === 3 ? 'MQIsdp' : 'MQTT', ...translate(level, vector.packet) };
        const written = mqttPacket.generate(fields as never, { protocolVersion: level });
        expect(decodeBytes(level, new Uint8Array(written)), hex(written)).toEqual(vector.packet);
        count++;
      }
    }
    expect(count).toBeGreaterThan(60);
  });

  it('is less strict by the clauses of the list, each of them seen, and by no other', () => {
    const seen = new Set<string>();
    for (const vector of BAD_VECTORS) {
      for (const level of vector.levels) seen.add(compare(level, vector.bytes, vector.sender) ?? '');
    }
    const mutation = fc.record<Mutation>({
      kind: fc.constantFrom('replace', 'insert', 'remove', 'cut'),
      at: fc.nat(100),
      value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 0x23, 0x2b, 0x0b, 0x1f, 0x26, 0x80)),
    });
    fc.assert(
      fc.property(fc.constantFrom(...LEGAL_VECTORS), fc.array(mutation, { maxLength: 2 }), (vector, mutations) => {
        const whole = mutations.reduce(mutate, vector.bytes);
        for (const level of vector.levels) seen.add(compare(level, whole) ?? '');
      }),
      { numRuns: 20_000, seed: 20_190_307 },
    );
    seen.delete('');
    expect([...seen].sort()).toEqual(Object.keys(STRICTER).sort());
  });
});

import { hexOf, type PacketSummary, type PropertyValue, previewOf } from '@moorage/device-host';
import {
  DEFAULT_LIMITS,
  type DecodeLimits,
  decodePacket,
  type Packet,
  PacketType,
  type Properties,
  ProtocolError,
  type ProtocolLevel,
} from '@moorage/mqtt-codec';
import { payloadText, readText } from './payload-text.ts';

/** The broker has let the packet pass, so the bounds are those of the protocol. */
const LIMITS: DecodeLimits = {
  ...DEFAULT_LIMITS,
  maximumPacketSize: 268_435_460,
  maximumUserProperties: 10_000,
  maximumTopicFilters: 100_000,
};

const SHOWN_CHARACTERS = 512;
const SHOWN_FILTERS = 50;
const SHOWN_CODES = 50;
const SHOWN_PAIRS = 20;
const SHOWN_NUMBERS = 50;
const SHOWN_BYTES = 128;
/** What proves who somebody is, is never shown. */
const HIDDEN: ReadonlySet<string> = new Set(['authenticationData']);

const NAMES = new Map<number, string>(Object.entries(PacketType).map(([name, type]) => [type, name.toUpperCase()]));

type Details = Partial<Omit<PacketSummary, 'type' | 'sizeBytes'>>;

const NOTHING: Omit<PacketSummary, 'type' | 'sizeBytes'> = {
  packetIdentifier: null,
  topicName: null,
  qos: null,
  retain: null,
  dup: null,
  sessionPresent: null,
  reasonCodes: null,
  topicFilters: null,
  payloadBytes: null,
  payload: null,
  properties: null,
  problem: null,
};

/**
 * Reads a packet for a trace: bounded, whatever it holds. The payload at the end of a PUBLISH may be missing, where it is
 * still to be read from a file. CONNECT is named and never read.
 */
export function describePacket(level: ProtocolLevel, bytes: Uint8Array): PacketSummary {
  const firstByte = bytes[0] ?? 0;
  const type = NAMES.get(firstByte >> 4) ?? 'RESERVED';
  const header = readHeader(bytes);
  if (header === null) return { type, sizeBytes: bytes.length, ...NOTHING, problem: 'The packet has no whole header.' };
  const { bodyStart, sizeBytes } = header;
  if (firstByte >> 4 === PacketType.Connect) return { type, sizeBytes, ...NOTHING };
  const end = Math.min(sizeBytes, bytes.length);
  const packet = decodePacket(level, firstByte, bytes, bodyStart, end, LIMITS, readText);
  if (packet instanceof ProtocolError) return { type, sizeBytes, ...NOTHING, problem: cut(packet.message) };
  return { type, sizeBytes, ...NOTHING, ...detailsOf(packet, sizeBytes - end) };
}

/** Where the body begins and how many bytes the whole packet has. MQTT 5.0, 2.1.4 */
function readHeader(bytes: Uint8Array): { readonly bodyStart: number; readonly sizeBytes: number } | null {
  let remainingLength = 0;
  for (let index = 1; index <= 4; index++) {
    const byte = bytes[index];
    if (byte === undefined) return null;
    remainingLength += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) return { bodyStart: index + 1, sizeBytes: index + 1 + remainingLength };
  }
  return null;
}

/** `missing`: bytes of the payload that are not there. */
function detailsOf(packet: Packet, missing: number): Details {
  switch (packet.type) {
    case PacketType.Connect:
    case PacketType.Pingreq:
    case PacketType.Pingresp:
      return {};
    case PacketType.Connack:
      return {
        sessionPresent: packet.sessionPresent,
        reasonCodes: [packet.reasonCode],
        properties: shown(packet.properties),
      };
    case PacketType.Publish: {
      const { topicName, payload, qos, retain, dup, packetIdentifier } = packet;
      return {
        topicName: cut(topicName),
        qos,
        retain,
        dup,
        packetIdentifier: qos === 0 ? null : packetIdentifier,
        payloadBytes: payload.length + missing,
        payload: missing > 0 ? { text: null, hex: null, cut: true } : previewOf(payload, payloadText),
        properties: shown(packet.properties),
      };
    }
    case PacketType.Subscribe:
      return {
        packetIdentifier: packet.packetIdentifier,
        topicFilters: packet.subscriptions
          .slice(0, SHOWN_FILTERS)
          .map(({ topicFilter, options }) => ({ topicFilter: cut(topicFilter), qos: options.qos })),
        properties: shown(packet.properties),
      };
    case PacketType.Unsubscribe:
      return {
        packetIdentifier: packet.packetIdentifier,
        topicFilters: packet.topicFilters
          .slice(0, SHOWN_FILTERS)
          .map((topicFilter) => ({ topicFilter: cut(topicFilter), qos: null })),
        properties: shown(packet.properties),
      };
    case PacketType.Suback:
    case PacketType.Unsuback:
      return {
        packetIdentifier: packet.packetIdentifier,
        reasonCodes: packet.reasonCodes.slice(0, SHOWN_CODES),
        properties: shown(packet.properties),
      };
    case PacketType.Disconnect:
    case PacketType.Auth:
      return { reasonCodes: [packet.reasonCode], properties: shown(packet.properties) };
    default:
      return {
        packetIdentifier: packet.packetIdentifier,
        reasonCodes: [packet.reasonCode],
        properties: shown(packet.properties),
      };
  }
}

function shown(properties: Properties | null): PacketSummary['properties'] {
  if (properties === null) return null;
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, HIDDEN.has(name) ? '***' : property(value)]),
  );
}

function property(value: Properties[keyof Properties]): PropertyValue {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return cut(value);
  if (value instanceof Uint8Array) {
    return hexOf(value.subarray(0, SHOWN_BYTES)) + (value.length > SHOWN_BYTES ? '...' : '');
  }
  const numbers: number[] = [];
  const pairs: (readonly [string, string])[] = [];
  for (const one of value ?? []) {
    if (typeof one === 'number') numbers.push(one);
    else pairs.push([cut(one[0]), cut(one[1])]);
    if (numbers.length >= SHOWN_NUMBERS || pairs.length >= SHOWN_PAIRS) break;
  }
  return pairs.length > 0 ? pairs : numbers;
}

function cut(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}

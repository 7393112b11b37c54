import { StoreError } from '../sqlite/store-error.ts';
import type { ByteReader } from '../telemetry/byte-reader.ts';
import type { ByteWriter } from '../telemetry/byte-writer.ts';
import { readBytes, readNumbers, writeBytes, writeNumbers } from './byte-fields.ts';
import type { Properties } from './message-codec.ts';

type KeysOf<T> = { [K in keyof Properties]-?: Required<Properties>[K] extends T ? K : never }[keyof Properties];

/** Identifiers of MQTT 5.0, 2.2.2.2, by the form of the value. */
const NUMBERS: Record<KeysOf<number>, number> = {
  payloadFormatIndicator: 0x01,
  messageExpiryInterval: 0x02,
  sessionExpiryInterval: 0x11,
  serverKeepAlive: 0x13,
  requestProblemInformation: 0x17,
  willDelayInterval: 0x18,
  requestResponseInformation: 0x19,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  maximumQoS: 0x24,
  retainAvailable: 0x25,
  maximumPacketSize: 0x27,
  wildcardSubscriptionAvailable: 0x28,
  subscriptionIdentifierAvailable: 0x29,
  sharedSubscriptionAvailable: 0x2a,
};
const TEXTS: Record<KeysOf<string>, number> = {
  contentType: 0x03,
  responseTopic: 0x08,
  assignedClientIdentifier: 0x12,
  authenticationMethod: 0x15,
  responseInformation: 0x1a,
  serverReference: 0x1c,
  reasonString: 0x1f,
};
const BINARIES: Record<KeysOf<Uint8Array>, number> = { correlationData: 0x09, authenticationData: 0x16 };
const SUBSCRIPTION_IDENTIFIERS = 0x0b;
const USER_PROPERTY = 0x26;
const END = 0;

function entries<K extends keyof Properties>(table: Record<K, number>): readonly (readonly [K, number])[] {
  // The keys of a literal are the keys of its type.
  return Object.entries(table) as [K, number][];
}

const NUMBER_LIST = entries(NUMBERS);
const TEXT_LIST = entries(TEXTS);
const BINARY_LIST = entries(BINARIES);

function byIdentifier<K extends keyof Properties>(list: readonly (readonly [K, number])[]): ReadonlyMap<number, K> {
  return new Map(list.map(([name, identifier]) => [identifier, name]));
}

const NUMBER_NAMES = byIdentifier(NUMBER_LIST);
const TEXT_NAMES = byIdentifier(TEXT_LIST);
const BINARY_NAMES = byIdentifier(BINARY_LIST);

/** Writes every property that is set; User Properties in their order. */
export function writeProperties(writer: ByteWriter, properties: Properties): void {
  for (const [name, identifier] of NUMBER_LIST) {
    const value = properties[name];
    if (value === undefined) continue;
    writer.reserve(16);
    writer.byte(identifier);
    writer.varint(value);
  }
  for (const [name, identifier] of TEXT_LIST) {
    const value = properties[name];
    if (value === undefined) continue;
    writer.reserve(1);
    writer.byte(identifier);
    writer.text(value);
  }
  for (const [name, identifier] of BINARY_LIST) {
    const value = properties[name];
    if (value === undefined) continue;
    writer.reserve(1);
    writer.byte(identifier);
    writeBytes(writer, value);
  }
  if (properties.subscriptionIdentifiers !== undefined) {
    writer.reserve(1);
    writer.byte(SUBSCRIPTION_IDENTIFIERS);
    writeNumbers(writer, properties.subscriptionIdentifiers);
  }
  for (const [name, value] of properties.userProperties ?? []) {
    writer.reserve(1);
    writer.byte(USER_PROPERTY);
    writer.text(name);
    writer.text(value);
  }
  writer.reserve(1);
  writer.byte(END);
}

/** Reads what `writeProperties` wrote. Throws `StoreError` `corrupt-record`. */
export function readProperties(reader: ByteReader): Properties {
  const found: Record<string, unknown> = {};
  const userProperties: (readonly [string, string])[] = [];
  for (let identifier = reader.byte(); identifier !== END; identifier = reader.byte()) {
    const name = NUMBER_NAMES.get(identifier) ?? TEXT_NAMES.get(identifier) ?? BINARY_NAMES.get(identifier);
    if (name === undefined) {
      if (identifier === USER_PROPERTY) userProperties.push([reader.text(), reader.text()]);
      else if (identifier === SUBSCRIPTION_IDENTIFIERS) found.subscriptionIdentifiers = readNumbers(reader);
      else throw new StoreError('corrupt-record', `Property 0x${identifier.toString(16)} is not known`);
    } else if (NUMBER_NAMES.has(identifier)) found[name] = reader.varint();
    else if (TEXT_NAMES.has(identifier)) found[name] = reader.text();
    else found[name] = readBytes(reader);
  }
  if (userProperties.length > 0) found.userProperties = userProperties;
  // Each name has the form that its table gives it.
  return found as Properties;
}

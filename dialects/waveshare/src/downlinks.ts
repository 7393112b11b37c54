import { type TextDecoding, type Value, ValueKind, type ValueReader, type WaveshareSettings } from '@moorage/core';
import { type DeviceCommand, encodeText } from '@moorage/dialect-api';
import { definitionsOf } from './definitions.ts';

/** Bytes of a whole packet that the vendor's firmware takes. Sections 2.2 and 4.6 */
export const DEFAULT_MAXIMUM_PACKET = 256;
/** Most properties of one command, each a message of its own. */
const MAXIMUM_PROPERTIES = 100;

/** What may name a property. Section 4.2 */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const WHOLE_NUMBER = /^-?[0-9]+$/;
/** Shared attributes by which the platform assigns firmware, which these devices do not load. */
const PACKAGE_ATTRIBUTE = /^[fs]w_/;
/** Methods that set the properties named in their parameters. */
const SETTERS: readonly string[] = ['set', 'setValue'];

/** One property and its value as it stands in the message. */
export interface Property {
  readonly identifier: string;
  /** Compact JSON. */
  readonly value: string;
}

/** The properties that a command sets, in its order. */
export function propertiesOf(
  command: DeviceCommand,
  settings: WaveshareSettings | undefined,
  reader: ValueReader,
  decoding: TextDecoding,
): readonly Property[] | 'notSupported' | 'tooLarge' {
  const definitions = definitionsOf(settings);
  const isWritable = (identifier: string): boolean =>
    IDENTIFIER.test(identifier) && definitions.get(identifier)?.access !== 'r';
  if (command.kind === 'sharedAttributes') {
    const properties: Property[] = [];
    for (const [identifier, value] of command.values ?? []) {
      // The shared attributes of a device also hold what is not meant for its firmware.
      if (!isWritable(identifier) || (PACKAGE_ATTRIBUTE.test(identifier) && !definitions.has(identifier))) continue;
      properties.push({ identifier, value: attributeText(value) });
    }
    return bounded(properties);
  }
  const { method } = command;
  const params = encodeText(command.params);
  const members = reader.readMembers(params, decoding, MAXIMUM_PROPERTIES);
  if (members === 'tooManyValues') return 'tooLarge';
  const isObject = typeof members !== 'string';
  if (isObject && SETTERS.includes(method)) {
    const properties: Property[] = [];
    for (const [identifier, json] of members) {
      const value = valueText(json);
      if (value === undefined || !isWritable(identifier)) return 'notSupported';
      properties.push({ identifier, value });
    }
    return bounded(properties);
  }
  const only = isObject && members.size === 1 ? members.get('value') : undefined;
  const json = only ?? reader.readJson(params, decoding);
  const value = json === undefined ? undefined : valueText(json);
  return value === undefined || !isWritable(method) ? 'notSupported' : [{ identifier: method, value }];
}

function bounded(properties: readonly Property[]): readonly Property[] | 'notSupported' | 'tooLarge' {
  if (properties.length === 0) return 'notSupported';
  return properties.length > MAXIMUM_PROPERTIES ? 'tooLarge' : properties;
}

/** Firmware searches for text: `data` first, one property, no white space, no `true`. Sections 2.2 and 4.6 */
export function downlinkPayload({ identifier, value }: Property): Uint8Array {
  return encodeText(`{"data":{"${identifier}":${value}}}`);
}

/** Compact JSON text in the form that firmware understands; undefined: there is no value. */
function valueText(json: string): string | undefined {
  switch (json.charAt(0)) {
    case 'n':
      return undefined;
    case 't':
    case 'f':
      return switchText(json === 'true');
    case '{':
    case '[':
      return json;
    case '"':
      return JSON.stringify(JSON.parse(json));
    default:
      return numberText(json);
  }
}

/** Read as an integer, `true` would be 0. Section 2.2 */
function switchText(on: boolean): string {
  return on ? '1' : '0';
}

/** Shortest form; whole numbers keep every digit. undefined: larger than any double. */
function numberText(json: string): string | undefined {
  if (WHOLE_NUMBER.test(json)) return json === '-0' ? '0' : json;
  const number = Number(json);
  return Number.isFinite(number) ? String(number) : undefined;
}

function attributeText({ kind, value }: Value): string {
  if (kind === ValueKind.Boolean) return switchText(value === true);
  return kind === ValueKind.String ? JSON.stringify(value) : String(value);
}

/** Bytes of the PUBLISH packet at QoS 0. Section 4.6 */
export function packetSize(topicName: string, payload: Uint8Array): number {
  const remaining = 2 + encodeText(topicName).length + payload.length;
  let lengthBytes = 1;
  for (let rest = remaining; rest >= 128; rest = Math.floor(rest / 128)) lengthBytes++;
  return 1 + lengthBytes + remaining;
}

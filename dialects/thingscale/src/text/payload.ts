import { type Json, parseJson } from '@moorage/core';
import { compactJson, depthOf, MAXIMUM_DEPTH, memberTexts, objectText } from './json-parts.ts';
import { encodedPairs, loosePairs } from './pairs.ts';
import { plainNumber } from './plain-number.ts';

/** Bytes. thingscale.md, 4.5 */
export const MAXIMUM_PAYLOAD = 65_536;

export type PayloadMode = 'json' | 'binary' | 'legacy' | 'state';

/** What a payload says: its members in their order, and the JSON text of the object as it is stored. */
export interface PayloadValue {
  readonly value: ReadonlyMap<string, Json>;
  readonly text: string;
}

export type PayloadFault = 'EMPTY_PAYLOAD' | 'PAYLOAD_TOO_LARGE' | 'PAYLOAD_TOO_DEEP';

/** Names of the 1.x parameters in the stored value. thingscale.md, 2.2 */
const LEGACY_NAMES: ReadonlyMap<string, string> = new Map([
  ['v', 'value1'],
  ['v2', 'value2'],
  ['v3', 'value3'],
  ['v4', 'value4'],
]);

function hexOf(bytes: Uint8Array): string {
  const digits: string[] = [];
  for (const byte of bytes) digits.push(byte.toString(16).padStart(2, '0'));
  return digits.join('');
}

/** A number that no variable holds is given as it is written, as text: the stored text keeps it as a number. */
function memberValue(text: string): Json {
  const value: Json = JSON.parse(text);
  if (typeof value === 'string') return value.toWellFormed();
  return typeof value === 'number' && !Number.isFinite(value) ? text : value;
}

function payloadValue(members: ReadonlyMap<string, string>): PayloadValue {
  const value = new Map<string, Json>();
  for (const [name, text] of members) value.set(name, memberValue(text));
  return { value, text: objectText(members) };
}

function single(text: string): PayloadValue {
  return payloadValue(new Map([['value1', text]]));
}

function ofPairs(pairs: ReadonlyMap<string, string>, names: ReadonlyMap<string, string>): PayloadValue {
  const members = new Map<string, string>();
  for (const [name, text] of pairs) members.set(names.get(name) ?? name, plainNumber(text) ?? JSON.stringify(text));
  return payloadValue(members);
}

/** Reads JSON that is a stored value or becomes one; undefined: the text is no JSON. */
export function readJsonValue(text: string): PayloadValue | PayloadFault | undefined {
  const depth = depthOf(text);
  // The parser is not asked about text that nests without bound.
  if (depth > MAXIMUM_DEPTH) return /^\s*[{[]/.test(text) ? 'PAYLOAD_TOO_DEEP' : undefined;
  const parsed = parseJson(text);
  if (parsed === undefined) return undefined;
  if (parsed === null) return 'EMPTY_PAYLOAD';
  const compact = compactJson(text);
  if (typeof parsed === 'object' && !Array.isArray(parsed)) return payloadValue(memberTexts(compact));
  return depth === MAXIMUM_DEPTH ? 'PAYLOAD_TOO_DEEP' : single(compact);
}

function readText(text: string): PayloadValue | PayloadFault {
  const trimmed = text.trim();
  const json = readJsonValue(trimmed);
  if (json !== undefined) return json;
  const number = plainNumber(trimmed);
  if (number !== undefined) return single(number);
  const pairs = encodedPairs(trimmed);
  return pairs === undefined ? single(JSON.stringify(text)) : ofPairs(pairs, LEGACY_NAMES);
}

/** A text that begins as JSON does not get taken apart at its `=`. */
function readPairs(text: string, names: ReadonlyMap<string, string>): PayloadValue | undefined {
  const pairs = /^\s*["[{]/.test(text) ? undefined : loosePairs(text);
  return pairs === undefined ? undefined : ofPairs(pairs, names);
}

/** State is an object or pairs; anything else says nothing about it. */
function readState(text: string | undefined): PayloadValue | PayloadFault {
  if (text === undefined) return 'EMPTY_PAYLOAD';
  const pairs = readPairs(text, new Map());
  if (pairs !== undefined) return pairs;
  return /^\s*\{/.test(text) ? (readJsonValue(text.trim()) ?? 'EMPTY_PAYLOAD') : 'EMPTY_PAYLOAD';
}

/**
 * What the payload of a device means, over MQTT or HTTP. `text` is the payload as text, undefined if it is not
 * well-formed UTF-8. Legacy payloads that are no pairs are read like JSON ones. thingscale.md, 4.5
 */
export function readPayload(
  mode: PayloadMode,
  payload: Uint8Array,
  text: string | undefined,
): PayloadValue | PayloadFault {
  if (payload.length > MAXIMUM_PAYLOAD) return 'PAYLOAD_TOO_LARGE';
  if (payload.length === 0) return 'EMPTY_PAYLOAD';
  if (mode === 'state') return readState(text);
  if (mode === 'binary' || text === undefined) return single(`"${hexOf(payload)}"`);
  if (text.trim() === '') return 'EMPTY_PAYLOAD';
  return (mode === 'legacy' ? readPairs(text, LEGACY_NAMES) : undefined) ?? readText(text);
}

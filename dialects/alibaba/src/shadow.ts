import { isObject, type Json, type JsonObject, parseJson } from '@moorage/core';

/** Attributes of one state. Section 2.6 */
const MAXIMUM_ATTRIBUTES = 128;

/** A member of the document with the time it was changed, in seconds. Section 4.2 */
interface ShadowValue {
  readonly value: Json;
  readonly timestamp: number;
}

/** What a device reported of itself, and how often the document changed. */
export interface Shadow {
  readonly reported: ReadonlyMap<string, ShadowValue>;
  readonly version: number;
}

/** Section 4.2 */
const ERRORS = {
  400: 'the request is not JSON',
  401: 'the member method is missing',
  402: 'the member state is missing',
  403: 'the member version is not a number',
  404: 'the member reported is missing',
  405: 'the member reported is empty',
  406: 'the method is not known',
  407: 'the document is empty',
  408: 'the document has more than 128 attributes',
  409: 'the version is not greater than the one of the document',
  500: 'the server failed',
} as const;
export type ShadowError = keyof typeof ERRORS;

/** What a request does to the document. */
export type ShadowChange =
  | { readonly kind: 'get' }
  | {
      readonly kind: 'change';
      readonly shadow: Shadow;
      /** Desired values go as well. */
      readonly clearDesired: boolean;
    }
  | { readonly kind: 'error'; readonly error: ShadowError };

export const EMPTY_SHADOW: Shadow = { reported: new Map(), version: 0 };

/** Empties the document and begins counting again. Section 4.2 */
const RESET_VERSION = -1;

function error(code: ShadowError): ShadowChange {
  return { kind: 'error', error: code };
}

function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** `null`, or the text that older libraries send for it. */
function isNull(value: Json | undefined): boolean {
  return value === null || value === 'null';
}

/** A number, or a text that reads as one. */
function versionOf(value: Json | undefined): number | undefined {
  const version = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof version === 'number' && Number.isSafeInteger(version) ? version : undefined;
}

/** What the request of a device means for its document. `now`: epoch seconds. */
export function shadowChange(shadow: Shadow, request: Json, now: number): ShadowChange {
  if (!isObject(request)) return error(407);
  const method = member(request, 'method');
  if (method === undefined || isNull(method)) return error(401);
  if (method === 'get') return { kind: 'get' };
  if (method !== 'update' && method !== 'delete') return error(406);
  const version = versionOf(member(request, 'version'));
  if (version === RESET_VERSION) return { kind: 'change', shadow: EMPTY_SHADOW, clearDesired: true };
  const state = member(request, 'state');
  if (!isObject(state)) return error(402);
  if (version === undefined) return error(403);
  if (version <= shadow.version) return error(409);
  return method === 'update' ? update(shadow, state, version, now) : remove(shadow, state, version);
}

function update(shadow: Shadow, state: JsonObject, version: number, now: number): ShadowChange {
  const clearDesired = isNull(member(state, 'desired'));
  const given = member(state, 'reported');
  if (given === undefined && clearDesired) {
    return { kind: 'change', shadow: { reported: shadow.reported, version }, clearDesired };
  }
  if (!isObject(given)) return error(404);
  const entries = Object.entries(given);
  if (entries.length === 0) return error(405);
  const reported = new Map(shadow.reported);
  for (const [name, value] of entries) reported.set(name, { value, timestamp: now });
  if (reported.size > MAXIMUM_ATTRIBUTES) return error(408);
  return { kind: 'change', shadow: { reported, version }, clearDesired };
}

function remove(shadow: Shadow, state: JsonObject, version: number): ShadowChange {
  const given = member(state, 'reported');
  if (isNull(given)) return { kind: 'change', shadow: { reported: new Map(), version }, clearDesired: false };
  if (!isObject(given)) return error(404);
  const entries = Object.entries(given);
  if (entries.length === 0) return error(405);
  const reported = new Map(shadow.reported);
  for (const [name, value] of entries) if (isNull(value)) reported.delete(name);
  return { kind: 'change', shadow: { reported, version }, clearDesired: false };
}

/** An ordinary reply has no member `state`, by which one library knows the answer to a `get`. Section 4.2 */
export function successReply(version: number, now: number): string {
  return JSON.stringify({ method: 'reply', payload: { status: 'success', version }, timestamp: now });
}

export function errorReply(code: ShadowError, now: number): string {
  const content = { errorcode: String(code), errormessage: ERRORS[code] };
  return JSON.stringify({ method: 'reply', payload: { status: 'error', content }, timestamp: now });
}

/** A desired value, as applications wrote it. `timestamp` in seconds. */
export type DesiredValues = ReadonlyMap<string, ShadowValue>;

/** The whole document: the answer to `get`, or what the device is told when an application changed it. */
export function documentReply(
  method: 'reply' | 'control',
  { reported, version }: Shadow,
  desired: DesiredValues,
  now: number,
): string {
  const payload = {
    status: 'success',
    state: { reported: valuesOf(reported), desired: valuesOf(desired) },
    metadata: { reported: timesOf(reported), desired: timesOf(desired) },
  };
  return JSON.stringify({ method, payload, version, timestamp: now });
}

/** Objects are built from entries, so that a name `__proto__` stays plain data. */
function valuesOf(values: ReadonlyMap<string, ShadowValue>): JsonObject {
  return Object.fromEntries(Array.from(values, ([name, { value }]) => [name, value]));
}

function timesOf(values: ReadonlyMap<string, ShadowValue>): JsonObject {
  return Object.fromEntries(Array.from(values, ([name, { timestamp }]) => [name, { timestamp }]));
}

/** The document as it is kept. */
export function storedShadow({ reported, version }: Shadow): string {
  return JSON.stringify({
    version,
    reported: [...reported].map(([name, { value, timestamp }]) => [name, value, timestamp]),
  });
}

/** The kept document; an empty one if there is none that can be read. */
export function readStoredShadow(text: string | null): Shadow {
  const stored = parseJson(text ?? '');
  if (!isObject(stored) || !Array.isArray(stored.reported)) return EMPTY_SHADOW;
  const reported = new Map<string, ShadowValue>();
  const entries: readonly Json[] = stored.reported;
  for (const entry of entries) {
    if (!Array.isArray(entry)) continue;
    const [name, value, timestamp] = entry as readonly Json[];
    if (typeof name === 'string' && value !== undefined) reported.set(name, { value, timestamp: Number(timestamp) });
  }
  return { reported, version: versionOf(stored.version) ?? 0 };
}

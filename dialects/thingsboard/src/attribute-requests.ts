import { type Attribute, formatValues, type Value } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import { type Members, memberOf } from './json-members.ts';
import type { Problem } from './payload-context.ts';

/** Which attributes are asked for; null: none of that scope. */
export interface AttributeKeys {
  readonly clientKeys: readonly string[] | 'all' | null;
  readonly sharedKeys: readonly string[] | 'all' | null;
}

/** Most keys of one request in one scope. */
const MAXIMUM_KEYS = 1_000;

/** Neither scope is named: everything of both. Section 3.3 */
const EVERYTHING: AttributeKeys = { clientKeys: 'all', sharedKeys: 'all' };

/**
 * Keys from a list with commas, or from an array of such texts. Nothing is trimmed and empty elements are ignored; a
 * list without any key is as good as none. undefined: not a list, or too long. Section 3.3
 */
export function keyList(value: unknown): readonly string[] | null | undefined {
  if (value === null) return null;
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const keys = new Set<string>();
  for (const text of texts) {
    if (typeof text !== 'string') return undefined;
    for (const key of text.split(',')) if (key !== '') keys.add(key);
    if (keys.size > MAXIMUM_KEYS) return undefined;
  }
  return keys.size === 0 ? null : [...keys];
}

/** What a request with these two lists asks for. Section 3.3 */
export function askedKeys(clientKeys: readonly string[] | null, sharedKeys: readonly string[] | null): AttributeKeys {
  return clientKeys === null && sharedKeys === null ? EVERYTHING : { clientKeys, sharedKeys };
}

/** `{"clientKeys":"a,b","sharedKeys":"c"}`. Section 3.3 */
export function decodeAttributesRequest(members: Members): AttributeKeys | Problem {
  const clientKeys = keyList(memberOf(members, 'clientKeys'));
  const sharedKeys = keyList(memberOf(members, 'sharedKeys'));
  if (clientKeys === undefined || sharedKeys === undefined) {
    return { problem: `The keys are no list of names, or more than ${MAXIMUM_KEYS}.` };
  }
  return askedKeys(clientKeys, sharedKeys);
}

function values(attributes: readonly Attribute[]): string {
  return formatValues(attributes.map((attribute): [string, Value] => [attribute.key, attribute]));
}

/** `{"client":{},"shared":{}}` as text; a scope in which nothing was found is left out. Section 3.3 */
export function formatAttributes(client: readonly Attribute[], shared: readonly Attribute[]): string {
  const scopes: string[] = [];
  if (client.length > 0) scopes.push(`"client":${values(client)}`);
  if (shared.length > 0) scopes.push(`"shared":${values(shared)}`);
  return `{${scopes.join(',')}}`;
}

export function encodeAttributes(client: readonly Attribute[], shared: readonly Attribute[]): Uint8Array {
  return encodeText(formatAttributes(client, shared));
}

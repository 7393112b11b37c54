import { ENTITY_KEY_TYPES, type EntityKey } from '@moorage/core';
import { isRecord, type JsonRecord, textMember } from './json-members.ts';

/** A query that cannot be read, as a sentence. */
export class QueryFault {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Reads keys; `type` null: each names its own. */
export function readKeys(
  entries: readonly unknown[],
  type: EntityKey['type'] | null,
): readonly EntityKey[] | QueryFault {
  const keys: EntityKey[] = [];
  for (const entry of entries) {
    const key = isRecord(entry) ? readKey(entry, type) : new QueryFault('A key is no object');
    if (key instanceof QueryFault) return key;
    keys.push(key);
  }
  return uniqueKeys(keys);
}

export function readKey(entry: JsonRecord, type: EntityKey['type'] | null = null): EntityKey | QueryFault {
  const key = textMember(entry, 'key');
  if (key === '') return new QueryFault('A key has no name');
  const named = textMember(entry, 'type').toUpperCase();
  const found = ENTITY_KEY_TYPES.find((known) => known === named) ?? (named === '' ? type : null);
  if (found === null) return new QueryFault(`Keys of type ${named.slice(0, 64) || 'none'} are not offered`);
  return { type: found, key };
}

/** Each key once. */
export function uniqueKeys(keys: readonly EntityKey[]): EntityKey[] {
  return [...new Map(keys.map((key) => [`${key.type} ${key.key}`, key])).values()];
}

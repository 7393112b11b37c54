import type { Attribute, AttributeChange, AttributeScope, OwnerId } from '@moorage/core';
import { kindOf } from './latest-values.ts';
import { type AttributeRow, SCOPES } from './messages.ts';

/** Attributes kept in memory at most, by number and by characters of text. */
const LARGEST_COUNT = 200_000;
const LARGEST_TEXT = 16_777_216;

interface Entry {
  readonly attributes: Map<string, Attribute>;
  text: number;
}

/** The attributes of the owners used last. An owner is in it with all of its attributes or not at all. */
export class AttributeCache {
  readonly #owners = new Map<OwnerId, Entry>();
  /** Owners being loaded; false once a change has come in between. */
  readonly #loading = new Map<OwnerId, { usable: boolean }>();
  #count = 0;
  #text = 0;

  get(owner: OwnerId): Iterable<Attribute> | undefined {
    const entry = this.#owners.get(owner);
    if (entry === undefined) return undefined;
    this.#owners.delete(owner);
    this.#owners.set(owner, entry);
    return entry.attributes.values();
  }

  /** Notes that an owner is being loaded. */
  beginLoad(owner: OwnerId): { usable: boolean } {
    for (const mark of [this.#loading.get(owner)]) if (mark !== undefined) mark.usable = false;
    const mark = { usable: true };
    this.#loading.set(owner, mark);
    return mark;
  }

  /** Keeps what was loaded unless a change has come in between. */
  endLoad(owner: OwnerId, mark: { readonly usable: boolean }, rows: readonly AttributeRow[]): Attribute[] {
    const attributes = rows.map(toAttribute);
    if (this.#loading.get(owner) === mark) this.#loading.delete(owner);
    if (!mark.usable) return attributes;
    this.forget(owner);
    const entry: Entry = { attributes: new Map(), text: 0 };
    this.#owners.set(owner, entry);
    for (const attribute of attributes) this.#put(entry, attribute);
    this.#shrink();
    return attributes;
  }

  /** Follows changes that are durable. */
  apply(changes: readonly AttributeChange[]): void {
    for (const { owner, scope, key, attribute } of changes) {
      const mark = this.#loading.get(owner);
      if (mark !== undefined) mark.usable = false;
      const entry = this.#owners.get(owner);
      if (entry === undefined) continue;
      if (attribute === null) this.#remove(entry, scope, key);
      else this.#put(entry, { scope, key, ...attribute });
    }
    this.#shrink();
  }

  forget(owner: OwnerId): void {
    const mark = this.#loading.get(owner);
    if (mark !== undefined) mark.usable = false;
    const entry = this.#owners.get(owner);
    if (entry === undefined) return;
    this.#owners.delete(owner);
    this.#count -= entry.attributes.size;
    this.#text -= entry.text;
  }

  #put(entry: Entry, attribute: Attribute): void {
    this.#remove(entry, attribute.scope, attribute.key);
    entry.attributes.set(`${attribute.scope}:${attribute.key}`, attribute);
    const text = textOf(attribute);
    entry.text += text;
    this.#text += text;
    this.#count++;
  }

  #remove(entry: Entry, scope: AttributeScope, key: string): void {
    const name = `${scope}:${key}`;
    const old = entry.attributes.get(name);
    if (old === undefined) return;
    entry.attributes.delete(name);
    const text = textOf(old);
    entry.text -= text;
    this.#text -= text;
    this.#count--;
  }

  #shrink(): void {
    if (this.#count <= LARGEST_COUNT && this.#text <= LARGEST_TEXT) return;
    for (const owner of this.#owners.keys()) {
      this.forget(owner);
      if (this.#count <= LARGEST_COUNT && this.#text <= LARGEST_TEXT) return;
    }
  }
}

function textOf(attribute: Attribute): number {
  return attribute.key.length + (typeof attribute.value === 'string' ? attribute.value.length : 8);
}

function toAttribute(row: AttributeRow): Attribute {
  const { key, value, lastUpdateTs } = row;
  return { scope: SCOPES[row.scope] ?? 'SERVER', key, kind: kindOf(row.kind), value, lastUpdateTs };
}

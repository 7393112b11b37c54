import type { DocumentCollection, Json, JsonObject, MemberValue } from '@moorage/core';

/**
 * What a value is compared by: text whose first character is the type, so that no value equals one of another type and a
 * list is in the order of `MemberValue`. SQLite's own numbers would not do: it takes 1 and true for the same, and reads
 * some numbers from JSON with another last digit than JavaScript.
 */
export type Key = string;

const NUMBER = '1';
const BOOLEAN = '2';
const TEXT = '3';
const AFTER_TEXT = '4';

/** All keys of a type are at or above its first character and below the next one. */
export function typeBounds(key: Key): { readonly from: string; readonly below: string } {
  const from = key.charAt(0);
  return { from, below: from === NUMBER ? BOOLEAN : from === BOOLEAN ? TEXT : AFTER_TEXT };
}

/** First character of the keys of text. */
export const TEXT_KEYS_FROM = TEXT;

const numberView = new DataView(new ArrayBuffer(8));
const SIGN = 1n << 63n;
const ALL_BITS = (1n << 64n) - 1n;

/** The bits of the double, turned so that they are ordered as the numbers are; -0 is 0. */
function numberKey(value: number): Key {
  numberView.setFloat64(0, value + 0);
  const bits = numberView.getBigUint64(0);
  const ordered = (bits & SIGN) === 0n ? bits | SIGN : ~bits & ALL_BITS;
  return NUMBER + ordered.toString(16).padStart(16, '0');
}

/** For conditions and unique groups. */
export function exactKey(value: MemberValue): Key {
  if (typeof value === 'number') return numberKey(value);
  if (typeof value === 'boolean') return BOOLEAN + (value ? '1' : '0');
  return TEXT + value.toWellFormed();
}

/** Text to search for, as `foldedKey` has it after its first character. */
export function foldedText(value: string): string {
  return value.toWellFormed().toLowerCase();
}

/** For sorting and searching. */
function foldedKey(value: MemberValue): Key {
  return typeof value === 'string' ? TEXT + foldedText(value) : exactKey(value);
}

/** The members of a body that its collection compares, as JSON text of two objects from members to keys. */
export interface DocumentKeys {
  readonly exact: string;
  readonly folded: string;
}

/** Members that have an exact key. */
export function exactMembers({ filters, unique }: DocumentCollection): readonly string[] {
  const members = [...filters, ...unique.flatMap((group) => group.members)];
  return [...new Set(members)].filter((member) => member !== 'createdTime');
}

/** Members that have a key in lower case. */
function foldedMembers({ sorts, search }: DocumentCollection): readonly string[] {
  return [...new Set([...sorts, ...search])].filter((member) => member !== 'createdTime' && member !== 'id');
}

/** The keys of a document. */
export function keysOf(collection: DocumentCollection, body: JsonObject): DocumentKeys {
  return {
    exact: keyObject(exactMembers(collection), body, exactKey),
    folded: keyObject(foldedMembers(collection), body, foldedKey),
  };
}

function keyObject(members: readonly string[], body: JsonObject, keyOf: (value: MemberValue) => Key): string {
  return JSON.stringify(
    Object.fromEntries(
      members.flatMap((member) => {
        const value = memberOf(body, member);
        return value === undefined ? [] : [[member, keyOf(value)]];
      }),
    ),
  );
}

/** The exact key of a member; null: it has no value to compare. */
export function exactKeyOf(body: JsonObject, member: string): Key | null {
  const value = memberOf(body, member);
  return value === undefined ? null : exactKey(value);
}

function memberOf(body: JsonObject, member: string): MemberValue | undefined {
  const value: Json | undefined = Object.hasOwn(body, member) ? body[member] : undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}

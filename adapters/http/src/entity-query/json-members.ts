/** An object of a client, not yet looked into. */
export type JsonRecord = { readonly [name: string]: unknown };

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of its own; names of the prototype are plain data. */
function member(record: JsonRecord, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A text, also one given as a number; empty if there is none. */
export function textMember(record: JsonRecord, name: string): string {
  const value = member(record, name);
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '';
}

/** A finite number, also one given as a text; `otherwise` if there is none. */
export function numberMember(record: JsonRecord, name: string, otherwise: number): number {
  const value = member(record, name);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise;
}

export function flagMember(record: JsonRecord, name: string): boolean {
  return member(record, name) === true;
}

export function recordMember(record: JsonRecord, name: string): JsonRecord | null {
  const value = member(record, name);
  return isRecord(value) ? value : null;
}

/** The elements of a list; none if it is missing. */
export function listMember(record: JsonRecord, name: string): readonly unknown[] {
  const value = member(record, name);
  return Array.isArray(value) ? value : [];
}

export function valueMember(record: JsonRecord, name: string): unknown {
  return member(record, name) ?? null;
}

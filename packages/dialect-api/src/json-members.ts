/** An own member of a parsed object; undefined: it has none of this name, or is no object. */
export function ownMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** A text in a parsed object, such as the value of credentials; null: there is none, or it is empty. */
export function textMember(value: unknown, name: string): string | null {
  const member = ownMember(value, name);
  return typeof member === 'string' && member !== '' ? member : null;
}

import type { AttributeScope } from '@moorage/core';

const SCOPES = new Map<string, AttributeScope>([
  ['CLIENT_SCOPE', 'CLIENT'],
  ['SHARED_SCOPE', 'SHARED'],
  ['SERVER_SCOPE', 'SERVER'],
]);

/** The scope of a path's last part; undefined if it is none. */
export function attributeScope(text: string): AttributeScope | undefined {
  return SCOPES.get(text.toUpperCase());
}

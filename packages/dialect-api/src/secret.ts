import { encodeText } from '@moorage/mqtt-codec';

const NO_BYTES = new Uint8Array(0);

/**
 * Tells whether the password of a CONNECT is the expected one. `expected` null: none is asked for, any will do.
 * The time depends on the length of the presented password alone.
 */
export function passwordMatches(presented: Uint8Array | null, expected: string | null): boolean {
  if (expected === null) return true;
  const wanted = encodeText(expected);
  const given = presented ?? NO_BYTES;
  let difference = given.length ^ wanted.length;
  if (presented === null) difference |= 1;
  for (let index = 0; index < given.length; index++) {
    difference |= (given[index] ?? 0) ^ (wanted[index % Math.max(wanted.length, 1)] ?? 0);
  }
  return difference === 0;
}

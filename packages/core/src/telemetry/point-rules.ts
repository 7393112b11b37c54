import { type Scalar, ValueKind } from '../values/value.ts';

/** Longest key in UTF-16 units. reliability.md, section 8 */
const MAX_KEY_LENGTH = 255;

/** Bound of a point's time on both sides of 1970, epoch milliseconds: the range of ECMAScript's dates. */
export const MAX_TIME = 8.64e15;

/** Why a key or a value can not be stored. */
export type PointFault = 'invalidKey' | 'invalidTime' | 'invalidValue';

/** A key has 1 to 255 characters, not all of them white space and none U+0000. thingsboard-device.md, 2.2 */
export function isStorableKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && key.trim() !== '' && !key.includes('\0');
}

/** Epoch milliseconds, an integer within ±8.64e15. */
export function isStorableTime(ts: number): boolean {
  return ts >= -MAX_TIME && ts <= MAX_TIME && Math.floor(ts) === ts;
}

/** The value fits its kind: finite, a 64-bit integer, text, or a truth value. */
export function isStorableValue(kind: ValueKind | undefined, value: Scalar | undefined): boolean {
  switch (kind) {
    case ValueKind.Double:
      return typeof value === 'number' && Number.isFinite(value);
    case ValueKind.Long:
      return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
    case ValueKind.Boolean:
      return typeof value === 'boolean';
    case ValueKind.String:
    case ValueKind.Json:
      return typeof value === 'string';
    default:
      return false;
  }
}

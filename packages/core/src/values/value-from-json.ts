import type { Json } from '../model/entities.ts';
import { castNumericString, longValue } from './number-typing.ts';
import { type Value, ValueKind } from './value.ts';

/**
 * The value of parsed JSON, where the way a number was written is lost: a whole number within int64 is a Long. null for
 * `null`. Messages go through `ValueReader` instead.
 */
export function valueFromJson(json: Json, castStrings: boolean): Value | null {
  switch (typeof json) {
    case 'boolean':
      return { kind: ValueKind.Boolean, value: json };
    case 'number':
      if (Number.isInteger(json) && Math.abs(json) < 2 ** 63) return longValue(BigInt(json));
      return { kind: ValueKind.Double, value: json };
    case 'string':
      return (castStrings ? castNumericString(json) : undefined) ?? { kind: ValueKind.String, value: json };
    default:
      return json === null ? null : { kind: ValueKind.Json, value: JSON.stringify(json) };
  }
}

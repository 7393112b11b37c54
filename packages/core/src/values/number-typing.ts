import { type Value, ValueKind } from './value.ts';
import type { ValueFault } from './value-fault.ts';

/** Longest number in characters, as written and in plain notation. */
export const MAXIMUM_NUMBER_LENGTH = 512;

const MAXIMUM_DECIMALS = 16;
const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
const MINUS = 0x2d;
const MAXIMUM_LONG = 9_223_372_036_854_775_807n;
const MINIMUM_LONG = -9_223_372_036_854_775_808n;

/** A Long, as a number where that is exact. */
export function longValue(long: bigint): Value {
  const number = Number(long);
  return { kind: ValueKind.Long, value: Number.isSafeInteger(number) ? number : long };
}

/** A decimal number: `digits` without leading zeros, times ten to the power of `-scale`; zero has no digits. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly scale: number;
}

/** Plain notation as `BigDecimal.toPlainString` writes it; undefined beyond the longest number. */
function plainNotation(decimal: Decimal): string | undefined {
  const { digits, scale } = decimal;
  const sign = decimal.negative && digits !== '' ? '-' : '';
  if (scale <= 0) {
    if (digits === '') return '0';
    if (digits.length - scale > MAXIMUM_NUMBER_LENGTH) return undefined;
    return sign + digits + '0'.repeat(-scale);
  }
  if (scale > MAXIMUM_NUMBER_LENGTH) return undefined;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

function decimalOf(lexeme: string): Decimal {
  const negative = lexeme.charCodeAt(0) === MINUS;
  const exponentAt = lexeme.search(/[eE]/);
  const mantissa = lexeme.slice(negative ? 1 : 0, exponentAt === -1 ? undefined : exponentAt);
  const dot = mantissa.indexOf('.');
  const fraction = dot === -1 ? '' : mantissa.slice(dot + 1);
  const digits = ((dot === -1 ? mantissa : mantissa.slice(0, dot)) + fraction).replace(/^0+/, '');
  const exponent = exponentAt === -1 ? 0 : Number(lexeme.slice(exponentAt + 1));
  return { negative, digits, scale: fraction.length - exponent };
}

/** Zeros at the end of the digits, which a scale may be shortened by. */
function trailingZeros(digits: string): number {
  let zeros = 0;
  while (zeros < digits.length && digits.charCodeAt(digits.length - 1 - zeros) === ZERO) zeros++;
  return zeros;
}

/**
 * Types a number by the way it is written: thingsboard-device.md, 2.3. The lexeme is a JSON number, or a plain decimal
 * that may have leading zeros or no digit before the point. With `castStrings` a number that fits no kind becomes a
 * String in plain notation, else it is a fault.
 */
export function typeNumber(lexeme: string, castStrings: boolean): Value | ValueFault {
  if (lexeme.length > MAXIMUM_NUMBER_LENGTH) return 'numberTooLong';
  const decimal = decimalOf(lexeme);
  const simpleDouble = lexeme.includes('.') && !/[eE]/.test(lexeme);
  const integral = decimal.digits === '' || decimal.scale - trailingZeros(decimal.digits) <= 0;
  if (integral && !simpleDouble) {
    const plain = plainNotation(decimal.digits === '' ? { ...decimal, scale: 0 } : decimal);
    if (plain === undefined) return 'numberTooLong';
    const dot = plain.indexOf('.');
    const whole = dot === -1 ? plain : plain.slice(0, dot);
    const long = BigInt(whole);
    if (long >= MINIMUM_LONG && long <= MAXIMUM_LONG) return longValue(long);
    return castStrings ? { kind: ValueKind.String, value: plain } : 'numberOutOfRange';
  }
  const double = Number(lexeme);
  if (decimal.scale <= MAXIMUM_DECIMALS && Number.isFinite(double)) {
    // A minus zero is a zero: the original goes through a decimal type that has no sign there.
    return { kind: ValueKind.Double, value: double === 0 ? 0 : double };
  }
  const plain = plainNotation(decimal);
  if (plain === undefined) return 'numberTooLong';
  return castStrings ? { kind: ValueKind.String, value: plain } : 'numberOutOfRange';
}

/**
 * The number a string stands for, if it is a plain decimal: optional minus, digits, at most one point, which is not
 * last. undefined: it stays a string. thingsboard-device.md, 2.3
 */
export function castNumericString(text: string): Value | undefined {
  const length = text.length;
  if (length === 0 || length > MAXIMUM_NUMBER_LENGTH) return undefined;
  let index = text.charCodeAt(0) === MINUS ? 1 : 0;
  if (index === length) return undefined;
  let dots = 0;
  for (; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === DOT) {
      dots++;
      if (dots > 1 || index === length - 1) return undefined;
    } else if (unit < ZERO || unit > NINE) return undefined;
  }
  if (length <= 15) {
    const number = Number(text);
    return { kind: dots === 0 ? ValueKind.Long : ValueKind.Double, value: number === 0 ? 0 : number };
  }
  const typed = typeNumber(text, true);
  return typeof typed === 'string' ? undefined : typed;
}

/** Epoch milliseconds from a number or a numeric string, fractions cut off; undefined beyond ±8.64e15 or if it is no number. */
export function parseTimestamp(text: string): number | undefined {
  if (text.length > MAXIMUM_NUMBER_LENGTH || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
    return undefined;
  const ts = Math.trunc(Number(text));
  return Math.abs(ts) <= 8.64e15 ? ts + 0 : undefined;
}

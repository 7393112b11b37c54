import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  DOT,
  END,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  type TextDecoding,
  ZERO,
} from './json-scanner.ts';
import { castNumericString, parseTimestamp, typeNumber } from './number-typing.ts';
import { PointCollector } from './point-collector.ts';
import type { PointList } from './point-list.ts';
import { TextScanner } from './text-scanner.ts';
import { toStrictJson } from './tolerant-json.ts';
import { type Scalar, type Value, ValueKind } from './value.ts';
import type { ValueFault } from './value-fault.ts';

export { MAXIMUM_KEY_LENGTH } from './text-scanner.ts';

/** How a message is read; one object serves any number of messages. */
export interface ValueReadOptions {
  /** Strings that read as plain decimals become numbers. thingsboard-device.md, 2.3 */
  readonly castStrings: boolean;
  /** Read again leniently what is not strict JSON: unquoted names, comments and so on. */
  readonly tolerant: boolean;
  /** What a `null` is: skipped, or a fault. */
  readonly nulls: 'skipped' | 'refused';
  /** Most values of one message. */
  readonly maximumValues: number;
}

const POWERS_OF_TEN = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const encoder = new TextEncoder();

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/**
 * Reads JSON messages with values straight from their bytes into typed points, by the way each number is written.
 * Strict JSON first, leniently only what failed. Time and memory are linear in the payload; nothing is thrown, and
 * nothing of the payload is kept. A reader remembers frequent texts, so one should serve many messages. Not re-entrant.
 */
export class ValueReader extends TextScanner {
  private readonly points = new PointCollector();
  private castStrings = false;
  private skipNulls = true;

  /**
   * Reads `{"k":v}`, `{"ts":n,"values":{"k":v}}` or an array of both; values without their own time get `receivedAt`.
   * Appends to `into`, which is unchanged if a fault is answered. thingsboard-device.md, 2.2
   */
  readSeries(
    payload: Uint8Array,
    decoding: TextDecoding,
    options: ValueReadOptions,
    into: PointList,
    receivedAt: number,
  ): ValueFault | null {
    return this.read(payload, decoding, options, into, receivedAt, true);
  }

  /** Reads `{"k":v}`, where `ts` and `values` are names like any other. Otherwise as `readSeries`. */
  readObject(
    payload: Uint8Array,
    decoding: TextDecoding,
    options: ValueReadOptions,
    into: PointList,
    receivedAt: number,
  ): ValueFault | null {
    return this.read(payload, decoding, options, into, receivedAt, false);
  }

  /** The members of a JSON object as compact JSON text by name, the last of equal names; at most `maximumMembers`. */
  readMembers(
    payload: Uint8Array,
    decoding: TextDecoding,
    maximumMembers: number,
  ): ReadonlyMap<string, string> | ValueFault {
    this.openText(payload, decoding);
    const members = new Map<string, string>();
    const read = this.membersOf(members, maximumMembers) && (this.next() === END || this.fail('malformed'));
    this.close();
    return read ? members : (this.fault ?? 'malformed');
  }

  /** Compact text of any strict JSON; undefined if it is none, or nested too deep. */
  readJson(payload: Uint8Array, decoding: TextDecoding): string | undefined {
    this.openText(payload, decoding);
    this.next();
    const start = this.position;
    const end = this.skipValue(0) ? this.position : -1;
    const text = end !== -1 && this.next() === END ? this.compactText(start, end, this.decoding) : undefined;
    this.close();
    return text;
  }

  private read(
    payload: Uint8Array,
    decoding: TextDecoding,
    options: ValueReadOptions,
    into: PointList,
    receivedAt: number,
    series: boolean,
  ): ValueFault | null {
    const before = into.length;
    this.castStrings = options.castStrings;
    this.skipNulls = options.nulls === 'skipped';
    this.points.begin(into, options.maximumValues);
    this.openText(payload, decoding);
    let read = this.root(receivedAt, series);
    if (!read && this.fault === 'malformed' && options.tolerant) {
      into.truncate(before);
      const text = decoding.text(payload);
      const strict = text === undefined ? 'malformed' : toStrictJson(text);
      if (typeof strict === 'string') this.fail(strict);
      else {
        this.openText(encoder.encode(strict.json), decoding);
        read = this.root(receivedAt, series);
      }
    }
    if (!read) into.truncate(before);
    this.points.end();
    this.close();
    return read ? null : this.fault;
  }

  private root(receivedAt: number, series: boolean): boolean {
    const first = this.next();
    let read: boolean;
    if (first === OPEN_BRACE) read = series ? this.record(receivedAt, 0) : this.object(receivedAt, 0);
    else if (first === OPEN_BRACKET && series) read = this.records(receivedAt);
    else
      return this.skipValue(0) && this.next() === END ? this.fail('wrongShape') : this.fail(this.fault ?? 'malformed');
    return read && (this.next() === END || this.fail('malformed'));
  }

  private records(receivedAt: number): boolean {
    this.position++;
    let byte = this.next();
    if (byte === CLOSE_BRACKET) {
      this.position++;
      return true;
    }
    for (;;) {
      if (byte !== OPEN_BRACE) return this.skipValue(1) ? this.fail('wrongShape') : false;
      if (!this.record(receivedAt, 1)) return false;
      byte = this.next();
      if (byte === CLOSE_BRACKET) {
        this.position++;
        return true;
      }
      if (byte !== COMMA) return this.fail('malformed');
      this.position++;
      byte = this.next();
    }
  }

  /** An object of values, or `{"ts","values"}`, whichever it turns out to be. */
  private record(receivedAt: number, depth: number): boolean {
    this.points.startObject(receivedAt);
    let tsAt = -1;
    let valuesAt = -1;
    // The usual order, `ts` and then `values`, is read in one go; every other one when the end is known.
    let done = false;
    this.position++;
    let byte = this.next();
    if (byte === CLOSE_BRACE) {
      this.position++;
      return true;
    }
    for (;;) {
      const key = this.name(byte);
      if (key === undefined) return false;
      byte = this.next();
      if (key === 'values') {
        done = tsAt !== -1 && valuesAt === -1 && byte === OPEN_BRACE;
        valuesAt = this.position;
        if (!(done ? this.timedValues(tsAt, valuesAt, depth) : this.skipValue(depth + 1))) return false;
      } else if (key === 'ts') {
        done = false;
        tsAt = this.position;
        if (!this.skipValue(depth + 1)) return false;
      } else if (!(done ? this.skipValue(depth + 1) : this.member(byte, key, depth))) return false;
      byte = this.next();
      if (byte === CLOSE_BRACE) break;
      if (byte !== COMMA) return this.fail('malformed');
      this.position++;
      byte = this.next();
    }
    const after = ++this.position;
    if (!done && tsAt !== -1 && valuesAt !== -1) {
      if (!this.timedValues(tsAt, valuesAt, depth)) return false;
    } else if (!done && tsAt + valuesAt !== -2) {
      // One without the other is a name like any other.
      this.position = Math.max(tsAt, valuesAt);
      const key = tsAt === -1 ? 'values' : 'ts';
      if (!this.member(this.peek(), key, depth)) return false;
    }
    this.position = after;
    this.points.finishObject();
    return true;
  }

  /** Reads the object at `valuesAt` under the time at `tsAt`, in place of everything read from this record so far. */
  private timedValues(tsAt: number, valuesAt: number, depth: number): boolean {
    this.points.dropObject();
    const ts = this.timestamp(tsAt);
    if (ts === undefined) return this.fail('invalidTimestamp');
    this.position = valuesAt;
    return this.peek() === OPEN_BRACE ? this.object(ts, depth + 1) : this.fail('wrongShape');
  }

  /** An object of values at one time. */
  private object(ts: number, depth: number): boolean {
    this.points.startObject(ts);
    this.position++;
    let byte = this.next();
    if (byte === CLOSE_BRACE) {
      this.position++;
      return true;
    }
    for (;;) {
      const key = this.name(byte);
      if (key === undefined) return false;
      if (!this.member(this.next(), key, depth)) return false;
      byte = this.next();
      if (byte === CLOSE_BRACE) break;
      if (byte !== COMMA) return this.fail('malformed');
      this.position++;
      byte = this.next();
    }
    this.position++;
    this.points.finishObject();
    return true;
  }

  private membersOf(members: Map<string, string>, maximumMembers: number): boolean {
    if (this.next() !== OPEN_BRACE) return this.skipValue(0) ? this.fail('wrongShape') : false;
    this.position++;
    let byte = this.next();
    if (byte === CLOSE_BRACE) {
      this.position++;
      return true;
    }
    for (;;) {
      const key = this.name(byte);
      if (key === undefined) return false;
      this.next();
      const start = this.position;
      if (!this.skipValue(1)) return false;
      const text = this.compactText(start, this.position, this.decoding);
      if (text === undefined) return this.fail('malformed');
      members.set(key, text);
      if (members.size > maximumMembers) return this.fail('tooManyValues');
      byte = this.next();
      if (byte === CLOSE_BRACE) break;
      if (byte !== COMMA) return this.fail('malformed');
      this.position++;
      byte = this.next();
    }
    this.position++;
    return true;
  }

  /** Reads the value that begins with `first` and stores it under `key`. */
  private member(first: number, key: string, depth: number): boolean {
    if (isDigit(first) || first === MINUS) return this.number(key);
    switch (first) {
      case QUOTE: {
        const text = this.textValue();
        if (text === undefined) return false;
        const cast = this.castStrings ? castNumericString(text) : undefined;
        if (cast !== undefined) return this.store(key, cast.kind, cast.value);
        return this.store(key, ValueKind.String, text);
      }
      case LOWER_T:
      case LOWER_F:
        return this.skipLiteral() && this.store(key, ValueKind.Boolean, first === LOWER_T);
      case LOWER_N:
        if (!this.skipLiteral()) return false;
        if (!this.skipNulls) return this.fail('nullValue');
        this.points.remove(key);
        return true;
      case OPEN_BRACE:
      case OPEN_BRACKET: {
        const from = this.position;
        if (!this.skipValue(depth + 1)) return false;
        const text = this.compactText(from, this.position, this.decoding);
        return text === undefined ? this.fail('malformed') : this.store(key, ValueKind.Json, text);
      }
      default:
        return this.fail('malformed');
    }
  }

  /** A number of at most 15 digits without exponent is computed here, exactly; any other from its text. */
  private number(key: string): boolean {
    const bytes = this.bytes;
    const end = this.end;
    const from = this.position;
    let position = from;
    const negative = bytes[position] === MINUS;
    if (negative) position++;
    const digitsFrom = position;
    let mantissa = 0;
    let byte = END;
    while (position < end) {
      byte = bytes[position] as number;
      if (byte < ZERO || byte > NINE) break;
      mantissa = mantissa * 10 + (byte - ZERO);
      position++;
    }
    const wholeDigits = position - digitsFrom;
    if (wholeDigits === 0 || (wholeDigits > 1 && bytes[digitsFrom] === ZERO)) return this.fail('malformed');
    let decimals = 0;
    if (position < end && byte === DOT) {
      const decimalsFrom = ++position;
      while (position < end) {
        byte = bytes[position] as number;
        if (byte < ZERO || byte > NINE) break;
        mantissa = mantissa * 10 + (byte - ZERO);
        position++;
      }
      decimals = position - decimalsFrom;
      if (decimals === 0) return this.fail('malformed');
    }
    if (wholeDigits + decimals > 15 || (position < end && (byte | 0x20) === 0x65)) return this.longNumber(key);
    this.position = position;
    // Both operands are exact in a double, so the quotient is the nearest double. 15 digits: below 2^53.
    if (negative && mantissa !== 0) mantissa = -mantissa;
    if (decimals === 0) return this.store(key, ValueKind.Long, mantissa);
    return this.store(key, ValueKind.Double, mantissa / (POWERS_OF_TEN[decimals] as number));
  }

  private longNumber(key: string): boolean {
    const from = this.position;
    if (!this.skipNumber()) return false;
    const lexeme = this.decoding.text(this.bytes.subarray(from, this.position));
    if (lexeme === undefined) return this.fail('malformed');
    const typed: Value | ValueFault = typeNumber(lexeme, this.castStrings);
    return typeof typed === 'string' ? this.fail(typed) : this.store(key, typed.kind, typed.value);
  }

  /** The time at `position`: a number, or a string that reads as one; undefined if it is neither. */
  private timestamp(position: number): number | undefined {
    const bytes = this.bytes;
    let ts = 0;
    let at = position;
    for (; at < this.end && at - position < 15 && isDigit(bytes[at] as number); at++) {
      ts = ts * 10 + ((bytes[at] as number) - ZERO);
    }
    const following = bytes[at];
    // Nearly every time stamp; any other goes by its text.
    if (at > position && (following === COMMA || following === CLOSE_BRACE)) return ts;
    this.position = position;
    const quoted = this.peek() === QUOTE;
    if (!quoted && this.peek() !== MINUS && !isDigit(this.peek())) return undefined;
    if (!(quoted ? this.skipString() : this.skipNumber())) return undefined;
    const margin = quoted ? 1 : 0;
    const text = this.decoding.text(this.bytes.subarray(position + margin, this.position - margin));
    return text === undefined ? undefined : parseTimestamp(text);
  }

  private store(key: string, kind: ValueKind, value: Scalar): boolean {
    return this.points.store(key, kind, value) || this.fail('tooManyValues');
  }
}

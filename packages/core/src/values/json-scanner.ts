import type { ValueFault } from './value-fault.ts';

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const ZERO = 0x30;
export const NINE = 0x39;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const LOWER_T = 0x74;
export const LOWER_F = 0x66;
export const LOWER_N = 0x6e;
const SPACE = 0x20;
const LOWER_U = 0x75;
const PLUS = 0x2b;

/** What `next` and `peek` answer behind the last byte. */
export const END = -1;

/** Deepest nesting of objects and arrays, the outermost included: reliability.md, section 8. At most 32, the bits of a mask. */
export const MAXIMUM_DEPTH = 32;

/** Turns bytes into text; undefined if they are not well-formed UTF-8. */
export interface TextDecoding {
  text(bytes: Uint8Array): string | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** Tells whether the byte is white space of JSON. RFC 8259, section 2 */
function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/**
 * A position in the bytes of a JSON text, and the steps over its parts by the strict grammar of RFC 8259. A step that
 * fails answers false and leaves the cause in `fault`. Never recursive; every step is linear.
 */
export class JsonScanner {
  protected bytes: Uint8Array = NO_BYTES;
  protected position = 0;
  protected end = 0;
  protected fault: ValueFault | null = null;

  protected open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.position = 0;
    this.end = bytes.length;
    this.fault = null;
  }

  /** Lets go of the payload, which is valid during a call only. */
  protected close(): void {
    this.bytes = NO_BYTES;
  }

  protected fail(fault: ValueFault): false {
    this.fault = fault;
    return false;
  }

  protected peek(): number {
    return this.position < this.end ? (this.bytes[this.position] as number) : END;
  }

  /** Skips white space and answers the byte that follows, without taking it. */
  protected next(): number {
    const bytes = this.bytes;
    const end = this.end;
    let position = this.position;
    while (position < end) {
      const byte = bytes[position] as number;
      if (byte > SPACE || !isSpace(byte)) {
        this.position = position;
        return byte;
      }
      position++;
    }
    this.position = position;
    return END;
  }

  /** Steps over a string whose opening quote is the present byte. */
  protected skipString(): boolean {
    const bytes = this.bytes;
    const end = this.end;
    let position = this.position + 1;
    while (position < end) {
      const byte = bytes[position] as number;
      if (byte === QUOTE) {
        this.position = position + 1;
        return true;
      }
      if (byte < SPACE) break;
      if (byte === BACKSLASH) {
        const length = this.escapeLength(position);
        if (length === 0) break;
        position += length;
      } else position++;
    }
    return this.fail('malformed');
  }

  /** Bytes of the escape sequence at `position`; 0 if there is none. */
  private escapeLength(position: number): number {
    const escaped = position + 1 < this.end ? (this.bytes[position + 1] as number) : END;
    switch (escaped) {
      case QUOTE:
      case BACKSLASH:
      case 0x2f:
      case 0x62:
      case LOWER_F:
      case LOWER_N:
      case 0x72:
      case LOWER_T:
        return 2;
      case LOWER_U: {
        if (position + 6 > this.end) return 0;
        for (let index = position + 2; index < position + 6; index++) {
          if (!isHexDigit(this.bytes[index] as number)) return 0;
        }
        return 6;
      }
      default:
        return 0;
    }
  }

  /** Steps over digits; false if there is none. */
  private skipDigits(): boolean {
    const start = this.position;
    while (this.position < this.end && isDigit(this.bytes[this.position] as number)) this.position++;
    return this.position > start;
  }

  /** Steps over a number whose minus or first digit is the present byte. */
  protected skipNumber(): boolean {
    if (this.peek() === MINUS) this.position++;
    if (this.peek() === ZERO) {
      this.position++;
      if (isDigit(this.peek())) return this.fail('malformed');
    } else if (!this.skipDigits()) return this.fail('malformed');
    if (this.peek() === DOT) {
      this.position++;
      if (!this.skipDigits()) return this.fail('malformed');
    }
    if ((this.peek() | SPACE) === 0x65) {
      this.position++;
      const sign = this.peek();
      if (sign === PLUS || sign === MINUS) this.position++;
      if (!this.skipDigits()) return this.fail('malformed');
    }
    return true;
  }

  /** Steps over `true`, `false` or `null`, whose first letter is the present byte. */
  protected skipLiteral(): boolean {
    const first = this.peek();
    const word = first === LOWER_T ? 'true' : first === LOWER_F ? 'false' : 'null';
    if (this.position + word.length > this.end) return this.fail('malformed');
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.position + index] !== word.charCodeAt(index)) return this.fail('malformed');
    }
    this.position += word.length;
    return true;
  }

  private skipScalar(first: number): boolean {
    if (first === QUOTE) return this.skipString();
    if (first === MINUS || isDigit(first)) return this.skipNumber();
    if (first === LOWER_T || first === LOWER_F || first === LOWER_N) return this.skipLiteral();
    return this.fail('malformed');
  }

  /** Steps over any value; `depth` objects and arrays are open around it. */
  protected skipValue(depth: number): boolean {
    // One bit for each open container, set for objects, the innermost lowest.
    let objects = 0;
    let open = 0;
    let byte = this.next();
    for (;;) {
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (depth + ++open > MAXIMUM_DEPTH) return this.fail('tooDeep');
        const isObject = byte === OPEN_BRACE;
        objects = (objects << 1) | (isObject ? 1 : 0);
        this.position++;
        byte = this.next();
        if (byte !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
          if (isObject && !this.skipName(byte)) return false;
          if (isObject) byte = this.next();
          continue;
        }
      } else {
        if (!this.skipScalar(byte)) return false;
        if (open === 0) return true;
        byte = this.next();
      }
      while (byte === ((objects & 1) === 1 ? CLOSE_BRACE : CLOSE_BRACKET)) {
        this.position++;
        objects >>>= 1;
        if (--open === 0) return true;
        byte = this.next();
      }
      if (byte !== COMMA) return this.fail('malformed');
      this.position++;
      byte = this.next();
      if ((objects & 1) === 1) {
        if (!this.skipName(byte)) return false;
        byte = this.next();
      }
    }
  }

  /** Steps over the name of a member and its colon; `first` is the present byte. */
  private skipName(first: number): boolean {
    if (first !== QUOTE) return this.fail('malformed');
    if (!this.skipString()) return false;
    if (this.next() !== COLON) return this.fail('malformed');
    this.position++;
    return true;
  }

  /** The JSON text at [start, end) without white space between its parts; undefined if it is not UTF-8. */
  protected compactText(start: number, end: number, decoding: TextDecoding): string | undefined {
    const bytes = this.bytes;
    let position = start;
    let inString = false;
    while (position < end) {
      const byte = bytes[position] as number;
      if (byte === QUOTE) inString = !inString;
      else if (byte === BACKSLASH) position++;
      else if (!inString && isSpace(byte)) break;
      position++;
    }
    if (position >= end) return decoding.text(bytes.subarray(start, end));
    const compact = new Uint8Array(end - start);
    let length = 0;
    inString = false;
    for (position = start; position < end; position++) {
      const byte = bytes[position] as number;
      if (!inString && isSpace(byte)) continue;
      compact[length++] = byte;
      if (byte === QUOTE) inString = !inString;
      else if (byte === BACKSLASH) compact[length++] = bytes[++position] as number;
    }
    return decoding.text(compact.subarray(0, length));
  }
}

import { BACKSLASH, COLON, JsonScanner, QUOTE, type TextDecoding } from './json-scanner.ts';
import { TextCache } from './text-cache.ts';

/** Longest key in UTF-16 units. reliability.md, section 8 */
export const MAXIMUM_KEY_LENGTH = 255;

const SPACE = 0x20;
const LAST_PRINTABLE = 0x7e;
const NO_DECODING: TextDecoding = { text: () => undefined };

/** Tells whether a text may name a series or an attribute. */
function isKey(text: string): boolean {
  return text.length <= MAXIMUM_KEY_LENGTH && text.trim() !== '' && !text.includes('\0');
}

/** Reads the strings of a JSON text, frequent ones without decoding them again. */
export class TextScanner extends JsonScanner {
  private readonly keyCache = new TextCache(4096);
  private readonly valueCache = new TextCache(1024);
  protected decoding = NO_DECODING;

  protected openText(bytes: Uint8Array, decoding: TextDecoding): void {
    this.decoding = decoding;
    this.open(bytes);
  }

  protected override close(): void {
    this.decoding = NO_DECODING;
    super.close();
  }

  /** The string whose opening quote is the present byte; undefined: a fault. */
  protected textValue(): string | undefined {
    return this.string(this.valueCache, false);
  }

  /** The name whose opening quote is `first`, with its colon taken; undefined: a fault. */
  protected name(first: number): string | undefined {
    if (first !== QUOTE) {
      this.fail('malformed');
      return undefined;
    }
    const key = this.string(this.keyCache, true);
    if (key === undefined) return undefined;
    if (this.next() !== COLON) {
      this.fail('malformed');
      return undefined;
    }
    this.position++;
    return key;
  }

  /** The string whose opening quote is the present byte. `isName`: it must be fit for a key. undefined: a fault. */
  private string(cache: TextCache, isName: boolean): string | undefined {
    const bytes = this.bytes;
    const end = this.end;
    const start = this.position + 1;
    let position = start;
    let hash = 0;
    while (position < end) {
      const byte = bytes[position] as number;
      if (byte === QUOTE) {
        this.position = position + 1;
        if (position > start) {
          const known = cache.find(bytes, start, position, hash);
          if (known !== undefined) return known;
        }
        return this.newText(cache, start, position, hash, isName);
      }
      if (byte === BACKSLASH || byte > LAST_PRINTABLE || byte < SPACE) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
      position++;
    }
    return this.unusualString(isName);
  }

  private newText(cache: TextCache, start: number, end: number, hash: number, isName: boolean): string | undefined {
    const text = start === end ? '' : this.decoding.text(this.bytes.subarray(start, end));
    if (text === undefined || (isName && !isKey(text))) {
      this.fail(text === undefined ? 'malformed' : 'invalidKey');
      return undefined;
    }
    cache.keep(text, hash);
    return text;
  }

  /** A string with escapes or characters beyond ASCII. */
  private unusualString(isName: boolean): string | undefined {
    const start = this.position + 1;
    if (!this.skipString()) return undefined;
    const raw = this.decoding.text(this.bytes.subarray(start, this.position - 1));
    if (raw === undefined) {
      this.fail('malformed');
      return undefined;
    }
    // The scanner has checked every escape; a lone surrogate could not be stored as UTF-8.
    const text = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string).toWellFormed() : raw;
    if (isName && !isKey(text)) {
      this.fail('invalidKey');
      return undefined;
    }
    return text;
  }
}

import { MAXIMUM_DEPTH } from './json-scanner.ts';
import type { ValueFault } from './value-fault.ts';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const KEYWORD = /^(?:true|false|null)$/i;
/** Characters that end an unquoted text. */
const DELIMITERS = '{}[]:,;=/\\# \t\f\r\n';
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['/', '/'],
  ['\n', '\n'],
]);

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/**
 * Rewrites leniently written JSON as strict JSON: unquoted or single-quoted names and strings, `//`, `/*` and `#`
 * comments, `;` between members, `=` or `=>` behind names, empty array elements as null. A bare word that is neither a
 * number nor a keyword becomes a string, so numbers keep the way they are written. thingsboard-device.md, 2.2
 */
export function toStrictJson(text: string): { readonly json: string } | ValueFault {
  return new TolerantReader(text).read();
}

class TolerantReader {
  private readonly text: string;
  private readonly out: string[] = [];
  private readonly open: ('{' | '[')[] = [];
  private position: number;

  constructor(text: string) {
    this.text = text;
    this.position = text.startsWith('\ufeff') ? 1 : 0;
  }

  read(): { readonly json: string } | ValueFault {
    let state: 'value' | 'after' = 'value';
    for (;;) {
      const unit = this.next();
      if (unit === undefined) return 'malformed';
      if (state === 'value') {
        const fault = this.value(unit);
        if (fault === 'opened') continue;
        if (fault !== null) return fault;
        state = 'after';
      } else if (this.separator(unit)) state = 'value';
      else if (!this.closes(unit)) return 'malformed';
      if (this.open.length === 0) return this.next() === '' ? { json: this.out.join('') } : 'malformed';
    }
  }

  /** Takes a scalar (null), or opens an object or array and takes the first name in it (`opened`). */
  private value(unit: string): ValueFault | 'opened' | null {
    if (unit === '{' || unit === '[') {
      if (this.open.length === MAXIMUM_DEPTH) return 'tooDeep';
      this.position++;
      this.open.push(unit);
      this.out.push(unit);
      const following = this.next();
      if (following === undefined) return 'malformed';
      if (this.closes(following)) return null;
      return unit === '{' && !this.name(following) ? 'malformed' : 'opened';
    }
    if (this.open.at(-1) === '[' && (unit === ',' || unit === ';' || unit === ']')) {
      this.out.push('null');
      return null;
    }
    const token = this.token(unit);
    if (token === undefined) return 'malformed';
    if (!token.quoted && NUMBER.test(token.text)) this.out.push(token.text);
    else if (!token.quoted && KEYWORD.test(token.text)) this.out.push(token.text.toLowerCase());
    else this.out.push(JSON.stringify(token.text));
    return null;
  }

  /** Takes the bracket that ends the innermost object or array. */
  private closes(unit: string): boolean {
    const innermost = this.open.at(-1);
    if (!((innermost === '{' && unit === '}') || (innermost === '[' && unit === ']'))) return false;
    this.position++;
    this.open.pop();
    this.out.push(unit);
    return true;
  }

  /** Takes a comma or semicolon and, in an object, the name behind it. */
  private separator(unit: string): boolean {
    const innermost = this.open.at(-1);
    if (innermost === undefined || (unit !== ',' && unit !== ';')) return false;
    this.position++;
    this.out.push(',');
    if (innermost === '[') return true;
    const following = this.next();
    return following !== undefined && this.name(following);
  }

  private name(unit: string): boolean {
    const token = this.token(unit);
    if (token === undefined) return false;
    const sign = this.next();
    if (sign !== ':' && sign !== '=') return false;
    this.position++;
    if (sign === '=' && this.text[this.position] === '>') this.position++;
    this.out.push(JSON.stringify(token.text), ':');
    return true;
  }

  /** A string or bare word that begins with `unit`; undefined if there is none. */
  private token(unit: string): Token | undefined {
    if (unit === '"' || unit === "'") return this.quoted(unit);
    const start = this.position;
    while (this.position < this.text.length && !DELIMITERS.includes(this.text[this.position] as string))
      this.position++;
    return this.position === start ? undefined : { text: this.text.slice(start, this.position), quoted: false };
  }

  private quoted(quote: string): Token | undefined {
    const parts: string[] = [];
    let start = ++this.position;
    for (; this.position < this.text.length; this.position++) {
      const unit = this.text[this.position];
      if (unit === quote) {
        parts.push(this.text.slice(start, this.position++));
        return { text: parts.join(''), quoted: true };
      }
      if (unit !== '\\') continue;
      parts.push(this.text.slice(start, this.position));
      const character = this.escape();
      if (character === undefined) return undefined;
      parts.push(character);
      start = this.position + 1;
    }
    return undefined;
  }

  /** The character for the escape sequence at `position`, which is moved to its last unit. */
  private escape(): string | undefined {
    const unit = this.text[++this.position] ?? '';
    if (unit !== 'u') return ESCAPES.get(unit);
    const hex = this.text.slice(this.position + 1, this.position + 5);
    if (!/^[0-9A-Fa-f]{4}$/.test(hex)) return undefined;
    this.position += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  /** Skips white space and comments. The unit that follows, `''` at the end, undefined for a comment without end. */
  private next(): string | undefined {
    const text = this.text;
    for (;;) {
      const unit = text[this.position];
      if (unit === undefined) return '';
      if (unit === ' ' || unit === '\t' || unit === '\n' || unit === '\r') this.position++;
      else if (unit === '#' || (unit === '/' && text[this.position + 1] === '/')) this.skipLine();
      else if (unit === '/' && text[this.position + 1] === '*') {
        const end = text.indexOf('*/', this.position + 2);
        if (end === -1) return undefined;
        this.position = end + 2;
      } else return unit;
    }
  }

  private skipLine(): void {
    while (this.position < this.text.length && !'\r\n'.includes(this.text[this.position] as string)) this.position++;
  }
}

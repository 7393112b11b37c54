/** One record of a file. RFC 4180, section 2 */
export interface CsvRecord {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** What is wrong with it, as a sentence; null: nothing. */
  readonly fault: string | null;
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Reads a CSV text record by record: quoted cells with delimiters, line breaks and doubled quotes, any kind of line
 * break, empty lines skipped. A quote inside a cell that does not begin with one is a character like any other. Time is
 * linear in the text; what is wrong spoils its record only.
 */
export function* readCsv(text: string, delimiter: string): Generator<CsvRecord, void> {
  const reader = new CsvReader(text, delimiter.charCodeAt(0));
  for (let record = reader.next(); record !== null; record = reader.next()) yield record;
}

/** Lines of a text, an unfinished last one included. */
export function countLines(text: string): number {
  let lines = 0;
  let unfinished = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const ends = unit === LINE_FEED || (unit === CARRIAGE_RETURN && text.charCodeAt(at + 1) !== LINE_FEED);
    if (ends) lines += 1;
    unfinished = !ends;
  }
  return unfinished ? lines + 1 : lines;
}

class CsvReader {
  readonly #text: string;
  readonly #delimiter: number;
  #at: number;
  #line = 1;
  #fault: string | null = null;

  constructor(text: string, delimiter: number) {
    this.#text = text;
    this.#delimiter = delimiter;
    this.#at = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  }

  /** null: the end of the text. */
  next(): CsvRecord | null {
    while (this.#isLineBreak()) this.#skipLineBreak();
    if (this.#at >= this.#text.length) return null;
    const line = this.#line;
    const cells: string[] = [];
    this.#fault = null;
    for (;;) {
      cells.push(this.#text.charCodeAt(this.#at) === QUOTE ? this.#quotedCell() : this.#plainCell());
      if (this.#text.charCodeAt(this.#at) !== this.#delimiter) break;
      this.#at += 1;
    }
    if (this.#isLineBreak()) this.#skipLineBreak();
    return { line, cells, fault: this.#fault };
  }

  #plainCell(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !this.#isEndOfCell()) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #quotedCell(): string {
    const opening = this.#at;
    const openingLine = this.#line;
    let cell = '';
    for (let from = opening + 1; ; ) {
      const quote = this.#text.indexOf('"', from);
      if (quote === -1) {
        // Nothing behind it closes it either, so the file goes on with the next line as if the quote were not there.
        this.#fault = 'A quote is never closed';
        this.#at = opening;
        this.#line = openingLine;
        while (this.#at < this.#text.length && !this.#isLineBreak()) this.#at += 1;
        return '';
      }
      cell += this.#text.slice(from, quote);
      if (this.#text.charCodeAt(quote + 1) !== QUOTE) {
        this.#countLineBreaks(opening, quote);
        this.#at = quote + 1;
        break;
      }
      cell += '"';
      from = quote + 2;
    }
    if (this.#at < this.#text.length && !this.#isEndOfCell()) {
      this.#fault = 'Text follows the end of a quoted cell';
      this.#plainCell();
    }
    return cell;
  }

  #countLineBreaks(from: number, to: number): void {
    for (this.#at = from; this.#at < to; ) {
      if (this.#isLineBreak()) this.#skipLineBreak();
      else this.#at += 1;
    }
  }

  #isEndOfCell(): boolean {
    return this.#text.charCodeAt(this.#at) === this.#delimiter || this.#isLineBreak();
  }

  #isLineBreak(): boolean {
    const unit = this.#text.charCodeAt(this.#at);
    return unit === LINE_FEED || unit === CARRIAGE_RETURN;
  }

  #skipLineBreak(): void {
    const isPair =
      this.#text.charCodeAt(this.#at) === CARRIAGE_RETURN && this.#text.charCodeAt(this.#at + 1) === LINE_FEED;
    this.#at += isPair ? 2 : 1;
    this.#line += 1;
  }
}

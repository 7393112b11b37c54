/**
 * A filter of names: the beginning of the name in any case; one that starts or ends with `%` is the whole pattern, in
 * which each `%` stands for any text. thingsboard-server.md, 7.5
 */
export class NamePattern {
  /** The texts between the wildcards, in lower case. */
  readonly #parts: readonly string[];

  constructor(filter: string) {
    const pattern = filter.toLowerCase();
    this.#parts = (pattern.startsWith('%') || pattern.endsWith('%') ? pattern : `${pattern}%`).split('%');
  }

  /** A text that every matching name contains, in lower case; may be empty. */
  get literal(): string {
    return this.#parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '');
  }

  /** Reads the name once, whatever the pattern. */
  matches(name: string): boolean {
    const text = name.toLowerCase();
    const first = this.#parts[0] ?? '';
    const last = this.#parts.at(-1) ?? '';
    if (!text.startsWith(first)) return false;
    let from = first.length;
    for (const part of this.#parts.slice(1, -1)) {
      const at = text.indexOf(part, from);
      if (at < 0) return false;
      from = at + part.length;
    }
    return text.length - last.length >= from && text.endsWith(last);
  }
}

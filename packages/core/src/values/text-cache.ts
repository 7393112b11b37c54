const LONGEST = 48;

/**
 * Remembers short ASCII texts by their bytes, so that the same keys in message after message are the same string and
 * cost no decoding. A direct-mapped table: a newcomer takes the slot of whoever was there, so its size never grows.
 */
export class TextCache {
  private readonly slots: string[];
  private readonly mask: number;

  /** `size` is a power of two. */
  constructor(size: number) {
    this.slots = new Array<string>(size).fill('');
    this.mask = size - 1;
  }

  /** The text whose ASCII bytes stand at [start, end), which is not empty; undefined if it is not remembered. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): string | undefined {
    const text = this.slots[hash & this.mask] as string;
    const length = end - start;
    if (text.length !== length) return undefined;
    for (let index = 0; index < length; index++) {
      if (text.charCodeAt(index) !== bytes[start + index]) return undefined;
    }
    return text;
  }

  /** Keeps a text that was decoded from ASCII bytes with this hash; one longer than 48 characters is not kept. */
  keep(text: string, hash: number): void {
    if (text.length <= LONGEST) this.slots[hash & this.mask] = text;
  }
}

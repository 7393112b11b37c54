/** Identifiers kept in a list before the bitmap of 8 KiB is made. */
const LIST = 32;

/** Packet Identifiers of incoming QoS 2 messages that wait for PUBREL; at most 8 KiB, whatever a client does. mqtt.md, section 5, note 2 */
export class PacketIdentifierSet {
  #list: number[] = [];
  #bits: Uint8Array | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(identifier: number): boolean {
    if (this.#bits === null) return this.#list.includes(identifier);
    return ((this.#bits[identifier >> 3] ?? 0) & (1 << (identifier & 7))) !== 0;
  }

  add(identifier: number): void {
    if (this.has(identifier)) return;
    this.#size++;
    if (this.#bits === null && this.#list.length < LIST) {
      this.#list.push(identifier);
      return;
    }
    this.#toBits()[identifier >> 3] = (this.#toBits()[identifier >> 3] ?? 0) | (1 << (identifier & 7));
  }

  delete(identifier: number): boolean {
    if (!this.has(identifier)) return false;
    this.#size--;
    if (this.#bits === null) this.#list.splice(this.#list.indexOf(identifier), 1);
    else this.#bits[identifier >> 3] = (this.#bits[identifier >> 3] ?? 0) & ~(1 << (identifier & 7));
    if (this.#size === 0) this.#bits = null;
    return true;
  }

  #toBits(): Uint8Array {
    if (this.#bits === null) {
      this.#bits = new Uint8Array(8_192);
      for (const identifier of this.#list)
        this.#bits[identifier >> 3] = (this.#bits[identifier >> 3] ?? 0) | (1 << (identifier & 7));
      this.#list = [];
    }
    return this.#bits;
  }
}

import type { Delivery } from './delivery.ts';

/** Messages of one Session that wait to be sent, first in, first out, with their bytes. */
export class DeliveryQueue {
  #items: (Delivery | null)[] = [];
  #head = 0;
  bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(delivery: Delivery): void {
    this.#items.push(delivery);
    this.bytes += delivery.sizeBytes;
  }

  peek(): Delivery | undefined {
    return this.#items[this.#head] ?? undefined;
  }

  shift(): Delivery | undefined {
    const delivery = this.#items[this.#head] ?? undefined;
    if (delivery === undefined) return undefined;
    this.#items[this.#head++] = null;
    this.bytes -= delivery.sizeBytes;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return delivery;
  }
}

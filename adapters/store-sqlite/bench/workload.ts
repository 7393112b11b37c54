import type { PointBatch } from '@moorage/core';
import { ValueKind } from '@moorage/core';

export const DEVICES = 1000;
export const KEYS = 10;
export const START = Date.UTC(2026, 0, 1);
const HOT_SERIES = 20;

/**
 * 10,000 series in order of arrival: 20 at 1 Hz, the rest every 5 minutes, 30 ms of jitter. Half of them walk with two
 * decimals, 3 of 10 are integers, 2 of 10 constant.
 */
export class Workload {
  #second = 0;
  #queue: Int32Array = new Int32Array(0);
  #at = 0;
  readonly #value = new Float64Array(DEVICES * KEYS);
  #seed = 1;

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 4_294_967_296;
  }

  #nextSecond(): void {
    const due: number[] = [];
    for (let hot = 0; hot < HOT_SERIES; hot++) due.push(hot * 500);
    const slot = this.#second % 300;
    for (let device = 0; device < DEVICES; device++) {
      if (device % 300 !== slot) continue;
      for (let key = 0; key < KEYS; key++) if ((device * KEYS + key) % 500 !== 0) due.push(device * KEYS + key);
    }
    this.#second++;
    this.#queue = Int32Array.from(due);
    this.#at = 0;
  }

  /** The next points in order of arrival. */
  batch(count: number): PointBatch {
    const series = new Int32Array(count);
    const ts = new Float64Array(count);
    const kind = new Uint8Array(count);
    const num = new Float64Array(count);
    for (let index = 0; index < count; index++) {
      if (this.#at >= this.#queue.length) this.#nextSecond();
      const id = this.#queue[this.#at++] ?? 0;
      const form = id % 10;
      series[index] = id + 1;
      ts[index] = START + this.#second * 1000 + Math.floor(this.#random() * 30);
      if (form < 5) {
        this.#value[id] = (this.#value[id] ?? 0) + Math.round((this.#random() - 0.5) * 40);
        kind[index] = ValueKind.Double;
        num[index] = (2000 + (this.#value[id] ?? 0)) / 100;
      } else if (form < 8) {
        this.#value[id] = (this.#value[id] ?? 0) + Math.floor(this.#random() * 10);
        kind[index] = ValueKind.Long;
        num[index] = this.#value[id] ?? 0;
      } else {
        kind[index] = ValueKind.Double;
        num[index] = 230.5;
      }
    }
    return { count, series, ts, kind, num, other: [] };
  }
}

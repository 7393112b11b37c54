/**
 * The point columns of one round, in memory that this thread and the writer share: time and number as doubles, series
 * as 32-bit integers, kind as bytes. Shared instead of transferred: a transfer costs 150 us a round, and once buffers
 * have been detached V8 checks every access to any typed array.
 */
export class RoundBuffer {
  readonly memory: SharedArrayBuffer;
  readonly capacity: number;
  readonly ts: Float64Array<SharedArrayBuffer>;
  readonly num: Float64Array<SharedArrayBuffer>;
  readonly series: Int32Array<SharedArrayBuffer>;
  readonly kind: Uint8Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    const capacity = Math.floor(memory.byteLength / POINT_BYTES);
    this.memory = memory;
    this.capacity = capacity;
    this.ts = new Float64Array(memory, 0, capacity);
    this.num = new Float64Array(memory, capacity * 8, capacity);
    this.series = new Int32Array(memory, capacity * 16, capacity);
    this.kind = new Uint8Array(memory, capacity * 20, capacity);
  }

  /** A buffer for `capacity` points. */
  static allocate(capacity: number): RoundBuffer {
    return new RoundBuffer(new SharedArrayBuffer(capacity * POINT_BYTES));
  }
}

const POINT_BYTES = 21;

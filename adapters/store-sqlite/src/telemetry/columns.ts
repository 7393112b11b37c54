/**
 * Set in a `kind` entry of `Columns` when the value is not the number in `num` but the entry of `other` it points to:
 * String, Json, and Long beyond the safe integers.
 */
export const OTHER = 0x80;

/** Points as columns. The order is that of arrival until `sortAndReplace` has run. */
export class Columns {
  count = 0;
  ts: Float64Array<ArrayBuffer>;
  /** The number; 0 or 1 for Boolean; an index of `other` where `kind` carries `OTHER`. */
  num: Float64Array<ArrayBuffer>;
  /** `ValueKind`, with `OTHER` added where it applies. */
  kind: Uint8Array<ArrayBuffer>;
  other: (string | bigint)[] = [];

  constructor(capacity = 64) {
    this.ts = new Float64Array(capacity);
    this.num = new Float64Array(capacity);
    this.kind = new Uint8Array(capacity);
  }

  /** Columns over arrays that came from another thread. */
  static of(parts: ColumnParts): Columns {
    const columns = new Columns(0);
    columns.count = parts.count;
    columns.ts = parts.ts;
    columns.num = parts.num;
    columns.kind = parts.kind;
    columns.other = parts.other;
    return columns;
  }

  clear(): void {
    this.count = 0;
    if (this.other.length > 0) this.other = [];
  }

  reserve(more: number): void {
    const needed = this.count + more;
    if (needed <= this.ts.length) return;
    const capacity = Math.max(needed, this.ts.length * 2);
    this.ts = grown(new Float64Array(capacity), this.ts);
    this.num = grown(new Float64Array(capacity), this.num);
    const kind = new Uint8Array(capacity);
    kind.set(this.kind);
    this.kind = kind;
  }

  /** Adds a point whose value is a number. */
  push(ts: number, kind: number, num: number): void {
    this.reserve(1);
    const at = this.count++;
    this.ts[at] = ts;
    this.kind[at] = kind;
    this.num[at] = num;
  }

  /** Adds a point whose value lies outside the number column. */
  pushOther(ts: number, kind: number, value: string | bigint): void {
    this.push(ts, kind | OTHER, this.other.length);
    this.other.push(value);
  }

  /** Adds point `at` of other columns. */
  pushFrom(source: Columns, at: number): void {
    const kind = source.kind[at] ?? 0;
    const ts = source.ts[at] ?? 0;
    const num = source.num[at] ?? 0;
    if ((kind & OTHER) === 0) this.push(ts, kind, num);
    else this.pushOther(ts, kind & ~OTHER, source.other[num] ?? '');
  }

  /** Adds all points of other columns with `from <= ts < to`. */
  pushRange(source: Columns, from: number, to: number): void {
    for (let at = 0; at < source.count; at++) {
      const ts = source.ts[at] ?? 0;
      if (ts >= from && ts < to) this.pushFrom(source, at);
    }
  }

  /** Adds the points of other columns whose time `unwanted` does not name. */
  pushExcept(source: Columns, unwanted: (ts: number) => boolean): void {
    for (let at = 0; at < source.count; at++) {
      if (!unwanted(source.ts[at] ?? 0)) this.pushFrom(source, at);
    }
  }

  /** True if times rise strictly: nothing to sort, nothing to replace. */
  get ascending(): boolean {
    const ts = this.ts;
    for (let at = 1; at < this.count; at++) {
      if (!((ts[at - 1] ?? 0) < (ts[at] ?? 0))) return false;
    }
    return true;
  }

  /** The same points by ascending time, of equal times only the last one. Returns this object if nothing changes. */
  sortedAndReplaced(): Columns {
    if (this.ascending) return this;
    const ts = this.ts;
    const order = new Uint32Array(this.count);
    for (let at = 0; at < order.length; at++) order[at] = at;
    order.sort((a, b) => (ts[a] ?? 0) - (ts[b] ?? 0) || a - b);
    const result = new Columns(this.count);
    for (let place = 0; place < order.length; place++) {
      const at = order[place] ?? 0;
      const next = order[place + 1];
      if (next !== undefined && ts[next] === ts[at]) continue;
      result.pushFrom(this, at);
    }
    return result;
  }

  /** The plain parts to send to another thread, with arrays cut to size, and the buffers to transfer. */
  parts(): { parts: ColumnParts; transfer: ArrayBuffer[] } {
    const roomy = this.ts.length > this.count * 2;
    const ts = roomy ? this.ts.slice(0, this.count) : this.ts;
    const num = roomy ? this.num.slice(0, this.count) : this.num;
    const kind = roomy ? this.kind.slice(0, this.count) : this.kind;
    return {
      parts: { count: this.count, ts, num, kind, other: this.other },
      transfer: [ts.buffer, num.buffer, kind.buffer],
    };
  }
}

/** `Columns` without its methods, as it crosses a thread. */
export interface ColumnParts {
  readonly count: number;
  readonly ts: Float64Array<ArrayBuffer>;
  readonly num: Float64Array<ArrayBuffer>;
  readonly kind: Uint8Array<ArrayBuffer>;
  readonly other: (string | bigint)[];
}

function grown(target: Float64Array<ArrayBuffer>, source: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  target.set(source);
  return target;
}

import type { Completion } from '../ports/runtime.ts';
import type { ExpiringPoints, OwnerId, PointBatch, SeriesId } from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';
import { ValueKind } from '../values/value.ts';
import { isStorableTime, isStorableValue, MAX_TIME, type PointFault } from './point-rules.ts';

/** Estimated bytes of a point without its text. */
const POINT_BYTES = 24;
const BYTES_PER_CODE_UNIT = 2;

/** Estimated bytes that the points of a list take while they wait. */
export function estimateBytes(points: PointList): number {
  let bytes = points.length * POINT_BYTES;
  for (const value of points.values) {
    if (typeof value === 'string') bytes += value.length * BYTES_PER_CODE_UNIT;
  }
  return bytes;
}

/**
 * The open batch: points as growing columns, with the completions and notices of the messages in it. Columns are
 * allocated anew for each batch, because the store takes them over.
 */
export class PointColumns {
  count = 0;
  bytes = 0;
  messages = 0;
  readonly completions: Completion[] = [];
  /** Owner and list of each message that asked for a notice, at the same index. */
  readonly noticeOwners: OwnerId[] = [];
  readonly noticePoints: PointList[] = [];
  readonly #other: { readonly index: number; readonly value: string | bigint }[] = [];
  readonly #expiring: ExpiringPoints[] = [];
  #series: Int32Array<ArrayBuffer>;
  #ts: Float64Array<ArrayBuffer>;
  #kind: Uint8Array<ArrayBuffer>;
  #num: Float64Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.#series = new Int32Array(capacity);
    this.#ts = new Float64Array(capacity);
    this.#kind = new Uint8Array(capacity);
    this.#num = new Float64Array(capacity);
  }

  get empty(): boolean {
    return this.messages === 0;
  }

  /** Writes all points of a message, or none and says why. `expiresAt`: epoch milliseconds; null: they stay. */
  write(
    seriesOf: ReadonlyMap<string, SeriesId>,
    points: PointList,
    expiresAt: number | null = null,
  ): 'written' | 'unknownKey' | PointFault {
    const { ts, keys, kinds, values } = points;
    const length = keys.length;
    const start = this.count;
    if (start + length > this.#series.length) this.#grow(start + length);
    const seriesColumn = this.#series;
    const tsColumn = this.#ts;
    const kindColumn = this.#kind;
    const numColumn = this.#num;
    const otherBefore = this.#other.length;
    let textLength = 0;
    let fault: 'unknownKey' | PointFault | null = null;
    for (let i = 0, index = start; i < length; i++, index++) {
      const at = ts[i] ?? Number.NaN;
      if (!(at >= -MAX_TIME && at <= MAX_TIME) || Math.floor(at) !== at) {
        fault = 'invalidTime';
        break;
      }
      const series = seriesOf.get(keys[i] ?? '');
      if (series === undefined) {
        // A fault further on must win over the key: such a message is dropped without giving its keys a series.
        fault = firstFault(points, i) ?? 'unknownKey';
        break;
      }
      const kind = kinds[i];
      const value = values[i];
      if (typeof value === 'number') {
        if (kind === ValueKind.Double ? value - value !== 0 : kind !== ValueKind.Long || !Number.isSafeInteger(value)) {
          fault = 'invalidValue';
          break;
        }
        numColumn[index] = kind === ValueKind.Long ? value + 0 : value;
      } else {
        if (!isStorableValue(kind, value)) {
          fault = 'invalidValue';
          break;
        }
        if (typeof value === 'boolean') numColumn[index] = value ? 1 : 0;
        else if (typeof value === 'string') {
          this.#other.push({ index, value });
          textLength += value.length;
        } else if (typeof value === 'bigint') this.#writeBigint(index, value);
      }
      seriesColumn[index] = series;
      tsColumn[index] = at + 0;
      kindColumn[index] = kind ?? 0;
    }
    if (fault !== null) {
      this.#other.length = otherBefore;
      return fault;
    }
    this.count = start + length;
    if (expiresAt !== null) this.#expiring.push({ from: start, to: start + length, at: expiresAt });
    this.bytes += length * POINT_BYTES + textLength * BYTES_PER_CODE_UNIT;
    this.messages += 1;
    return 'written';
  }

  /** Hands the columns over; the batch takes no more points. */
  takeBatch(): PointBatch {
    return {
      count: this.count,
      series: this.#series,
      ts: this.#ts,
      kind: this.#kind,
      num: this.#num,
      other: this.#other,
      ...(this.#expiring.length > 0 ? { expiring: this.#expiring } : {}),
    };
  }

  #writeBigint(index: number, value: bigint): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) this.#num[index] = number;
    else this.#other.push({ index, value });
  }

  #grow(needed: number): void {
    const capacity = Math.max(needed, this.#series.length * 2);
    const series = new Int32Array(capacity);
    const ts = new Float64Array(capacity);
    const kind = new Uint8Array(capacity);
    const num = new Float64Array(capacity);
    series.set(this.#series);
    ts.set(this.#ts);
    kind.set(this.#kind);
    num.set(this.#num);
    this.#series = series;
    this.#ts = ts;
    this.#kind = kind;
    this.#num = num;
  }
}

function firstFault(points: PointList, from: number): PointFault | null {
  for (let i = from; i < points.length; i++) {
    if (!isStorableTime(points.ts[i] ?? Number.NaN)) return 'invalidTime';
    if (!isStorableValue(points.kinds[i], points.values[i])) return 'invalidValue';
  }
  return null;
}

import { PointList } from './point-list.ts';
import type { Scalar, ValueKind } from './value.ts';

/** Objects with more members than this find a repeated name through a Map. */
const FEW_MEMBERS = 12;
/** Stands for a value that a later `null` of the same name took away; no value is ever NaN. */
const REMOVED = Number.NaN;
const NO_POINTS = new PointList();

/** Puts the members of one JSON object after the other into a list of points; of equal names the last wins. */
export class PointCollector {
  private into = NO_POINTS;
  private limit = 0;
  private ts = 0;
  /** Index of the first point of the present object. */
  private start = 0;
  /** Index by name in the present object, once it has many members. */
  private places: Map<string, number> | null = null;
  private anyRemoved = false;

  /** Collects at most `maximumValues` points behind those that the list has. */
  begin(into: PointList, maximumValues: number): void {
    this.into = into;
    this.limit = into.length + maximumValues;
    this.anyRemoved = false;
  }

  end(): void {
    this.into = NO_POINTS;
    this.places = null;
  }

  startObject(ts: number): void {
    this.ts = ts;
    this.start = this.into.length;
    this.places = null;
  }

  /** Forgets what the present object has given so far. */
  dropObject(): void {
    this.into.truncate(this.start);
    this.places = null;
    this.anyRemoved = false;
  }

  finishObject(): void {
    if (this.anyRemoved) this.dropRemoved();
  }

  /** False: there is no room for another value. */
  store(key: string, kind: ValueKind, value: Scalar): boolean {
    const into = this.into;
    const place = this.placeOf(key);
    if (place !== -1) {
      into.kinds[place] = kind;
      into.values[place] = value;
      return true;
    }
    if (into.length >= this.limit) return false;
    if (this.places !== null) this.places.set(key, into.length);
    into.add(this.ts, key, kind, value);
    return true;
  }

  /** A `null`: an earlier value of this name goes. */
  remove(key: string): void {
    const place = this.placeOf(key);
    if (place === -1) return;
    this.into.values[place] = REMOVED;
    this.anyRemoved = true;
  }

  /** Index of an earlier member of this name in the present object, or -1. */
  private placeOf(key: string): number {
    const keys = this.into.keys;
    const count = keys.length;
    if (count - this.start <= FEW_MEMBERS) {
      for (let index = this.start; index < count; index++) {
        if (keys[index] === key) return index;
      }
      return -1;
    }
    if (this.places === null) {
      this.places = new Map();
      for (let index = this.start; index < count; index++) this.places.set(keys[index] as string, index);
    }
    return this.places.get(key) ?? -1;
  }

  private dropRemoved(): void {
    const { ts, keys, kinds, values } = this.into;
    let kept = this.start;
    for (let index = this.start; index < keys.length; index++) {
      if (Number.isNaN(values[index])) continue;
      ts[kept] = ts[index] as number;
      keys[kept] = keys[index] as string;
      kinds[kept] = kinds[index] as ValueKind;
      values[kept] = values[index] as Scalar;
      kept++;
    }
    this.into.truncate(kept);
    this.anyRemoved = false;
  }
}

import type { OwnerId, SeriesId } from '@moorage/core';

const NONE: ReadonlyMap<string, SeriesId> = new Map();

/** All series by owner and key, and the ids being given out. */
export class SeriesIndex {
  readonly #owners = new Map<OwnerId, Map<string, SeriesId>>();
  readonly #pending = new Map<OwnerId, Map<string, SeriesId>>();
  #next: SeriesId;
  size = 0;

  constructor(next: SeriesId) {
    this.#next = next;
  }

  of(owner: OwnerId): ReadonlyMap<string, SeriesId> {
    return this.#owners.get(owner) ?? NONE;
  }

  /** Ids for keys: known ones, ones under way, or new ones; `tooMany` beyond `limit` series of the owner. */
  claim(
    owner: OwnerId,
    keys: readonly string[],
    limit: number,
  ): { readonly ids: SeriesId[]; readonly fresh: Map<string, SeriesId>; readonly waiting: boolean } | 'tooMany' {
    const known = this.of(owner);
    const pending = this.#pending.get(owner);
    const fresh = new Map<string, SeriesId>();
    const ids: SeriesId[] = [];
    let waiting = false;
    let next = this.#next;
    for (const key of keys) {
      const old = known.get(key) ?? fresh.get(key);
      const underWay = old === undefined ? pending?.get(key) : undefined;
      if (underWay !== undefined) waiting = true;
      const id = old ?? underWay ?? next++;
      if (old === undefined && underWay === undefined) fresh.set(key, id);
      ids.push(id);
    }
    if (fresh.size > 0 && known.size + (pending?.size ?? 0) + fresh.size > limit) return 'tooMany';
    this.#next = next;
    if (fresh.size > 0) {
      const all = pending ?? new Map<string, SeriesId>();
      for (const [key, id] of fresh) all.set(key, id);
      this.#pending.set(owner, all);
    }
    return { ids, fresh, waiting };
  }

  /** Makes ids visible, or forgets them, once their commit is decided. */
  settle(owner: OwnerId, fresh: ReadonlyMap<string, SeriesId>, stored: boolean): void {
    const pending = this.#pending.get(owner);
    for (const [key, id] of fresh) {
      pending?.delete(key);
      if (stored) this.add(owner, key, id);
    }
    if (pending?.size === 0) this.#pending.delete(owner);
  }

  add(owner: OwnerId, key: string, id: SeriesId): void {
    let series = this.#owners.get(owner);
    if (series === undefined) {
      series = new Map();
      this.#owners.set(owner, series);
    }
    series.set(key, id);
    this.size++;
  }

  /** Forgets an owner; the ids it had. */
  remove(owner: OwnerId): readonly SeriesId[] {
    const series = this.#owners.get(owner);
    if (series === undefined) return [];
    this.#owners.delete(owner);
    this.size -= series.size;
    const ids = [...series.values()];
    series.clear();
    return ids;
  }
}

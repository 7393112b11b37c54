import type {
  EntityData,
  EntityKey,
  EntityKeyType,
  LiveAttributes,
  LiveEntry,
  LiveTelemetry,
  LiveWatch,
  TypedId,
} from '@moorage/core';
import { entityJson } from './answers.ts';

type TypedEntries = Map<EntityKeyType, Map<string, LiveEntry>>;

const SCOPE_TYPES = {
  CLIENT: 'CLIENT_ATTRIBUTE',
  SHARED: 'SHARED_ATTRIBUTE',
  SERVER: 'SERVER_ATTRIBUTE',
} as const satisfies Record<LiveAttributes['scope'], EntityKeyType>;

/** Keys that a subscription follows, the same for all of its entities. */
export class FollowedKeys {
  readonly latest: ReadonlyMap<EntityKeyType, ReadonlySet<string>>;
  readonly series: ReadonlySet<string>;

  constructor(latest: readonly EntityKey[], series: readonly string[]) {
    const byType = new Map<EntityKeyType, Set<string>>();
    for (const { type, key } of latest) {
      const keys = byType.get(type);
      if (keys === undefined) byType.set(type, new Set([key]));
      else keys.add(key);
    }
    this.latest = byType;
    this.series = new Set(series);
  }

  get telemetry(): boolean {
    return this.series.size > 0 || this.latest.has('TIME_SERIES');
  }

  get attributes(): boolean {
    for (const type of this.latest.keys()) if (type !== 'TIME_SERIES' && type !== 'ENTITY_FIELD') return true;
    return false;
  }
}

/** Points of one key that are kept while they cannot be sent; beyond it the latest one. */
const MAX_KEPT = 1000;

/** One entity of an ENTITY_DATA subscription: what was sent of it, and what is to be. */
export class FollowedEntity {
  readonly entity: TypedId;
  watch: LiveWatch | null = null;
  readonly #sent: TypedEntries = new Map();
  #latest: TypedEntries | null = null;
  #series: Map<string, LiveEntry[]> | null = null;

  constructor(entity: TypedId) {
    this.entity = entity;
  }

  /** True if there is something to send. */
  get changed(): boolean {
    return this.#latest !== null || this.#series !== null;
  }

  hearTelemetry({ entries }: LiveTelemetry, { latest, series }: FollowedKeys, latestOnly: boolean): void {
    const latestKeys = latest.get('TIME_SERIES');
    for (const [key, list] of entries) {
      if (latestKeys?.has(key)) for (const entry of list) this.#offer('TIME_SERIES', key, entry);
      if (series.has(key)) this.#addPoints(key, list, latestOnly);
    }
  }

  hearAttributes({ entries, scope }: LiveAttributes, { latest }: FollowedKeys): void {
    for (const type of [SCOPE_TYPES[scope], 'ATTRIBUTE'] as const) {
      const keys = latest.get(type);
      if (keys === undefined) continue;
      for (const [key, list] of entries) {
        const last = list.at(-1);
        if (last !== undefined && keys.has(key)) this.#offer(type, key, last);
      }
    }
  }

  /** Values that were read: those that differ from what was sent are to be. */
  hearValues(values: EntityData['latest']): void {
    for (const [type, keys] of values) {
      for (const [key, entry] of keys) {
        if (entry.ts !== 0 || !this.#sent.get(type)?.has(key)) this.#offer(type, key, entry);
      }
    }
  }

  /** Values that an answer shows. */
  noteSent(values: EntityData['latest']): void {
    for (const [type, keys] of values) for (const [key, entry] of keys) put(this.#sent, type, key, entry);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#latest = null;
    this.#series = null;
  }

  /** JSON text of what is new, with only what changed; null: nothing. */
  take(): string | null {
    const latest = this.#latest;
    const series = this.#series;
    this.clear();
    if (latest === null && series === null) return null;
    for (const [type, keys] of latest ?? []) for (const [key, entry] of keys) put(this.#sent, type, key, entry);
    return entityJson(this.entity, { latest, timeseries: series, aggLatest: null });
  }

  /** A value older than, or the same as, the last one is dropped; removals are not. thingsboard-server.md, 7.4 */
  #offer(type: EntityKeyType, key: string, entry: LiveEntry): void {
    const last = this.#latest?.get(type)?.get(key) ?? this.#sent.get(type)?.get(key);
    if (last !== undefined) {
      if (entry.ts !== 0 && (entry.ts < last.ts || (entry.ts === last.ts && entry.text === last.text))) return;
      if (entry.ts === 0 && last.ts === 0) return;
    }
    this.#latest ??= new Map();
    put(this.#latest, type, key, entry);
  }

  #addPoints(key: string, points: readonly LiveEntry[], latestOnly: boolean): void {
    this.#series ??= new Map();
    const kept = [...(this.#series.get(key) ?? []), ...points];
    if (!latestOnly && kept.length <= MAX_KEPT) {
      this.#series.set(key, kept);
      return;
    }
    const latest = kept.reduce(
      (best, next) => (next.ts >= best.ts ? next : best),
      kept[0] ?? { ts: 0, text: '', json: '""' },
    );
    this.#series.set(key, [latest]);
  }
}

function put(entries: TypedEntries, type: EntityKeyType, key: string, entry: LiveEntry): void {
  const keys = entries.get(type);
  if (keys === undefined) entries.set(type, new Map([[key, entry]]));
  else keys.set(key, entry);
}

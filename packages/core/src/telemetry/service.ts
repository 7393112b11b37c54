import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, RegistryListener, SeriesRangeQuery, TelemetryService } from '../platform.ts';
import type { Clock, Scheduler } from '../ports/runtime.ts';
import type {
  Attribute,
  AttributeScope,
  AttributeStore,
  SeriesId,
  StoreStatistics,
  TelemetryStore,
  WriteOutcome,
} from '../ports/telemetry-store.ts';
import { isPlatform } from '../registry/authorize.ts';
import { PointList } from '../values/point-list.ts';
import type { Point, Value } from '../values/value.ts';
import { awaitOutcome } from './await-outcome.ts';
import { downsample, MIN_SHOWN_POINTS } from './downsample.ts';
import type { TelemetryIngest } from './ingest.ts';
import type { TelemetryObserver } from './observer.ts';
import { isStorableKey, isStorableTime, isStorableValue, MAX_TIME } from './point-rules.ts';
import { MAX_POINTS_OF_ANSWER, rangeFault, readRange } from './range.ts';

/** Who may do what with the data of an entity of the kind that the service is for; answers with the refusal for others. */
export interface EntityAccess {
  entity(caller: Caller, id: EntityId, action: 'READ' | 'WRITE'): Result<unknown> | Promise<Result<unknown>>;
}

export interface TelemetryServiceOptions {
  readonly telemetry: TelemetryStore;
  readonly attributes: AttributeStore;
  /** User-side writes take the devices' way, so that order, accounting and live feed are the same. */
  readonly ingest: TelemetryIngest;
  readonly observer: Pick<TelemetryObserver, 'attributesRemoved'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly access: EntityAccess;
  /** Called after shared attributes were written or removed for good. */
  readonly listener: Pick<RegistryListener, 'sharedAttributesChanged'>;
}

/** Makes the use cases around series and attributes of one kind of entities. thingsboard-server.md, section 3 */
export function createTelemetryService(options: TelemetryServiceOptions): TelemetryService {
  return new DefaultTelemetryService(options);
}

class DefaultTelemetryService implements TelemetryService {
  readonly #options: TelemetryServiceOptions;

  constructor(options: TelemetryServiceOptions) {
    this.#options = options;
  }

  async keys(caller: Caller, entityId: EntityId): Promise<Result<readonly string[]>> {
    const entity = await this.#options.access.entity(caller, entityId, 'READ');
    if (!entity.ok) return entity;
    const latest = await this.#latestOf([...this.#options.telemetry.seriesOf(entityId)]);
    return success(latest.filter(([, point]) => point !== null).map(([key]) => key));
  }

  async latest(
    caller: Caller,
    entityId: EntityId,
    keys: readonly string[] | null,
  ): Promise<Result<ReadonlyMap<string, Point | null>>> {
    const entity = await this.#options.access.entity(caller, entityId, 'READ');
    if (!entity.ok) return entity;
    const series = this.#options.telemetry.seriesOf(entityId);
    if (keys === null) {
      const latest = await this.#latestOf([...series]);
      return success(new Map(latest.filter(([, point]) => point !== null)));
    }
    const answer = new Map<string, Point | null>(keys.map((key) => [key, null]));
    for (const [key, point] of await this.#latestOf(knownSeries(series, keys))) answer.set(key, point);
    return success(answer);
  }

  async range(
    caller: Caller,
    entityId: EntityId,
    query: SeriesRangeQuery,
  ): Promise<Result<ReadonlyMap<string, readonly Point[]>>> {
    const entity = await this.#options.access.entity(caller, entityId, 'READ');
    if (!entity.ok) return entity;
    const fault = rangeFault(query) ?? maxPointsFault(query);
    if (fault !== null) return refuse('badRequest', fault);
    const { telemetry } = this.#options;
    const answer = await readRange(telemetry, knownSeries(telemetry.seriesOf(entityId), query.keys), query);
    if (answer === 'tooMany')
      return refuse('limitExceeded', `The answer would have more than ${MAX_POINTS_OF_ANSWER} points.`);
    return success(shownPoints(answer, query));
  }

  async save(caller: Caller, entityId: EntityId, points: PointList, ttlMs = 0): Promise<Result<null>> {
    const entity = await this.#options.access.entity(caller, entityId, 'WRITE');
    if (!entity.ok) return entity;
    const fault = pointsFault(points);
    if (fault !== null) return fault;
    const { telemetry, ingest, clock, scheduler } = this.#options;
    // The ingest would drop a message with too many keys in silence; a user is told.
    const series = telemetry.seriesOf(entityId);
    const unknown = [...new Set(points.keys)].filter((key) => !series.has(key));
    if (unknown.length > 0) {
      const interned = await telemetry.intern(entityId, unknown);
      if (interned === 'tooMany') return refuse('limitExceeded', 'The entity would have more series than allowed.');
      if (interned === 'full' || interned === 'failed') return writeRefusal(interned);
    }
    const sink = ingest.sink(entityId);
    const expiresAt = ttlMs > 0 ? Math.min(clock.now() + ttlMs, MAX_TIME) : null;
    return written(
      await awaitOutcome(scheduler, (completion) => ingest.submit(sink, points, completion, true, expiresAt)),
    );
  }

  async remove(
    caller: Caller,
    entityId: EntityId,
    query: Parameters<TelemetryService['remove']>[2],
  ): Promise<Result<null>> {
    const entity = await this.#options.access.entity(caller, entityId, 'WRITE');
    if (!entity.ok) return entity;
    if (query.keys.length === 0) return refuse('badRequest', 'Empty keys: []');
    const { telemetry } = this.#options;
    const from = query.range?.startTs ?? -MAX_TIME;
    const to = query.range?.endTs ?? MAX_TIME + 1;
    if (query.range !== null && !(isStorableTime(from) && isStorableTime(to)))
      return refuse('badRequest', 'Invalid startTs or endTs');
    for (const [, series] of knownSeries(telemetry.seriesOf(entityId), query.keys)) {
      const outcome = await telemetry.erase({ series, from, to, latestAfter: query.latestAfter });
      if (outcome !== 'stored') return writeRefusal(outcome);
    }
    return success(null);
  }

  async attributes(
    caller: Caller,
    entityId: EntityId,
    scope: AttributeScope | null,
    keys: readonly string[] | null,
  ): Promise<Result<readonly Attribute[]>> {
    const entity = await this.#options.access.entity(caller, entityId, 'READ');
    if (!entity.ok) return entity;
    return success(await this.#options.attributes.read(entityId, scope, keys));
  }

  async saveAttributes(
    caller: Caller,
    entityId: EntityId,
    scope: AttributeScope,
    values: ReadonlyMap<string, Value>,
  ): Promise<Result<null>> {
    // Users may not speak for a device; the platform does, where the device said so by another way.
    if (scope === 'CLIENT' && !isPlatform(caller)) return refuse('badRequest', 'Invalid scope: CLIENT_SCOPE');
    const entity = await this.#options.access.entity(caller, entityId, 'WRITE');
    if (!entity.ok) return entity;
    if (values.size === 0) return refuse('badRequest', 'No attributes data found in request body!');
    const { ingest, clock, scheduler, listener } = this.#options;
    const receivedAt = clock.now();
    const list = new PointList();
    for (const [key, { kind, value }] of values) list.add(receivedAt, key, kind, value);
    const fault = pointsFault(list);
    if (fault !== null) return fault;
    const outcome = await awaitOutcome(scheduler, (completion) =>
      ingest.submitAttributes(entityId, scope, list, receivedAt, completion),
    );
    if (outcome === 'stored' && scope === 'SHARED') listener.sharedAttributesChanged(entityId, { values });
    return written(outcome);
  }

  async removeAttributes(
    caller: Caller,
    entityId: EntityId,
    scope: AttributeScope,
    keys: readonly string[],
  ): Promise<Result<null>> {
    const entity = await this.#options.access.entity(caller, entityId, 'WRITE');
    if (!entity.ok) return entity;
    if (keys.length === 0) return refuse('badRequest', 'Empty keys: []');
    const { attributes, observer, listener } = this.#options;
    // Unknown keys are ignored, and nobody is told that they were removed. thingsboard-server.md, 3.4
    const removed = (await attributes.read(entityId, scope, keys)).map(({ key }) => key);
    if (removed.length === 0) return success(null);
    const outcome = await attributes.save(removed.map((key) => ({ owner: entityId, scope, key, attribute: null })));
    if (outcome !== 'stored') return writeRefusal(outcome);
    observer.attributesRemoved(entityId, scope, removed);
    if (scope === 'SHARED') listener.sharedAttributesChanged(entityId, { deleted: removed });
    return success(null);
  }

  statistics(): Promise<StoreStatistics> {
    return this.#options.telemetry.statistics();
  }

  async #latestOf(series: readonly (readonly [string, SeriesId])[]): Promise<[string, Point | null][]> {
    if (series.length === 0) return [];
    const points = await this.#options.telemetry.latest(series.map(([, id]) => id));
    return series.map(([key], index) => [key, points[index] ?? null]);
  }
}

/** Series of the keys that have one, once each, in the order asked. */
function knownSeries(series: ReadonlyMap<string, SeriesId>, keys: readonly string[]): (readonly [string, SeriesId])[] {
  const known: (readonly [string, SeriesId])[] = [];
  for (const key of new Set(keys)) {
    const id = series.get(key);
    if (id !== undefined) known.push([key, id]);
  }
  return known;
}

function maxPointsFault({ maxPoints = null }: SeriesRangeQuery): string | null {
  if (maxPoints === null || (Number.isInteger(maxPoints) && maxPoints >= MIN_SHOWN_POINTS)) return null;
  return `maxPoints must be at least ${MIN_SHOWN_POINTS}`;
}

/** The points as they are, or thinned where the query asks for it. */
function shownPoints(
  series: ReadonlyMap<string, readonly Point[]>,
  { maxPoints = null }: SeriesRangeQuery,
): ReadonlyMap<string, readonly Point[]> {
  if (maxPoints === null) return series;
  return new Map(Array.from(series, ([key, points]) => [key, downsample(points, maxPoints)]));
}

function pointsFault(points: PointList): PlatformError | null {
  for (let i = 0; i < points.length; i++) {
    const key = points.keys[i] ?? '';
    if (key.trim() === '') return refuse('badRequest', 'Key cannot be blank');
    if (!isStorableKey(key)) return refuse('badRequest', 'Key has a null character or more than 255 characters');
    if (!isStorableTime(points.ts[i] ?? Number.NaN)) return refuse('badRequest', 'Invalid time stamp');
    if (!isStorableValue(points.kinds[i], points.values[i])) return refuse('badRequest', `Invalid value of key ${key}`);
  }
  return null;
}

function written(outcome: WriteOutcome): Result<null> {
  return outcome === 'stored' ? success(null) : writeRefusal(outcome);
}

function writeRefusal(outcome: 'full' | 'failed'): PlatformError {
  return refuse(outcome === 'full' ? 'storageFull' : 'storageFailed');
}

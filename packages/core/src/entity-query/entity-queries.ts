import { type Result, refuse, success } from '../errors.ts';
import { type LiveEntry, liveEntry, NO_ENTRY } from '../live/live-messages.ts';
import type { Caller, Page } from '../platform.ts';
import type { Scheduler } from '../ports/runtime.ts';
import type { AttributeScope } from '../ports/telemetry-store.ts';
import type { Point } from '../values/value.ts';
import { candidates, type EntitySources, patternOf } from './candidates.ts';
import { type EntityRecord, type EntitySource, SOURCE_SORTS } from './entity-source.ts';
import { EntityValues, type EntityValuesOptions } from './entity-values.ts';
import { compareSortValues, meetsAll, type SortValue, sortValue } from './predicates.ts';
import {
  type EntityData,
  type EntityKey,
  type EntityKeyNames,
  type EntityKeyType,
  type EntityQuery,
  type EntitySelection,
  MAX_QUERY_ENTITIES,
  type TypedId,
} from './query.ts';
import { queryProblem, selectionProblem, valuesProblem } from './query-problem.ts';
import { ScanGate } from './scan-gate.ts';

/** Queries over entities and their present values. thingsboard-server.md, 7.5 */
export interface EntityQueryService {
  find(caller: Caller, query: EntityQuery): Promise<Result<Page<EntityData>>>;
  count(caller: Caller, selection: EntitySelection): Promise<Result<number>>;
  /** Keys that the entities of the page use; attributes of one scope, or of all when null. */
  keys(
    caller: Caller,
    query: EntityQuery,
    wanted: { readonly timeseries: boolean; readonly attributes: boolean; readonly scope: AttributeScope | null },
  ): Promise<Result<EntityKeyNames>>;
  /** Present values of those entities that exist and that the caller may see, in the order asked. */
  latest(
    caller: Caller,
    entities: readonly TypedId[],
    keys: readonly EntityKey[],
  ): Promise<Result<readonly EntityData[]>>;
}

export interface EntityQueriesOptions extends EntityValuesOptions {
  readonly sources: readonly EntitySource[];
  readonly scheduler: Pick<Scheduler, 'endOfTurn'>;
}

/** Entities whose values are read and compared in one turn of the event loop. */
const SLICE = 200;
const SCANS_AT_ONCE = 2;
const SCANS_WAITING = 100;

interface Match {
  readonly record: EntityRecord;
  readonly sort: SortValue;
}

/**
 * Runs queries. What the registry can list, page and sort by itself is left to it, so that a page of 100,000 devices costs
 * a page; everything else looks at no more than 10,000 entities, a slice in each turn of the event loop.
 */
export class EntityQueries implements EntityQueryService {
  readonly #options: EntityQueriesOptions;
  readonly #sources: EntitySources;
  readonly #gate: ScanGate;

  constructor(options: EntityQueriesOptions) {
    this.#options = options;
    this.#sources = new Map(options.sources.map((source) => [source.entityType, source]));
    this.#gate = new ScanGate(SCANS_AT_ONCE, SCANS_WAITING);
  }

  async find(caller: Caller, query: EntityQuery): Promise<Result<Page<EntityData>>> {
    const records = await this.#page(caller, query);
    if (!records.ok) return records;
    return success({ ...records.value, data: await this.#show(caller, records.value.data, query.values) });
  }

  async count(caller: Caller, selection: EntitySelection): Promise<Result<number>> {
    const problem = selectionProblem(selection);
    if (problem !== null) return problem;
    const query: EntityQuery = { ...selection, pageSize: 1, page: 0, textSearch: null, sort: null, values: [] };
    const page = await this.#page(caller, query);
    return page.ok ? success(page.value.totalElements) : page;
  }

  async keys(
    caller: Caller,
    query: EntityQuery,
    wanted: Parameters<EntityQueryService['keys']>[2],
  ): Promise<Result<EntityKeyNames>> {
    const page = await this.#page(caller, query);
    if (!page.ok) return page;
    const { telemetry, attributes } = this.#options;
    const series = new Set<string>();
    const names = new Set<string>();
    const types = new Set<string>();
    for (let start = 0; start < page.value.data.length; start += SLICE) {
      for (const { entityType, id } of page.value.data.slice(start, start + SLICE)) {
        types.add(entityType);
        if (wanted.timeseries) for (const key of telemetry.seriesOf(id).keys()) series.add(key);
        if (!wanted.attributes) continue;
        for (const { key } of await attributes.read(id, wanted.scope, null)) names.add(key);
      }
      await this.#endOfTurn();
    }
    return success({ entityTypes: [...types], timeseries: [...series].sort(), attributes: [...names].sort() });
  }

  async latest(
    caller: Caller,
    entities: readonly TypedId[],
    keys: readonly EntityKey[],
  ): Promise<Result<readonly EntityData[]>> {
    const problem = valuesProblem(entities.length, keys.length);
    if (problem !== null) return problem;
    const found = new Map<string, EntityRecord>();
    for (const type of new Set(entities.map(({ entityType }) => entityType))) {
      const ids = entities.filter(({ entityType }) => entityType === type).map(({ id }) => id);
      const records = (await this.#sources.get(type)?.byIds(caller, ids)) ?? success([]);
      if (!records.ok) return records;
      for (const record of records.value) found.set(record.id, record);
    }
    const records = entities.flatMap(({ id }) => found.get(id) ?? []);
    return success(await this.#show(caller, records, keys));
  }

  /** The records of the page asked for. */
  async #page(caller: Caller, query: EntityQuery): Promise<Result<Page<EntityRecord>>> {
    const problem = queryProblem(query);
    if (problem !== null) return problem;
    const direct = await this.#listed(caller, query);
    if (direct !== null) return direct;
    const matches = await this.#gate.run(() => this.#scan(caller, query));
    if (matches === 'busy') return refuse('tooManyRequests', 'Too many entity queries at once');
    if (!matches.ok) return matches;
    const size = Math.min(query.pageSize, MAX_QUERY_ENTITIES);
    const from = query.page * size;
    const total = matches.value.length;
    return success({
      data: matches.value.slice(from, from + size).map(({ record }) => record),
      totalPages: Math.ceil(total / size),
      totalElements: total,
      hasNext: from + size < total,
    });
  }

  /** A page as the source lists it, or null where the query asks for more than that. */
  async #listed(caller: Caller, query: EntityQuery): Promise<Result<Page<EntityRecord>> | null> {
    const { filter, sort } = query;
    if (filter.type !== 'entityType' || query.keyFilters.length > 0) return null;
    if (filter.subTypes.length > 1 || patternOf(filter) !== null) return null;
    if (sort !== null && !(sort.key.type === 'ENTITY_FIELD' && SOURCE_SORTS.includes(sort.key.key))) return null;
    const source = this.#sources.get(filter.entityType);
    if (source === undefined) return null;
    return source.list(caller, {
      pageSize: Math.min(query.pageSize, MAX_QUERY_ENTITIES),
      page: query.page,
      textSearch: query.textSearch,
      sortProperty: sort?.key.key ?? null,
      sortOrder: sort?.descending ? 'DESC' : 'ASC',
      type: filter.subTypes[0] ?? null,
    });
  }

  /** Every entity that matches, in order. */
  async #scan(caller: Caller, query: EntityQuery): Promise<Result<readonly Match[]>> {
    const { keyFilters, operation, sort } = query;
    const found = await candidates(this.#sources, caller, query.filter, query.textSearch);
    if (!found.ok) return found;
    const keys = keyFilters.map(({ key }) => key);
    if (sort !== null) keys.push(sort.key);
    const values = new EntityValues(this.#options, caller, keys);
    const matches: Match[] = [];
    for (let start = 0; start < found.value.length; start += SLICE) {
      const records = found.value.slice(start, start + SLICE);
      for (const [index, row] of (await values.read(records)).entries()) {
        const record = records[index];
        if (record === undefined || !meetsAll(keyFilters, operation, (at) => row[at] ?? null)) continue;
        matches.push({ record, sort: sort === null ? null : sortValue(row[keyFilters.length] ?? null) });
      }
      await this.#endOfTurn();
    }
    return success(matches.sort((a, b) => inOrder(a, b, sort?.descending ?? false)));
  }

  async #show(
    caller: Caller,
    records: readonly EntityRecord[],
    keys: readonly EntityKey[],
  ): Promise<readonly EntityData[]> {
    const values = new EntityValues(this.#options, caller, keys);
    const shown: EntityData[] = [];
    for (let start = 0; start < records.length; start += SLICE) {
      const slice = records.slice(start, start + SLICE);
      const rows = await values.read(slice);
      for (const [index, { entityType, id }] of slice.entries()) {
        shown.push({ entity: { entityType, id }, latest: latestOf(keys, rows[index] ?? []) });
      }
      if (start + SLICE < records.length) await this.#endOfTurn();
    }
    return shown;
  }

  #endOfTurn(): Promise<void> {
    return new Promise((resolve) => this.#options.scheduler.endOfTurn(resolve));
  }
}

function inOrder(a: Match, b: Match, descending: boolean): number {
  const order = compareSortValues(a.sort, b.sort, descending);
  if (order !== 0 || a.record.id === b.record.id) return order;
  return a.record.id < b.record.id === descending ? 1 : -1;
}

function latestOf(keys: readonly EntityKey[], row: readonly (Point | null)[]): EntityData['latest'] {
  const latest = new Map<EntityKeyType, Map<string, LiveEntry>>();
  for (const [index, { type, key }] of keys.entries()) {
    let ofType = latest.get(type);
    if (ofType === undefined) {
      ofType = new Map();
      latest.set(type, ofType);
    }
    const point = row[index] ?? null;
    ofType.set(key, point === null ? NO_ENTRY : liveEntry(point.ts, point));
  }
  return latest;
}

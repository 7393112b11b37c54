import { type Result, success } from '../errors.ts';
import type { Caller, Page } from '../platform.ts';
import type { EntityRecord, EntitySource } from './entity-source.ts';
import { NamePattern } from './name-pattern.ts';
import { type EntityFilter, MAX_QUERY_ENTITIES } from './query.ts';
import { tooManyEntities } from './query-problem.ts';

/** Records asked of a source at once. */
const SLICE = 1000;

/** Sources by entity type; a type without one has no entities. */
export type EntitySources = ReadonlyMap<string, EntitySource>;

/** The pattern of a filter, or null if every name will do. */
export function patternOf(filter: EntityFilter): NamePattern | null {
  if (filter.type !== 'entityType' || filter.nameFilter === null || filter.nameFilter === '') return null;
  return new NamePattern(filter.nameFilter);
}

/**
 * The entities that a filter means and the caller may see, by id where the filter does not order them. Refused beyond
 * 10,000 that have to be looked at.
 */
export async function candidates(
  sources: EntitySources,
  caller: Caller,
  filter: EntityFilter,
  textSearch: string | null,
): Promise<Result<readonly EntityRecord[]>> {
  switch (filter.type) {
    case 'singleEntity': {
      const found = await byIds(sources, caller, filter.entity.entityType, [filter.entity.id]);
      return found.ok ? success(found.value.filter((record) => isFound(record, textSearch))) : found;
    }
    case 'entityList': {
      const found = await byIds(sources, caller, filter.entityType, filter.ids);
      return found.ok ? success(found.value.filter((record) => isFound(record, textSearch))) : found;
    }
    case 'entityType':
      return ofType(sources.get(filter.entityType), caller, filter, textSearch);
  }
}

async function byIds(
  sources: EntitySources,
  caller: Caller,
  entityType: string,
  ids: readonly string[],
): Promise<Result<readonly EntityRecord[]>> {
  return (await sources.get(entityType)?.byIds(caller, ids)) ?? success([]);
}

async function ofType(
  source: EntitySource | undefined,
  caller: Caller,
  filter: EntityFilter & { readonly type: 'entityType' },
  textSearch: string | null,
): Promise<Result<readonly EntityRecord[]>> {
  if (source === undefined) return success([]);
  const pattern = patternOf(filter);
  const literal = pattern?.literal ?? '';
  const records: EntityRecord[] = [];
  let looked = 0;
  for (const type of filter.subTypes.length === 0 ? [null] : new Set(filter.subTypes)) {
    for (let page = 0; ; page += 1) {
      const found: Result<Page<EntityRecord>> = await source.list(caller, {
        pageSize: SLICE,
        page,
        // The source looks into names and labels, so it leaves out no name with this text in it.
        textSearch: textSearch ?? (literal === '' ? null : literal),
        sortProperty: null,
        sortOrder: 'ASC',
        type,
      });
      if (!found.ok) return found;
      if (looked + found.value.totalElements > MAX_QUERY_ENTITIES) return tooManyEntities();
      for (const record of found.value.data) {
        if ((pattern === null || pattern.matches(record.name)) && isFound(record, textSearch)) records.push(record);
      }
      if (!found.value.hasNext) {
        looked += found.value.totalElements;
        break;
      }
    }
  }
  return success(records);
}

/** Part of the name or label in any case, as in lists. thingsboard-server.md, 0.4 */
function isFound({ name, label }: EntityRecord, textSearch: string | null): boolean {
  if (textSearch === null || textSearch === '') return true;
  const wanted = textSearch.toLowerCase();
  return name.toLowerCase().includes(wanted) || (label?.toLowerCase().includes(wanted) ?? false);
}

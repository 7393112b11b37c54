import { type PlatformError, refuse } from '../errors.ts';
import { comparisons } from './predicates.ts';
import {
  type EntityQuery,
  type EntitySelection,
  MAX_ANSWER_VALUES,
  MAX_PREDICATES,
  MAX_QUERY_ENTITIES,
  MAX_QUERY_KEYS,
} from './query.ts';

/** The refusal when more entities would have to be looked at than allowed. */
export function tooManyEntities(): PlatformError {
  return refuse(
    'badRequest',
    `The query would have to look at more than ${MAX_QUERY_ENTITIES} entities: narrow the entity filter by type, ` +
      'profile or name, or leave out key filters and sorting by values',
  );
}

/** Why a selection costs too much to be run, or null. */
export function selectionProblem({ filter, keyFilters }: EntitySelection): PlatformError | null {
  if (keyFilters.length > MAX_QUERY_KEYS) return refuse('badRequest', `More than ${MAX_QUERY_KEYS} key filters`);
  const compared = keyFilters.reduce((sum, { predicate }) => sum + comparisons(predicate), 0);
  if (compared > MAX_PREDICATES) return refuse('badRequest', `More than ${MAX_PREDICATES} predicates and values`);
  if (filter.type === 'entityList' && filter.ids.length > MAX_QUERY_ENTITIES) return tooManyEntities();
  if (filter.type === 'entityType' && filter.subTypes.length > MAX_QUERY_KEYS) {
    return refuse('badRequest', `More than ${MAX_QUERY_KEYS} types`);
  }
  return null;
}

/** The same for a whole query. */
export function queryProblem(query: EntityQuery): PlatformError | null {
  const { pageSize, page, values } = query;
  if (!Number.isInteger(pageSize) || pageSize < 1 || !Number.isInteger(page) || page < 0) {
    return refuse('badRequest', 'Page size must be above 0 and page must not be negative!');
  }
  return valuesProblem(Math.min(pageSize, MAX_QUERY_ENTITIES), values.length) ?? selectionProblem(query);
}

/** Why so many values of so many entities are refused, or null. */
export function valuesProblem(entities: number, keys: number): PlatformError | null {
  if (keys > MAX_QUERY_KEYS) return refuse('badRequest', `More than ${MAX_QUERY_KEYS} keys`);
  if (entities * keys > MAX_ANSWER_VALUES) {
    return refuse('badRequest', `More than ${MAX_ANSWER_VALUES} values: ask for smaller pages or fewer keys`);
  }
  return null;
}

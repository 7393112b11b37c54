import { type Result, refuse, success } from '../errors.ts';
import type { Page, PageQuery } from '../platform.ts';
import type { RecordPage } from '../ports/repositories.ts';

/** Larger pages are cut to this size; totals and `hasNext` count in pages of this size then. */
export const MAX_PAGE_SIZE = 10_000;

/** The part of a list query that every kind of entity shares. */
export interface PageWindow<Sort extends string> {
  readonly offset: number;
  readonly limit: number;
  readonly textSearch: string | null;
  readonly sort: Sort;
  readonly descending: boolean;
}

/** Turns a page query into offset, limit and sorting; refuses members that the list cannot be sorted by. */
export function pageWindow<Sort extends string>(
  query: PageQuery,
  members: readonly (Sort | 'id')[],
): Result<PageWindow<Sort | 'id'>> {
  const limit = Math.min(query.pageSize, MAX_PAGE_SIZE);
  if (!Number.isInteger(limit) || limit < 1 || !Number.isInteger(query.page) || query.page < 0) {
    return refuse('badRequest', 'Page size must be above 0 and page must not be negative!');
  }
  const offset = query.page * limit;
  if (!Number.isSafeInteger(offset)) return refuse('badRequest', `Page ${query.page} is out of range!`);
  const sort = query.sortProperty === null ? 'id' : members.find((member) => member === query.sortProperty);
  if (sort === undefined) {
    return refuse('badRequest', `Unsupported sort property '${query.sortProperty?.slice(0, 64)}'!`);
  }
  const textSearch = query.textSearch === '' ? null : query.textSearch;
  return success({ offset, limit, textSearch, sort, descending: query.sortOrder === 'DESC' });
}

/** The answer's page around the records that were found. */
export function toPage<R, T>(window: PageWindow<string>, found: RecordPage<R>, map: (record: R) => T): Page<T> {
  return {
    data: found.records.map(map),
    totalPages: Math.ceil(found.total / window.limit),
    totalElements: found.total,
    hasNext: window.offset + found.records.length < found.total && found.records.length > 0,
  };
}

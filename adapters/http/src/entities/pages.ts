import type { PageLink } from '@moorage/api-types';
import type { Page, PageQuery } from '@moorage/core';

/** A page holds at most so many entities, whatever is asked for. */
export const MAX_PAGE_SIZE = 10_000;

export function toPageQuery(link: PageLink): PageQuery {
  return {
    pageSize: Math.min(link.pageSize, MAX_PAGE_SIZE),
    page: link.page,
    textSearch: link.textSearch ?? null,
    sortProperty: link.sortProperty ?? null,
    sortOrder: link.sortOrder === 'DESC' ? 'DESC' : 'ASC',
  };
}

/** The same page with each item in the API's form. */
export function mapPage<T, U>(
  page: Page<T>,
  map: (item: T) => U,
): { data: U[]; totalPages: number; totalElements: number; hasNext: boolean } {
  const { totalPages, totalElements, hasNext } = page;
  return { data: page.data.map(map), totalPages, totalElements, hasNext };
}

import type { ListQuery, RecordPage } from '@moorage/core';

/** Compares by code point, as SQLite compares UTF-8. */
export function compareText(a: string, b: string): number {
  const left = Array.from(a, (character) => character.codePointAt(0) ?? 0);
  const right = Array.from(b, (character) => character.codePointAt(0) ?? 0);
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Sorts and cuts the records that match; `searched` gives the texts in which is searched. */
export function listPage<R extends { readonly id: string; readonly tenantId: string }, Sort extends string>(
  records: Iterable<R>,
  query: ListQuery<Sort>,
  searched: (record: R) => readonly (string | null)[],
  sorted: (record: R, member: Sort) => string | number,
): RecordPage<R> {
  const wanted = query.textSearch?.toLowerCase();
  const found = [...records].filter(
    (record) =>
      (query.tenantId === null || record.tenantId === query.tenantId) &&
      (wanted === undefined || searched(record).some((text) => text?.toLowerCase().includes(wanted))),
  );
  found.sort((a, b) => {
    const left = sorted(a, query.sort);
    const right = sorted(b, query.sort);
    const order =
      typeof left === 'number' && typeof right === 'number'
        ? left - right
        : compareText(String(left).toLowerCase(), String(right).toLowerCase());
    return (order === 0 ? compareText(a.id, b.id) : order) * (query.descending ? -1 : 1);
  });
  return { records: found.slice(query.offset, query.offset + query.limit), total: found.length };
}

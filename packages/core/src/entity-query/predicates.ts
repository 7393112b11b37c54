import { valueText } from '../live/live-messages.ts';
import { predicateHolds } from '../predicates/evaluate-predicate.ts';
import { isListPredicate, type Predicate } from '../predicates/predicate.ts';
import { type Point, ValueKind } from '../values/value.ts';
import type { KeyFilter } from './query.ts';

/** Whether an entity meets the filters; `valueAt` gives the values by the filters' positions. */
export function meetsAll(
  filters: readonly KeyFilter[],
  operation: 'AND' | 'OR',
  valueAt: (index: number) => Point | null,
): boolean {
  if (filters.length === 0) return true;
  const meetsOne = ({ predicate }: KeyFilter, index: number): boolean => predicateHolds(predicate, valueAt(index));
  return operation === 'AND' ? filters.every(meetsOne) : filters.some(meetsOne);
}

/** How many comparisons a predicate makes at most. */
export function comparisons(predicate: Predicate): number {
  if (predicate.type === 'COMPLEX') return predicate.predicates.reduce((sum, inner) => sum + comparisons(inner), 1);
  return isListPredicate(predicate) ? Math.max(predicate.operand.constant?.length ?? 0, 1) : 1;
}

/** What a value is ordered by; null: there is none. */
export type SortValue = number | string | null;

export function sortValue(value: Point | null): SortValue {
  if (value === null) return null;
  return value.kind === ValueKind.Boolean ? Number(value.value) : (numberOf(value) ?? valueText(value).toLowerCase());
}

/** Numbers by size before texts by lower case; missing ones last whatever the direction. */
export function compareSortValues(a: SortValue, b: SortValue, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  let order: number;
  if (typeof a === 'number' && typeof b === 'number') order = a - b;
  else if (typeof a === 'string' && typeof b === 'string') order = a < b ? -1 : a > b ? 1 : 0;
  else order = typeof a === 'number' ? -1 : 1;
  return descending ? -order : order;
}

function numberOf({ kind, value }: Point): number | undefined {
  return kind === ValueKind.Long || kind === ValueKind.Double ? Number(value) : undefined;
}

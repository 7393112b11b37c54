import { valueText } from '../live/live-messages.ts';
import { type Point, ValueKind } from '../values/value.ts';
import type { KeyFilter, NumberOperation, TextOperation, ValuePredicate } from './query.ts';

/** Whether a present value, null if there is none, meets a predicate. thingsboard-server.md, 7.5 */
export function meets(predicate: ValuePredicate, value: Point | null): boolean {
  if (predicate.type === 'COMPLEX') {
    return predicate.operation === 'AND'
      ? predicate.predicates.every((inner) => meets(inner, value))
      : predicate.predicates.some((inner) => meets(inner, value));
  }
  if (value === null) return false;
  switch (predicate.type) {
    case 'STRING':
      return textMeets(predicate.operation, valueText(value), predicate.values, predicate.ignoreCase);
    case 'NUMERIC': {
      const number = numberOf(value);
      return number !== undefined && numberMeets(predicate.operation, number, predicate.value);
    }
    case 'BOOLEAN': {
      if (value.kind !== ValueKind.Boolean) return false;
      return (value.value === predicate.value) === (predicate.operation === 'EQUAL');
    }
  }
}

/** Whether an entity meets the filters; `valueAt` gives the values by the filters' positions. */
export function meetsAll(
  filters: readonly KeyFilter[],
  operation: 'AND' | 'OR',
  valueAt: (index: number) => Point | null,
): boolean {
  if (filters.length === 0) return true;
  const meetsOne = ({ predicate }: KeyFilter, index: number): boolean => meets(predicate, valueAt(index));
  return operation === 'AND' ? filters.every(meetsOne) : filters.some(meetsOne);
}

/** How many comparisons a predicate makes at most. */
export function comparisons(predicate: ValuePredicate): number {
  if (predicate.type === 'STRING') return Math.max(predicate.values.length, 1);
  if (predicate.type !== 'COMPLEX') return 1;
  return predicate.predicates.reduce((sum, inner) => sum + comparisons(inner), 1);
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

function textMeets(operation: TextOperation, text: string, values: readonly string[], ignoreCase: boolean): boolean {
  const shown = ignoreCase ? text.toLowerCase() : text;
  const compare = (meetsValue: (wanted: string) => boolean): boolean =>
    values.some((value) => meetsValue(ignoreCase ? value.toLowerCase() : value));
  switch (operation) {
    case 'EQUAL':
    case 'IN':
      return compare((wanted) => shown === wanted);
    case 'NOT_EQUAL':
    case 'NOT_IN':
      return !compare((wanted) => shown === wanted);
    case 'STARTS_WITH':
      return compare((wanted) => shown.startsWith(wanted));
    case 'ENDS_WITH':
      return compare((wanted) => shown.endsWith(wanted));
    case 'CONTAINS':
      return compare((wanted) => shown.includes(wanted));
    case 'NOT_CONTAINS':
      return !compare((wanted) => shown.includes(wanted));
  }
}

function numberMeets(operation: NumberOperation, number: number, wanted: number): boolean {
  switch (operation) {
    case 'EQUAL':
      return number === wanted;
    case 'NOT_EQUAL':
      return number !== wanted;
    case 'GREATER':
      return number > wanted;
    case 'LESS':
      return number < wanted;
    case 'GREATER_OR_EQUAL':
      return number >= wanted;
    case 'LESS_OR_EQUAL':
      return number <= wanted;
  }
}

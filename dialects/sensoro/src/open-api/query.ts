import type { DeviceRequest } from '@moorage/dialect-api';

const DEFAULT_COUNT = 100;
const MAXIMUM_COUNT = 1_000;
const DAY_MS = 86_400_000;
/** Records that are passed over before a page of the log; whoever wants more asks for a shorter time. */
const MAXIMUM_SKIPPED = 50_000;

/** A page of a list. */
export interface ListQuery {
  /** From 1. */
  readonly page: number;
  readonly count: number;
}

export interface LogQuery extends ListQuery {
  /** Epoch milliseconds, both inclusive. */
  readonly startTime: number;
  readonly endTime: number;
  readonly order: 'asc' | 'desc';
}

/** undefined: the parameter is none. */
function parameter(query: DeviceRequest['query'], name: string): string | undefined {
  return query.find(([given]) => given === name)?.[1];
}

function integer(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

/** null: a parameter is wrong. sensoro.md, 4.7 */
export function listQuery(query: DeviceRequest['query']): ListQuery | null {
  const page = integer(parameter(query, 'page'), 1);
  const count = integer(parameter(query, 'count'), DEFAULT_COUNT);
  return page >= 1 && count >= 1 && count <= MAXIMUM_COUNT ? { page, count } : null;
}

/** The last 24 hours, newest first, where nothing else is asked for. null: a parameter is wrong. sensoro.md, 4.7 */
export function logQuery(query: DeviceRequest['query'], now: number): LogQuery | null {
  const list = listQuery(query);
  if (list === null || (list.page - 1) * list.count > MAXIMUM_SKIPPED) return null;
  const endTime = integer(parameter(query, 'endTime'), now);
  const startTime = integer(parameter(query, 'startTime'), Math.max(endTime - DAY_MS, 0));
  const order = parameter(query, 'order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') return null;
  return startTime <= endTime ? { ...list, startTime, endTime, order } : null;
}

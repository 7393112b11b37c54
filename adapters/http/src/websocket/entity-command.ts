import type { AggregateFunction, EntityKey, EntityQuery } from '@moorage/core';
import {
  flagMember,
  isRecord,
  type JsonRecord,
  listMember,
  numberMember,
  recordMember,
  textMember,
} from '../entity-query/json-members.ts';
import { QueryFault, readKeys } from '../entity-query/read-keys.ts';
import { readQuery } from '../entity-query/read-query.ts';
import { readPart, type SeriesPart } from './commands.ts';

/** Series of every entity. */
export interface SeriesRequest {
  readonly keys: readonly string[];
  readonly part: SeriesPart;
  /** Also the last point before the range. */
  readonly previousPoint: boolean;
}

/** One value for each entity over a time, and over an earlier one to compare with. */
export interface AggregateRequest {
  readonly id: number;
  readonly key: string;
  readonly aggregate: AggregateFunction | null;
  /** null: not wanted. */
  readonly current: TimeRange | null;
  readonly previous: TimeRange | null;
}

export interface TimeRange {
  readonly startTs: number;
  readonly endTs: number;
}

/** ENTITY_DATA as it is meant; null: not part of the command. thingsboard-server.md, 7.4 */
export interface EntityCommand {
  readonly cmdId: number;
  readonly query: EntityQuery | null;
  /** Followed. */
  readonly latest: readonly EntityKey[] | null;
  /** Read and followed. */
  readonly series: SeriesRequest | null;
  /** Read once. */
  readonly history: SeriesRequest | null;
  readonly aggregates: readonly AggregateRequest[] | null;
}

/** Keys of one part of a command. */
const MAX_KEYS = 200;

/** Reads a command, or says why it cannot be. */
export function readEntityCommand(cmdId: number, command: JsonRecord): EntityCommand | QueryFault {
  const asked = recordMember(command, 'query');
  const query = asked === null ? null : readQuery(asked);
  if (query instanceof QueryFault) return query;
  const latestCmd = recordMember(command, 'latestCmd');
  const latest = latestCmd === null ? null : readKeys(listMember(latestCmd, 'keys'), 'TIME_SERIES');
  if (latest instanceof QueryFault) return latest;
  const series = readSeriesRequest(recordMember(command, 'tsCmd'), 'timeWindow');
  if (series instanceof QueryFault) return series;
  const history = readSeriesRequest(recordMember(command, 'historyCmd'), 'endTs');
  if (history instanceof QueryFault) return history;
  const aggregates = readAggregates(recordMember(command, 'aggHistoryCmd'));
  if (aggregates instanceof QueryFault) return aggregates;
  if (recordMember(command, 'aggTsCmd') !== null) return new QueryFault('aggTsCmd is not offered by this server yet');
  const parts = [query, latest, series, history, aggregates];
  if (parts.every((part) => part === null)) return new QueryFault('Query is empty!');
  if (Math.max(latest?.length ?? 0, series?.keys.length ?? 0, history?.keys.length ?? 0) > MAX_KEYS) {
    return new QueryFault(`More than ${MAX_KEYS} keys`);
  }
  return { cmdId, query, latest, series, history, aggregates };
}

/** `end` names the member that says where the range ends: its time, or its length. */
function readSeriesRequest(part: JsonRecord | null, end: 'endTs' | 'timeWindow'): SeriesRequest | null | QueryFault {
  if (part === null) return null;
  const startTs = numberMember(part, 'startTs', 0);
  const until = numberMember(part, end, 0);
  const read = readPart(part, startTs, end === 'endTs' ? until : startTs + until);
  if (typeof read === 'string') return new QueryFault(read);
  const keys = listMember(part, 'keys').filter((key) => typeof key === 'string' && key !== '');
  return {
    keys: [...new Set(keys.map(String))],
    part: read,
    previousPoint: flagMember(part, 'fetchLatestPreviousPoint'),
  };
}

function readAggregates(part: JsonRecord | null): readonly AggregateRequest[] | null | QueryFault {
  if (part === null) return null;
  const range = { startTs: numberMember(part, 'startTs', 0), endTs: numberMember(part, 'endTs', 0) };
  const requests: AggregateRequest[] = [];
  for (const entry of listMember(part, 'keys').slice(0, MAX_KEYS)) {
    if (!isRecord(entry)) return new QueryFault('A key is no object');
    const read = readPart(entry, 0, 0);
    if (typeof read === 'string') return new QueryFault(read);
    const startTs = numberMember(entry, 'previousStartTs', 0);
    const endTs = numberMember(entry, 'previousEndTs', 0);
    requests.push({
      id: Math.trunc(numberMember(entry, 'id', 0)),
      key: textMember(entry, 'key'),
      aggregate: read.aggregate,
      current: flagMember(entry, 'previousValueOnly') ? null : range,
      previous: endTs > startTs ? { startTs, endTs } : null,
    });
  }
  return requests;
}

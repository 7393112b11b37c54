import {
  type Caller,
  type EntityId,
  type LiveEntry,
  NO_ENTRY,
  type Platform,
  type PlatformError,
  refuse,
  type TelemetryService,
  type TypedId,
} from '@moorage/core';
import { telemetryOfType } from '../telemetry/entity-telemetry.ts';
import { type EntryLists, entryLists, entryOf } from './answers.ts';
import type { AggregateRequest, SeriesRequest, TimeRange } from './entity-command.ts';
import { readSeries } from './read-series.ts';

type TelemetryServices = Pick<Platform, 'telemetry' | 'assetTelemetry'>;

/** Points over all entities of one answer: what a browser can still draw. */
const MAX_POINTS = 200_000;
/** Entities that are read at the same time. */
const AT_ONCE = 8;

/** Series by entity; a key without points has an empty list. */
export async function readEntitySeries(
  platform: TelemetryServices,
  caller: Caller,
  entities: readonly TypedId[],
  { keys, part, previousPoint }: SeriesRequest,
): Promise<ReadonlyMap<EntityId, EntryLists> | PlatformError> {
  let left = MAX_POINTS;
  return eachEntity(platform, entities, async (telemetry, id) => {
    const read = await readSeries(telemetry, caller, id, keys, part);
    if (!read.ok) return read;
    const found = entryLists(read.value);
    const lists = new Map<string, readonly LiveEntry[]>();
    for (const key of keys) lists.set(key, found.get(key) ?? []);
    if (previousPoint && part.aggregate === null) {
      const before = { ...part, startTs: 0, endTs: part.startTs, limit: 1 };
      const previous = await readSeries(telemetry, caller, id, keys, before);
      if (!previous.ok) return previous;
      for (const [key, entries] of entryLists(previous.value)) lists.set(key, [...(lists.get(key) ?? []), ...entries]);
    }
    for (const entries of lists.values()) left -= entries.length;
    return left < 0 ? refuse('badRequest', `The answer would have more than ${MAX_POINTS} points`) : lists;
  });
}

/** JSON text of `aggLatest` by entity: `{"<id>":{"current":{…},"previous":{…}}}`. */
export async function readEntityAggregates(
  platform: TelemetryServices,
  caller: Caller,
  entities: readonly TypedId[],
  requests: readonly AggregateRequest[],
): Promise<ReadonlyMap<EntityId, string> | PlatformError> {
  return eachEntity(platform, entities, async (telemetry, id) => {
    const members: string[] = [];
    for (const request of requests) {
      const current = await aggregated(telemetry, caller, id, request, request.current);
      if (typeof current !== 'string') return current;
      const previous = await aggregated(telemetry, caller, id, request, request.previous);
      if (typeof previous !== 'string') return previous;
      members.push(`"${request.id}":{"current":${current},"previous":${previous}}`);
    }
    return `{${members.join(',')}}`;
  });
}

async function aggregated(
  telemetry: TelemetryService,
  caller: Caller,
  id: EntityId,
  { key, aggregate }: AggregateRequest,
  range: TimeRange | null,
): Promise<string | PlatformError> {
  if (range === null) return 'null';
  const intervalMs = Math.max(1, range.endTs - range.startTs);
  const read = await telemetry.range(caller, id, {
    ...range,
    keys: [key],
    intervalMs,
    limit: 1,
    aggregate,
    order: 'desc',
  });
  if (!read.ok) return read;
  const point = read.value.get(key)?.[0];
  const { ts, json } = point === undefined ? NO_ENTRY : entryOf(point);
  return `{"ts":${ts},"value":${json}}`;
}

/** Reads every entity, a few at the same time; the first refusal ends it. */
async function eachEntity<T extends string | EntryLists>(
  platform: TelemetryServices,
  entities: readonly TypedId[],
  read: (telemetry: TelemetryService, id: EntityId) => Promise<T | PlatformError>,
): Promise<ReadonlyMap<EntityId, T> | PlatformError> {
  const answers = new Map<EntityId, T>();
  const readOne = ({ entityType, id }: TypedId) => {
    const found = telemetryOfType(platform, entityType);
    return found === undefined ? refuse('notFound') : read(found.telemetry, id);
  };
  for (let start = 0; start < entities.length; start += AT_ONCE) {
    const slice = entities.slice(start, start + AT_ONCE);
    for (const [index, answer] of (await Promise.all(slice.map(readOne))).entries()) {
      const id = slice[index]?.id;
      if (isRefusal(answer)) {
        // An entity that may no longer be seen is left out, like one that is gone.
        if (answer.code === 'notFound' || answer.code === 'permissionDenied') continue;
        return answer;
      }
      if (id !== undefined) answers.set(id, answer);
    }
  }
  return answers;
}

function isRefusal(answer: string | EntryLists | PlatformError): answer is PlatformError {
  return typeof answer !== 'string' && 'ok' in answer;
}

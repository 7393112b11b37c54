import type { EntityData, LiveEntry, PlatformError, Point, TypedId } from '@moorage/core';
import { liveEntry } from '@moorage/core';

/** What the answers of thingsboard-server.md, 7.6 name as the reason of an error. */
export const SOCKET_ERROR = { internal: 1, badRequest: 2, unauthorized: 3, tooManyUpdates: 34 } as const;

/** An error about one command; the session stays open. */
export interface SocketError {
  readonly code: number;
  readonly message: string;
}

export function badCommand(message: string): SocketError {
  return { code: SOCKET_ERROR.badRequest, message };
}

/** A use case's refusal as an error of the socket. thingsboard-server.md, 7.6 */
export function socketError({ code, message }: PlatformError): SocketError {
  switch (code) {
    case 'notFound':
      return { code: SOCKET_ERROR.unauthorized, message: "Device with requested id wasn't found!" };
    case 'authentication':
    case 'permissionDenied':
      return { code: SOCKET_ERROR.unauthorized, message };
    case 'tooManyRequests':
      return { code: SOCKET_ERROR.tooManyUpdates, message };
    case 'badRequest':
    case 'invalidArguments':
    case 'limitExceeded':
    case 'notImplemented':
      return badCommand(message);
    default:
      return { code: SOCKET_ERROR.internal, message };
  }
}

export function errorAnswer(subscriptionId: number, { code, message }: SocketError): string {
  return `{"subscriptionId":${subscriptionId},"errorCode":${code},"errorMsg":${JSON.stringify(message)}}`;
}

/** Values by key, each list in the order to be sent. */
export type EntryLists = ReadonlyMap<string, readonly LiveEntry[]>;

/** The answer of simple subscriptions from behind `subscriptionId` on. thingsboard-server.md, 7.3 */
export function subscriptionTail(lists: EntryLists): string {
  let data = '';
  let latest = '';
  for (const [key, entries] of lists) {
    const last = entries.at(-1);
    if (last === undefined) continue;
    const separator = data === '' ? '' : ',';
    const name = JSON.stringify(key);
    data += `${separator}${name}:[${entries.map(({ ts, json }) => `[${ts},${json}]`).join(',')}]`;
    latest += `${separator}${name}:${last.ts}`;
  }
  return `,"errorCode":0,"errorMsg":null,"data":{${data}},"latestValues":{${latest}}}`;
}

export function subscriptionAnswer(subscriptionId: number, tail: string): string {
  return `{"subscriptionId":${subscriptionId}${tail}`;
}

export function entryOf(point: Point): LiveEntry {
  return liveEntry(point.ts, point);
}

/** Points of keys as they are sent. */
export function entryLists(series: ReadonlyMap<string, readonly Point[]>): Map<string, LiveEntry[]> {
  return new Map(Array.from(series, ([key, points]) => [key, points.map(entryOf)]));
}

/** What is sent of one entity; null: nothing of this kind. thingsboard-server.md, 7.4 */
export interface EntityParts {
  readonly latest: ReadonlyMap<string, ReadonlyMap<string, LiveEntry>> | null;
  readonly timeseries: EntryLists | null;
  /** JSON text of an object. */
  readonly aggLatest: string | null;
}

const tsValue = ({ ts, json }: LiveEntry): string => `{"ts":${ts},"value":${json}}`;

function latestJson(latest: NonNullable<EntityParts['latest']>): string {
  const types: string[] = [];
  for (const [type, values] of latest) {
    const members = Array.from(values, ([key, entry]) => `${JSON.stringify(key)}:${tsValue(entry)}`);
    types.push(`"${type}":{${members.join(',')}}`);
  }
  return `{${types.join(',')}}`;
}

function seriesJson(lists: EntryLists): string {
  const members = Array.from(lists, ([key, list]) => `${JSON.stringify(key)}:[${list.map(tsValue).join(',')}]`);
  return `{${members.join(',')}}`;
}

/** JSON text of one entity of a page or an update. */
export function entityJson({ entityType, id }: TypedId, { latest, timeseries, aggLatest }: EntityParts): string {
  return (
    `{"entityId":{"entityType":${JSON.stringify(entityType)},"id":${JSON.stringify(id)}},` +
    `"latest":${latest === null ? 'null' : latestJson(latest)},` +
    `"timeseries":${timeseries === null ? 'null' : seriesJson(timeseries)},` +
    `"aggLatest":${aggLatest ?? 'null'}}`
  );
}

/** One entity as queries over HTTP answer it. thingsboard-server.md, 7.5 */
export function entityDataJson({ entity, latest }: EntityData): string {
  return entityJson(entity, { latest, timeseries: new Map(), aggLatest: '{}' });
}

/** JSON text of a page of entities. */
export function pageJson(
  items: readonly string[],
  page: { readonly totalPages: number; readonly totalElements: number; readonly hasNext: boolean },
): string {
  const { totalPages, totalElements, hasNext } = page;
  return (
    `{"data":[${items.join(',')}],"totalPages":${totalPages},"totalElements":${totalElements},` +
    `"hasNext":${hasNext}}`
  );
}

/** The answer to ENTITY_DATA: a page of entities, or what changed. `allowed`: most entities of a subscription. */
export function entityAnswer(
  cmdId: number,
  content: { readonly page: string } | { readonly update: readonly string[] },
  allowed: number,
): string {
  const data = 'page' in content ? content.page : 'null';
  const update = 'update' in content ? `[${content.update.join(',')}]` : 'null';
  return (
    `{"cmdId":${cmdId},"errorCode":0,"errorMsg":null,"data":${data},"update":${update},` +
    `"allowedEntities":${allowed},"cmdUpdateType":"ENTITY_DATA"}`
  );
}

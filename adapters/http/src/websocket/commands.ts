import type { AggregateFunction, AttributeScope } from '@moorage/core';
import {
  flagMember,
  isRecord,
  type JsonRecord,
  listMember,
  numberMember,
  recordMember,
  textMember,
} from '../entity-query/json-members.ts';
import { attributeScope } from '../telemetry/attribute-scope.ts';

/** What of a series is to be read. thingsboard-server.md, 3.2 */
export interface SeriesPart {
  readonly startTs: number;
  readonly endTs: number;
  readonly intervalMs: number;
  /** Points of each key. */
  readonly limit: number;
  readonly aggregate: AggregateFunction | null;
}

interface DeviceCommand {
  readonly cmdId: number;
  readonly entityType: string;
  readonly entityId: string;
  /** null: all. */
  readonly keys: readonly string[] | null;
}

export type Command =
  | (DeviceCommand & {
      readonly type: 'TIMESERIES';
      readonly unsubscribe: boolean;
      /** Only what is newer than the last value known. */
      readonly newerOnly: boolean;
      /** null: the latest values. */
      readonly window: SeriesPart | null;
    })
  | (DeviceCommand & {
      readonly type: 'ATTRIBUTES';
      readonly unsubscribe: boolean;
      /** null: any. */
      readonly scope: AttributeScope | null;
    })
  | (DeviceCommand & { readonly type: 'TIMESERIES_HISTORY'; readonly part: SeriesPart })
  | { readonly type: 'ENTITY_DATA'; readonly cmdId: number; readonly command: JsonRecord }
  | { readonly type: 'ENTITY_DATA_UNSUBSCRIBE'; readonly cmdId: number }
  | { readonly type: 'IGNORED'; readonly cmdId: number }
  | { readonly type: 'INVALID'; readonly cmdId: number; readonly message: string };

/** A message of a client. `auth` null: it does not say who it is. */
export interface Envelope {
  readonly auth: { readonly scheme: 'bearer' | 'apiKey'; readonly credential: string } | null;
  readonly commands: readonly Command[];
}

/** Lists of the older form and what their elements are. thingsboard-server.md, 7.2 */
const OLDER_LISTS: readonly (readonly [list: string, type: string])[] = [
  ['attrSubCmds', 'ATTRIBUTES'],
  ['tsSubCmds', 'TIMESERIES'],
  ['historyCmds', 'TIMESERIES_HISTORY'],
  ['entityDataCmds', 'ENTITY_DATA'],
  ['entityDataUnsubscribeCmds', 'ENTITY_DATA_UNSUBSCRIBE'],
  ['entityCountCmds', 'ENTITY_COUNT'],
  ['entityCountUnsubscribeCmds', 'ENTITY_COUNT_UNSUBSCRIBE'],
  ['alarmDataCmds', 'ALARM_DATA'],
  ['alarmDataUnsubscribeCmds', 'ALARM_DATA_UNSUBSCRIBE'],
  ['alarmCountCmds', 'ALARM_COUNT'],
  ['alarmCountUnsubscribeCmds', 'ALARM_COUNT_UNSUBSCRIBE'],
];

const AGGREGATES: ReadonlyMap<string, AggregateFunction | null> = new Map([
  ['', null],
  ['NONE', null],
  ['MIN', 'min'],
  ['MAX', 'max'],
  ['AVG', 'avg'],
  ['SUM', 'sum'],
  ['COUNT', 'count'],
]);

/** thingsboard-server.md, 7.3 */
const DEFAULT_LIMIT = 100;

/** Reads both forms of the envelope, also mixed; undefined: it is no object. Unknown members are ignored. */
export function readEnvelope(message: unknown): Envelope | undefined {
  if (!isRecord(message)) return undefined;
  const commands: Command[] = [];
  for (const entry of listMember(message, 'cmds')) {
    if (isRecord(entry)) commands.push(readCommand(textMember(entry, 'type').toUpperCase(), entry));
  }
  for (const [list, type] of OLDER_LISTS) {
    for (const entry of listMember(message, list)) if (isRecord(entry)) commands.push(readCommand(type, entry));
  }
  return { auth: readAuth(recordMember(message, 'authCmd')), commands };
}

function readAuth(authCmd: JsonRecord | null): Envelope['auth'] {
  if (authCmd === null) return null;
  const apiKey = textMember(authCmd, 'apiKey');
  if (apiKey !== '') return { scheme: 'apiKey', credential: apiKey };
  return { scheme: 'bearer', credential: textMember(authCmd, 'token') };
}

function readCommand(type: string, command: JsonRecord): Command {
  const cmdId = numberMember(command, 'cmdId', 0);
  if (!Number.isSafeInteger(cmdId)) return { type: 'INVALID', cmdId: 0, message: 'Cmd id is no whole number!' };
  if (cmdId < 0) return { type: 'INVALID', cmdId, message: 'Cmd id is negative value!' };
  const keys = textMember(command, 'keys')
    .split(',')
    .filter((key) => key !== '');
  const device: DeviceCommand = {
    cmdId,
    entityType: textMember(command, 'entityType').toUpperCase(),
    entityId: textMember(command, 'entityId').toLowerCase(),
    keys: keys.length === 0 ? null : [...new Set(keys)],
  };
  const unsubscribe = flagMember(command, 'unsubscribe');
  switch (type) {
    case 'TIMESERIES': {
      const newerOnly = textMember(command, 'scope') === 'LATEST_TELEMETRY';
      const startTs = numberMember(command, 'startTs', 0);
      const timeWindow = numberMember(command, 'timeWindow', 0);
      const window = timeWindow > 0 ? readPart(command, startTs, startTs + timeWindow) : null;
      if (typeof window === 'string') return { type: 'INVALID', cmdId, message: window };
      return { ...device, type, unsubscribe, newerOnly, window };
    }
    case 'ATTRIBUTES': {
      const scope = textMember(command, 'scope').toUpperCase();
      const named = scope === '' || scope === 'ANY_SCOPE' ? null : attributeScope(scope);
      if (named === undefined) return { type: 'INVALID', cmdId, message: `Invalid scope: ${scope.slice(0, 64)}` };
      return { ...device, type, unsubscribe, scope: named };
    }
    case 'TIMESERIES_HISTORY': {
      const part = readPart(command, numberMember(command, 'startTs', 0), numberMember(command, 'endTs', 0));
      return typeof part === 'string' ? { type: 'INVALID', cmdId, message: part } : { ...device, type, part };
    }
    case 'ENTITY_DATA':
      return { type, cmdId, command };
    case 'ENTITY_DATA_UNSUBSCRIBE':
      return { type, cmdId };
    default:
      // Nothing can be running under the id of a command that is not offered.
      if (type.endsWith('UNSUBSCRIBE')) return { type: 'IGNORED', cmdId };
      return { type: 'INVALID', cmdId, message: `${type.slice(0, 64)} is not offered by this server yet` };
  }
}

/** What a command says of a range, or why it cannot be read. */
export function readPart(command: JsonRecord, startTs: number, endTs: number): SeriesPart | string {
  const aggregation = textMember(command, 'agg').toUpperCase();
  const aggregate = AGGREGATES.get(aggregation);
  if (aggregate === undefined) return `Unknown aggregation: ${aggregation.slice(0, 64)}`;
  const intervalType = textMember(command, 'intervalType').toUpperCase();
  if (intervalType !== '' && intervalType !== 'MILLISECONDS') {
    return `intervalType ${intervalType.slice(0, 64)} is not offered yet`;
  }
  const limit = Math.trunc(numberMember(command, 'limit', 0));
  return {
    startTs: Math.trunc(startTs),
    endTs: Math.trunc(endTs),
    intervalMs: Math.max(0, Math.trunc(numberMember(command, 'interval', 0))),
    limit: limit > 0 ? limit : DEFAULT_LIMIT,
    aggregate,
  };
}

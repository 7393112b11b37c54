import type { ApiJsonObject } from './building-blocks.ts';
import type { EntityId } from './entity-id.ts';
import type { EntityData, EntityDataPage, EntityDataQuery } from './entity-query.ts';

/** A message to the WebSocket API. The first one on `/api/ws` without `?token=` carries `authCmd`. thingsboard-server.md, 7.2 */
export interface LiveMessage {
  readonly authCmd?: { readonly cmdId: number; readonly token?: string; readonly apiKey?: string };
  readonly cmds?: readonly LiveCommand[];
}

interface DeviceCommand {
  /** Chosen by the client, at least 0, unique in the session. */
  readonly cmdId: number;
  readonly entityType: 'DEVICE';
  readonly entityId: string;
  /** Comma-separated; empty: all. */
  readonly keys?: string;
}

/** Which points of a series. */
export interface LiveSeriesPart {
  readonly interval?: number;
  /** 100 if left out. */
  readonly limit?: number;
  readonly agg?: 'NONE' | 'MIN' | 'MAX' | 'AVG' | 'SUM' | 'COUNT';
}

/** thingsboard-server.md, 7.3 and 7.4 */
export type LiveCommand =
  | (DeviceCommand &
      LiveSeriesPart & {
        readonly type: 'TIMESERIES';
        readonly scope?: 'LATEST_TELEMETRY';
        readonly startTs?: number;
        readonly timeWindow?: number;
        readonly unsubscribe?: boolean;
      })
  | (DeviceCommand & {
      readonly type: 'ATTRIBUTES';
      /** Any if left out. */
      readonly scope?: 'CLIENT_SCOPE' | 'SHARED_SCOPE' | 'SERVER_SCOPE';
      readonly unsubscribe?: boolean;
    })
  | (DeviceCommand &
      LiveSeriesPart & { readonly type: 'TIMESERIES_HISTORY'; readonly startTs: number; readonly endTs: number })
  | {
      readonly type: 'ENTITY_DATA';
      readonly cmdId: number;
      readonly query?: EntityDataQuery;
      readonly latestCmd?: { readonly keys: readonly { readonly type: string; readonly key: string }[] };
      readonly tsCmd?: LiveSeriesPart & {
        readonly keys: readonly string[];
        readonly startTs: number;
        readonly timeWindow: number;
        readonly fetchLatestPreviousPoint?: boolean;
      };
      readonly historyCmd?: LiveSeriesPart & {
        readonly keys: readonly string[];
        readonly startTs: number;
        readonly endTs: number;
      };
      readonly aggHistoryCmd?: {
        readonly keys: readonly ApiJsonObject[];
        readonly startTs: number;
        readonly endTs: number;
      };
    }
  | { readonly type: 'ENTITY_DATA_UNSUBSCRIBE'; readonly cmdId: number };

/** Answer to TIMESERIES, ATTRIBUTES and TIMESERIES_HISTORY, and every error: then without `data`. */
export interface SubscriptionUpdate {
  /** The command's `cmdId`. */
  readonly subscriptionId: number;
  /** 0 none, 1 internal, 2 bad request, 3 unauthorized, 34 too many updates. */
  readonly errorCode: number;
  readonly errorMsg: string | null;
  /** Time and text of each value by key; `[0,""]`: the key was removed. */
  readonly data?: Readonly<Record<string, readonly (readonly [ts: number, value: string])[]>>;
  readonly latestValues?: Readonly<Record<string, number>>;
}

/** Answer to ENTITY_DATA: a page first, then updates with only what changed. */
export interface EntityDataUpdate {
  readonly cmdId: number;
  readonly errorCode: number;
  readonly errorMsg: string | null;
  readonly data: EntityDataPage | null;
  readonly update:
    | readonly {
        readonly entityId: EntityId;
        readonly latest: EntityData['latest'] | null;
        readonly timeseries: EntityData['timeseries'] | null;
        readonly aggLatest: EntityData['aggLatest'] | null;
      }[]
    | null;
  readonly allowedEntities: number;
  readonly cmdUpdateType: 'ENTITY_DATA';
}

/** Event names of `GET /api/stream/devices/{deviceId}` and what their data is; others are events of the device. */
export interface StreamEvents {
  readonly telemetry: { readonly ts: number; readonly values: ApiJsonObject };
  readonly attributes: {
    readonly scope: 'client' | 'shared' | 'server';
    readonly ts: number;
    readonly values?: ApiJsonObject;
    readonly deleted?: readonly string[];
  };
  /** So many events were left out, since the client was too slow. */
  readonly lost: { readonly events: number };
  readonly ended: { readonly reason: 'deleted' | 'denied' };
}

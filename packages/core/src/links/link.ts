import type { Result } from '../errors.ts';
import type { EntityId, Json } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';

/** Where a link sends a value: a method that is called with it, or a shared attribute that is set to it. One of both is set. */
export interface LinkTarget {
  readonly deviceId: EntityId;
  readonly method: string | null;
  readonly attribute: string | null;
}

/**
 * What became of the last value that a link was to send. `SENT`: the call was handed to the device. `STORED`: the shared
 * attribute was written, and told to the device if it is there. `OFFLINE`, `NOT_SUBSCRIBED`, `NOT_SUPPORTED`: the device is
 * away, does not listen for commands, or has no word for them. `TOO_MANY`: too much waits. `INVALID`: the value cannot be
 * sent. `STORAGE_FULL`, `FAILED`: the attribute was not stored. `HOP_LIMIT`: it was the fifth of a chain of links.
 */
export type LinkOutcome =
  | 'SENT'
  | 'STORED'
  | 'OFFLINE'
  | 'NOT_SUBSCRIBED'
  | 'NOT_SUPPORTED'
  | 'TOO_MANY'
  | 'INVALID'
  | 'STORAGE_FULL'
  | 'FAILED'
  | 'HOP_LIMIT';

/**
 * "The value of a device's key becomes a command to another device": declarative, without rules, between devices of any
 * dialects of one tenant. api-additions.md, 3
 */
export interface DeviceLink {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly name: string;
  readonly enabled: boolean;
  /** A telemetry key, or a client attribute. */
  readonly source: { readonly deviceId: EntityId; readonly key: string };
  readonly target: LinkTarget;
  /**
   * The value as text (`true`, `1`, `on`) to what is sent instead; a value that does not stand in it is not sent. null:
   * every value as it is.
   */
  readonly map: Readonly<Record<string, Json>> | null;
  readonly version: number;
  /** Since the server started; null: nothing was to be sent yet. */
  readonly lastOutcome: LinkOutcome | null;
  /** When that was, epoch milliseconds. */
  readonly lastTime: number | null;
}

/** A link as it is stored. */
export type StoredLink = Omit<DeviceLink, 'lastOutcome' | 'lastTime'>;

export interface DeviceLinkInput {
  readonly id: EntityId | null;
  readonly name: string;
  readonly enabled: boolean;
  readonly source: { readonly deviceId: EntityId; readonly key: string };
  readonly target: { readonly deviceId: EntityId; readonly method: string | null; readonly attribute: string | null };
  readonly map: Readonly<Record<string, Json>> | null;
  readonly version: number | null;
}

export interface DeviceLinkService {
  save(caller: Caller, input: DeviceLinkInput): Promise<Result<DeviceLink>>;
  get(caller: Caller, id: EntityId): Promise<Result<DeviceLink>>;
  list(caller: Caller, query: PageQuery): Promise<Result<Page<DeviceLink>>>;
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
}

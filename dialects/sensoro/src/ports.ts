import type {
  Attribute,
  AttributeScope,
  Completion,
  DeviceRef,
  EntityId,
  Point,
  PointList,
  Value,
} from '@moorage/core';

/** HMAC-SHA256 in Base64; the key as UTF-8, and texts too. */
export type HmacSha256Base64 = (key: string, text: string | Uint8Array) => string;

/** AES-256-CBC without padding of its own; `bytes` are whole blocks of 16. */
export type Aes256Cbc = (key: Uint8Array, iv: Uint8Array, bytes: Uint8Array) => Uint8Array;

/** Times in epoch milliseconds, both inclusive. */
export interface HistoryQuery {
  readonly keys: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly order: 'asc' | 'desc';
  /** Points of each key. */
  readonly limit: number;
}

/** What became of a command to a device. */
export type CommandOutcome = 'taken' | 'notSupported' | 'failed';

/** What the open API and the uplink need of the platform. It acts for the whole tenant. */
export interface SensoroPlatform {
  /** Every device of a tenant, each once; devices that come meanwhile may be missing. */
  devices(tenantId: EntityId): AsyncIterable<DeviceRef>;
  device(id: EntityId): DeviceRef | undefined;
  /** Whether the device counts as active. */
  isActive(id: EntityId): Promise<boolean>;
  /** Attributes of a scope, all keys when null. */
  attributes(id: EntityId, scope: AttributeScope, keys: readonly string[] | null): Promise<readonly Attribute[]>;
  /** The latest point of each key. */
  latest(device: DeviceRef): Promise<ReadonlyMap<string, Point>>;
  /** Points by key, each list in the order asked for. */
  history(device: DeviceRef, query: HistoryQuery): Promise<ReadonlyMap<string, readonly Point[]>>;
  /** Has the device's own dialect tell it these values, now or when it connects. Durable when resolved. */
  command(device: DeviceRef, values: ReadonlyMap<string, Value>): Promise<CommandOutcome>;
  /** Stores telemetry; `completion` is held until it is durable. */
  uplink(device: DeviceRef, points: PointList, completion: Completion): void;
}

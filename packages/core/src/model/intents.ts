import type { AttributeScope } from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';

/** Store these points as series of the device. */
export interface TelemetryIntent {
  readonly kind: 'telemetry';
  readonly points: PointList;
}

/** Write these values as attributes of the device; the list's `ts` is ignored in favour of the time of receipt. */
export interface AttributesIntent {
  readonly kind: 'attributes';
  readonly scope: AttributeScope;
  readonly values: PointList;
}

/** The device answers a command; `id` is the one the command carried. The payload is JSON text. */
export interface RpcResponseIntent {
  readonly kind: 'rpcResponse';
  readonly id: string;
  readonly payload: string;
}

/** An application commands a device by name; the answer goes to the asking connection under `id`. */
export interface RpcRequestIntent {
  readonly kind: 'rpcRequest';
  readonly deviceName: string;
  readonly id: string;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
}

/** What a message of a device asks of the platform: plain data. */
export type Intent = TelemetryIntent | AttributesIntent | RpcResponseIntent | RpcRequestIntent;

import type { AttributeScope } from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';
import type { EntityId } from './entities.ts';
import type { OtaPackageType } from './ota.ts';
import type { ProvisionRequest } from './provisioning.ts';

/**
 * What a dialect needs to send an answer: its own text, handed back with the answer. Usually the topic of the answer.
 * At most a few hundred characters.
 */
export type ReplyRef = string;

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

/** The device asks for attributes. null: none of that scope; `'all'`: every one. thingsboard-device.md, 3.3 */
export interface AttributesRequestIntent {
  readonly kind: 'attributesRequest';
  readonly clientKeys: readonly string[] | 'all' | null;
  readonly sharedKeys: readonly string[] | 'all' | null;
  readonly ref: ReplyRef;
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

/** The device calls a method of the server. thingsboard-device.md, 4.4 */
export interface ClientRpcIntent {
  readonly kind: 'clientRpc';
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly ref: ReplyRef;
}

/** The device may be claimed by who knows the secret. thingsboard-device.md, 5.1 */
export interface ClaimIntent {
  readonly kind: 'claim';
  readonly secretKey: string;
  /** null: as configured. */
  readonly durationMs: number | null;
}

/** Somebody without an identity asks for one. thingsboard-device.md, 6 */
export interface ProvisionIntent {
  readonly kind: 'provision';
  readonly request: ProvisionRequest;
  readonly ref: ReplyRef;
}

/** The device asks for a part of its package. thingsboard-device.md, 7.3 */
export interface OtaChunkIntent {
  readonly kind: 'otaChunk';
  readonly type: OtaPackageType;
  /** Binds the package to this number for the life of the connection. */
  readonly requestId: string;
  readonly chunk: number;
  /** Bytes of a chunk; 0: the whole file. */
  readonly size: number;
  /** Byte at which the part begins, where it is no whole number of chunks; absent: `chunk * size`. */
  readonly offset?: number;
  readonly ref: ReplyRef;
}

/** A use case that only the device's dialect knows: it is handed back to the dialect, which has time to answer. */
export interface DialectRequestIntent {
  readonly kind: 'dialectRequest';
  readonly request: string;
  /** JSON text. */
  readonly params: string;
  readonly ref: ReplyRef;
}

/** Data of `DialectWorkIntent`: a dialect adds members of its own. */
export interface DialectWork {
  readonly work: string;
}

/**
 * Work that only the dialect knows, for a principal that is no device, as an account that speaks for many: it is handed
 * back to the dialect, and the acknowledgement waits until its effects are durable.
 */
export interface DialectWorkIntent {
  readonly kind: 'dialectWork';
  readonly work: DialectWork;
}

/** The message did something to another device; whoever follows that device is told, and nothing is stored. */
export interface DeviceEventIntent {
  readonly kind: 'deviceEvent';
  readonly deviceId: EntityId;
  /** A word, as `downlink`. */
  readonly type: string;
  /** Plain English, without a secret. */
  readonly detail: string;
}

/** What a device may ask for itself or, through a gateway, for a device behind it. */
export type DeviceIntent =
  | TelemetryIntent
  | AttributesIntent
  | AttributesRequestIntent
  | RpcResponseIntent
  | ClientRpcIntent
  | ClaimIntent
  | OtaChunkIntent
  | DialectRequestIntent;

/**
 * A gateway speaks for a device behind it, which is created and connected if need be. Without intents it is only
 * connected. thingsboard-device.md, 8
 */
export interface SubDeviceIntent {
  readonly kind: 'subDevice';
  readonly name: string;
  /** Name of the profile of a device that must be created; null: the default one. */
  readonly type: string | null;
  readonly intents: readonly DeviceIntent[];
  /** The device has proven that it is here: it is nowhere else any more, neither behind another gateway nor by itself. */
  readonly exclusive?: boolean;
}

/** The device behind the gateway is gone. */
export interface SubDeviceLeftIntent {
  readonly kind: 'subDeviceLeft';
  readonly name: string;
}

/** What a message of a device asks of the platform: plain data. */
export type Intent =
  | DeviceIntent
  | RpcRequestIntent
  | ProvisionIntent
  | SubDeviceIntent
  | SubDeviceLeftIntent
  | DialectWorkIntent
  | DeviceEventIntent;

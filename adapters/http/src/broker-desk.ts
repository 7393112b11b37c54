import type { EntityId, Result } from '@moorage/core';

/** Which part of a list; `page` counts from 0. */
export interface BrokerQuery {
  readonly pageSize: number;
  readonly page: number;
  /** null: everything. */
  readonly textSearch: string | null;
}

export interface BrokerPage<T> {
  readonly data: readonly T[];
  readonly totalPages: number;
  readonly totalElements: number;
  readonly hasNext: boolean;
  /** False: the totals count a part only. */
  readonly complete: boolean;
}

/** Whose Session it is. */
export interface BrokerOwner {
  readonly clientId: string;
  readonly owner: {
    readonly entityType: 'DEVICE' | 'APPLICATION';
    readonly id: EntityId;
    readonly name: string;
  } | null;
  readonly dialect: string;
}

export interface ListedSession extends BrokerOwner {
  readonly connected: boolean;
  readonly address: string | null;
  readonly listener: string | null;
  readonly level: number | null;
  readonly connectedAt: number | null;
  readonly queuedMessages: number;
  readonly queuedBytes: number | null;
  readonly inFlight: number;
  readonly subscriptions: number;
  readonly expiryInterval: number;
}

export interface ListedSubscription extends BrokerOwner {
  readonly connected: boolean;
  readonly topicFilter: string;
  readonly grantedQoS: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: number;
  readonly subscriptionIdentifier: number | null;
  readonly enter: readonly string[];
}

export interface ShownPayload {
  readonly text: string | null;
  readonly hex: string | null;
  readonly cut: boolean;
}

export interface ListedRetained {
  readonly dialect: string;
  readonly topicName: string;
  readonly qos: number;
  readonly payloadBytes: number;
  readonly payload: ShownPayload;
  readonly expiresAt: number | null;
}

export interface ListedBan extends Omit<BrokerOwner, 'clientId'> {
  readonly id: string;
  readonly clientId: string | null;
  readonly until: number;
}

export interface ListedTrace {
  readonly id: string;
  readonly deviceId: EntityId | null;
  readonly clientId: string | null;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly packets: number;
}

export interface ListedPacket {
  readonly ts: number;
  readonly direction: 'in' | 'out';
  readonly clientId: string;
  readonly connection: number;
  readonly type: string;
  readonly sizeBytes: number;
  readonly packetIdentifier: number | null;
  readonly topicName: string | null;
  readonly qos: number | null;
  readonly retain: boolean | null;
  readonly dup: boolean | null;
  readonly sessionPresent: boolean | null;
  readonly reasonCodes: readonly number[] | null;
  readonly topicFilters: readonly { readonly topicFilter: string; readonly qos: number | null }[] | null;
  readonly payloadBytes: number | null;
  readonly payload: ShownPayload | null;
  readonly properties: {
    readonly [name: string]: number | string | readonly number[] | readonly (readonly [string, string])[];
  } | null;
  readonly problem: string | null;
}

/** A device that the caller has the right to. */
export interface BrokerDevice {
  readonly id: EntityId;
  readonly tenantId: EntityId;
  readonly dialect: string;
}

export type BrokerTarget = { readonly device: BrokerDevice } | { readonly clientId: string };

export interface RawMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

export type RawOutcome =
  | { readonly kind: 'pushed'; readonly qos: number; readonly result: 'written' | 'acknowledged' | 'waiting' }
  | { readonly kind: 'published'; readonly qos: number; readonly sessions: number }
  | {
      readonly kind: 'refused';
      readonly reason: 'badMessage' | 'tooLarge' | 'notConnected' | 'full' | 'failed';
      /** One sentence. */
      readonly message: string;
    };

/** The broker, as far as the administrator of a tenant may look at and touch it. Nothing of other tenants is ever given. */
export interface BrokerDesk {
  sessions(tenantId: EntityId, query: BrokerQuery): Promise<Result<BrokerPage<ListedSession>>>;
  subscriptions(tenantId: EntityId, query: BrokerQuery): Promise<Result<BrokerPage<ListedSubscription>>>;
  /** Only topics that match `topicFilter`, which is well-formed. */
  retained(tenantId: EntityId, topicFilter: string, query: BrokerQuery): Promise<Result<BrokerPage<ListedRetained>>>;
  startTrace(tenantId: EntityId, target: BrokerTarget, durationMs: number): Promise<Result<ListedTrace>>;
  /** The newest first. */
  traces(tenantId: EntityId): readonly ListedTrace[];
  trace(
    tenantId: EntityId,
    id: string,
    query: Omit<BrokerQuery, 'textSearch'>,
  ): Result<{ readonly trace: ListedTrace; readonly packets: BrokerPage<ListedPacket> }>;
  removeTrace(tenantId: EntityId, id: string): Result<null>;
  ban(tenantId: EntityId, target: BrokerTarget, durationMs: number): Promise<Result<readonly ListedBan[]>>;
  bans(tenantId: EntityId, query: BrokerQuery): BrokerPage<ListedBan>;
  liftBan(tenantId: EntityId, id: string): Result<null>;
  publish(device: BrokerDevice, message: RawMessage): Promise<RawOutcome>;
}

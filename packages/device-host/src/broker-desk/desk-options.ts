import type { ApplicationRef, Clock, CredentialLookup, DeviceRef, DialectId, EntityId, Scheduler } from '@moorage/core';
import type { Dialect } from '@moorage/dialect-api';
import type {
  AckToken,
  PacketListener,
  RetainedPage,
  ServerMessage,
  SessionQuery,
  SessionSummary,
  SubscriptionPage,
} from '@moorage/mqtt-broker';
import type { DeviceConnection } from '../device-connection.ts';
import type { DescribePacket } from './traced-packet.ts';

/** A Session as the broker lists it. */
export interface DeskSession extends SessionSummary {
  /** Bytes of the messages that wait; absent where the broker does not tell. */
  readonly queuedBytes?: number;
}

/** What the desk needs of the broker. */
export interface DeskBroker {
  sessions(query: SessionQuery): { readonly sessions: readonly DeskSession[]; readonly next: number | null };
  session(sessionKey: string): DeskSession | null;
  subscriptions(
    sessionKey: string,
    query: { readonly limit: number; readonly after?: number | null },
  ): SubscriptionPage | null;
  retained(
    space: string,
    topicFilter: string,
    query: { readonly limit: number; readonly after?: string | null },
  ): Promise<RetainedPage>;
  publish(space: string, message: ServerMessage, token: AckToken | null): number;
  watchPackets(sessionKey: string, listener: PacketListener): () => void;
  ban(sessionKey: string, untilMs: number): void;
  unban(sessionKey: string): boolean;
  bans(): readonly { readonly sessionKey: string; readonly untilMs: number }[];
}

/** Bounds of what operators may ask for. */
export interface DeskLimits {
  /** Lists that are made at the same time. */
  readonly listsAtOnce: number;
  /** Pages of at most 1,000 Sessions that one list reads. */
  readonly sessionPages: number;
  /** Subscriptions that one list reads. */
  readonly subscriptions: number;
  /** Retained Messages, and bytes of their payloads, that one list reads. */
  readonly retainedMessages: number;
  readonly retainedBytes: number;
  /** Traces under way, on the whole server and of one tenant. */
  readonly tracesRunning: number;
  readonly tenantTracesRunning: number;
  /** Traces of one tenant, those that have ended included; the oldest that has ended makes room. */
  readonly tenantTraces: number;
  /** Packets of one trace, and bytes of what is kept of them; a trace that reaches either ends. */
  readonly tracePackets: number;
  readonly traceBytes: number;
  /** How long a trace that has ended can be read. */
  readonly traceKeptMs: number;
  /** Session keys that one trace or ban concerns. */
  readonly sessionKeys: number;
  /** Bans of one tenant. */
  readonly tenantBans: number;
  /** Bytes of a payload that is published by hand. */
  readonly payloadBytes: number;
}

export const DEFAULT_DESK_LIMITS: DeskLimits = {
  listsAtOnce: 8,
  sessionPages: 500,
  subscriptions: 200_000,
  retainedMessages: 20_000,
  retainedBytes: 33_554_432,
  tracesRunning: 20,
  tenantTracesRunning: 5,
  tenantTraces: 10,
  tracePackets: 5_000,
  traceBytes: 2_097_152,
  traceKeptMs: 900_000,
  sessionKeys: 100,
  tenantBans: 1_000,
  payloadBytes: 1_048_576,
};

export interface BrokerDeskOptions {
  readonly broker: DeskBroker;
  readonly connectionsOf: (principalId: EntityId) => readonly DeviceConnection[];
  readonly dialects: readonly Dialect[];
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly applicationRef: (id: EntityId) => ApplicationRef | undefined;
  /** For dialects that know the space of a device that is away. */
  readonly credentials: CredentialLookup;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly uuid: () => string;
  /** Text of a payload, or undefined if it is not well-formed UTF-8. */
  readonly text: (payload: Uint8Array) => string | undefined;
  readonly describePacket: DescribePacket;
  readonly limits?: Partial<DeskLimits>;
  readonly fault: (error: unknown) => void;
}

/** The device that a call is about; the caller has been found to have the right to it. */
export interface DeskDevice {
  readonly id: EntityId;
  readonly tenantId: EntityId;
  readonly dialect: DialectId;
}

/** Whom a trace or a ban is about. */
export type DeskTarget = { readonly device: DeskDevice } | { readonly clientId: string };

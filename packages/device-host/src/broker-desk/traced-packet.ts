import type { ConnectionHandle } from '@moorage/mqtt-broker';
import type { PayloadPreview } from './payload-preview.ts';

/** A packet as a trace shows it; bounded, whatever the packet is. Members that it does not have are null. */
export interface PacketSummary {
  /** As in the standard: `PUBLISH`. */
  readonly type: string;
  readonly sizeBytes: number;
  readonly packetIdentifier: number | null;
  /** Empty: a Topic Alias stands for it. */
  readonly topicName: string | null;
  readonly qos: number | null;
  readonly retain: boolean | null;
  readonly dup: boolean | null;
  readonly sessionPresent: boolean | null;
  readonly reasonCodes: readonly number[] | null;
  readonly topicFilters: readonly { readonly topicFilter: string; readonly qos: number | null }[] | null;
  readonly payloadBytes: number | null;
  readonly payload: PayloadPreview | null;
  /** Of 5.0, by their names in `Properties`; texts, numbers, bytes as hexadecimal text. */
  readonly properties: { readonly [name: string]: PropertyValue } | null;
  /** Why the packet cannot be read, or null. */
  readonly problem: string | null;
}

export type PropertyValue = number | string | readonly number[] | readonly (readonly [string, string])[];

/** Reads one packet. `bytes` is valid only during the call; a pulled payload is missing at its end. */
export type DescribePacket = (level: ConnectionHandle['level'], bytes: Uint8Array) => PacketSummary;

export interface TracedPacket extends PacketSummary {
  /** Epoch milliseconds. */
  readonly ts: number;
  /** `in`: from the client. */
  readonly direction: 'in' | 'out';
  readonly clientId: string;
  /** Number of the connection since the start of the server: tells one connection from the next. */
  readonly connection: number;
}

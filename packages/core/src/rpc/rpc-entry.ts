import type { EntityId } from '../model/entities.ts';
import type { RpcRecord, RpcStatus } from '../model/rpc-record.ts';
import { isFinished, type StoredRpc } from './rpc-collection.ts';

/** When the next persistent RPC of a device is sent. thingsboard-device.md, 4.3 */
export type SubmitStrategy = 'BURST' | 'SEQUENTIAL_ON_ACK' | 'SEQUENTIAL_ON_RESPONSE';

/** What memory keeps of an unfinished RPC; the record itself is read when it is needed. */
export class RpcEntry {
  readonly id: EntityId;
  readonly deviceId: EntityId;
  readonly sequence: number;
  readonly expirationTime: number;
  readonly oneway: boolean;
  readonly retries: number;
  status: RpcStatus;
  attempts: number;
  response: string | null = null;
  finishedTime = 0;
  /** Of the stored record. */
  version: number;
  /** States since the last save, in their order. */
  unsaved: RpcStatus[] = [];
  /** One that timed out waits for the device to listen again; any other may be sent as it is. */
  ready = true;
  /** The identifier of the command sent last; null: answers are not expected. */
  commandId: number | null = null;
  /** Of a command that was routed: how many it reached. No answer comes. null: it was not routed. */
  receivers: number | null = null;
  /** Of the acknowledgement, then of the response. */
  cancelTimer: (() => void) | null = null;
  /** Keeps the next one back: SEQUENTIAL_ON_RESPONSE. */
  awaitsResponse = false;
  /** The whole record while it is on its way; null: to be read. */
  record: RpcRecord | null;
  /** Still one of its queue: neither finished nor deleted. */
  live = true;

  constructor({ record, sequence, version }: StoredRpc) {
    this.id = record.id;
    this.deviceId = record.deviceId;
    this.sequence = sequence;
    this.expirationTime = record.expirationTime;
    this.oneway = record.oneway;
    this.retries = record.retries;
    this.status = record.status;
    this.attempts = record.attempts;
    this.version = version;
    this.record = record;
  }

  get finished(): boolean {
    return isFinished(this.status, this.oneway);
  }

  /** Waits to be sent. */
  get sendable(): boolean {
    return this.status === 'QUEUED' || (this.status === 'TIMEOUT' && this.ready);
  }

  /** The device may have it and has not said so. */
  get unacknowledged(): boolean {
    return this.status === 'QUEUED' || this.status === 'SENT' || this.status === 'TIMEOUT';
  }

  stopTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }
}

/** The unfinished RPC of one device, the oldest first. */
export class RpcQueue {
  readonly deviceId: EntityId;
  entries: RpcEntry[] = [];
  /** Submissions that are not durable yet; they count as entries. */
  reserved = 0;
  sending = false;
  /** Something may have become sendable while `sending`. */
  again = false;
  /** Of the next try after records could not be read. */
  cancelRetry: (() => void) | null = null;

  constructor(deviceId: EntityId) {
    this.deviceId = deviceId;
  }

  get idle(): boolean {
    return this.entries.length === 0 && this.reserved === 0;
  }

  add(entry: RpcEntry): void {
    const after = this.entries.findLastIndex((other) => other.sequence <= entry.sequence);
    this.entries.splice(after + 1, 0, entry);
  }

  /** False: it was not there any more. */
  remove(entry: RpcEntry): boolean {
    const index = this.entries.indexOf(entry);
    if (index < 0) return false;
    this.entries.splice(index, 1);
    return true;
  }

  /** The one to be sent next; undefined: none now. */
  next(strategy: SubmitStrategy): RpcEntry | undefined {
    const kept = strategy !== 'BURST' && this.entries.some((entry) => entry.status === 'SENT' || entry.awaitsResponse);
    return kept ? undefined : this.entries.find((entry) => entry.sendable);
  }

  stopRetry(): void {
    this.cancelRetry?.();
    this.cancelRetry = null;
  }

  /** Those that timed out may be sent again: the device listens anew. */
  wake(): void {
    for (const entry of this.entries) entry.ready = true;
  }
}

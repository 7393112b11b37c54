import type { EntityId, Json } from './entities.ts';

/** thingsboard-device.md, 4.3 */
export type RpcStatus = 'QUEUED' | 'SENT' | 'DELIVERED' | 'SUCCESSFUL' | 'TIMEOUT' | 'EXPIRED' | 'FAILED' | 'DELETED';

/** A persistent RPC. A stored one is never `DELETED`: observers alone see that. */
export interface RpcRecord {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly deviceId: EntityId;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly oneway: boolean;
  /** Epoch milliseconds. */
  readonly expirationTime: number;
  /** How often it is sent again without an acknowledgement, 0 to 5. */
  readonly retries: number;
  /** How often that has happened. */
  readonly attempts: number;
  readonly status: RpcStatus;
  /** JSON text of what the device answered or why it failed; null so far. */
  readonly response: string | null;
  readonly additionalInfo: Json;
}

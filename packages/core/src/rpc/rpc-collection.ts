import type { EntityId, Json, JsonObject } from '../model/entities.ts';
import type { RpcRecord, RpcStatus } from '../model/rpc-record.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';

/** Persistent RPC in the store. */
export const RPC_COLLECTION: DocumentCollection = {
  name: 'rpc',
  filters: ['deviceId', 'status', 'expirationTime', 'finishedTime'],
  sorts: ['expirationTime', 'method', 'status'],
  search: ['method'],
  unique: [],
};

const STATUSES = ['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL', 'TIMEOUT', 'EXPIRED', 'FAILED', 'DELETED'] as const;

/** A record with what only the store needs beside it. */
export interface StoredRpc {
  readonly record: RpcRecord;
  /** Order of the submissions to one device, also within a millisecond. */
  readonly sequence: number;
  /** Epoch milliseconds; 0: unfinished. */
  readonly finishedTime: number;
  readonly version: number;
}

export function toRpcDocument({ record, sequence, finishedTime, version }: StoredRpc): StoredDocument {
  const { id, createdTime, tenantId, ...members } = record;
  return { id, tenantId, createdTime, version, body: { ...members, sequence, finishedTime } };
}

/** Reads what `toRpcDocument` wrote; null: not a record of an RPC. */
export function fromRpcDocument({ id, tenantId, createdTime, version, body }: StoredDocument): StoredRpc | null {
  const deviceId = textOf(body, 'deviceId');
  const method = textOf(body, 'method');
  const params = textOf(body, 'params');
  const status = rpcStatus(textOf(body, 'status'));
  const expirationTime = numberOf(body, 'expirationTime');
  if (deviceId === null || method === null || params === null || status === null || expirationTime === null)
    return null;
  const record: RpcRecord = {
    id,
    createdTime,
    tenantId,
    deviceId,
    method,
    params,
    oneway: memberOf(body, 'oneway') === true,
    expirationTime,
    retries: numberOf(body, 'retries') ?? 0,
    attempts: numberOf(body, 'attempts') ?? 0,
    status,
    response: textOf(body, 'response'),
    additionalInfo: memberOf(body, 'additionalInfo'),
  };
  return {
    record,
    sequence: numberOf(body, 'sequence') ?? 0,
    finishedTime: numberOf(body, 'finishedTime') ?? 0,
    version,
  };
}

/** The status of that name; null: there is none. */
export function rpcStatus(name: string | null): RpcStatus | null {
  return STATUSES.find((status) => status === name) ?? null;
}

/** One-way RPC end with the delivery. thingsboard-device.md, 4.3 */
export function isFinished(status: RpcStatus, oneway: boolean): boolean {
  switch (status) {
    case 'QUEUED':
    case 'SENT':
    case 'TIMEOUT':
      return false;
    case 'DELIVERED':
      return oneway;
    default:
      return true;
  }
}

/** The records of one device. */
export function ofDevice(deviceId: EntityId): { readonly member: string; readonly is: '='; readonly value: string } {
  return { member: 'deviceId', is: '=', value: deviceId };
}

function memberOf(body: JsonObject, name: string): Json {
  return Object.hasOwn(body, name) ? (body[name] ?? null) : null;
}

function textOf(body: JsonObject, name: string): string | null {
  const value = memberOf(body, name);
  return typeof value === 'string' ? value : null;
}

function numberOf(body: JsonObject, name: string): number | null {
  const value = memberOf(body, name);
  return typeof value === 'number' ? value : null;
}

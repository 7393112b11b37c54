import type { Json, Page, RpcRecord, RpcRequest } from '@moorage/core';
import { isDeeperThan, MAX_JSON_DEPTH } from '../validation/json-body.ts';
import { entityId } from './entity-ids.ts';
import { rawMember } from './raw-members.ts';

/** What was read, or the sentence for the sender. */
export type RpcRequestRead =
  | { readonly ok: true; readonly value: RpcRequest }
  | { readonly ok: false; readonly message: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const WHOLE_NUMBER = /^-?\d{1,16}$/;

/**
 * Reads the body of a call; numbers and truth values may be texts, null counts as left out. `params` keep their text.
 * thingsboard-server.md, 4.1
 */
export function readRpcRequest(body: unknown, oneway: boolean): RpcRequestRead {
  const text = body instanceof Uint8Array ? decode(body) : undefined;
  if (text === undefined) return fault('The body is not valid JSON');
  if (isDeeperThan(text, MAX_JSON_DEPTH)) return fault(`The JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  const members = parseObject(text);
  if (members === undefined) return fault('The body is not valid JSON');
  if (members === null) return fault('The body must be an object');
  const method = members.get('method') ?? null;
  if (method === null || method === '') return fault("'method' is missing in the body");
  if (typeof method === 'object') return fault("'method' in the body must be a text");
  const timeoutMs = wholeNumber(members, 'timeout');
  const expirationTime = wholeNumber(members, 'expirationTime');
  const retries = wholeNumber(members, 'retries');
  for (const [name, value] of Object.entries({ timeout: timeoutMs, expirationTime, retries })) {
    if (value === undefined) return fault(`'${name}' in the body must be a whole number`);
  }
  const persistent = members.get('persistent') ?? false;
  if (typeof persistent !== 'boolean' && persistent !== 'true' && persistent !== 'false') {
    return fault("'persistent' in the body must be true or false");
  }
  const requestId = members.get('requestUUID') ?? null;
  if (requestId !== null && (typeof requestId !== 'string' || !UUID.test(requestId))) {
    return fault(`Invalid UUID string: ${String(requestId).slice(0, 100)}`);
  }
  return {
    ok: true,
    value: {
      method: String(method),
      params: rawMember(text, 'params') ?? 'null',
      oneway,
      timeoutMs: timeoutMs ?? null,
      expirationTime: expirationTime ?? null,
      persistent: String(persistent) === 'true',
      retries: retries ?? null,
      additionalInfo: members.get('additionalInfo') ?? null,
      requestId: requestId?.toLowerCase() ?? null,
    },
  };
}

/** By hand, since params and response are JSON texts that must keep every digit. thingsboard-server.md, 4.3 */
export function rpcJson(record: RpcRecord): string {
  const { id, createdTime, deviceId, method, params, oneway, expirationTime, retries, status, response } = record;
  const tenant = JSON.stringify(entityId('TENANT', record.tenantId));
  const device = JSON.stringify(entityId('DEVICE', deviceId));
  const additionalInfo = JSON.stringify(record.additionalInfo);
  const body = `{"method":${JSON.stringify(method)},"params":${params}}`;
  const request =
    `{"id":"${id}","tenantId":${tenant},"deviceId":${device},"oneway":${oneway},"expirationTime":${expirationTime},` +
    `"body":${body},"persisted":true,"retries":${retries},"additionalInfo":${additionalInfo}}`;
  return (
    `{"id":${JSON.stringify(entityId('RPC', id))},"createdTime":${createdTime},"tenantId":${tenant},"deviceId":${device},` +
    `"expirationTime":${expirationTime},"request":${request},"response":${response ?? 'null'},"status":"${status}",` +
    `"additionalInfo":${additionalInfo}}`
  );
}

export function rpcPageJson({ data, totalPages, totalElements, hasNext }: Page<RpcRecord>): string {
  const records = data.map(rpcJson).join(',');
  return `{"data":[${records}],"totalPages":${totalPages},"totalElements":${totalElements},"hasNext":${hasNext}}`;
}

/** null: absent; undefined: something else. */
function wholeNumber(members: ReadonlyMap<string, Json>, name: string): number | null | undefined {
  const value = members.get(name) ?? null;
  if (value === null) return null;
  const number = typeof value === 'string' && WHOLE_NUMBER.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : undefined;
}

/** undefined: no JSON; null: no object. */
function parseObject(text: string): ReadonlyMap<string, Json> | null | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  return new Map(Object.entries(parsed));
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function fault(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

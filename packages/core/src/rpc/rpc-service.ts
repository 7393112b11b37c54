import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId, Json } from '../model/entities.ts';
import type { RpcRecord, RpcStatus } from '../model/rpc-record.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import type { DocumentCondition } from '../ports/documents.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock } from '../ports/runtime.ts';
import { authorizeRole } from '../registry/authorize.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import type { CommandRouter } from './command-router.ts';
import type { PersistentRpc } from './persistent-rpc.ts';
import type { RpcOutcome } from './rpc-call.ts';
import { fromRpcDocument, ofDevice, RPC_COLLECTION } from './rpc-collection.ts';
import { isJson } from './rpc-response.ts';
import { type RpcTimeoutRange, rpcExpirationTime, rpcTimeoutMs, rpcTimeoutWithin } from './rpc-timeout.ts';

/** A call as a user asks for it. thingsboard-server.md, 4.1 */
export interface RpcRequest {
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly oneway: boolean;
  /** null: 10 s; less than 5 s count as 5 s, unless the device's protocol has a range of its own. */
  readonly timeoutMs: number | null;
  /** Epoch milliseconds; beats `timeoutMs`. */
  readonly expirationTime: number | null;
  readonly persistent: boolean;
  /** Of a persistent call; null: 5, which is also the most. */
  readonly retries: number | null;
  /** Kept with a persistent call. */
  readonly additionalInfo: Json;
  /** Of the record; null: a new one. */
  readonly requestId: EntityId | null;
}

/** What became of a call, as far as its caller waits for it. */
export type RpcReply =
  /** `json`: the payload is JSON. */
  | { readonly kind: 'answer'; readonly payload: string; readonly json: boolean }
  /** A one-way call was handed to the device's connection. */
  | { readonly kind: 'sent' }
  /** It was published for so many; nobody answers. waveshare.md, 4.6 */
  | { readonly kind: 'routed'; readonly receivers: number }
  /** The device could not take it; `message` names the limit. */
  | { readonly kind: 'tooLarge'; readonly message: string }
  | { readonly kind: 'persistent'; readonly rpcId: EntityId }
  /** `timeout`: sent, not answered. `offline`: never sent. `expired`: its time was past at once. */
  | { readonly kind: 'timeout' | 'offline' | 'expired' }
  /** The caller gave it up. */
  | { readonly kind: 'abandoned' };

export interface RpcService {
  /** `hold` is given the function that gives the call up; it may be called at any time, also too late. */
  call(
    caller: Caller,
    deviceId: EntityId,
    request: RpcRequest,
    hold?: (giveUp: () => void) => void,
  ): Promise<Result<RpcReply>>;
  /** A persistent RPC. */
  get(caller: Caller, id: EntityId): Promise<Result<RpcRecord>>;
  /** Those of a device; `status` null: in any state. */
  list(
    caller: Caller,
    deviceId: EntityId,
    query: PageQuery,
    status: RpcStatus | null,
  ): Promise<Result<Page<RpcRecord>>>;
  /** For tenant administrators. One that is not delivered yet will not be. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
}

export interface RpcServiceOptions {
  readonly router: CommandRouter;
  readonly persistent: PersistentRpc;
  readonly repositories: Pick<Repositories, 'documents'>;
  readonly clock: Clock;
  /** A device that the caller may command, or the refusal. */
  readonly access: { device(caller: Caller, id: EntityId): Result<DeviceRef> | Promise<Result<DeviceRef>> };
  /** What the device's protocol says of calls that somebody waits for; null or absent: nothing. */
  readonly timeoutRange?: (device: DeviceRef, method: string) => RpcTimeoutRange | null;
}

const MAX_METHOD_LENGTH = 255;
/** UTF-16 units of the params of any call. */
export const MAX_RPC_PARAMS = 262_144;
/** UTF-16 units of params and additional information that are kept. */
export const MAX_KEPT_PARAMS = 65_536;

/** Records of a page: each may be large. */
const MAX_LISTED = 500;

/** Makes the use cases around commands to devices. thingsboard-server.md, section 4 */
export function createRpcService(options: RpcServiceOptions): RpcService {
  return new DefaultRpcService(options);
}

class DefaultRpcService implements RpcService {
  readonly #options: RpcServiceOptions;

  constructor(options: RpcServiceOptions) {
    this.#options = options;
  }

  async call(
    caller: Caller,
    deviceId: EntityId,
    request: RpcRequest,
    hold: (giveUp: () => void) => void = () => {},
  ): Promise<Result<RpcReply>> {
    const device = await this.#options.access.device(caller, deviceId);
    if (!device.ok) return device;
    const fault = requestFault(request);
    if (fault !== null) return fault;
    return request.persistent ? this.#submit(device.value, request) : this.#send(device.value, request, hold);
  }

  async get(caller: Caller, id: EntityId): Promise<Result<RpcRecord>> {
    const role = authorizeRole(caller, 'data', 'device');
    if (role !== null) return role;
    const record = await this.#options.persistent.record(id);
    if (record === null) return refuse('notFound', `Rpc with id [${id}] is not found`);
    const device = await this.#options.access.device(caller, record.deviceId);
    return device.ok ? success(record) : device;
  }

  async list(
    caller: Caller,
    deviceId: EntityId,
    query: PageQuery,
    status: RpcStatus | null,
  ): Promise<Result<Page<RpcRecord>>> {
    const device = await this.#options.access.device(caller, deviceId);
    if (!device.ok) return device;
    const pageSize = Math.min(query.pageSize, MAX_LISTED);
    const window = pageWindow({ ...query, pageSize }, ['createdTime', ...RPC_COLLECTION.sorts]);
    if (!window.ok) return window;
    const conditions: DocumentCondition[] = [ofDevice(deviceId)];
    if (status !== null) conditions.push({ member: 'status', is: '=', value: status });
    const found = await this.#options.repositories.documents(RPC_COLLECTION, {
      ...window.value,
      tenantId: device.value.tenantId,
      conditions,
    });
    const records = found.records.flatMap((document) => fromRpcDocument(document)?.record ?? []);
    return success(toPage(window.value, { records, total: found.total }, (record) => record));
  }

  async remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const role = authorizeRole(caller, 'delete', 'device');
    if (role !== null) return role;
    const found = await this.get(caller, id);
    return found.ok ? this.#options.persistent.remove(found.value) : found;
  }

  async #submit(device: DeviceRef, request: RpcRequest): Promise<Result<RpcReply>> {
    const { method, params, oneway, retries, additionalInfo, requestId, expirationTime } = request;
    if (params.length + JSON.stringify(additionalInfo).length > MAX_KEPT_PARAMS) {
      return refuse('badRequest', `params and additionalInfo of a persistent RPC exceed ${MAX_KEPT_PARAMS} characters`);
    }
    const { clock, persistent } = this.#options;
    const submitted = await persistent.submit({
      tenantId: device.tenantId,
      deviceId: device.id,
      method,
      params,
      oneway,
      expirationTime: rpcExpirationTime(request.timeoutMs, expirationTime, clock.now()),
      retries,
      additionalInfo,
      id: requestId,
    });
    return submitted.ok ? success({ kind: 'persistent', rpcId: submitted.value }) : submitted;
  }

  async #send(device: DeviceRef, request: RpcRequest, hold: (giveUp: () => void) => void): Promise<Result<RpcReply>> {
    const { router } = this.#options;
    const { method, params, oneway } = request;
    const timeoutMs = this.#timeoutOf(device, request);
    if (typeof timeoutMs !== 'number') return timeoutMs;
    const { promise, resolve } = Promise.withResolvers<Result<RpcReply>>();
    const giveUp = router.call(
      {
        tenantId: device.tenantId,
        device,
        method,
        params,
        timeoutMs,
        oneway,
        waitForDevice: true,
      },
      (outcome) => resolve(replyOf(outcome, device)),
    );
    hold(() => {
      giveUp();
      resolve(success({ kind: 'abandoned' }));
    });
    return promise;
  }

  #timeoutOf(device: DeviceRef, { method, timeoutMs, expirationTime }: RpcRequest): number | PlatformError {
    const now = this.#options.clock.now();
    const range = this.#options.timeoutRange?.(device, method) ?? null;
    if (range === null) return rpcTimeoutMs(timeoutMs, expirationTime, now);
    const { minimum, maximum } = range;
    return (
      rpcTimeoutWithin(range, timeoutMs, expirationTime, now) ??
      refuse('badRequest', `A call of ${method} may take ${minimum} to ${maximum} milliseconds`)
    );
  }
}

function requestFault({ method, params }: RpcRequest): PlatformError | null {
  if (method === '') return refuse('badRequest', 'The method is empty');
  if (method.length > MAX_METHOD_LENGTH)
    return refuse('badRequest', `The method has more than ${MAX_METHOD_LENGTH} characters`);
  if (params.length > MAX_RPC_PARAMS) return refuse('badRequest', `The params exceed ${MAX_RPC_PARAMS} characters`);
  return null;
}

function replyOf(outcome: RpcOutcome, device: DeviceRef): Result<RpcReply> {
  switch (outcome.kind) {
    case 'answer':
      return success({ kind: 'answer', payload: outcome.payload, json: isJson(outcome.payload) });
    case 'sent':
    case 'timeout':
    case 'expired':
      return success({ kind: outcome.kind });
    case 'routed':
      return success(outcome);
    case 'tooLarge':
      return success({ kind: 'tooLarge', message: tooLargeText(device) });
    case 'notStored':
      return refuse(outcome.outcome === 'full' ? 'storageFull' : 'storageFailed');
    case 'offline':
      return success({ kind: 'offline' });
    case 'notSupported':
      return refuse('notImplemented', 'Commands cannot be sent to devices of this kind');
    case 'tooMany':
      return refuse('tooManyRequests', 'Too many commands are waiting for an answer');
    case 'stopped':
      return refuse('general', 'The server is stopping');
    default:
      return outcome satisfies never;
  }
}

/** waveshare.md, 4.6 */
function tooLargeText({ settings }: DeviceRef): string {
  const limit = settings.waveshare?.downlinkMaxPacket;
  return limit === undefined
    ? 'The command needs a larger packet than the device can take'
    : `The command needs a larger packet than the ${limit} bytes that the device can take (downlinkMaxPacket)`;
}

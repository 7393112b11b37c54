import type {
  AttributesRequestIntent,
  ClientRpcIntent,
  DeviceRef,
  DialectRequestIntent,
  OtaChunkIntent,
  ProvisionIntent,
  RpcRequestIntent,
} from '@moorage/core';
import { type DeviceReply, ReasonCode } from '@moorage/dialect-api';
import { rpcError } from '../commands/command-desk.ts';
import type { DeviceConnection } from '../device-connection.ts';
import { NormalisedTopics } from '../feed/normalised-topics.ts';
import type { HostContext, Objection } from '../host-context.ts';
import { OtaQueue } from '../ota/ota-queue.ts';
import { readAttributes, type WantedKeys } from './attribute-reads.ts';
import { sessionLimitsOf } from './session-limits.ts';

/** Intents that are answered with a message of their own. */
export type RequestIntent =
  | AttributesRequestIntent
  | ClientRpcIntent
  | DialectRequestIntent
  | OtaChunkIntent
  | ProvisionIntent
  | RpcRequestIntent;

/** Requests of one connection that may wait for their answers; a gateway asks for all the devices behind it. */
const WAITING_REQUESTS = { device: 1_000, gateway: 10_000 };
const WAITING_BYTES = 4_194_304;
/** What a request and each of its keys cost, estimated. */
const REQUEST_BYTES = 200;
const KEY_BYTES = 100;

const TOO_MANY: Objection = {
  reasonCode: ReasonCode.QuotaExceeded,
  reason: 'too many requests of this connection wait for their answers',
  close: false,
};

/**
 * Answers what a connection asks. The answer goes to the asking connection only, and to nobody if it is gone; the
 * acknowledgement of the request does not wait for it. thingsboard-device.md, 0.2 and 7.3
 */
export class Requests {
  readonly #context: HostContext;

  constructor(context: HostContext) {
    this.#context = context;
  }

  /** `subDevice`: the name of the device behind the connection that asks; null: the connection's own. */
  perform(
    connection: DeviceConnection,
    device: DeviceRef | null,
    subDevice: string | null,
    intent: RequestIntent,
  ): Objection | null {
    switch (intent.kind) {
      case 'rpcRequest':
        this.#command(connection, intent);
        return null;
      case 'provision':
        return this.#provision(connection, intent);
      case 'otaChunk':
        if (device !== null) this.#ota(connection, device, intent);
        return null;
      case 'attributesRequest':
        return device === null
          ? null
          : this.#serve(connection, 'attributes_request', keyBytes(intent), () =>
              this.#attributes(device, subDevice, intent),
            );
      case 'clientRpc':
        return device === null
          ? null
          : this.#serve(connection, 'client_rpc', intent.params.length, () => this.#call(device, subDevice, intent));
      case 'dialectRequest':
        return device === null
          ? null
          : this.#serve(connection, 'dialect_request', intent.params.length, () =>
              this.#ask(connection, device, subDevice, intent),
            );
      default:
        return intent satisfies never;
    }
  }

  #serve(
    connection: DeviceConnection,
    name: string,
    sizeBytes: number,
    work: () => Promise<DeviceReply>,
  ): Objection | null {
    const extras = connection.extrasMade();
    const bytes = REQUEST_BYTES + sizeBytes;
    const most = WAITING_REQUESTS[extras.gateway === null ? 'device' : 'gateway'];
    if (extras.requests >= most || extras.requestBytes + bytes > WAITING_BYTES) {
      this.#context.count(`${name}_refused`);
      return TOO_MANY;
    }
    extras.requests++;
    extras.requestBytes += bytes;
    work()
      .then((reply) => connection.answer(reply))
      .catch((error: unknown) => {
        this.#context.count(`${name}_failed`);
        this.#context.fault(error);
      })
      .finally(() => {
        extras.requests--;
        extras.requestBytes -= bytes;
      });
    return null;
  }

  async #attributes(
    device: DeviceRef,
    subDevice: string | null,
    { clientKeys, sharedKeys, ref }: AttributesRequestIntent,
  ): Promise<DeviceReply> {
    const found = await readAttributes(this.#context.parts.attributes, device.id, clientKeys, sharedKeys);
    return { kind: 'attributes', ref, subDevice, ...found };
  }

  async #call(
    device: DeviceRef,
    subDevice: string | null,
    { method, params, ref }: ClientRpcIntent,
  ): Promise<DeviceReply> {
    const limits = sessionLimitsOf(device, this.#context.options.limits);
    const payload = await this.#context.parts.platform.clientRpc.call(device, method, params, limits);
    return { kind: 'clientRpc', ref, subDevice, payload };
  }

  async #ask(
    connection: DeviceConnection,
    device: DeviceRef,
    subDevice: string | null,
    { request, params, ref }: DialectRequestIntent,
  ): Promise<DeviceReply> {
    const dialect = this.#context.dialect(connection.principal.dialect);
    if (dialect?.answerRequest === undefined) throw new TypeError(`nobody answers the request ${request}`);
    return { kind: 'dialect', ref, subDevice, payload: await dialect.answerRequest(device, request, params) };
  }

  #ota(connection: DeviceConnection, device: DeviceRef, intent: OtaChunkIntent): void {
    const extras = connection.extrasMade();
    extras.ota ??= new OtaQueue(this.#context, connection);
    extras.ota.request(device.id, intent);
  }

  /** One at a time: it is asked for by somebody without an identity, and writes to the registry. */
  #provision(connection: DeviceConnection, intent: ProvisionIntent): Objection | null {
    const extras = connection.extrasMade();
    if (extras.provisioning) {
      this.#context.count('provision_refused');
      return TOO_MANY;
    }
    extras.provisioning = true;
    this.#identity(connection, intent)
      .catch((error: unknown) => this.#context.fault(error))
      .finally(() => {
        extras.provisioning = false;
      });
    return null;
  }

  async #identity(connection: DeviceConnection, { request, ref }: ProvisionIntent): Promise<void> {
    const { provisioning } = this.#context.parts.platform;
    const outcome = await provisioning.provision(request).catch((error: unknown) => {
      this.#context.fault(error);
      return 'failed' as const;
    });
    this.#context.count(`provision_${typeof outcome === 'string' ? outcome : outcome.status.toLowerCase()}`);
    if (typeof outcome === 'string') {
      const reason = outcome === 'full' ? 'the store is full' : 'the store failed';
      connection.answer({ kind: 'provision', ref, outcome: { status: 'FAILURE', reason } });
      return;
    }
    if (outcome.status === 'NOT_FOUND') await this.#slowDown(connection, request.deviceKey);
    connection.answer({ kind: 'provision', ref, outcome });
  }

  /** Keys and secrets of profiles are guessed at as credentials are. */
  #slowDown(connection: DeviceConnection, deviceKey: string): Promise<void> {
    const { clock, scheduler } = this.#context.options;
    const address = connection.handle?.via.remoteAddress ?? '';
    const delayMs = this.#context.guesses.failed(address, deviceKey, clock.monotonic());
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      scheduler.after(delayMs, resolve);
    });
  }

  /** An application commands a device by name. architecture.md, Spaces */
  #command(connection: DeviceConnection, intent: RpcRequestIntent): void {
    const { parts, options } = this.#context;
    const device = options.deviceRefByName(connection.principal.tenantId, intent.deviceName);
    const answer = (json: string): void => {
      const topics = device === undefined ? new NormalisedTopics(intent.deviceName) : parts.feed.topicsOf(device);
      connection.handle?.push(topics.rpcResponse(intent.id), new TextEncoder().encode(json), 1);
    };
    if (device === undefined) {
      answer(rpcError('notFound', 'there is no device of that name'));
      return;
    }
    parts.commands.request({ device, method: intent.method, params: intent.params }, answer);
  }
}

function keyBytes({ clientKeys, sharedKeys }: AttributesRequestIntent): number {
  return (keyCount(clientKeys) + keyCount(sharedKeys)) * KEY_BYTES;
}

function keyCount(keys: WantedKeys): number {
  return keys === null || keys === 'all' ? 0 : keys.length;
}

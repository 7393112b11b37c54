import type {
  Attribute,
  CredentialLookup,
  DeviceIntent,
  DeviceRef,
  OtaDownload,
  OtaPackageType,
  OtaUnavailable,
  ProvisionOutcome,
  ProvisionRequest,
} from '@moorage/core';
import {
  type DeviceCommand,
  type DeviceDesk,
  type Listening,
  type ListeningEnd,
  ReasonCode,
  type SubmitOutcome,
} from '@moorage/dialect-api';
import type { HostContext } from '../host-context.ts';
import { readAttributes, type WantedKeys } from '../intents/attribute-reads.ts';
import { type Effects, isEffect } from '../intents/effects.ts';
import { sessionLimitsOf } from '../intents/session-limits.ts';
import { pointsIn } from '../message-cost.ts';
import { DeskListener, type ListenerHome } from './desk-listener.ts';
import { Stake } from './stake.ts';

/** Requests of one device that listen at the same time; one more ends the oldest. */
const LISTENERS_PER_DEVICE = 20;

/** The way of HTTP and CoAP requests into the platform; `listener` is its name in the connection log. */
export class HostDesk implements DeviceDesk, ListenerHome {
  readonly credentials: CredentialLookup;
  readonly #context: HostContext;
  readonly #effects: Effects;
  readonly #listener: string;

  constructor(context: HostContext, effects: Effects, listener: string) {
    this.credentials = context.options.credentials;
    this.#context = context;
    this.#effects = effects;
    this.#listener = listener;
  }

  now(): number {
    return this.#context.options.clock.now();
  }

  text(payload: Uint8Array): string | undefined {
    return this.#context.options.text(payload);
  }

  refused(remoteAddress: string, name: string, reason: string): Promise<void> {
    const { clock } = this.#context.options;
    this.#context.count('request_refused');
    this.#context.notes.refusedRequest(this.#listener, remoteAddress, name, reason);
    const delayMs = this.#context.guesses.failed(remoteAddress, name, clock.monotonic());
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  async submit(device: DeviceRef, intents: readonly DeviceIntent[]): Promise<SubmitOutcome> {
    const { parts, options } = this.#context;
    parts.activity.active(device.id);
    if (this.#overLimit(device, pointsIn(intents))) return 'throttled';
    const stake = new Stake(options.scheduler);
    const sink = parts.ingest.sink(device.id);
    const receivedAt = this.now();
    for (const intent of intents) if (isEffect(intent)) this.#effects.perform(device, sink, intent, receivedAt, stake);
    return stake.settled();
  }

  attributes(
    device: DeviceRef,
    clientKeys: WantedKeys,
    sharedKeys: WantedKeys,
  ): Promise<{ readonly client: readonly Attribute[]; readonly shared: readonly Attribute[] }> {
    const { parts } = this.#context;
    parts.activity.active(device.id);
    return readAttributes(parts.attributes, device.id, clientKeys, sharedKeys);
  }

  listen(
    device: DeviceRef,
    kinds: readonly DeviceCommand['kind'][],
    take: (command: DeviceCommand, delivered: (arrived: boolean) => void) => boolean,
    ended: (why: ListeningEnd) => void,
  ): Listening {
    const { targets, parts, options } = this.#context;
    parts.activity.active(device.id);
    const listener = new DeskListener(this, device.id, kinds, take, ended);
    const others = targets.of(device.id).filter((target) => target.kind === 'listener');
    if (others.length >= LISTENERS_PER_DEVICE) others[0]?.end('replaced');
    targets.add(device.id, listener);
    // The caller has not got the listener yet, and what waits is handed over at once.
    options.scheduler.endOfTurn(() => {
      if (listener.open && listener.hears('rpc')) parts.platform.commands.listening(device.id);
    });
    return listener;
  }

  clientRpc(device: DeviceRef, method: string, params: string): Promise<string> {
    const { parts, options } = this.#context;
    parts.activity.active(device.id);
    if (this.#overLimit(device, 0)) return Promise.resolve(JSON.stringify({ error: 'rate limit exceeded' }));
    return parts.platform.clientRpc.call(device, method, params, sessionLimitsOf(device, options.limits));
  }

  provision(request: ProvisionRequest): Promise<ProvisionOutcome | 'full' | 'failed'> {
    return this.#context.parts.platform.provisioning.provision(request);
  }

  download(device: DeviceRef, type: OtaPackageType): Promise<OtaDownload | OtaUnavailable> {
    const { parts } = this.#context;
    parts.activity.active(device.id);
    return parts.platform.downloads.open(device.id, type);
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#context.options.scheduler.after(delayMs, task);
  }

  closed(listener: DeskListener): void {
    this.#context.targets.remove(listener.deviceId, listener);
  }

  fault(error: unknown): void {
    this.#context.fault(error);
  }

  #overLimit(device: DeviceRef, points: number): boolean {
    const limiter = this.#context.options.limits?.limiterOf(device, device.gateway ? 'gateway' : 'device') ?? null;
    if (limiter === null || limiter.take(points)) return false;
    this.#context.count('rate_limited');
    const { tenantId, id } = device;
    const code = ReasonCode.ImplementationSpecificError;
    this.#context.notes.request(this.#listener, tenantId, id, code, 'the device is over its rate limit');
    return true;
  }
}

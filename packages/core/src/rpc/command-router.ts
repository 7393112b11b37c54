import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import type { Scheduler } from '../ports/runtime.ts';
import { MAX_RPC_TIMEOUT_MS } from './rpc-timeout.ts';

/** A command on its way to a device; `id` comes back with the answer. `params` is JSON text. */
export interface GatewayCommand {
  readonly kind: 'rpc';
  readonly id: string;
  readonly method: string;
  readonly params: string;
}

/** What became of the try to hand a command to a connection of the device. */
export type SendResult = 'sent' | 'notConnected' | 'notSupported' | 'notSubscribed';

/** The way to the devices, given by whoever holds their connections. */
export interface CommandGateway {
  send(deviceId: EntityId, command: GatewayCommand): SendResult;
}

/** A call of a method on a device that is not kept across a restart. */
export interface RpcCall {
  readonly tenantId: EntityId;
  readonly device: DeviceRef;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  /** See `rpcTimeoutMs`; zero or less: never sent. */
  readonly timeoutMs: number;
  /** Done as soon as it is sent. */
  readonly oneway: boolean;
  /** Keep the call for a device that is away until it subscribes or the time is up; else it fails at once. */
  readonly waitForDevice: boolean;
}

/** How a call ended. Every call ends exactly once. */
export type RpcOutcome =
  /** The device's own words, JSON by agreement only. */
  | { readonly kind: 'answer'; readonly payload: string }
  /** A one-way call was handed to the connection. */
  | { readonly kind: 'sent' }
  /** Sent, and no answer in time. */
  | { readonly kind: 'timeout' }
  /** Never sent: the device is offline or does not listen. */
  | { readonly kind: 'offline'; readonly reason: 'notConnected' | 'notSubscribed' }
  /** The deadline was past before it could be sent. */
  | { readonly kind: 'expired' }
  /** The device's protocol has no word for it. */
  | { readonly kind: 'notSupported' }
  /** Too many calls are pending already, for the device or in all. */
  | { readonly kind: 'tooMany' }
  /** The server stops. */
  | { readonly kind: 'stopped' };

export interface CommandRouterOptions {
  readonly gateway: CommandGateway;
  readonly scheduler: Scheduler;
  readonly maxPendingPerDevice?: number;
  readonly maxPending?: number;
}

/** Calls since the start by how they ended, what is pending, and answers that met no call. */
export interface RpcCounters {
  readonly calls: number;
  readonly pending: number;
  readonly outcomes: Readonly<Record<RpcOutcome['kind'], number>>;
  readonly unknownAnswers: number;
}

interface PendingCall {
  readonly call: RpcCall;
  readonly id: number;
  readonly deliver: (outcome: RpcOutcome) => void;
  cancelTimer: () => void;
  state: 'waiting' | 'sent' | 'done';
  unsentReason: 'notConnected' | 'notSubscribed';
}

interface DeviceCalls {
  nextId: number;
  /** In the order of the calls. */
  readonly pending: Map<number, PendingCall>;
}

/** Largest identifier of a command; the count begins again after it. */
const MAX_ID = 0x7fffffff;
const CANONICAL_ID = /^(?:0|[1-9]\d{0,9})$/;

/** Brings calls to devices and their answers back. thingsboard-device.md, 4.1 and 4.2; thingsboard-server.md, 4.2 */
export class CommandRouter {
  readonly #gateway: CommandGateway;
  readonly #scheduler: Scheduler;
  readonly #maxPendingPerDevice: number;
  readonly #maxPending: number;
  readonly #devices = new Map<EntityId, DeviceCalls>();
  readonly #outcomes: Record<RpcOutcome['kind'], number> = {
    answer: 0,
    sent: 0,
    timeout: 0,
    offline: 0,
    expired: 0,
    notSupported: 0,
    tooMany: 0,
    stopped: 0,
  };
  #calls = 0;
  #pending = 0;
  #unknownAnswers = 0;
  #stopped = false;

  constructor(options: CommandRouterOptions) {
    this.#gateway = options.gateway;
    this.#scheduler = options.scheduler;
    this.#maxPendingPerDevice = options.maxPendingPerDevice ?? 100;
    this.#maxPending = options.maxPending ?? 10_000;
  }

  counters(): RpcCounters {
    return {
      calls: this.#calls,
      pending: this.#pending,
      outcomes: { ...this.#outcomes },
      unknownAnswers: this.#unknownAnswers,
    };
  }

  /** Starts a call; `deliver` is called exactly once, possibly before this returns. */
  call(call: RpcCall, deliver: (outcome: RpcOutcome) => void): void {
    this.#calls += 1;
    const device = this.#callsOf(call.device.id);
    const refusal = this.#refusal(call, device);
    if (refusal !== null) {
      this.#end(deliver, { kind: refusal });
      return;
    }
    const pending: PendingCall = {
      call,
      id: device.nextId,
      deliver,
      cancelTimer: () => undefined,
      state: 'waiting',
      unsentReason: 'notConnected',
    };
    device.nextId = device.nextId === MAX_ID ? 0 : device.nextId + 1;
    device.pending.set(pending.id, pending);
    this.#pending += 1;
    const timeoutMs = Math.min(call.timeoutMs, MAX_RPC_TIMEOUT_MS);
    pending.cancelTimer = this.#scheduler.after(timeoutMs, () => this.#timeOut(pending));
    const result = this.#send(pending);
    if (result !== 'sent' && result !== 'notSupported' && !call.waitForDevice)
      this.#finish(pending, { kind: 'offline', reason: result });
  }

  /** An answer of the device. One that is late, repeated or unknown is counted and ignored. */
  answer(deviceId: EntityId, id: string, payload: string): void {
    const pending = CANONICAL_ID.test(id) ? this.#devices.get(deviceId)?.pending.get(Number(id)) : undefined;
    if (pending?.state !== 'sent' || pending.call.oneway) {
      this.#unknownAnswers += 1;
      return;
    }
    this.#finish(pending, { kind: 'answer', payload });
  }

  /** The device began to listen: everything that waits for it is sent, oldest first. thingsboard-device.md, 4.1 */
  listening(deviceId: EntityId): void {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return;
    for (const pending of [...device.pending.values()]) {
      if (pending.state !== 'waiting') continue;
      const result = this.#send(pending);
      if (result === 'notConnected' || result === 'notSubscribed') return;
    }
  }

  /** The device was deleted: its calls end and its identifiers are forgotten. */
  removed(deviceId: EntityId): void {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return;
    this.#devices.delete(deviceId);
    for (const pending of [...device.pending.values()])
      this.#finish(
        pending,
        pending.state === 'sent' ? { kind: 'timeout' } : { kind: 'offline', reason: 'notConnected' },
      );
  }

  /** Ends every call; later ones end at once. */
  close(): void {
    this.#stopped = true;
    for (const device of this.#devices.values())
      for (const pending of [...device.pending.values()]) this.#finish(pending, { kind: 'stopped' });
  }

  #refusal(call: RpcCall, device: DeviceCalls): 'stopped' | 'expired' | 'tooMany' | null {
    if (this.#stopped) return 'stopped';
    if (!(call.timeoutMs > 0)) return 'expired';
    if (device.pending.size >= this.#maxPendingPerDevice || this.#pending >= this.#maxPending) return 'tooMany';
    return null;
  }

  #callsOf(deviceId: EntityId): DeviceCalls {
    let device = this.#devices.get(deviceId);
    if (device === undefined) {
      device = { nextId: 0, pending: new Map() };
      this.#devices.set(deviceId, device);
    }
    return device;
  }

  #send(pending: PendingCall): SendResult {
    const { call, id } = pending;
    // An answer may arrive before `send` returns.
    pending.state = 'sent';
    const result = this.#gateway.send(call.device.id, {
      kind: 'rpc',
      id: String(id),
      method: call.method,
      params: call.params,
    });
    if (result === 'sent') {
      if (call.oneway) this.#finish(pending, { kind: 'sent' });
    } else if (result === 'notSupported') {
      this.#finish(pending, { kind: 'notSupported' });
    } else if (pending.state === 'sent') {
      pending.state = 'waiting';
      pending.unsentReason = result;
    }
    return result;
  }

  #timeOut(pending: PendingCall): void {
    const { state, unsentReason } = pending;
    this.#finish(pending, state === 'sent' ? { kind: 'timeout' } : { kind: 'offline', reason: unsentReason });
  }

  #finish(pending: PendingCall, outcome: RpcOutcome): void {
    if (pending.state === 'done') return;
    pending.state = 'done';
    pending.cancelTimer();
    this.#devices.get(pending.call.device.id)?.pending.delete(pending.id);
    this.#pending -= 1;
    this.#end(pending.deliver, outcome);
  }

  #end(deliver: (outcome: RpcOutcome) => void, outcome: RpcOutcome): void {
    this.#outcomes[outcome.kind] += 1;
    deliver(outcome);
  }
}

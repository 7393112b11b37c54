import type { EntityId } from '../model/entities.ts';
import type { Scheduler } from '../ports/runtime.ts';
import { type CommandGateway, isRouted, type RoutedSend, type SendResult } from './command-gateway.ts';
import type { RpcCall, RpcCounters, RpcOutcome, TrackedCommand } from './rpc-call.ts';
import { MAX_RPC_TIMEOUT_MS } from './rpc-timeout.ts';

export interface CommandRouterOptions {
  readonly gateway: CommandGateway;
  readonly scheduler: Scheduler;
  readonly maxPendingPerDevice?: number;
  readonly maxPending?: number;
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
  /** Commands that others keep; null: none so far. */
  tracked: Map<number, TrackedCommand> | null;
}

/** Largest identifier of a command; the count begins again after it. */
const MAX_ID = 0x7fffffff;
const CANONICAL_ID = /^(?:0|[1-9]\d{0,9})$/;

/**
 * Brings calls to devices and their answers back, and numbers all commands of a device.
 * thingsboard-device.md, 4.1 and 4.2; thingsboard-server.md, 4.2
 */
export class CommandRouter {
  readonly #gateway: CommandGateway;
  readonly #scheduler: Scheduler;
  readonly #maxPendingPerDevice: number;
  readonly #maxPending: number;
  readonly #devices = new Map<EntityId, DeviceCalls>();
  readonly #outcomes: Record<RpcOutcome['kind'], number> = {
    answer: 0,
    sent: 0,
    routed: 0,
    notStored: 0,
    tooLarge: 0,
    timeout: 0,
    offline: 0,
    expired: 0,
    notSupported: 0,
    tooMany: 0,
    stopped: 0,
  };
  #calls = 0;
  #pending = 0;
  #abandoned = 0;
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
      abandoned: this.#abandoned,
      unknownAnswers: this.#unknownAnswers,
    };
  }

  /**
   * Starts a call; `deliver` is called exactly once, possibly before this returns. The function that is returned gives
   * a call up that has not ended: `deliver` is not called any more.
   */
  call(call: RpcCall, deliver: (outcome: RpcOutcome) => void): () => void {
    this.#calls += 1;
    const device = this.#callsOf(call.device.id);
    const refusal = this.#refusal(call, device);
    if (refusal !== null) {
      this.#end(deliver, { kind: refusal });
      return nothing;
    }
    const pending: PendingCall = {
      call,
      id: takeId(device),
      deliver,
      cancelTimer: nothing,
      state: 'waiting',
      unsentReason: 'notConnected',
    };
    device.pending.set(pending.id, pending);
    this.#pending += 1;
    const timeoutMs = Math.min(call.timeoutMs, MAX_RPC_TIMEOUT_MS);
    pending.cancelTimer = this.#scheduler.after(timeoutMs, () => this.#timeOut(pending));
    const unsent = this.#send(pending);
    if (unsent !== null && !call.waitForDevice) this.#finish(pending, { kind: 'offline', reason: unsent });
    return () => this.#abandon(pending);
  }

  /**
   * Tries to send a command that the caller keeps. Only `sent`, and `routed` to somebody, use up an identifier; `command` is
   * told what follows until `forget` is called with that identifier, possibly before this returns. `sent` is called before
   * anything else.
   */
  dispatch(deviceId: EntityId, command: TrackedCommand, sent: (id: number) => void): SendResult {
    const device = this.#callsOf(deviceId);
    const before = device.nextId;
    const id = takeId(device);
    device.tracked ??= new Map();
    device.tracked.set(id, command);
    sent(id);
    const { method, params } = command;
    const result = this.#gateway.send(deviceId, { kind: 'rpc', id: String(id), method, params }, (delivery) =>
      command.delivered(delivery),
    );
    if (result !== 'sent' && !isRouted(result)) {
      device.tracked.delete(id);
      if (device.nextId === following(id)) device.nextId = before;
    }
    return result;
  }

  /** Answers to this identifier are unknown from now on. */
  forget(deviceId: EntityId, id: number): void {
    this.#devices.get(deviceId)?.tracked?.delete(id);
  }

  /** An answer of the device. One that is late, repeated or unknown is counted and ignored. */
  answer(deviceId: EntityId, id: string, payload: string): void {
    const device = CANONICAL_ID.test(id) ? this.#devices.get(deviceId) : undefined;
    const pending = device?.pending.get(Number(id));
    if (pending?.state === 'sent' && !pending.call.oneway) {
      this.#finish(pending, { kind: 'answer', payload });
      return;
    }
    const answered = device?.tracked?.get(Number(id))?.answered ?? null;
    if (answered === null) this.#unknownAnswers += 1;
    else answered(payload);
  }

  /** The device began to listen: everything that waits for it is sent, oldest first. thingsboard-device.md, 4.1 */
  listening(deviceId: EntityId): void {
    const device = this.#devices.get(deviceId);
    if (device === undefined || device.pending.size === 0) return;
    for (const pending of [...device.pending.values()]) {
      if (pending.state !== 'waiting') continue;
      if (this.#send(pending) !== null) return;
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
      device = { nextId: 0, pending: new Map(), tracked: null };
      this.#devices.set(deviceId, device);
    }
    return device;
  }

  /** Gives why the call waits on; null: it is under way or has ended. */
  #send(pending: PendingCall): PendingCall['unsentReason'] | null {
    const { call, id } = pending;
    // An answer may arrive before `send` returns.
    pending.state = 'sent';
    const result = this.#gateway.send(call.device.id, {
      kind: 'rpc',
      id: String(id),
      method: call.method,
      params: call.params,
    });
    if (typeof result !== 'string') {
      this.#routed(pending, result);
      return null;
    }
    if (result === 'sent') {
      if (call.oneway) this.#finish(pending, { kind: 'sent' });
      return null;
    }
    if (result === 'notSupported' || result === 'tooLarge') {
      this.#finish(pending, { kind: result });
      return null;
    }
    if (pending.state === 'sent') {
      pending.state = 'waiting';
      pending.unsentReason = result;
    }
    return result;
  }

  /** What absent Sessions are to get is kept before the caller is told so. */
  #routed(pending: PendingCall, routed: RoutedSend): void {
    const { receivers } = routed;
    routed.whenStored((outcome) =>
      this.#finish(pending, outcome === 'stored' ? { kind: 'routed', receivers } : { kind: 'notStored', outcome }),
    );
  }

  #timeOut(pending: PendingCall): void {
    const { state, unsentReason } = pending;
    this.#finish(pending, state === 'sent' ? { kind: 'timeout' } : { kind: 'offline', reason: unsentReason });
  }

  #abandon(pending: PendingCall): void {
    if (this.#take(pending)) this.#abandoned += 1;
  }

  #finish(pending: PendingCall, outcome: RpcOutcome): void {
    if (this.#take(pending)) this.#end(pending.deliver, outcome);
  }

  /** False if the call has ended before. */
  #take(pending: PendingCall): boolean {
    if (pending.state === 'done') return false;
    pending.state = 'done';
    pending.cancelTimer();
    const calls = this.#devices.get(pending.call.device.id)?.pending;
    if (calls?.get(pending.id) === pending) calls.delete(pending.id);
    this.#pending -= 1;
    return true;
  }

  #end(deliver: (outcome: RpcOutcome) => void, outcome: RpcOutcome): void {
    this.#outcomes[outcome.kind] += 1;
    deliver(outcome);
  }
}

function nothing(): void {}

function following(id: number): number {
  return id === MAX_ID ? 0 : id + 1;
}

/** The next identifier that no command of the device has; few are in use, so the search is short. */
function takeId(device: DeviceCalls): number {
  let id = device.nextId;
  while (device.pending.has(id) || device.tracked?.has(id) === true) id = following(id);
  device.nextId = following(id);
  return id;
}

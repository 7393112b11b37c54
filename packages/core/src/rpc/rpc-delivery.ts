import type { EntityId } from '../model/entities.ts';
import type { RpcRecord } from '../model/rpc-record.ts';
import type { Clock, Scheduler } from '../ports/runtime.ts';
import { type DeliveryResult, isRouted } from './command-gateway.ts';
import type { CommandRouter } from './command-router.ts';
import type { RpcEntry, RpcQueue, SubmitStrategy } from './rpc-entry.ts';
import type { RpcLedger } from './rpc-ledger.ts';
import { failureText, receiversText, retriesExhausted, toJsonText } from './rpc-response.ts';

export interface RpcDeliveryOptions {
  readonly ledger: RpcLedger;
  readonly router: Pick<CommandRouter, 'dispatch' | 'forget'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly strategy: SubmitStrategy;
  readonly read: (id: EntityId) => Promise<RpcRecord | null>;
  readonly fault: (error: unknown) => void;
}

/** thingsboard-device.md, 4.3 and section 11 */
const ACKNOWLEDGEMENT_MS = 10_000;
/** thingsboard-device.md, 4.3 */
const RESPONSE_MS = 30_000;
const READ_RETRY_MS = 1000;
/** Records with larger params are read again rather than kept while they are on their way. */
const KEPT_PARAMS = 4096;

/** Brings queued RPC to the devices and follows them until they end. thingsboard-device.md, 4.3 */
export class RpcDelivery {
  readonly #options: RpcDeliveryOptions;
  #stopped = false;

  constructor(options: RpcDeliveryOptions) {
    this.#options = options;
  }

  /** Sends nothing more; whatever is heard is ignored. */
  stop(): void {
    this.#stopped = true;
  }

  /** Sends what may be sent now, the oldest first. What needs no reading is sent before this returns. */
  send(deviceId: EntityId): void {
    const queue = this.#options.ledger.queue(deviceId);
    if (queue === undefined || this.#stopped) return;
    if (queue.sending) {
      queue.again = true;
      return;
    }
    queue.sending = true;
    this.#sendAll(queue).then(
      () => this.#sent(queue),
      (error: unknown) => {
        this.#options.fault(error);
        this.#sent(queue);
        this.#sendLater(queue);
      },
    );
  }

  #sent(queue: RpcQueue): void {
    queue.sending = false;
    if (!queue.again) return;
    queue.again = false;
    this.send(queue.deviceId);
  }

  #sendLater(queue: RpcQueue): void {
    if (this.#stopped || queue.idle || queue.cancelRetry !== null) return;
    queue.cancelRetry = this.#options.scheduler.after(READ_RETRY_MS, () => {
      queue.cancelRetry = null;
      this.send(queue.deviceId);
    });
  }

  async #sendAll(queue: RpcQueue): Promise<void> {
    const { ledger, strategy, clock, read } = this.#options;
    for (;;) {
      const entry = this.#stopped ? undefined : queue.next(strategy);
      if (entry === undefined) return;
      if (entry.expirationTime <= clock.now()) {
        ledger.move(entry, 'EXPIRED');
        continue;
      }
      const record = entry.record ?? (await read(entry.id));
      if (this.#stopped || !entry.live || !entry.sendable) continue;
      if (record === null) ledger.drop(entry);
      else if (!this.#dispatch(entry, record)) return;
    }
  }

  /** False: the device does not listen. */
  #dispatch(entry: RpcEntry, record: RpcRecord): boolean {
    const { router, ledger } = this.#options;
    const { status, commandId } = entry;
    let mine = -1;
    // Before it is sent, since it may be acknowledged or answered meanwhile.
    entry.status = 'SENT';
    entry.unsaved.push('SENT');
    const command = {
      method: record.method,
      params: record.params,
      delivered: (result: DeliveryResult) => this.#delivered(entry, mine, result),
      answered: entry.oneway ? null : (payload: string) => this.#answered(entry, payload),
    };
    const result = router.dispatch(entry.deviceId, command, (id) => {
      mine = id;
      entry.commandId = id;
    });
    if (result === 'sent' || isRouted(result)) {
      if (commandId !== null) router.forget(entry.deviceId, commandId);
      entry.receivers = result === 'sent' ? null : result.receivers;
      this.#underWay(entry, record);
      if (result !== 'sent')
        result.whenStored((outcome) => this.#delivered(entry, mine, outcome === 'stored' ? 'acknowledged' : 'lost'));
      return true;
    }
    entry.unsaved.pop();
    entry.status = status;
    entry.commandId = commandId;
    entry.record = null;
    if (result === 'notSupported') ledger.fail(entry, failureText('Commands cannot be sent to devices of this kind'));
    else if (result === 'tooLarge') ledger.fail(entry, failureText('The command is larger than the device can take'));
    else return false;
    return true;
  }

  #underWay(entry: RpcEntry, record: RpcRecord): void {
    const { ledger, scheduler, clock } = this.#options;
    ledger.count('SENT');
    const dropped = !entry.live && !entry.finished;
    if (dropped) return;
    entry.record = record.params.length <= KEPT_PARAMS ? record : null;
    if (entry.status === 'SENT') {
      const waitMs = Math.min(ACKNOWLEDGEMENT_MS, entry.expirationTime - clock.now());
      entry.cancelTimer = scheduler.after(Math.max(waitMs, 0), () => this.#unacknowledged(entry));
    }
    ledger.save(entry);
  }

  #delivered(entry: RpcEntry, commandId: number, result: DeliveryResult): void {
    if (this.#stopped) return;
    const { ledger, strategy, scheduler } = this.#options;
    if (result === 'lost') {
      if (entry.live && entry.status === 'SENT' && entry.commandId === commandId) this.#retry(entry, true);
      return;
    }
    if (!entry.live || !entry.unacknowledged) {
      ledger.lateDeliveries += 1;
      return;
    }
    entry.stopTimer();
    if (entry.receivers !== null) this.#routed(entry, entry.receivers);
    else ledger.move(entry, 'DELIVERED');
    if (strategy === 'BURST') return;
    if (entry.live && strategy === 'SEQUENTIAL_ON_RESPONSE') {
      entry.awaitsResponse = true;
      entry.cancelTimer = scheduler.after(RESPONSE_MS, () => {
        entry.awaitsResponse = false;
        this.send(entry.deviceId);
      });
    }
    this.send(entry.deviceId);
  }

  /** Nobody answers, so this is the end of it. */
  #routed(entry: RpcEntry, receivers: number): void {
    entry.response = receiversText(receivers);
    this.#options.ledger.move(entry, entry.oneway ? 'DELIVERED' : 'SUCCESSFUL');
  }

  #answered(entry: RpcEntry, payload: string): void {
    if (this.#stopped || !entry.live) return;
    entry.response = toJsonText(payload);
    this.#options.ledger.move(entry, 'SUCCESSFUL');
    if (this.#options.strategy !== 'BURST') this.send(entry.deviceId);
  }

  #unacknowledged(entry: RpcEntry): void {
    const { ledger, clock, strategy } = this.#options;
    entry.cancelTimer = null;
    if (!entry.live || entry.status !== 'SENT') return;
    if (entry.expirationTime <= clock.now()) ledger.move(entry, 'EXPIRED');
    else this.#retry(entry, false);
    if (strategy !== 'BURST') this.send(entry.deviceId);
  }

  /** `ready`: it may be sent again as soon as the device listens; else when it begins to do so anew. */
  #retry(entry: RpcEntry, ready: boolean): void {
    const { ledger, scheduler } = this.#options;
    entry.stopTimer();
    if (entry.attempts >= entry.retries) {
      ledger.fail(entry, retriesExhausted(entry.retries));
    } else {
      entry.attempts += 1;
      entry.ready = ready;
      ledger.move(entry, 'TIMEOUT');
    }
    // Not at once: the connection that was lost is perhaps known still.
    if (ready) scheduler.endOfTurn(() => this.send(entry.deviceId));
  }
}

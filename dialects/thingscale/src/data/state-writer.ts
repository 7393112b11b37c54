import type { JsonObject, WriteOutcome } from '@moorage/core';

/** State that comes more often is written once in this time, the last one. thingscale.md, 4.5 */
const INTERVAL_MS = 10_000;

interface Pending {
  readonly state: JsonObject;
  readonly done: (outcome: WriteOutcome) => void;
}

interface Timed {
  readonly monotonic: () => number;
  readonly after: (delayMs: number, task: () => void) => () => void;
}

/** What is known of one device whose state was written or waits. */
interface Slot {
  pending: Pending | null;
  running: Promise<void> | null;
  /** Monotonic time before which nothing is written. */
  notBefore: number;
  cancel: (() => void) | null;
}

/** Writes states of devices, each at most once in ten seconds. */
export class StateWriter {
  readonly #time: Timed;
  readonly #write: (deviceId: string, state: JsonObject) => Promise<WriteOutcome>;
  readonly #slots = new Map<string, Slot>();
  #closed = false;

  /** `write` never rejects. */
  constructor(time: Timed, write: (deviceId: string, state: JsonObject) => Promise<WriteOutcome>) {
    this.#time = time;
    this.#write = write;
  }

  /** Resolves when the state is durable, or has been replaced by a later one before it was written. */
  put(deviceId: string, state: JsonObject): Promise<WriteOutcome> {
    const slot = this.#slots.get(deviceId) ?? {
      pending: null,
      running: null,
      notBefore: Number.NEGATIVE_INFINITY,
      cancel: null,
    };
    this.#slots.set(deviceId, slot);
    slot.pending?.done('stored');
    return new Promise((done) => {
      slot.pending = { state, done };
      this.#next(deviceId, slot);
    });
  }

  /** Writes at once what waits, and keeps no timer any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [deviceId, slot] of this.#slots) {
      slot.cancel?.();
      slot.cancel = null;
      await slot.running;
      await this.#run(deviceId, slot);
    }
  }

  #next(deviceId: string, slot: Slot): void {
    if (slot.running !== null || slot.cancel !== null) return;
    const waitMs = this.#closed ? 0 : slot.notBefore - this.#time.monotonic();
    if (waitMs > 0) {
      slot.cancel = this.#time.after(waitMs, () => {
        slot.cancel = null;
        this.#next(deviceId, slot);
      });
    } else if (slot.pending !== null) void this.#run(deviceId, slot);
    else this.#slots.delete(deviceId);
  }

  async #run(deviceId: string, slot: Slot): Promise<void> {
    const { pending } = slot;
    if (pending === null) return;
    slot.pending = null;
    slot.notBefore = this.#time.monotonic() + INTERVAL_MS;
    const written = this.#write(deviceId, pending.state);
    slot.running = written.then(() => {});
    const outcome = await written;
    slot.running = null;
    pending.done(outcome);
    // Also without anything pending: the timer lets go of the device.
    this.#next(deviceId, slot);
  }
}

/** `slot` of an entry that is not scheduled. */
export const IDLE = -1;
/** Taken out of the wheel by the tick that is being worked off. */
const DUE = -2;

/** Something that happens at a time: link fields for the wheel, which alone changes them, and the action. */
export interface WheelEntry {
  /** Monotonic milliseconds. */
  deadlineMs: number;
  next: WheelEntry | null;
  previous: WheelEntry | null;
  /** -1 at first. */
  slot: number;
  fire(nowMs: number): void;
}

/** An entry of its own. Owned by whoever schedules it. */
export class WheelTimer implements WheelEntry {
  deadlineMs = 0;
  next: WheelEntry | null = null;
  previous: WheelEntry | null = null;
  slot = IDLE;
  readonly #fire: (nowMs: number) => void;

  constructor(fire: (nowMs: number) => void) {
    this.#fire = fire;
  }

  get scheduled(): boolean {
    return this.slot !== IDLE;
  }

  fire(nowMs: number): void {
    this.#fire(nowMs);
  }
}

const SLOTS = 1_024;

/** One wheel for every time-out of the broker: scheduling and cancelling cost the same however many there are. */
export class TimerWheel {
  readonly tickMs: number;
  readonly #slots: (WheelEntry | null)[] = new Array<WheelEntry | null>(SLOTS).fill(null);
  #tick: number;
  #size = 0;

  /** `tickMs` is the accuracy: a timer fires up to one tick late, never early. */
  constructor(tickMs: number, nowMs: number) {
    this.tickMs = tickMs;
    this.#tick = Math.floor(nowMs / tickMs);
  }

  get size(): number {
    return this.#size;
  }

  /** Sets or moves a timer. */
  schedule(timer: WheelEntry, deadlineMs: number): void {
    this.cancel(timer);
    timer.deadlineMs = deadlineMs;
    const tick = Math.max(Math.ceil(deadlineMs / this.tickMs), this.#tick + 1);
    const slot = tick % SLOTS;
    const head = this.#slots[slot] ?? null;
    timer.slot = slot;
    timer.previous = null;
    timer.next = head;
    if (head !== null) head.previous = timer;
    this.#slots[slot] = timer;
    this.#size++;
  }

  cancel(timer: WheelEntry): void {
    if (timer.slot < 0) {
      timer.slot = IDLE;
      return;
    }
    if (timer.previous === null) this.#slots[timer.slot] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.next = null;
    timer.previous = null;
    timer.slot = IDLE;
    this.#size--;
  }

  /** Fires what is due. After a long pause every slot is visited once. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs / this.tickMs);
    if (target <= this.#tick) return;
    const from = Math.max(this.#tick + 1, target - SLOTS + 1);
    this.#tick = target;
    const due: WheelEntry[] = [];
    for (let tick = from; tick <= target; tick++) {
      let timer = this.#slots[tick % SLOTS] ?? null;
      while (timer !== null) {
        const next: WheelEntry | null = timer.next;
        if (timer.deadlineMs <= nowMs) {
          this.cancel(timer);
          timer.slot = DUE;
          due.push(timer);
        }
        timer = next;
      }
    }
    for (const timer of due) {
      // One that an earlier timer of this tick has cancelled or set again is no longer due.
      if (timer.slot !== DUE) continue;
      timer.slot = IDLE;
      timer.fire(nowMs);
    }
  }
}

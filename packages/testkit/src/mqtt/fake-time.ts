import type { Clock, Scheduler } from '@moorage/mqtt-broker';

interface Task {
  readonly run: () => void;
  readonly everyMs: number;
  atMs: number;
}

/** A clock and an event loop that move only when a test says so. */
export class FakeTime implements Clock, Scheduler {
  #epochMs: number;
  #monotonicMs = 1_000;
  #tasks: Task[] = [];
  #turn: (() => void)[] = [];

  /** `epochMs` is the wall clock at the start. */
  constructor(epochMs = 1_700_000_000_000) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  endOfTurn(task: () => void): void {
    this.#turn.push(task);
  }

  every(intervalMs: number, task: () => void): () => void {
    return this.#add({ run: task, everyMs: intervalMs, atMs: this.#monotonicMs + intervalMs });
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#add({ run: task, everyMs: 0, atMs: this.#monotonicMs + delayMs });
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#tasks.length;
  }

  /** Ends the present turn of the event loop, and those that it asks for. */
  endTurn(): void {
    for (let turns = 0; this.#turn.length > 0 && turns < 100_000; turns++) {
      const tasks = this.#turn;
      this.#turn = [];
      for (const task of tasks) task();
    }
  }

  /** Ends one turn only. */
  endOneTurn(): void {
    const tasks = this.#turn;
    this.#turn = [];
    for (const task of tasks) task();
  }

  /** Lets time pass; every timer that becomes due runs at its own time, each in a turn of its own. */
  advance(ms: number): void {
    const end = this.#monotonicMs + ms;
    for (;;) {
      let next: Task | null = null;
      for (const task of this.#tasks) if (task.atMs <= end && (next === null || task.atMs < next.atMs)) next = task;
      if (next === null) break;
      this.#moveTo(Math.max(next.atMs, this.#monotonicMs));
      if (next.everyMs > 0) next.atMs += next.everyMs;
      else this.#remove(next);
      next.run();
      this.endTurn();
    }
    this.#moveTo(end);
  }

  /** The wall clock jumps; the monotonic one does not. */
  jump(ms: number): void {
    this.#epochMs += ms;
  }

  #moveTo(monotonicMs: number): void {
    this.#epochMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #add(task: Task): () => void {
    this.#tasks.push(task);
    return () => this.#remove(task);
  }

  #remove(task: Task): void {
    this.#tasks = this.#tasks.filter((one) => one !== task);
  }
}

import type { ExpiringPoints, PointBatch, WriteOutcome } from '@moorage/core';
import type { Operation, OperationResult, RoundReply, RoundRequest } from './messages.ts';
import { FREEING } from './messages.ts';
import { RoundBuffer } from './round-buffer.ts';

/** Most points and bytes of text of one commit; a larger batch is a commit of its own. */
const ROUND_POINTS = 20_000;
const ROUND_TEXT = 4_194_304;
/** One round is being committed while the next one lies ready, so that the writer never waits for this thread. */
const ROUNDS_IN_FLIGHT = 2;
const SMALLEST_BUFFER = 1024;

/** A union member without the field the queue fills in. */
export type QueuedOperation = Operation extends infer T ? (T extends Operation ? Omit<T, 'before'> : never) : never;

type Item =
  | { readonly batch: PointBatch; readonly resolve: (outcome: WriteOutcome) => void }
  | {
      readonly operation: QueuedOperation;
      /** Called within the reply, in the order of the items: later batches see what it does. */
      readonly apply: (outcome: WriteOutcome, result: OperationResult | undefined) => void;
    };

/** A round under way, with what is needed to apply its reply. */
interface Round {
  readonly request: RoundRequest;
  readonly points: RoundBuffer;
  readonly items: readonly Item[];
}

/** What the queue needs from the store. */
export interface RoundPort {
  readonly commitIntervalMs: number;
  /** True while the disk is full: operations that make room go without points then. */
  readonly apart: boolean;
  send(request: RoundRequest): void;
  /** Called for a stored batch, before its promise is resolved. */
  stored(points: RoundBuffer, start: number, end: number, round: RoundRequest, firstOther: number): void;
}

/** Collects batches and operations into rounds: while one is being committed, the next one grows. */
export class RoundQueue {
  readonly #port: RoundPort;
  #items: Item[] = [];
  readonly #flying: Round[] = [];
  /** The memory of each round that may be under way; a slot is free again when its reply has been applied. */
  readonly #slots: (RoundBuffer | undefined)[] = Array.from({ length: ROUNDS_IN_FLIGHT + 1 }, () => undefined);
  #nextSlot = 0;
  #scheduled = false;
  #lastSent = Number.NEGATIVE_INFINITY;
  #idle: (() => void)[] = [];

  constructor(port: RoundPort) {
    this.#port = port;
  }

  append(batch: PointBatch): Promise<WriteOutcome> {
    return new Promise((resolve) => this.#push({ batch, resolve }));
  }

  /** Queues an operation; `apply` runs before any later item is answered, and its value is the result. */
  operate<T>(
    operation: QueuedOperation,
    apply: (outcome: WriteOutcome, result: OperationResult | undefined) => T,
  ): Promise<T> {
    return new Promise((resolve) => {
      this.#push({ operation, apply: (outcome, result) => resolve(apply(outcome, result)) });
    });
  }

  /** Resolves once everything queued has been answered. */
  drained(): Promise<void> {
    if (this.#items.length === 0 && this.#flying.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #push(item: Item): void {
    this.#items.push(item);
    if (this.#scheduled || this.#flying.length >= ROUNDS_IN_FLIGHT) return;
    this.#scheduled = true;
    // What arrives in the same turn of the event loop shares a commit.
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#items.length > 0 && this.#flying.length < ROUNDS_IN_FLIGHT && !this.#scheduled) {
      const wait = this.#lastSent + this.#port.commitIntervalMs - performance.now();
      if (wait > 0) {
        this.#scheduled = true;
        setTimeout(() => {
          this.#scheduled = false;
          this.#pump();
        }, wait);
        return;
      }
      const round = this.#build();
      this.#flying.push(round);
      if (this.#port.commitIntervalMs > 0) this.#lastSent = performance.now();
      this.#port.send(round.request);
    }
  }

  #build(): Round {
    let points = 0;
    let text = 0;
    let taken = 0;
    const firstFrees = frees(this.#items[0]);
    for (const item of this.#items) {
      if (this.#port.apart && frees(item) !== firstFrees) break;
      if ('batch' in item) {
        for (const { value } of item.batch.other) text += typeof value === 'string' ? value.length : 8;
        if (taken > 0 && (points + item.batch.count > ROUND_POINTS || text > ROUND_TEXT)) break;
        points += item.batch.count;
      }
      taken++;
    }
    const items = this.#items.slice(0, taken);
    this.#items = taken === this.#items.length ? [] : this.#items.slice(taken);
    const slot = this.#nextSlot;
    this.#nextSlot = (slot + 1) % this.#slots.length;
    const { buffer, fresh } = this.#bufferOf(slot, points);
    const ends: number[] = [];
    const otherIndex: number[] = [];
    const otherValue: (string | bigint)[] = [];
    const operations: Operation[] = [];
    const expiring: ExpiringPoints[] = [];
    let at = 0;
    for (const item of items) {
      if ('operation' in item) {
        operations.push({ ...item.operation, before: ends.length });
        continue;
      }
      const { batch } = item;
      const count = batch.count;
      buffer.ts.set(batch.ts.length === count ? batch.ts : batch.ts.subarray(0, count), at);
      buffer.num.set(batch.num.length === count ? batch.num : batch.num.subarray(0, count), at);
      buffer.series.set(batch.series.length === count ? batch.series : batch.series.subarray(0, count), at);
      buffer.kind.set(batch.kind.length === count ? batch.kind : batch.kind.subarray(0, count), at);
      for (const { index, value } of batch.other) {
        if (index >= count) break;
        otherIndex.push(at + index);
        otherValue.push(value);
      }
      if (batch.expiring !== undefined) {
        for (const points of batch.expiring) {
          expiring.push({ from: at + points.from, to: at + points.to, at: points.at });
        }
      }
      at += count;
      ends.push(at);
    }
    const memory = fresh ? buffer.memory : undefined;
    return {
      request: { type: 'round', slot, memory, ends, otherIndex, otherValue, operations, expiring },
      points: buffer,
      items,
    };
  }

  /** The memory of a slot, with room for the points; much too large memory, left by one huge batch, is replaced. */
  #bufferOf(slot: number, points: number): { buffer: RoundBuffer; fresh: boolean } {
    const old = this.#slots[slot];
    const huge = old !== undefined && old.capacity > ROUND_POINTS * 2 && points <= ROUND_POINTS;
    if (old !== undefined && old.capacity >= points && !huge) return { buffer: old, fresh: false };
    let capacity = SMALLEST_BUFFER;
    while (capacity < points) capacity *= 2;
    const buffer = RoundBuffer.allocate(capacity);
    this.#slots[slot] = buffer;
    return { buffer, fresh: true };
  }

  /** Takes the reply of the oldest round under way and sends the next one before it answers the callers. */
  settle(reply: RoundReply): void {
    const round = this.#flying.shift();
    if (round === undefined) return;
    this.#pump();
    const { request, points } = round;
    let batch = 0;
    let operation = 0;
    let start = 0;
    let other = 0;
    let refused = 0;
    for (const item of round.items) {
      if ('operation' in item) {
        item.apply(reply.outcome, reply.results[operation++]);
        continue;
      }
      const end = request.ends[batch] ?? start;
      let outcome: WriteOutcome = reply.outcome;
      if (reply.refused[refused] === batch) {
        refused++;
        outcome = 'failed';
      } else if (outcome === 'stored') this.#port.stored(points, start, end, request, other);
      while (other < request.otherIndex.length && (request.otherIndex[other] ?? 0) < end) other++;
      batch++;
      start = end;
      item.resolve(outcome);
    }
    this.#settleIdle();
  }

  /** Answers everything with `failed`: the writer is gone. */
  abandon(): void {
    const items = [...this.#flying.flatMap((round) => round.items), ...this.#items];
    this.#flying.length = 0;
    this.#items = [];
    for (const item of items) {
      if ('operation' in item) item.apply('failed', undefined);
      else item.resolve('failed');
    }
    this.#settleIdle();
  }

  #settleIdle(): void {
    if (this.#items.length > 0 || this.#flying.length > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

function frees(item: Item | undefined): boolean {
  return item !== undefined && 'operation' in item && FREEING.has(item.operation.type);
}

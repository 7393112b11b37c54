import { type PointBatch, type SeriesId, type TelemetryStore, ValueKind, type WriteOutcome } from '@moorage/core';

interface Waiting {
  readonly series: SeriesId;
  readonly at: number;
  readonly text: string;
  readonly done: (outcome: WriteOutcome) => void;
}

/** A batch ends at the first of both. */
const MAXIMUM_POINTS = 5_000;
const MAXIMUM_UNITS = 4_000_000;

/**
 * Writes points of channels: one batch is on its way, and what arrives meanwhile forms the next one. Outcomes are told in
 * the order in which the points came.
 */
export class PointWriter {
  readonly #store: Pick<TelemetryStore, 'append'>;
  readonly #fault: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #running = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<TelemetryStore, 'append'>, fault: (error: unknown) => void) {
    this.#store = store;
    this.#fault = fault;
  }

  /** `at`: epoch milliseconds; `text`: JSON text. Resolves when the point is durable. */
  append(series: SeriesId, at: number, text: string): Promise<WriteOutcome> {
    const written = new Promise<WriteOutcome>((done) => {
      this.#waiting.push({ series, at, text, done });
      if (this.#running) return;
      this.#running = true;
      // What else came in this turn shares the batch.
      Promise.resolve().then(() => this.#run());
    });
    this.#last = written;
    return written;
  }

  /** Resolves when everything that came before is settled. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const points = this.#take();
      const outcome = await this.#write(points);
      for (const { done } of points) done(outcome);
    }
    this.#running = false;
  }

  #take(): readonly Waiting[] {
    let units = 0;
    let count = 0;
    for (const { text } of this.#waiting) {
      units += text.length;
      if (count >= MAXIMUM_POINTS || (count > 0 && units > MAXIMUM_UNITS)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(points: readonly Waiting[]): Promise<WriteOutcome> {
    try {
      return await this.#store.append(batchOf(points));
    } catch (error) {
      this.#fault(error);
      return 'failed';
    }
  }
}

function batchOf(points: readonly Waiting[]): PointBatch {
  return {
    count: points.length,
    series: Int32Array.from(points, ({ series }) => series),
    ts: Float64Array.from(points, ({ at }) => at),
    kind: new Uint8Array(points.length).fill(ValueKind.Json),
    num: new Float64Array(points.length),
    other: points.map(({ text }, index) => ({ index, value: text })),
  };
}

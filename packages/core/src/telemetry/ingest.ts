import type { Clock, Completion, Scheduler } from '../ports/runtime.ts';
import type {
  AttributeScope,
  AttributeStore,
  OwnerId,
  TelemetryStore,
  WriteOutcome,
} from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';
import { AttributeIngest } from './attribute-ingest.ts';
import { FlowCounters, type FlowSnapshot, type MessageFault } from './flow-counters.ts';
import { GroupCommit } from './group-commit.ts';
import { LoadGauge, type LoadLimits } from './load-gauge.ts';
import type { TelemetryObserver } from './observer.ts';
import { estimateBytes, PointColumns } from './point-columns.ts';
import { isStorableKey } from './point-rules.ts';
import { dropReasonOf, releaseAll, reportDropped } from './settle.ts';
import type { TelemetryTap } from './tap.ts';
import { TelemetrySink, type WaitingMessage } from './telemetry-sink.ts';

/** Bounds of the write path. */
export interface IngestLimits extends LoadLimits {
  /** Points after which a batch is closed. A message is never split: one larger than this is a batch of its own. */
  readonly maxPointsPerCommit: number;
  /** Estimated bytes after which a batch is closed; it may go over by one message. */
  readonly maxBytesPerCommit: number;
  /** Least time between the beginnings of two commits, 0 to 1000 ms. */
  readonly commitIntervalMs: number;
}

export const DEFAULT_INGEST_LIMITS: IngestLimits = {
  maxPointsPerCommit: 20_000,
  maxBytesPerCommit: 4_000_000,
  commitIntervalMs: 0,
  highWaterPoints: 200_000,
  highWaterBytes: 32_000_000,
};

export interface TelemetryIngestOptions {
  readonly telemetry: TelemetryStore;
  readonly attributes: AttributeStore;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly observer: TelemetryObserver;
  readonly limits?: Partial<IngestLimits>;
  /** Hears every message that is placed in a batch, in the order in which it is stored. */
  readonly tap?: TelemetryTap;
}

const SMALLEST_CAPACITY = 64;

/**
 * The one way of telemetry and attributes into the stores: group commit, order for each sink, accounting, back-pressure.
 * architecture.md, section 2
 *
 * A completion is held when its message is taken and released with what became of it. A message that was dropped for a
 * fault of its own counts as done, for the acknowledgement says "accepted" (thingsboard-device.md, 2.2). A store that
 * never answers releases nothing: the holder of the completion has its own deadline.
 */
export class TelemetryIngest {
  readonly #telemetry: TelemetryStore;
  readonly #observer: TelemetryObserver;
  readonly #tap: TelemetryTap | null;
  readonly #limits: IngestLimits;
  readonly #counters = new FlowCounters();
  readonly #load: LoadGauge;
  readonly #commit: GroupCommit<PointColumns>;
  readonly #attributes: AttributeIngest;
  readonly #drained: (() => void)[] = [];
  #expectedPoints = 0;

  constructor(options: TelemetryIngestOptions) {
    const limits = { ...DEFAULT_INGEST_LIMITS, ...options.limits };
    const { clock, scheduler, observer } = options;
    this.#telemetry = options.telemetry;
    this.#observer = observer;
    this.#tap = options.tap ?? null;
    this.#limits = limits;
    this.#load = new LoadGauge(limits, (congested) => {
      try {
        observer.congestionChanged(congested);
      } catch (error) {
        observer.fault(error);
      }
    });
    this.#commit = new GroupCommit<PointColumns>({
      clock,
      scheduler,
      commitIntervalMs: limits.commitIntervalMs,
      open: () => this.#openColumns(),
      write: (batch) => this.#append(batch),
      settle: (batch, outcome) => this.#settle(batch, outcome),
      fault: (error) => observer.fault(error),
    });
    this.#attributes = new AttributeIngest({
      store: options.attributes,
      clock,
      scheduler,
      observer,
      load: this.#load,
      commitIntervalMs: limits.commitIntervalMs,
      maxValuesPerCommit: limits.maxPointsPerCommit,
      maxBytesPerCommit: limits.maxBytesPerCommit,
      settled: () => this.#resolveDrained(),
    });
  }

  /** True while more waits for the stores than allowed; `observer.congestionChanged` tells every change. */
  get congested(): boolean {
    return this.#load.congested;
  }

  /** Messages and points since the start, and what waits at present. */
  counters(): { readonly telemetry: FlowSnapshot; readonly attributes: FlowSnapshot; readonly waitingBytes: number } {
    return {
      telemetry: this.#counters.snapshot(),
      attributes: this.#attributes.counters.snapshot(),
      waitingBytes: this.#load.bytes,
    };
  }

  /** One for each connection; keeps the owner's series at hand. */
  sink(owner: OwnerId): TelemetrySink {
    return new TelemetrySink(owner, this.#telemetry.seriesOf(owner));
  }

  /**
   * Takes a message, whole or not at all; the list belongs to the ingest from here on. `notify` asks for
   * `observer.telemetryStored`. A message without points is done at once and its completion is not held. `expiresAt`
   * (epoch milliseconds): when its points are removed; null: they stay.
   */
  submit(
    sink: TelemetrySink,
    points: PointList,
    completion: Completion | null,
    notify: boolean,
    expiresAt: number | null = null,
  ): void {
    const length = points.length;
    this.#counters.received(length);
    if (length === 0) {
      this.#counters.stored(1, 0);
      return;
    }
    if (sink.waiting !== null) {
      this.#wait(sink.waiting, points, completion, notify, expiresAt);
      return;
    }
    const result = this.#place(sink, points, completion, notify, expiresAt, true);
    if (result === 'written') return;
    if (result !== 'unknownKey') {
      this.#drop(sink, points, result);
      return;
    }
    sink.waiting = [];
    this.#wait(sink.waiting, points, completion, notify, expiresAt);
    this.#serveWaiting(sink);
  }

  /** Takes attributes of a device or a user; `receivedAt` (epoch milliseconds) replaces the list's times. */
  submitAttributes(
    owner: OwnerId,
    scope: AttributeScope,
    values: PointList,
    receivedAt: number,
    completion: Completion | null,
  ): void {
    this.#attributes.submit(owner, scope, values, receivedAt, completion);
  }

  /** Resolves when nothing waits any more; commits follow each other without delay until then. */
  drain(): Promise<void> {
    this.#commit.hurry(true);
    this.#attributes.hurry(true);
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.#resolveDrained();
    });
  }

  #place(
    sink: TelemetrySink,
    points: PointList,
    completion: Completion | null,
    notify: boolean,
    expiresAt: number | null,
    hold: boolean,
  ): ReturnType<PointColumns['write']> {
    const { maxPointsPerCommit, maxBytesPerCommit } = this.#limits;
    let batch = this.#commit.current;
    if (batch.count + points.length > maxPointsPerCommit && !batch.empty) {
      this.#commit.closeCurrent();
      batch = this.#commit.current;
    }
    const bytesBefore = batch.bytes;
    const result = batch.write(sink.series, points, expiresAt);
    if (result !== 'written') return result;
    const bytes = batch.bytes - bytesBefore;
    if (completion !== null) {
      if (hold) completion.hold();
      batch.completions.push(completion);
    }
    if (notify) {
      batch.noticeOwners.push(sink.owner);
      batch.noticePoints.push(points);
    }
    if (this.#tap !== null) this.#tell(this.#tap, sink.owner, points, completion);
    if (batch.count >= maxPointsPerCommit || batch.bytes >= maxBytesPerCommit) this.#commit.closeCurrent();
    else this.#commit.added();
    this.#load.add(points.length, bytes);
    return 'written';
  }

  /** The completion is held by the batch meanwhile, so a tap that fails delays nothing and loses nothing. */
  #tell(tap: TelemetryTap, owner: OwnerId, points: PointList, completion: Completion | null): void {
    try {
      if (tap.wants(owner)) tap.taken(owner, points, completion);
    } catch (error) {
      this.#observer.fault(error);
    }
  }

  #wait(
    waiting: WaitingMessage[],
    points: PointList,
    completion: Completion | null,
    notify: boolean,
    expiresAt: number | null,
  ): void {
    completion?.hold();
    const bytes = estimateBytes(points);
    waiting.push({ points, completion, notify, bytes, expiresAt });
    this.#load.add(points.length, bytes);
  }

  /** Moves waiting messages on in their order, as far as their keys are known; asks for the keys of the next one. */
  #serveWaiting(sink: TelemetrySink): void {
    for (let message = sink.waiting?.[0]; message !== undefined; message = sink.waiting?.[0]) {
      const { points, completion, notify, expiresAt } = message;
      const result = this.#place(sink, points, completion, notify, expiresAt, false);
      if (result === 'unknownKey') {
        const keys = unknownKeys(sink, message.points);
        if (keys !== 'invalidKey') {
          this.#intern(sink, message, keys);
          return;
        }
        this.#dropWaiting(sink, message, 'invalidKey');
      } else if (result === 'written') {
        sink.waiting?.shift();
        this.#load.remove(message.points.length, message.bytes);
      } else {
        this.#dropWaiting(sink, message, result);
      }
    }
    sink.waiting = null;
    this.#resolveDrained();
  }

  #intern(sink: TelemetrySink, message: WaitingMessage, keys: readonly string[]): void {
    const answered = (outcome: Awaited<ReturnType<TelemetryStore['intern']>>): void => {
      sink.series = this.#telemetry.seriesOf(sink.owner);
      if (outcome === 'tooMany') this.#dropWaiting(sink, message, 'tooManySeries');
      else if (outcome === 'full' || outcome === 'failed') this.#refuseWaiting(sink, message, outcome);
      // The owner was removed after its keys were given series.
      else if (keys.some((key) => !sink.series.has(key))) this.#dropWaiting(sink, message, 'ownerRemoved');
      this.#serveWaiting(sink);
    };
    const broke = (error: unknown): void => {
      this.#observer.fault(error);
      answered('failed');
    };
    try {
      this.#telemetry.intern(sink.owner, keys).then(answered, broke);
    } catch (error) {
      Promise.reject(error).catch(broke);
    }
  }

  #dropWaiting(sink: TelemetrySink, message: WaitingMessage, reason: MessageFault): void {
    sink.waiting?.shift();
    this.#drop(sink, message.points, reason);
    this.#releaseWaiting(message, 'stored');
  }

  #refuseWaiting(sink: TelemetrySink, message: WaitingMessage, outcome: 'full' | 'failed'): void {
    sink.waiting?.shift();
    this.#counters.dropped(dropReasonOf(outcome), 1, message.points.length);
    this.#releaseWaiting(message, outcome);
  }

  #releaseWaiting(message: WaitingMessage, outcome: WriteOutcome): void {
    if (message.completion !== null) releaseAll([message.completion], outcome, this.#observer);
    this.#load.remove(message.points.length, message.bytes);
  }

  #drop(sink: TelemetrySink, points: PointList, reason: MessageFault): void {
    this.#counters.dropped(reason, 1, points.length);
    reportDropped(this.#observer, sink.owner, reason, points.length);
  }

  #openColumns(): PointColumns {
    const wanted = Math.min(Math.ceil(this.#expectedPoints * 1.25), this.#limits.maxPointsPerCommit);
    return new PointColumns(Math.max(wanted, SMALLEST_CAPACITY));
  }

  #append(batch: PointColumns): Promise<WriteOutcome> {
    // The largest batch of the recent past, forgotten by an eighth with every commit.
    this.#expectedPoints = Math.max(batch.count, this.#expectedPoints * 0.875);
    return this.#telemetry.append(batch.takeBatch());
  }

  #settle(batch: PointColumns, outcome: WriteOutcome): void {
    const observer = this.#observer;
    if (outcome === 'stored') this.#counters.stored(batch.messages, batch.count);
    else this.#counters.dropped(dropReasonOf(outcome), batch.messages, batch.count);
    releaseAll(batch.completions, outcome, observer);
    if (outcome === 'stored') {
      const { noticeOwners, noticePoints } = batch;
      for (let i = 0; i < noticeOwners.length; i++) {
        const owner = noticeOwners[i];
        const points = noticePoints[i];
        if (owner === undefined || points === undefined) continue;
        try {
          observer.telemetryStored(owner, points);
        } catch (error) {
          observer.fault(error);
        }
      }
    }
    this.#load.remove(batch.count, batch.bytes);
    this.#resolveDrained();
  }

  #resolveDrained(): void {
    if (this.#drained.length === 0) return;
    if (this.#counters.waitingMessages > 0 || this.#attributes.counters.waitingMessages > 0) return;
    this.#commit.hurry(false);
    this.#attributes.hurry(false);
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** Keys of a message that have no series yet, once each. */
function unknownKeys(sink: TelemetrySink, points: PointList): readonly string[] | 'invalidKey' {
  const unknown = new Set<string>();
  for (const key of points.keys) {
    if (sink.series.has(key)) continue;
    if (!isStorableKey(key)) return 'invalidKey';
    unknown.add(key);
  }
  return [...unknown];
}

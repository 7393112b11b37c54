import type { Completion } from '../ports/runtime.ts';
import type {
  AttributeChange,
  AttributeScope,
  AttributeStore,
  OwnerId,
  WriteOutcome,
} from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';
import { FlowCounters } from './flow-counters.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import type { LoadGauge } from './load-gauge.ts';
import type { TelemetryObserver } from './observer.ts';
import { estimateBytes } from './point-columns.ts';
import { isStorableKey, isStorableValue, type PointFault } from './point-rules.ts';
import { dropReasonOf, releaseAll, reportDropped } from './settle.ts';

/** Estimated bytes of a change beside its value: the change itself, owner and key. */
const CHANGE_BYTES = 200;

/** The open batch of attribute writes. */
class AttributeBatch {
  readonly changes: AttributeChange[] = [];
  readonly completions: Completion[] = [];
  /** Owner, scope and values of each message, at the same index. */
  readonly owners: OwnerId[] = [];
  readonly scopes: AttributeScope[] = [];
  readonly values: PointList[] = [];
  bytes = 0;

  get empty(): boolean {
    return this.owners.length === 0;
  }
}

export interface AttributeIngestOptions
  extends Pick<GroupCommitOptions<never>, 'clock' | 'scheduler' | 'commitIntervalMs'> {
  readonly store: AttributeStore;
  readonly observer: TelemetryObserver;
  readonly load: LoadGauge;
  readonly maxValuesPerCommit: number;
  readonly maxBytesPerCommit: number;
  /** Called after a batch is done with. */
  readonly settled: () => void;
}

/** Attribute writes of devices and users, with a group commit of their own. */
export class AttributeIngest {
  readonly counters = new FlowCounters();
  readonly #options: AttributeIngestOptions;
  readonly #commit: GroupCommit<AttributeBatch>;

  constructor(options: AttributeIngestOptions) {
    this.#options = options;
    this.#commit = new GroupCommit<AttributeBatch>({
      clock: options.clock,
      scheduler: options.scheduler,
      commitIntervalMs: options.commitIntervalMs,
      open: () => new AttributeBatch(),
      write: (batch) => options.store.save(batch.changes),
      settle: (batch, outcome) => this.#settle(batch, outcome),
      fault: (error) => options.observer.fault(error),
    });
  }

  hurry(hurried: boolean): void {
    this.#commit.hurry(hurried);
  }

  submit(
    owner: OwnerId,
    scope: AttributeScope,
    values: PointList,
    receivedAt: number,
    completion: Completion | null,
  ): void {
    const length = values.length;
    this.counters.received(length);
    const fault = firstFault(values);
    if (fault !== null) {
      this.counters.dropped(fault, 1, length);
      reportDropped(this.#options.observer, owner, fault, length);
      return;
    }
    if (length === 0) {
      this.counters.stored(1, 0);
      return;
    }
    const batch = this.#commit.current;
    for (let i = 0; i < length; i++) {
      const key = values.keys[i];
      const kind = values.kinds[i];
      const value = values.values[i];
      if (key === undefined || kind === undefined || value === undefined) continue;
      batch.changes.push({ owner, scope, key, attribute: { kind, value, lastUpdateTs: receivedAt } });
    }
    batch.owners.push(owner);
    batch.scopes.push(scope);
    batch.values.push(values);
    if (completion !== null) {
      completion.hold();
      batch.completions.push(completion);
    }
    const bytes = estimateBytes(values) + length * CHANGE_BYTES;
    batch.bytes += bytes;
    const full =
      batch.changes.length >= this.#options.maxValuesPerCommit || batch.bytes >= this.#options.maxBytesPerCommit;
    if (full) this.#commit.closeCurrent();
    else this.#commit.added();
    this.#options.load.add(length, bytes);
  }

  #settle(batch: AttributeBatch, outcome: WriteOutcome): void {
    const { observer, load, settled } = this.#options;
    if (outcome === 'stored') this.counters.stored(batch.owners.length, batch.changes.length);
    else this.counters.dropped(dropReasonOf(outcome), batch.owners.length, batch.changes.length);
    releaseAll(batch.completions, outcome, observer);
    if (outcome === 'stored') this.#tell(batch);
    load.remove(batch.changes.length, batch.bytes);
    settled();
  }

  #tell(batch: AttributeBatch): void {
    const { observer } = this.#options;
    for (let i = 0; i < batch.owners.length; i++) {
      const owner = batch.owners[i];
      const scope = batch.scopes[i];
      const values = batch.values[i];
      if (owner === undefined || scope === undefined || values === undefined) continue;
      try {
        observer.attributesStored(owner, scope, values);
      } catch (error) {
        observer.fault(error);
      }
    }
  }
}

function firstFault(values: PointList): PointFault | null {
  for (let i = 0; i < values.length; i++) {
    if (!isStorableKey(values.keys[i] ?? '')) return 'invalidKey';
    if (!isStorableValue(values.kinds[i], values.values[i])) return 'invalidValue';
  }
  return null;
}

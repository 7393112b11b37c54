import { type Result, refuse, success } from '../errors.ts';
import type { Caller } from '../platform.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto, Scheduler } from '../ports/runtime.ts';
import type { StoreStatistics } from '../ports/telemetry-store.ts';
import { authorizeRole } from '../registry/authorize.ts';
import type { DiskSpace, StorageReport, StorageService, StoreUsage } from './storage-report.ts';
import { DAY_MS, growthOf, readSamples, type StorageSample, sampleChanges, withSample } from './storage-samples.ts';

const SAMPLE_INTERVAL_MS = 600_000;
/** A little less than a day, so that a sample is not put off by the length of its own reading. */
const PERSIST_INTERVAL_MS = DAY_MS - SAMPLE_INTERVAL_MS / 2;
/** A disk that lasts longer is not said to fill up. */
const FURTHEST_MS = 36_500 * DAY_MS;

export interface StorageMonitorOptions {
  readonly repositories: Pick<Repositories, 'commit' | 'documents'>;
  /** Room taken by each store, the telemetry store among them. */
  readonly stores: () => Promise<readonly StoreUsage[]>;
  readonly telemetry: () => Promise<StoreStatistics>;
  /** Of the data folder; null: not known on this system. */
  readonly disk: () => Promise<DiskSpace | null>;
  readonly retentionDays: number;
  /** Tenants of the server. */
  readonly tenantCount: () => number;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly scheduler: Pick<Scheduler, 'every'>;
  readonly report: (error: unknown) => void;
}

/** Measures how the stores grow: a sample every ten minutes in memory, one a day on disk. */
export class StorageMonitor implements StorageService {
  readonly #options: StorageMonitorOptions;
  #samples: readonly StorageSample[] = [];
  #persistedAt = Number.NEGATIVE_INFINITY;
  #stop = (): void => {};
  #sampling: Promise<void> = Promise.resolve();

  constructor(options: StorageMonitorOptions) {
    this.#options = options;
  }

  /** Reads what earlier runs left and begins to measure. */
  async start(): Promise<void> {
    const { repositories, clock, scheduler } = this.#options;
    this.#samples = await readSamples(repositories, clock.now());
    this.#persistedAt = this.#samples.at(-1)?.ts ?? Number.NEGATIVE_INFINITY;
    await this.#sample();
    this.#stop = scheduler.every(SAMPLE_INTERVAL_MS, () => {
      this.#sampling = this.#sample();
    });
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#sampling;
  }

  async report(caller: Caller): Promise<Result<StorageReport>> {
    const role = authorizeRole(caller, 'read', 'storage');
    if (role !== null) return role;
    const { tenantCount, clock, retentionDays } = this.#options;
    // The figures are of all tenants together.
    if (caller.authority !== 'SYS_ADMIN' && tenantCount() > 1) return refuse('permissionDenied');
    const [stores, telemetry, disk] = await Promise.all([
      this.#options.stores(),
      this.#options.telemetry(),
      this.#options.disk(),
    ]);
    const bytes = sumOf(stores);
    const now = clock.now();
    const { perDay, measuredMs } = growthOf(withSample(this.#samples, { ts: now, bytes }));
    const { points, series, oldest, state } = telemetry;
    return success({
      bytes,
      stores,
      points,
      series,
      oldest,
      state,
      growthPerDay: perDay,
      measuredMs,
      disk,
      fullAt: disk === null || perDay === null ? null : fullAt(now, disk.freeBytes, perDay),
      retentionDays,
    });
  }

  async #sample(): Promise<void> {
    const { repositories, clock, crypto, report } = this.#options;
    try {
      const sample = { ts: clock.now(), bytes: sumOf(await this.#options.stores()) };
      this.#samples = withSample(this.#samples, sample);
      if (sample.ts - this.#persistedAt < PERSIST_INTERVAL_MS) return;
      const outcome = await repositories.commit(sampleChanges(sample, crypto.uuid()));
      if (outcome === 'done') this.#persistedAt = sample.ts;
    } catch (error) {
      report(error);
    }
  }
}

function sumOf(stores: readonly StoreUsage[]): number {
  return stores.reduce((total, { bytes }) => total + bytes, 0);
}

function fullAt(now: number, freeBytes: number, growthPerDay: number): number | null {
  if (growthPerDay <= 0) return null;
  const lastsMs = (freeBytes / growthPerDay) * DAY_MS;
  return lastsMs > FURTHEST_MS ? null : Math.round(now + lastsMs);
}

import type { Result } from '../errors.ts';
import type { Caller } from '../platform.ts';
import type { StoreStatistics } from '../ports/telemetry-store.ts';

/** Room taken by one of the stores. */
export interface StoreUsage {
  readonly name: string;
  readonly bytes: number;
}

/** Room on the disk that the data is on, in bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** How much is stored and how long that can go on. api-additions.md, 3 */
export interface StorageReport {
  readonly bytes: number;
  readonly stores: readonly StoreUsage[];
  readonly points: number;
  readonly series: number;
  /** Time of the oldest point; null: there is none. */
  readonly oldest: number | null;
  readonly state: StoreStatistics['state'];
  /** Bytes a day over the last `measuredMs`, at most a week; null: not measured for an hour yet. May be negative. */
  readonly growthPerDay: number | null;
  readonly measuredMs: number;
  /** null: not known on this system. */
  readonly disk: DiskSpace | null;
  /** When the disk is full if it goes on like this; null: never, or not known. Epoch milliseconds. */
  readonly fullAt: number | null;
  /** Points older than this are removed. */
  readonly retentionDays: number;
}

/** For system administrators, and for the administrator of the tenant where there is only one. */
export interface StorageService {
  report(caller: Caller): Promise<Result<StorageReport>>;
}

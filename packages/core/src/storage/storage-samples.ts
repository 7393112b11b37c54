import { NULL_ID } from '../model/entities.ts';
import type { DocumentCollection } from '../ports/documents.ts';
import type { Change, Repositories } from '../ports/repositories.ts';

/** One record for each day the server ran. */
export const STORAGE_SAMPLES: DocumentCollection = {
  name: 'storage_sample',
  filters: [],
  sorts: [],
  search: [],
  unique: [],
};

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Growth is measured over so long at most; so long are samples kept. */
const WINDOW_MS = 7 * DAY_MS;
const KEPT_MS = 60 * DAY_MS;
/** A growth over less than this says nothing: checkpoints and rounds of retention outweigh it. */
const SHORTEST_MS = HOUR_MS;

/** Bytes of all stores at a moment. */
export interface StorageSample {
  readonly ts: number;
  readonly bytes: number;
}

export interface Growth {
  /** Bytes a day; null: not known yet. */
  readonly perDay: number | null;
  readonly measuredMs: number;
}

/** From the oldest sample of the window to the newest one. Samples are in the order of time. */
export function growthOf(samples: readonly StorageSample[]): Growth {
  const last = samples.at(-1);
  const first = last === undefined ? undefined : samples.find(({ ts }) => ts >= last.ts - WINDOW_MS);
  if (first === undefined || last === undefined) return { perDay: null, measuredMs: 0 };
  const measuredMs = last.ts - first.ts;
  if (measuredMs < SHORTEST_MS) return { perDay: null, measuredMs };
  return { perDay: Math.round(((last.bytes - first.bytes) / measuredMs) * DAY_MS), measuredMs };
}

/** The samples of the window that earlier runs left, in the order of time. */
export async function readSamples(
  repositories: Pick<Repositories, 'documents'>,
  now: number,
): Promise<StorageSample[]> {
  const { records } = await repositories.documents(STORAGE_SAMPLES, {
    tenantId: null,
    conditions: [{ member: 'createdTime', is: '>=', value: now - WINDOW_MS }],
    textSearch: null,
    sort: 'createdTime',
    descending: false,
    offset: 0,
    limit: 100,
  });
  return records.flatMap(({ createdTime: ts, body }) =>
    typeof body.bytes === 'number' && ts <= now ? [{ ts, bytes: body.bytes }] : [],
  );
}

/** Keeps a sample, and drops those that are too old to be of use. */
export function sampleChanges({ ts, bytes }: StorageSample, id: string): readonly Change[] {
  const record = { id, tenantId: NULL_ID, createdTime: ts, version: 1, body: { bytes } };
  const conditions = [{ member: 'createdTime', is: '<' as const, value: ts - KEPT_MS }];
  return [
    { kind: 'putDocument', collection: STORAGE_SAMPLES, record, expectedVersion: null },
    { kind: 'deleteDocuments', collection: STORAGE_SAMPLES, tenantId: null, conditions, limit: 100 },
  ];
}

/** Samples in memory: those of the window, at most so many. */
export function withSample(samples: readonly StorageSample[], sample: StorageSample): StorageSample[] {
  const kept = samples.filter(({ ts }) => ts >= sample.ts - WINDOW_MS && ts < sample.ts);
  return [...kept, sample];
}

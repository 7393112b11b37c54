import type { EntityId } from '../model/entities.ts';
import type { DocumentCollection, DocumentCondition, StoredDocument } from '../ports/documents.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';

/** Documents read, or deleted, at once. */
const SLICE = 500;
/** Reads that are under way at once. */
const CONCURRENT_READS = 100;

/** A selection of documents: of one tenant (null: of all), meeting all conditions. */
export interface DocumentSelection {
  readonly tenantId: EntityId | null;
  readonly conditions: readonly DocumentCondition[];
}

const UNSORTED = { textSearch: null, sort: 'id', descending: false };

/** How many documents match. */
export async function countDocuments(
  repositories: Pick<Repositories, 'documents'>,
  collection: DocumentCollection,
  selection: DocumentSelection,
): Promise<number> {
  return (await repositories.documents(collection, { ...selection, ...UNSORTED, offset: 0, limit: 0 })).total;
}

/** The first documents by id that match, at most `limit`. */
export async function someDocuments(
  repositories: Pick<Repositories, 'documents'>,
  collection: DocumentCollection,
  selection: DocumentSelection,
  limit: number,
): Promise<readonly StoredDocument[]> {
  return (await repositories.documents(collection, { ...selection, ...UNSORTED, offset: 0, limit })).records;
}

/** Deletes what matches, in slices. `stored`: nothing is left. */
export async function deleteAll(
  repositories: Pick<Repositories, 'documents' | 'commit'>,
  collection: DocumentCollection,
  selection: DocumentSelection,
): Promise<WriteOutcome> {
  while ((await countDocuments(repositories, collection, selection)) > 0) {
    const outcome = await repositories.commit([{ kind: 'deleteDocuments', collection, ...selection, limit: SLICE }]);
    if (outcome !== 'done') return outcome === 'full' ? 'full' : 'failed';
  }
  return 'stored';
}

/** Runs `read` for each item, a bounded number at once; the answers in the order of the items. */
export async function inSlices<T, U>(items: readonly T[], read: (item: T) => Promise<U>): Promise<U[]> {
  const answers: U[] = [];
  for (let start = 0; start < items.length; start += CONCURRENT_READS) {
    answers.push(...(await Promise.all(items.slice(start, start + CONCURRENT_READS).map(read))));
  }
  return answers;
}

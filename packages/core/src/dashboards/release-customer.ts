import { ASSETS, assetDocument, assetOf } from '../assets/asset-collections.ts';
import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import { deleteAll, someDocuments } from '../relations/document-pages.ts';
import { removeRelations } from '../relations/relations.ts';
import { DASHBOARD_ASSIGNMENTS } from './dashboard-collections.ts';

const SLICE = 200;

/**
 * Takes assets, dashboards and relations from a customer that is being removed; may be called again after a crash.
 * `stored`: nothing refers to the customer any more.
 */
export async function releaseCustomer(
  repositories: Pick<Repositories, 'commit' | 'documents'>,
  customerId: EntityId,
): Promise<WriteOutcome> {
  const selection = { tenantId: null, conditions: [{ member: 'customerId', is: '=' as const, value: customerId }] };
  const assignments = await deleteAll(repositories, DASHBOARD_ASSIGNMENTS, selection);
  if (assignments !== 'stored') return assignments;
  for (;;) {
    const documents = await someDocuments(repositories, ASSETS, selection, SLICE);
    if (documents.length === 0) return removeRelations(repositories, customerId);
    for (const document of documents) {
      const asset = assetOf(document);
      if (asset === null) continue;
      const record = assetDocument({ ...asset, customerId: NULL_ID, version: asset.version + 1 });
      const outcome: CommitOutcome = await repositories.commit([
        { kind: 'putDocument', collection: ASSETS, record, expectedVersion: asset.version },
      ]);
      // One that was changed meanwhile is read again.
      if (outcome === 'full' || outcome === 'failed') return outcome;
    }
  }
}

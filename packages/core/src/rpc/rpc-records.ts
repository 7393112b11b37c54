import type { EntityId } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import { fromRpcDocument, ofDevice, RPC_COLLECTION, type StoredRpc } from './rpc-collection.ts';

type Store = Pick<Repositories, 'commit' | 'documents'>;

const READ_SIZE = 100;
/** Records deleted in one commit. */
const DELETE_SIZE = 500;

/** All unfinished RPC, the oldest first. Nothing may change them meanwhile. */
export async function* unfinishedRpc(repositories: Pick<Store, 'documents'>): AsyncGenerator<StoredRpc> {
  let from = 0;
  // Those of the last millisecond that have been given already.
  let offset = 0;
  for (;;) {
    const { records } = await repositories.documents(RPC_COLLECTION, {
      tenantId: null,
      conditions: [
        { member: 'finishedTime', is: '=', value: 0 },
        { member: 'createdTime', is: '>=', value: from },
      ],
      textSearch: null,
      sort: 'createdTime',
      descending: false,
      offset,
      limit: READ_SIZE,
    });
    for (const document of records) {
      if (document.createdTime === from) offset += 1;
      else {
        from = document.createdTime;
        offset = 1;
      }
      const stored = fromRpcDocument(document);
      if (stored !== null) yield stored;
    }
    if (records.length < READ_SIZE) return;
  }
}

/**
 * Deletes the records of a device in slices; part of the removal of an owner's data, so it is taken up again after a
 * crash. `stored`: nothing is left.
 */
export async function removeRpcRecords(repositories: Store, deviceId: EntityId): Promise<WriteOutcome> {
  const conditions = [ofDevice(deviceId)];
  for (;;) {
    const { total } = await repositories.documents(RPC_COLLECTION, {
      tenantId: null,
      conditions,
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: 0,
    });
    if (total === 0) return 'stored';
    const outcome = await repositories.commit([
      { kind: 'deleteDocuments', collection: RPC_COLLECTION, tenantId: null, conditions, limit: DELETE_SIZE },
    ]);
    if (outcome !== 'done') return outcome === 'full' ? 'full' : 'failed';
  }
}

/** Deletes what was finished before `before` (epoch milliseconds), in slices, as long as `goOn` says so. */
export async function purgeFinishedRpc(repositories: Store, before: number, goOn: () => boolean): Promise<void> {
  const conditions = [
    { member: 'finishedTime', is: '>', value: 0 },
    { member: 'finishedTime', is: '<', value: before },
  ] as const;
  while (goOn()) {
    const { total } = await repositories.documents(RPC_COLLECTION, {
      tenantId: null,
      conditions,
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: 0,
    });
    if (total === 0) return;
    const outcome = await repositories.commit([
      { kind: 'deleteDocuments', collection: RPC_COLLECTION, tenantId: null, conditions, limit: DELETE_SIZE },
    ]);
    if (outcome !== 'done') return;
  }
}

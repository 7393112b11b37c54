import type { DocumentCollection, EntityId, Repositories, StoredDocument } from '@moorage/core';
import type { ThingscaleDevice } from './account-data.ts';
import { type Prepared, type RecordOwner, RecordTable } from './record-table.ts';
import { CHANNEL_FORM, type ChannelRecord, DEVICE_FORM, EVENT_FORM, type EventRecord } from './stored-forms.ts';

type Store = Pick<Repositories, 'documents' | 'commit'>;

const PAGE = 1000;
/** How often a change is made anew after a conflict that it did not cause. */
const ATTEMPTS = 3;

/** Every document of a collection that belongs to an account. `tenantId` null: whosever it is. */
export async function documentsOf(
  store: Pick<Repositories, 'documents'>,
  collection: DocumentCollection,
  { tenantId, accountId }: { readonly tenantId: EntityId | null; readonly accountId: EntityId },
): Promise<readonly StoredDocument[]> {
  const found: StoredDocument[] = [];
  for (;;) {
    const { records } = await store.documents(collection, {
      tenantId,
      conditions: [{ member: 'accountId', is: '=', value: accountId }],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: found.length,
      limit: PAGE,
    });
    found.push(...records);
    if (records.length < PAGE) return found;
  }
}

/**
 * The documents of one account, in memory. Changes are made one after the other, each from what the one before has left,
 * and show in memory when they are durable.
 */
export class AccountRecords {
  readonly devices: RecordTable<string, ThingscaleDevice>;
  readonly channels: RecordTable<number, ChannelRecord>;
  readonly events: RecordTable<number, EventRecord>;
  readonly #owner: RecordOwner;
  readonly #store: Store;
  #last: Promise<unknown> = Promise.resolve();

  constructor(owner: RecordOwner, store: Store) {
    this.#owner = owner;
    this.#store = store;
    this.devices = new RecordTable(DEVICE_FORM, owner);
    this.channels = new RecordTable(CHANNEL_FORM, owner);
    this.events = new RecordTable(EVENT_FORM, owner);
  }

  /** Reads everything anew. Rejects when the store cannot be read. */
  async load(): Promise<void> {
    const tables = [this.devices, this.channels, this.events];
    const found = await Promise.all(tables.map(({ form }) => documentsOf(this.#store, form.collection, this.#owner)));
    for (const [index, table] of tables.entries()) table.fill(found[index] ?? []);
  }

  /**
   * Commits what `build` asks for, or answers why it asks for nothing. `build` is called when all earlier changes are
   * settled, and again after a conflict; it reads the tables and changes nothing.
   */
  change<R extends string = never>(build: () => Prepared[] | R): Promise<'done' | 'full' | 'failed' | R> {
    const turn = this.#last.then(() => this.#commit(build));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #commit<R extends string>(build: () => Prepared[] | R): Promise<'done' | 'full' | 'failed' | R> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const prepared = build();
      if (typeof prepared === 'string') return prepared;
      if (prepared.length === 0) return 'done';
      const outcome = await this.#store.commit(prepared.map(({ change }) => change));
      if (outcome === 'full' || outcome === 'failed') return outcome;
      if (outcome === 'done') {
        for (const one of prepared) one.apply();
        return 'done';
      }
      await this.load();
    }
    return 'failed';
  }
}

import type { UserRecords } from '../accounts/user-records.ts';
import { releaseCustomer } from '../dashboards/release-customer.ts';
import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { DeviceAssignment } from '../registry/device-assignment.ts';
import { CUSTOMERS } from './customer-collection.ts';

/** Users and devices taken from a customer at once. */
const SLICE = 200;

/** A customer that is marked as being removed. */
interface Leaving {
  readonly id: EntityId;
  readonly tenantId: EntityId;
}

/**
 * Takes removed customers apart: first their users, so that nobody acts for them any more, then their devices in
 * slices, at last the mark. What was interrupted is taken up at the next start.
 */
export class CustomerRemovals {
  readonly #repositories: Repositories;
  readonly #users: UserRecords;
  readonly #assignment: DeviceAssignment;
  readonly #report: (error: unknown) => void;
  readonly #running = new Map<EntityId, Promise<void>>();

  constructor(
    repositories: Repositories,
    users: UserRecords,
    assignment: DeviceAssignment,
    report: (error: unknown) => void,
  ) {
    this.#repositories = repositories;
    this.#users = users;
    this.#assignment = assignment;
    this.#report = report;
  }

  /** Resolves when the customer is gone or what is left must wait for the next start. Never rejects. */
  run(leaving: Leaving): Promise<void> {
    const known = this.#running.get(leaving.id);
    if (known !== undefined) return known;
    const task = this.#takeApart(leaving)
      .catch(this.#report)
      .finally(() => this.#running.delete(leaving.id));
    this.#running.set(leaving.id, task);
    return task;
  }

  /** Takes up every customer that is marked. */
  async finish(): Promise<void> {
    const query = {
      tenantId: null,
      conditions: [{ member: 'removing', is: '=' as const, value: true }],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: SLICE,
    };
    // Customers that could not be taken apart stay marked, so each round must have made some go.
    for (let before = Number.POSITIVE_INFINITY; ; ) {
      const { records, total } = await this.#repositories.documents(CUSTOMERS, query);
      if (total === 0 || total >= before) return;
      before = total;
      for (const { id, tenantId } of records) await this.run({ id, tenantId });
    }
  }

  /** Resolves when no removal is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #takeApart({ id, tenantId }: Leaving): Promise<void> {
    for (;;) {
      const { records } = await this.#repositories.users({
        tenantId,
        customerId: id,
        authority: null,
        offset: 0,
        limit: SLICE,
        textSearch: null,
        sort: 'id',
        descending: false,
      });
      if (records.length === 0) break;
      const removed = await Promise.all(records.map((user) => this.#users.remove(user.id)));
      if (!removed.some((result) => result.ok)) return;
    }
    for (;;) {
      const query = { tenantId, profileId: null, customerId: id, withoutPackage: null, after: null, limit: SLICE };
      const ids = await this.#repositories.deviceIds(query);
      if (ids.length === 0) break;
      const freed = await Promise.all(
        ids.map((device) => this.#assignment.set(device, NULL_ID, ({ customerId }) => customerId === id)),
      );
      if (!freed.some((result) => result.ok)) return;
    }
    if ((await releaseCustomer(this.#repositories, id)) !== 'stored') return;
    await this.#repositories.commit([{ kind: 'deleteDocument', collection: CUSTOMERS, id, expectedVersion: null }]);
  }
}

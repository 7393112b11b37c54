import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Customer } from './customer.ts';
import { CUSTOMERS, customerOf } from './customer-collection.ts';

const MAX_CUSTOMERS = 1000;

/**
 * Customers as last read, since lists of devices name the customer of each. The one process that changes customers
 * forgets them here; a read that was under way at that moment is not kept.
 */
export class CustomerDirectory {
  readonly #repositories: Repositories;
  readonly #customers = new Map<EntityId, Customer>();
  #changes = 0;

  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  /** null: no customer, or none any more. */
  async get(id: EntityId): Promise<Customer | null> {
    if (id === NULL_ID) return null;
    const known = this.#customers.get(id);
    if (known !== undefined) return known;
    const before = this.#changes;
    const customer = customerOf(await this.#repositories.document(CUSTOMERS, id));
    if (customer === null || before !== this.#changes) return customer;
    const oldest = this.#customers.keys().next().value;
    if (this.#customers.size >= MAX_CUSTOMERS && oldest !== undefined) this.#customers.delete(oldest);
    this.#customers.set(id, customer);
    return customer;
  }

  /** Called when a change of the customer has been committed. */
  forget(id: EntityId): void {
    this.#changes += 1;
    this.#customers.delete(id);
  }
}

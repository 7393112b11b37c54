import type { EntityIdInput } from '@moorage/api-types';
import { type Caller, type CustomerService, type EntityId, NULL_ID, type Result } from '@moorage/core';
import { inputId } from '../entities/entity-ids.ts';

interface Owned {
  readonly id: EntityId;
  readonly customerId: EntityId;
}

export interface Assignment<T> {
  readonly save: () => Promise<Result<T>>;
  readonly assign: (customerId: EntityId, id: EntityId) => Promise<Result<T>>;
  readonly unassign: (id: EntityId) => Promise<Result<T>>;
}

/**
 * Saves an entity whose body may name its customer, as n8n does for new devices. Left out or null: the customer stays. A customer
 * that is not there is refused before anything is saved. Users of customers cannot assign: what they give is not looked at.
 */
export async function saveForCustomer<T extends Owned>(
  customers: Pick<CustomerService, 'get'>,
  caller: Caller,
  given: EntityIdInput | null | undefined,
  { save, assign, unassign }: Assignment<T>,
): Promise<Result<T>> {
  const wanted = caller.authority === 'CUSTOMER_USER' ? null : inputId(given);
  if (wanted !== null && wanted !== NULL_ID) {
    const customer = await customers.get(caller, wanted);
    if (!customer.ok) return customer;
  }
  const saved = await save();
  if (!saved.ok || wanted === null || wanted === saved.value.customerId) return saved;
  return wanted === NULL_ID ? unassign(saved.value.id) : assign(wanted, saved.value.id);
}

import type { EntityId, JsonObject } from '../model/entities.ts';

/** Where a customer is and how to reach it; free texts. */
export const CONTACT_MEMBERS = ['country', 'state', 'city', 'address', 'address2', 'zip', 'phone', 'email'] as const;
export type CustomerContact = Readonly<Record<(typeof CONTACT_MEMBERS)[number], string | null>>;

/** Somebody that devices are assigned to. thingsboard-server.md, 2.6 */
export interface Customer extends CustomerContact {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  /** Unique in the tenant. */
  readonly title: string;
  /** The one customer of a tenant whose devices anybody may see. */
  readonly isPublic: boolean;
  readonly additionalInfo: JsonObject | null;
  readonly version: number;
}

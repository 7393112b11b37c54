import type { CredentialsType, EntityId } from '../../model/entities.ts';

/** What a device is called in the account to which it belongs. */
export interface AccountMembership {
  /** An application of the device's tenant; null: the tenant's default account. */
  readonly accountId: EntityId | null;
  readonly name: string;
}

const SEPARATOR = '/';

/** The types whose devices belong to an account. */
export function hasAccount(type: CredentialsType): boolean {
  return type === 'WAVESHARE' || type === 'THINGSCALE';
}

/**
 * The `credentialsId` as it is stored: a name that is unique in its account only gets the account in front, and the account
 * of every device is known at start without a look into sealed values. No name of these types has the separator in it.
 */
export function storedIdOf({ accountId, name }: AccountMembership): string {
  return `${accountId ?? ''}${SEPARATOR}${name}`;
}

/** Where stored credentials belong; null: devices of this type have no account. */
export function membershipOf(type: CredentialsType, storedId: string): AccountMembership | null {
  if (!hasAccount(type)) return null;
  const at = storedId.indexOf(SEPARATOR);
  return { accountId: storedId.slice(0, Math.max(at, 0)) || null, name: storedId.slice(at + 1) };
}

import type { ApplicationRef } from '../../model/connect-registry.ts';
import type { DialectId, EntityId } from '../../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS, type ProfileSettings } from '../../model/profile-settings.ts';
import type { ConnectIndex } from '../connect-index.ts';

/** What a reader of credentials may ask about the device that shall have them. */
export interface CredentialPlace {
  readonly tenantId: EntityId;
  /** Of the device's profile. */
  readonly settings: ProfileSettings;
  /** The applications of a dialect in the device's tenant. */
  accounts(dialect: DialectId): readonly ApplicationRef[];
}

/** For types that do not ask. */
export const NOWHERE: CredentialPlace = { tenantId: '', settings: DEFAULT_PROFILE_SETTINGS, accounts: () => [] };

/** A device of this tenant with these settings, among the applications that are known now. */
export function placeOf(index: ConnectIndex, tenantId: EntityId, settings: ProfileSettings): CredentialPlace {
  return {
    tenantId,
    settings,
    accounts: (dialect) => index.applications.of(dialect, tenantId).flatMap(({ application }) => application ?? []),
  };
}

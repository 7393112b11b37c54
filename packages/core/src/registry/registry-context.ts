import type { CustomerDirectory } from '../customers/customer-directory.ts';
import type { EntityId } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import type { ConnectIndex } from './connect-index.ts';
import type { EntityLocks } from './entity-locks.ts';
import type { OwnerRemovals } from './owner-removals.ts';
import type { IsTopicFilter } from './profile-data.ts';
import type { ProvisioningProfiles } from './provisioning-profiles.ts';
import type { RegistryListeners } from './registry-listeners.ts';

/** What the use cases of the registry share. */
export interface RegistryContext {
  readonly repositories: Repositories;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly index: ConnectIndex;
  readonly provisioningProfiles: ProvisioningProfiles;
  readonly customers: CustomerDirectory;
  readonly listeners: RegistryListeners;
  /** Changes of one entity follow one another, so that memory and storage agree on the last one. */
  readonly locks: EntityLocks;
  readonly removals: OwnerRemovals;
  readonly isTopicFilter: IsTopicFilter;
  /** Whether the device counts as active, for lists. */
  readonly isActive: (deviceId: EntityId) => boolean;
}

import { type PlatformError, refuse } from '../errors.ts';
import type { CommitOutcome, Conflict, UniqueMember } from '../ports/repositories.ts';
import { takenText } from './credentials/name-rules.ts';

/** How often a use case reads again after a conflict that it did not cause. */
export const MAX_ATTEMPTS = 5;

/** ThingsBoard's sentences for members that are taken. thingsboard-server.md, 2.2 to 2.4 */
const UNIQUE_TEXTS: Readonly<Record<UniqueMember, string>> = {
  tenantName: 'Tenant with such title already exists!',
  email: 'User with such email already exists!',
  profileName: 'Device profile with such name already exists!',
  defaultProfile: 'Another default device profile is present in scope of current tenant!',
  deviceName: 'Device with such name already exists!',
  deviceCredentials: 'Credentials for this device are already specified!',
  provisionDeviceKey: 'Device profile with such provision device key already exists!',
  credentialsId: 'Specified credentials are already registered!',
};

/** A commit that did not happen, as the caller is told. */
export function commitRefusal(outcome: Exclude<CommitOutcome, 'done'>): PlatformError {
  if (outcome === 'full') return refuse('storageFull');
  if (outcome === 'failed') return refuse('storageFailed');
  switch (outcome.kind) {
    case 'version':
    case 'exists':
      return refuse('versionConflict');
    case 'unique':
      return refuse('badRequest', UNIQUE_TEXTS[outcome.member]);
    case 'uniqueDocument':
      return refuse('badRequest', 'There is one with the same name already!');
    case 'reference':
      return refuse('badRequest', 'Device is referencing to non existing device profile!');
    case 'inUse':
      return refuse('badRequest', 'The device profile referenced by the devices cannot be deleted!');
    case 'name':
      return refuse('invalidArguments', takenText(outcome.claim.list, outcome.holder));
  }
}

/** True for conflicts that another change caused between reading and committing: reading again may help. */
export function isOvertaken(outcome: CommitOutcome): outcome is Conflict {
  if (typeof outcome === 'string') return false;
  return outcome.kind === 'version' || outcome.kind === 'exists' || outcome.kind === 'reference';
}

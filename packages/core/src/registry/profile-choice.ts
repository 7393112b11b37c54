import { type Result, refuse, success } from '../errors.ts';
import type { DeviceProfile, EntityId } from '../model/entities.ts';
import type { Caller, DeviceInput } from '../platform.ts';
import type { Change } from '../ports/repositories.ts';
import { authorizeRole } from './authorize.ts';
import { completeProfileData } from './profile-data.ts';
import type { RegistryContext } from './registry-context.ts';
import { nameProblem } from './text-rules.ts';

/** The profile of a device that is being saved, and the change that creates it if need be. */
export interface ProfileChoice {
  readonly profile: DeviceProfile;
  readonly changes: readonly Change[];
}

const UNKNOWN_PROFILE = 'Device is referencing to non existing device profile!';

/** A new profile with every default filled in. */
export function minimalProfile(
  context: Pick<RegistryContext, 'crypto' | 'clock'>,
  tenantId: EntityId,
  name: string,
  isDefault: boolean,
): DeviceProfile {
  return {
    id: context.crypto.uuid(),
    createdTime: context.clock.now(),
    tenantId,
    name,
    description: null,
    isDefault,
    transportType: 'DEFAULT',
    provisionType: 'DISABLED',
    profileData: completeProfileData(null, 'DEFAULT', 'DISABLED'),
    provisionDeviceKey: null,
    firmwareId: null,
    softwareId: null,
    version: 1,
  };
}

/**
 * The profile by id; else by its name, made if there is none; else the present one; else the tenant's default.
 * thingsboard-server.md, 2.1
 */
export async function chooseProfile(
  context: RegistryContext,
  caller: Caller,
  input: Pick<DeviceInput, 'type' | 'deviceProfileId'>,
  currentProfileId: EntityId | null,
): Promise<Result<ProfileChoice>> {
  const { repositories } = context;
  const { tenantId } = caller;
  const named = input.type !== null && input.type.trim() !== '' ? input.type : null;
  const id = input.deviceProfileId ?? (named === null ? currentProfileId : null);
  if (id !== null) {
    const profile = await repositories.profile(id);
    if (profile?.tenantId !== tenantId) return refuse('badRequest', UNKNOWN_PROFILE);
    return success({ profile, changes: [] });
  }
  if (named === null) {
    const profile = await repositories.defaultProfile(tenantId);
    return profile === null ? refuse('badRequest', UNKNOWN_PROFILE) : success({ profile, changes: [] });
  }
  const present = await repositories.profileByName(tenantId, named);
  if (present !== null) return success({ profile: present, changes: [] });
  const refusal = authorizeRole(caller, 'create', 'profile') ?? nameProblem('Device profile', named);
  if (refusal !== null) return refusal;
  const profile = minimalProfile(context, tenantId, named, false);
  return success({ profile, changes: [{ kind: 'putProfile', record: profile, expectedVersion: null }] });
}

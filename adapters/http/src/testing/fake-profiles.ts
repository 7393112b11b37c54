import { type DeviceProfile, type ProfileService, refuse, success } from '@moorage/core';
import { type FakeState, nextId, pageOf, TENANT_ID } from './fake-state.ts';

export function addProfile(state: FakeState, name: string): DeviceProfile {
  const profile: DeviceProfile = {
    id: nextId(state),
    createdTime: state.now,
    tenantId: TENANT_ID,
    name,
    description: null,
    isDefault: false,
    transportType: 'DEFAULT',
    provisionType: 'DISABLED',
    profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
    provisionDeviceKey: null,
    firmwareId: null,
    softwareId: null,
    version: 1,
  };
  state.profiles.set(profile.id, profile);
  return profile;
}

export function fakeProfiles(state: FakeState): ProfileService {
  const find = (id: string) => {
    const profile = state.profiles.get(id);
    return profile === undefined ? refuse('notFound', `Device profile with id [${id}] is not found`) : success(profile);
  };
  return {
    async save(_caller, input) {
      const old = input.id === null ? undefined : find(input.id);
      if (old?.ok === false) return old;
      const base = old?.value ?? addProfile(state, input.name);
      const profile = { ...base, name: input.name, profileData: input.profileData ?? base.profileData };
      state.profiles.set(profile.id, profile);
      return success(profile);
    },
    async get(_caller, id) {
      return find(id);
    },
    async list(_caller, query) {
      return pageOf(state.profiles.values(), query);
    },
    async defaultProfile() {
      const profile = [...state.profiles.values()].find(({ isDefault }) => isDefault);
      return profile === undefined ? refuse('notFound') : success(profile);
    },
    async makeDefault(_caller, id) {
      const found = find(id);
      if (!found.ok) return found;
      for (const profile of state.profiles.values()) {
        state.profiles.set(profile.id, { ...profile, isDefault: profile.id === id });
      }
      return find(id);
    },
    async remove(_caller, id) {
      const found = find(id);
      if (!found.ok) return found;
      if (found.value.isDefault) return refuse('badRequest', 'Deletion of default device profile is prohibited!');
      if ([...state.devices.values()].some(({ deviceProfileId }) => deviceProfileId === id)) {
        return refuse('badRequest', 'The device profile referenced by the devices cannot be deleted!');
      }
      state.profiles.delete(id);
      return success(null);
    },
  };
}

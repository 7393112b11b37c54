import {
  type Caller,
  type CredentialsInput,
  type Device,
  type DeviceCredentials,
  type DeviceInfo,
  type DeviceInput,
  type DeviceProfile,
  type DeviceService,
  NULL_ID,
  type PlatformError,
  type Result,
  refuse,
  success,
} from '@moorage/core';
import { addProfile } from './fake-profiles.ts';
import { type FakeState, nextId, pageOf, TENANT_ID } from './fake-state.ts';

export function fakeDevices(state: FakeState): DeviceService {
  const find = (caller: Caller, id: string): Result<Device> => {
    if (caller.authority === 'SYS_ADMIN') return refuse('permissionDenied');
    const device = state.devices.get(id);
    return device === undefined ? refuse('notFound', `Device with id [${id}] is not found`) : success(device);
  };
  const profileFor = (input: DeviceInput): DeviceProfile | undefined => {
    const all = [...state.profiles.values()];
    if (input.deviceProfileId !== null) return state.profiles.get(input.deviceProfileId);
    if (input.type === null) return all.find(({ isDefault }) => isDefault);
    return all.find(({ name }) => name === input.type) ?? addProfile(state, input.type);
  };
  const save = (caller: Caller, input: DeviceInput): Result<Device> => {
    if (input.name.trim() === '') return refuse('badRequest', 'Device name should be specified!');
    const old = input.id === null ? undefined : find(caller, input.id);
    if (old?.ok === false) return old;
    if (old !== undefined && input.version !== null && input.version < old.value.version) {
      return refuse('versionConflict');
    }
    if ([...state.devices.values()].some(({ name, id }) => name === input.name && id !== input.id)) {
      return refuse('badRequest', 'Device with such name already exists!');
    }
    const profile = profileFor(input);
    if (profile === undefined) return refuse('badRequest', 'Device is referencing to non-existent device profile!');
    const device: Device = {
      id: old?.value.id ?? nextId(state),
      createdTime: state.now,
      tenantId: TENANT_ID,
      customerId: NULL_ID,
      name: input.name,
      label: input.label,
      deviceProfileId: profile.id,
      type: profile.name,
      dialect: 'thingsboard',
      deviceData: input.deviceData ?? {
        configuration: { type: 'DEFAULT' },
        transportConfiguration: { type: 'DEFAULT' },
      },
      firmwareId: input.firmwareId ?? null,
      softwareId: input.softwareId ?? null,
      additionalInfo: input.additionalInfo,
      version: (old?.value.version ?? 0) + 1,
    };
    state.devices.set(device.id, device);
    return success(device);
  };
  const problem = (deviceId: string, input: CredentialsInput): PlatformError | undefined => {
    if (input.credentialsType === 'MQTT_BASIC' && input.credentialsId === null) {
      return refuse('badRequest', 'Both mqtt client id and user name are empty!');
    }
    const taken = [...state.credentials.values()].some(
      (other) => other.credentialsId === input.credentialsId && other.deviceId !== deviceId,
    );
    return taken ? refuse('badRequest', 'Device credentials are already assigned to another device!') : undefined;
  };
  const setCredentials = (deviceId: string, input: CredentialsInput): DeviceCredentials => {
    const old = state.credentials.get(deviceId);
    const made: DeviceCredentials = {
      id: old?.id ?? nextId(state),
      createdTime: state.now,
      deviceId,
      credentialsType: input.credentialsType,
      credentialsId: input.credentialsId ?? `Token${String(state.counter).padStart(15, 'x')}`,
      credentialsValue: input.credentialsValue,
      version: (old?.version ?? 0) + 1,
    };
    state.credentials.set(deviceId, made);
    return made;
  };
  const token = (accessToken: string | null): CredentialsInput => ({
    id: null,
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: accessToken,
    credentialsValue: null,
    version: null,
  });
  const info = (device: Device): DeviceInfo => ({
    ...device,
    customerTitle: null,
    customerIsPublic: false,
    deviceProfileName: device.type,
    active: false,
  });
  return {
    async save(caller, input, { accessToken }) {
      const refused = accessToken === null ? undefined : problem('', token(accessToken));
      if (refused !== undefined) return refused;
      const saved = save(caller, input);
      if (saved.ok && input.id === null) setCredentials(saved.value.id, token(accessToken));
      return saved;
    },
    async saveWithCredentials(caller, input, credentials) {
      const refused = problem('', credentials);
      if (refused !== undefined) return refused;
      const saved = save(caller, input);
      if (saved.ok) setCredentials(saved.value.id, credentials);
      return saved;
    },
    async get(caller, id) {
      return find(caller, id);
    },
    async info(caller, id) {
      const found = find(caller, id);
      return found.ok ? success(info(found.value)) : found;
    },
    async byName(_caller, name) {
      const found = [...state.devices.values()].find((device) => device.name === name);
      return found === undefined ? refuse('notFound') : success(found);
    },
    async list(_caller, query) {
      return pageOf(
        [...state.devices.values()].filter(({ type }) => query.type === null || type === query.type),
        query,
      );
    },
    async listInfos(_caller, query) {
      return pageOf([...state.devices.values()].map(info), query);
    },
    async byIds(_caller, ids) {
      return success(ids.flatMap((id) => state.devices.get(id) ?? []));
    },
    async remove(caller, id) {
      if (caller.authority === 'CUSTOMER_USER') return refuse('permissionDenied');
      const found = find(caller, id);
      if (!found.ok) return found;
      state.devices.delete(id);
      state.credentials.delete(id);
      return success(null);
    },
    async credentials(caller, deviceId) {
      const found = find(caller, deviceId);
      if (!found.ok) return found;
      const credentials = state.credentials.get(deviceId);
      return credentials === undefined ? refuse('notFound') : success(credentials);
    },
    async saveCredentials(caller, deviceId, input) {
      const found = find(caller, deviceId);
      if (!found.ok) return found;
      return problem(deviceId, input) ?? success(setCredentials(deviceId, input));
    },
    async types() {
      return success([...new Set([...state.devices.values()].map(({ type }) => type))]);
    },
  };
}

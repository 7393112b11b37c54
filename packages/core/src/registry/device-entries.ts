import type { DeviceRef } from '../model/connect-registry.ts';
import type { CredentialsType, DeviceCredentials, JsonObject } from '../model/entities.ts';
import type { FleetRow, StoredCredentials, StoredDevice } from '../ports/repositories.ts';
import type { Crypto } from '../ports/runtime.ts';
import type { ConnectIndex } from './connect-index.ts';
import { membershipOf } from './credentials/account-scope.ts';
import { CREDENTIAL_KINDS } from './credentials/read-credentials.ts';
import { Registration } from './registration.ts';

/** True for devices that speak for others. thingsboard-server.md, 2.1 */
export function isGateway(additionalInfo: JsonObject | null): boolean {
  return additionalInfo?.gateway === true;
}

/** What a connection needs to know of a device, with the settings of its profile as they are in memory. */
export function deviceRefOf(device: StoredDevice, index: ConnectIndex): DeviceRef {
  return {
    id: device.id,
    tenantId: device.tenantId,
    name: device.name,
    profileId: device.deviceProfileId,
    gateway: isGateway(device.additionalInfo),
    settings: index.settingsOf(device.deviceProfileId),
  };
}

/** The entry of a device in the connect registry. */
export function deviceRegistration(
  device: DeviceRef,
  customerId: string,
  credentials: StoredCredentials,
  open: Crypto['open'],
): Registration {
  const kind = CREDENTIAL_KINDS[credentials.credentialsType];
  return new Registration(
    {
      credentialsType: credentials.credentialsType,
      dialect: kind.dialect,
      device,
      application: null,
      customerId,
      username: credentials.username,
      clientId: credentials.clientId,
      sealedValue: credentials.sealed ? credentials.credentialsValue : null,
      ...fromStoredId(credentials.credentialsType, credentials.credentialsId),
    },
    open,
  );
}

/** The same from a row read at start. A device that has lost its credentials is known but cannot connect. */
export function fleetRegistration(row: FleetRow, device: DeviceRef, open: Crypto['open']): Registration {
  const credentialsType = row.credentialsType ?? 'ACCESS_TOKEN';
  return new Registration(
    {
      credentialsType,
      dialect: CREDENTIAL_KINDS[credentialsType].dialect,
      device,
      application: null,
      customerId: row.customerId,
      username: row.username,
      clientId: row.clientId,
      sealedValue: row.sealedValue,
      ...fromStoredId(credentialsType, row.credentialsId ?? ''),
    },
    open,
  );
}

/** What is looked up by the stored id. */
function fromStoredId(type: CredentialsType, storedId: string) {
  const certificateHash = type === 'X509_CERTIFICATE' && storedId !== '' ? storedId : null;
  return { certificateHash, membership: membershipOf(type, storedId) };
}

/** Credentials as the owner of the device may read them. */
export function readableCredentials(stored: StoredCredentials, open: Crypto['open']): DeviceCredentials {
  const { id, createdTime, deviceId, credentialsType, credentialsId, credentialsValue, version } = stored;
  return {
    id,
    createdTime,
    deviceId,
    credentialsType,
    credentialsId: membershipOf(credentialsType, credentialsId)?.name ?? credentialsId,
    credentialsValue: stored.sealed && credentialsValue !== null ? open(credentialsValue) : credentialsValue,
    version,
  };
}

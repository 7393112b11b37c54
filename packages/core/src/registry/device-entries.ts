import type { DeviceRef } from '../model/connect-registry.ts';
import type { DeviceCredentials, JsonObject } from '../model/entities.ts';
import type { FleetRow, StoredCredentials, StoredDevice } from '../ports/repositories.ts';
import type { Crypto } from '../ports/runtime.ts';
import type { ConnectIndex } from './connect-index.ts';
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
      certificateHash: credentials.credentialsType === 'X509_CERTIFICATE' ? credentials.credentialsId : null,
    },
    open,
  );
}

/** The same from a row read at start. A device that has lost its credentials is known but cannot connect. */
export function fleetRegistration(
  row: FleetRow,
  certificateHash: string | null,
  device: DeviceRef,
  open: Crypto['open'],
): Registration {
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
      certificateHash,
    },
    open,
  );
}

/** Credentials as the owner of the device may read them. */
export function readableCredentials(stored: StoredCredentials, open: Crypto['open']): DeviceCredentials {
  const { id, createdTime, deviceId, credentialsType, credentialsId, credentialsValue, version } = stored;
  return {
    id,
    createdTime,
    deviceId,
    credentialsType,
    credentialsId,
    credentialsValue: stored.sealed && credentialsValue !== null ? open(credentialsValue) : credentialsValue,
    version,
  };
}

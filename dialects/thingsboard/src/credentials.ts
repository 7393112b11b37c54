import type { ConnectCredential, DeviceRef, NameHolder } from '@moorage/core';
import { type ConnectPacket, passwordMatches, type Refusal } from '@moorage/dialect-api';
import { badCredentials, clientIdNotValid, wrongTransport } from './codes.ts';

/** The device whose credential the CONNECT presents, or why it is refused. */
export type Identification = { readonly outcome: 'identified'; readonly device: DeviceRef } | Refusal;

/** Transports of a profile that devices of this dialect may have. Section 1.3 */
const OWN_TRANSPORTS = ['DEFAULT', 'MQTT'];

/** A device whose credential fits, unless its profile is bound to another transport. Section 1.3 */
export function identified(device: DeviceRef | null): Identification {
  if (device === null) return badCredentials('The credential belongs to no device.');
  const { transportType } = device.settings;
  return OWN_TRANSPORTS.includes(transportType) ? { outcome: 'identified', device } : wrongTransport(transportType);
}

function checked(credential: ConnectCredential, password: Uint8Array | null): Identification {
  if (passwordMatches(password, credential.password)) return identified(credential.device);
  return badCredentials(`Wrong password for the MQTT_BASIC credentials of device ${credential.device?.name ?? ''}.`);
}

/** By user name: the pair of Client Identifier and user name, then the user name alone. Section 1.3 */
export function identifyByUsername(connect: ConnectPacket, holder: NameHolder): Identification {
  const pair = holder.credentials.find(
    ({ credentialsType, clientId }) => credentialsType === 'MQTT_BASIC' && clientId === connect.clientId,
  );
  if (pair !== undefined) return checked(pair, connect.password);
  const alone = holder.credentials.find(({ clientId }) => clientId === null);
  if (alone === undefined) return badCredentials('The user name is known, but not with this client ID.');
  // An access token is enough by itself: password and Client Identifier are ignored.
  return alone.credentialsType === 'ACCESS_TOKEN' ? identified(alone.device) : checked(alone, connect.password);
}

/** By Client Identifier alone, where no user name was sent. Section 1.3 */
export function identifyByClientId(connect: ConnectPacket, holder: NameHolder): Identification {
  const credential = holder.credentials.find(({ username }) => username === null);
  if (credential === undefined) return clientIdNotValid('The client ID is known only together with a user name.');
  return checked(credential, connect.password);
}

/** An empty Client Identifier is accepted, except on 3.1 and on 3.1.1 without clean session. recognition.md, section 6 */
export function emptyClientIdRefusal(connect: ConnectPacket): Refusal | null {
  if (connect.clientId !== '' || connect.level === 5) return null;
  if (connect.level === 4 && connect.cleanStart) return null;
  return clientIdNotValid('An empty client ID needs MQTT 3.1.1 with clean session, or MQTT 5.0.');
}

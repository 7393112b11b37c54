import type { CredentialLookup } from '@moorage/core';
import {
  type Authentication,
  type ConnectPacket,
  type ConnectVia,
  type Principal,
  passwordMatches,
} from '@moorage/dialect-api';
import { Accounts, type DeviceTriple } from './accounts.ts';
import { badPassword, disabled, unknownClientId } from './codes.ts';
import { DIALECT_ID } from './manifest.ts';
import { POLICY } from './policy.ts';

/** Who connects: the Client Identifier is the whole credential. Section 4.3; recognition.md, R1, R7 and R8 */
export function authenticate(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Authentication {
  const { clientId, username, password } = connect;
  const isPinned = via.pinnedDialect === DIALECT_ID;
  // R5 before R8: a user name that somebody holds is asked after there. On a listener of our own nobody else is.
  if (!isPinned && username && registry.byUsername(username) !== undefined) {
    return { outcome: 'notMine', reason: 'The user name belongs to another dialect.' };
  }
  const accounts = new Accounts(registry);
  const triple = clientId === '' ? undefined : accounts.byClientId(clientId);
  if (triple === undefined) {
    const reason = clientId === '' ? 'The client ID is empty.' : 'No Waveshare device has this client ID.';
    return isPinned ? unknownClientId(reason) : { outcome: 'notMine', reason };
  }
  const { device, account } = triple;
  if (!passwordMatches(password, triple.password)) return badPassword(device.name);
  if (!triple.enabled) return disabled(`The device ${device.name}`);
  const application = accounts.applicationOf({ tenantId: device.tenantId, account });
  if (application?.enabled === false) return disabled(`The account ${application.name}`);
  const principal: Principal = {
    dialect: DIALECT_ID,
    tenantId: device.tenantId,
    device,
    application: null,
    identity: identityOf(triple),
    assignedClientId: null,
    account,
    policy: POLICY,
  };
  return { outcome: 'accepted', principal };
}

/** recognition.md, section 6: the Session belongs to the Client Identifier, which a device may change. */
export function identityOf({ device, clientId }: Pick<DeviceTriple, 'device' | 'clientId'>): string {
  return `${device.id}/${clientId}`;
}

/** The Client Identifier that is the identity of a principal; undefined: one that is asked for its rights only. */
export function clientIdOf({ identity }: Principal): string | undefined {
  return identity === null ? undefined : identity.slice(identity.indexOf('/') + 1);
}

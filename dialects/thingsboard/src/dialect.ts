import { type CredentialLookup, type DeviceRef, ValueReader } from '@moorage/core';
import type {
  Authentication,
  ConnectPacket,
  ConnectVia,
  DeviceLink,
  Dialect,
  DialectSession,
  Principal,
  Refusal,
  SessionPolicy,
} from '@moorage/dialect-api';
import { badCredentials, clientIdNotValid, emptyUsername, notAuthorized } from './codes.ts';
import { connectionGuide } from './connection-guide.ts';
import { emptyClientIdRefusal, type Identification, identifyByClientId, identifyByUsername } from './credentials.ts';
import { DIALECT_ID, manifest } from './manifest.ts';
import { MAXIMUM_PAYLOAD_SIZE } from './payloads.ts';
import { ThingsboardSession } from './session.ts';

/** Settings of the dialect; all have defaults. */
export interface ThingsboardDialectOptions {
  /** Bytes of a whole packet, more than a payload of 65,536 bytes needs. Between both the connection ends with 0x81. */
  readonly maximumPacketSize?: number;
}

/** User name or Client Identifier of a provisioning session. Section 6.2 */
const PROVISION = 'provision';

function sessionPolicy(options: ThingsboardDialectOptions): SessionPolicy {
  return {
    // Section 1.1: QoS 1 at most, no Will, nothing retained, no Session behind the connection.
    maximumGrantedQoS: 1,
    persistence: 'never',
    maximumSessionExpiryInterval: 0,
    will: 'ignored',
    retained: 'ignored',
    maximumPacketSize: options.maximumPacketSize ?? 2 * MAXIMUM_PAYLOAD_SIZE,
    receiveMaximum: 100,
    topicAliasMaximum: 32,
    maximumSubscriptions: 100,
    queue: { messages: 1000, bytes: 8 * 1024 * 1024, ageMs: 24 * 60 * 60 * 1000 },
    serverKeepAlive: null,
  };
}

/** The device API of ThingsBoard over MQTT. */
export class ThingsboardDialect implements Dialect {
  readonly manifest = manifest;
  private readonly policy: SessionPolicy;
  private readonly reader = new ValueReader();

  constructor(options: ThingsboardDialectOptions = {}) {
    this.policy = sessionPolicy(options);
  }

  recognise(connect: ConnectPacket, via: ConnectVia): 'yes' | 'maybe' | 'no' {
    if (connect.username === PROVISION) return 'yes';
    if (connect.clientId === PROVISION && connect.username === null) return 'yes';
    const hasCredential = connect.clientId !== '' || Boolean(connect.username) || hasCertificate(via);
    return hasCredential ? 'maybe' : 'no';
  }

  authenticate(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Authentication {
    const pinned = via.pinnedDialect === DIALECT_ID;
    if (connect.username === PROVISION || (pinned && connect.clientId === PROVISION)) return provisioningRefusal();
    const identification = connect.username ? byUsername(connect, via, registry) : byClientId(connect, via, registry);
    if (identification !== undefined) {
      return identification.outcome === 'identified' ? this.accept(connect, identification.device) : identification;
    }
    if (connect.clientId === PROVISION && !nameIsTaken(connect, registry)) return provisioningRefusal();
    // A pinned listener asks nobody else: the refusal is the vendor's own. recognition.md, R1
    return pinned
      ? refusalOf(connect, via)
      : { outcome: 'notMine', reason: 'No ThingsBoard device has these credentials.' };
  }

  private accept(connect: ConnectPacket, device: DeviceRef): Authentication {
    const refused = emptyClientIdRefusal(connect);
    if (refused !== null) return refused;
    const principal: Principal = {
      dialect: DIALECT_ID,
      tenantId: device.tenantId,
      device,
      application: null,
      identity: device.id,
      // Section 0, 4: an empty Client Identifier is normal. One connection a device, so the device's id is unique.
      assignedClientId: connect.clientId === '' ? device.id : null,
      account: null,
      policy: this.policy,
    };
    return { outcome: 'accepted', principal };
  }

  openSession(principal: Principal, link: DeviceLink): DialectSession {
    if (principal.device === null) throw new TypeError('A ThingsBoard principal is a device.');
    return new ThingsboardSession(this.reader, principal.device, link);
  }

  readonly connectionGuide = connectionGuide;
}

function hasCertificate(via: ConnectVia): boolean {
  return via.clientCertificates !== null && via.clientCertificates.length > 0;
}

/** undefined: the name is not known to this dialect. */
function byUsername(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Identification | undefined {
  const holder = registry.byUsername(connect.username ?? '');
  if (holder === undefined || holder.dialect !== DIALECT_ID) return undefined;
  // recognition.md, R5: who shows a certificate that is not known is not let in by a token.
  if (hasCertificate(via)) return notAuthorized('The client certificate is not known.');
  return identifyByUsername(connect, holder);
}

function byClientId(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Identification | undefined {
  if (connect.clientId === '' || hasCertificate(via)) return undefined;
  const holder = registry.byClientId(connect.clientId);
  return holder?.dialect === DIALECT_ID ? identifyByClientId(connect, holder) : undefined;
}

/** recognition.md, section 4: a user name that another dialect holds decides, whatever the Client Identifier is. */
function nameIsTaken(connect: ConnectPacket, registry: CredentialLookup): boolean {
  return connect.username ? registry.byUsername(connect.username) !== undefined : false;
}

function provisioningRefusal(): Refusal {
  return notAuthorized('Device provisioning over MQTT is not offered yet.');
}

/** Section 1.5, for a listener that serves this dialect alone. */
function refusalOf(connect: ConnectPacket, via: ConnectVia): Refusal {
  if (hasCertificate(via)) return notAuthorized('The client certificate is not known.');
  if (connect.username === '') return emptyUsername();
  if (connect.username !== null || connect.password !== null)
    return badCredentials('The user name or token is not known.');
  if (connect.clientId === '') return notAuthorized('No credential was sent.');
  return clientIdNotValid('The client ID is not known.');
}

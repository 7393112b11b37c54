import { type CredentialLookup, type DeviceRef, NULL_ID, ValueReader } from '@moorage/core';
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
import { identifyByCertificate, type Now } from './certificates.ts';
import { createCoapRoutes } from './coap-routes.ts';
import { badCredentials, clientIdNotValid, emptyUsername, notAuthorized } from './codes.ts';
import { connectionGuide } from './connection-guide.ts';
import { emptyClientIdRefusal, type Identification, identifyByClientId, identifyByUsername } from './credentials.ts';
import { createHttpRoutes } from './http-routes.ts';
import { DIALECT_ID, manifest } from './manifest.ts';
import { MAXIMUM_PAYLOAD_SIZE } from './payloads.ts';
import { SchemaCache } from './protobuf/schema-cache.ts';
import { ProvisioningSession } from './provisioning-session.ts';
import { type SessionTools, ThingsboardSession } from './session.ts';

/** Settings of the dialect; all have defaults. */
export interface ThingsboardDialectOptions {
  /** Bytes of a whole packet, more than a payload of 65,536 bytes needs. Between both the connection ends with 0x81. */
  readonly maximumPacketSize?: number;
  /** Epoch milliseconds. Without it no client certificate is accepted, since its validity cannot be checked. */
  readonly now?: () => number;
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

/** Enough for one request and its answer. Section 6.2 */
function provisioningPolicy(device: SessionPolicy): SessionPolicy {
  return {
    ...device,
    receiveMaximum: 10,
    topicAliasMaximum: 0,
    maximumSubscriptions: 10,
    queue: { messages: 10, bytes: MAXIMUM_PAYLOAD_SIZE, ageMs: 60_000 },
  };
}

/** The device API of ThingsBoard over MQTT. */
export class ThingsboardDialect implements Dialect {
  readonly manifest = manifest;
  private readonly policy: SessionPolicy;
  private readonly now: Now;
  private readonly tools: SessionTools;
  private provisioningSessions = 0;

  constructor(options: ThingsboardDialectOptions = {}) {
    this.policy = sessionPolicy(options);
    this.now = options.now ?? null;
    this.tools = { reader: new ValueReader(), schemas: new SchemaCache(), now: options.now ?? (() => 0) };
  }

  /** A device has one connection, whatever its Client Identifier is. */
  oneSession({ id }: DeviceRef): string {
    return id;
  }

  recognise(connect: ConnectPacket, via: ConnectVia): 'yes' | 'maybe' | 'no' {
    if (connect.username === PROVISION) return 'yes';
    if (connect.clientId === PROVISION && connect.username === null) return 'yes';
    const hasCredential = connect.clientId !== '' || Boolean(connect.username) || hasCertificate(via);
    return hasCredential ? 'maybe' : 'no';
  }

  authenticate(
    connect: ConnectPacket,
    via: ConnectVia,
    registry: CredentialLookup,
  ): Authentication | Promise<Authentication> {
    const pinned = via.pinnedDialect === DIALECT_ID;
    if (connect.username === PROVISION || (pinned && connect.clientId === PROVISION)) return this.provisioning(connect);
    // Before any name is looked at: who shows a known certificate is its device. Section 1.2, recognition.md, R3
    const byCertificate = identifyByCertificate(via.clientCertificates ?? [], registry, this.now);
    if (byCertificate instanceof Promise) return byCertificate.then((settled) => this.answer(connect, settled));
    const identification = byCertificate ?? byName(connect, via, registry);
    if (identification !== undefined) return this.answer(connect, identification);
    if (connect.clientId === PROVISION && !nameIsTaken(connect, registry)) return this.provisioning(connect);
    // A pinned listener asks nobody else: the refusal is the vendor's own. recognition.md, R1
    return pinned
      ? refusalOf(connect, via)
      : { outcome: 'notMine', reason: 'No ThingsBoard device has these credentials.' };
  }

  private answer(connect: ConnectPacket, identification: Identification): Authentication {
    if (identification.outcome === 'refused') return identification;
    return emptyClientIdRefusal(connect) ?? this.accept(connect, identification.device);
  }

  private accept(connect: ConnectPacket, device: DeviceRef): Authentication {
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

  /** Somebody without an identity, who belongs to no tenant: that is what NULL_ID says. Section 6.2 */
  private provisioning(connect: ConnectPacket): Authentication {
    this.provisioningSessions++;
    const principal: Principal = {
      dialect: DIALECT_ID,
      tenantId: NULL_ID,
      device: null,
      application: null,
      identity: null,
      assignedClientId: connect.clientId === '' ? `${PROVISION}-${this.provisioningSessions}` : null,
      account: null,
      policy: provisioningPolicy(this.policy),
    };
    return { outcome: 'accepted', principal };
  }

  openSession(principal: Principal, link: DeviceLink): DialectSession {
    return principal.device === null
      ? new ProvisioningSession(this.tools.reader, link)
      : new ThingsboardSession(this.tools, principal.device, link);
  }

  readonly connectionGuide = connectionGuide;
  readonly httpRoutes = createHttpRoutes();
  readonly coapRoutes = createCoapRoutes();
}

function hasCertificate(via: ConnectVia): boolean {
  return via.clientCertificates !== null && via.clientCertificates.length > 0;
}

/** undefined: neither name is known to this dialect. */
function byName(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Identification | undefined {
  return connect.username ? byUsername(connect, via, registry) : byClientId(connect, via, registry);
}

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

/** Section 1.5, for a listener that serves this dialect alone. */
function refusalOf(connect: ConnectPacket, via: ConnectVia): Refusal {
  if (hasCertificate(via)) return notAuthorized('The client certificate is not known.');
  if (connect.username === '') return emptyUsername();
  if (connect.username !== null || connect.password !== null)
    return badCredentials('The user name or token is not known.');
  if (connect.clientId === '') return notAuthorized('No credential was sent.');
  return clientIdNotValid('The client ID is not known.');
}

import { type ApplicationRef, type CredentialLookup, type DeviceRef, type EntityId, ValueReader } from '@moorage/core';
import type {
  Authentication,
  ConnectPacket,
  ConnectVia,
  DeviceLink,
  Dialect,
  DialectSession,
  Principal,
  SessionPolicy,
} from '@moorage/dialect-api';
import { badCredentials, emptyClientId, noCredentials } from './codes.ts';
import { connectionGuide } from './connection-guide.ts';
import { generateClientId, identify, pretendToCheck } from './credentials.ts';
import { DIALECT_ID, manifest } from './manifest.ts';
import { anonymousRights, applicationRights, clientIdPrefix, DEVICE_RIGHTS, type Rights } from './rights.ts';
import { PlainSession } from './session.ts';

/** Settings of the dialect. */
export interface PlainDialectOptions {
  /** Lets in who sends no user name. recognition.md, R10 */
  readonly anonymous: boolean;
  /** Tenant of principals without credentials; used only if `anonymous` is on. */
  readonly anonymousTenantId: EntityId;
  /** Filters that principals without credentials may not receive. */
  readonly denySubscribe: readonly string[];
  /** Whether applications of this tenant may be given the figures of the whole server below `$SYS/`. Absent: of every tenant. */
  readonly serverFigures?: (tenantId: EntityId) => boolean;
  /** Random bytes for Client Identifiers made by the server. */
  readonly randomBytes: (length: number) => Uint8Array;
}

const DAY_SECONDS = 24 * 60 * 60;
const MEBIBYTE = 1024 * 1024;

/** The whole standard, within reliability.md, section 8. */
const POLICY: SessionPolicy = {
  maximumGrantedQoS: 2,
  persistence: 'asRequested',
  maximumSessionExpiryInterval: 7 * DAY_SECONDS,
  will: 'honoured',
  retained: 'honoured',
  maximumPacketSize: MEBIBYTE,
  receiveMaximum: 100,
  topicAliasMaximum: 32,
  maximumSubscriptions: 10_000,
  queue: { messages: 10_000, bytes: 64 * MEBIBYTE, ageMs: 7 * DAY_SECONDS * 1000 },
  serverKeepAlive: null,
};

/** Whose Client Identifier it is; the UUID of a device or application, or nobody's. */
interface Owner {
  readonly tenantId: EntityId;
  readonly device: DeviceRef | null;
  readonly application: ApplicationRef | null;
}

/** Ordinary MQTT with free topics. */
export class PlainDialect implements Dialect {
  readonly manifest = manifest;
  private readonly options: PlainDialectOptions;
  private readonly anonymousRights: Rights;
  private readonly reader = new ValueReader();

  constructor(options: PlainDialectOptions) {
    this.options = options;
    this.anonymousRights = anonymousRights(options.denySubscribe);
  }

  recognise(connect: ConnectPacket): 'yes' | 'maybe' | 'no' {
    return connect.username || this.options.anonymous ? 'maybe' : 'no';
  }

  authenticate(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Authentication {
    if (!connect.username) return this.withoutUsername(connect, via, registry);
    const holder = registry.byUsername(connect.username);
    if (holder === undefined || holder.dialect !== DIALECT_ID) {
      pretendToCheck(connect.password);
      const reason = 'No plain MQTT client has this user name.';
      // A pinned listener asks nobody else. recognition.md, R1
      return via.pinnedDialect === DIALECT_ID ? badCredentials(reason) : { outcome: 'notMine', reason };
    }
    const credential = identify(connect, holder);
    if ('outcome' in credential) return credential;
    const { device, application } = credential;
    const tenantId = device?.tenantId ?? application?.tenantId;
    if (tenantId === undefined) return badCredentials('The credential belongs to nobody.');
    return this.accept(connect, { tenantId, device, application });
  }

  private withoutUsername(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Authentication {
    // recognition.md, R7 before R10: a Client Identifier that is a credential keeps its owner.
    const known = connect.clientId === '' ? undefined : registry.byClientId(connect.clientId);
    if (this.options.anonymous && (known === undefined || via.pinnedDialect === DIALECT_ID)) {
      return this.accept(connect, { tenantId: this.options.anonymousTenantId, device: null, application: null });
    }
    const reason = 'No user name, and anonymous access is off.';
    return via.pinnedDialect === DIALECT_ID ? noCredentials(reason) : { outcome: 'notMine', reason };
  }

  private accept(connect: ConnectPacket, owner: Owner): Authentication {
    // recognition.md, section 6
    if (connect.clientId === '' && (connect.level === 3 || (connect.level === 4 && !connect.cleanStart))) {
      return emptyClientId();
    }
    const prefix = owner.application === null ? '' : clientIdPrefix(owner.application.configuration);
    const assignedClientId = connect.clientId === '' ? prefix + generateClientId(this.options.randomBytes) : null;
    // The UUID has no solidus, so nobody's Client Identifier makes another one's identity.
    const ownerId = owner.device?.id ?? owner.application?.id ?? 'anonymous';
    const principal: Principal = {
      dialect: DIALECT_ID,
      ...owner,
      identity: `${ownerId}/${assignedClientId ?? connect.clientId}`,
      assignedClientId,
      account: '',
      policy: POLICY,
    };
    return { outcome: 'accepted', principal };
  }

  openSession(principal: Principal, link: DeviceLink): DialectSession {
    return new PlainSession(this.reader, this.rightsOf(principal), principal.device, link);
  }

  private rightsOf({ device, application }: Principal): Rights {
    if (device !== null) return DEVICE_RIGHTS;
    if (application === null) return this.anonymousRights;
    return applicationRights(application.configuration, this.options.serverFigures?.(application.tenantId) ?? true);
  }

  readonly connectionGuide = connectionGuide;
}

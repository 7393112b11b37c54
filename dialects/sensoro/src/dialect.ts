import type { Completion, CredentialLookup, DialectWork, EntityId } from '@moorage/core';
import {
  type Authentication,
  type ConnectPacket,
  type ConnectVia,
  type DeviceHttpRoute,
  type DeviceLink,
  type Dialect,
  type DialectPushes,
  type DialectSession,
  type Principal,
  passwordMatches,
  type SessionPolicy,
} from '@moorage/dialect-api';
import { Applications, credentialOf, type NormaliseUrl, secretsOf } from './applications.ts';
import { clientIdFits } from './client-id.ts';
import { notAuthorized, tooManyConnections } from './codes.ts';
import { connectionGuide } from './connection-guide.ts';
import { DIALECT_ID, manifest } from './manifest.ts';
import { DeviceDirectory } from './open-api/device-directory.ts';
import { FirstAnswers } from './open-api/first-answers.ts';
import { Gate } from './open-api/gate.ts';
import { RequestRate } from './open-api/request-rate.ts';
import { RequestSignature } from './open-api/request-signature.ts';
import { openApiRoutes } from './open-api/routes.ts';
import { ScheduleNumbers } from './open-api/schedule-numbers.ts';
import type { Aes256Cbc, HmacSha256Base64, SensoroPlatform } from './ports.ts';
import { MessageIds } from './push/message-id.ts';
import { SensoroPushes } from './push/sensoro-pushes.ts';
import { SensoroSession } from './session.ts';
import { UplinkReader, UplinkWork } from './uplink.ts';
import { Uplinks } from './uplinks.ts';

export interface SensoroDialectOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly hmacSha256Base64: HmacSha256Base64;
  readonly aes256Cbc: Aes256Cbc;
  /** From a cryptographic source. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly platform: SensoroPlatform;
  readonly normaliseUrl: NormaliseUrl;
  /** Names under which this server is reached over HTTP, with a port where it is not the usual one. */
  readonly publicNames: readonly string[];
  /** Milliseconds that the nonce of a request may differ from the clock; 0: any. */
  readonly nonceWindowMs: number;
  /** Whether `X-Forwarded-*` from a peer of this address are to be believed. */
  readonly trustedProxy: (remoteAddress: string) => boolean;
  /** Live connections of an application, except one of this Client Identifier, whose place a new one takes. */
  readonly connectionsOf: (applicationId: EntityId, exceptClientId: string) => number;
  /** Hears of what is not pushed or not stored. */
  readonly count: (event: string, amount: number) => void;
  readonly fault: (error: unknown) => void;
  /** Number of the first task of a command; 1 if it is left out. */
  readonly firstTask?: number;
}

const DAY_SECONDS = 24 * 60 * 60;
const MEBIBYTE = 1024 * 1024;
/** sensoro.md, 6 */
const MAXIMUM_CONNECTIONS = 50;

/** sensoro.md, 4.3 and 4.4 */
const POLICY: SessionPolicy = {
  maximumGrantedQoS: 1,
  persistence: 'asRequested',
  maximumSessionExpiryInterval: DAY_SECONDS,
  will: 'ignored',
  retained: 'ignored',
  maximumPacketSize: 131_072,
  receiveMaximum: 20,
  topicAliasMaximum: 0,
  maximumSubscriptions: 100,
  queue: { messages: 10_000, bytes: 64 * MEBIBYTE, ageMs: DAY_SECONDS * 1000 },
  serverKeepAlive: null,
};

/** Compared with the password of an unknown AppID, so that it takes as long as a known one. */
const NOBODYS_SECRET = 'nobody has this secret, nobody ha';

/** The cloud as applications of the vendor know it: they hear what devices of every dialect send, and command them. */
export class SensoroDialect implements Dialect {
  readonly manifest = manifest;
  readonly pushes: DialectPushes;
  readonly httpRoutes: readonly DeviceHttpRoute[];
  readonly #options: SensoroDialectOptions;
  readonly #reader = new UplinkReader();
  readonly #uplinks: Uplinks;

  constructor(options: SensoroDialectOptions) {
    const { now, randomBytes, platform, count, fault, aes256Cbc, nonceWindowMs } = options;
    this.#options = options;
    const applications = new Applications(options.normaliseUrl);
    const directory = new DeviceDirectory(platform);
    this.#uplinks = new Uplinks({ platform, directory, count, fault });
    this.pushes = new SensoroPushes({
      applications,
      ids: new MessageIds(now, randomBytes),
      cipher: aes256Cbc,
      randomBytes,
      count,
      deviceTouched: (id) => directory.touch(id),
    });
    const gate = new Gate({
      applications,
      signature: new RequestSignature(options),
      rate: new RequestRate(now),
      answers: new FirstAnswers(now),
      nonceWindowMs,
      now,
    });
    const numbers = new ScheduleNumbers(now, options.firstTask ?? 1);
    this.httpRoutes = openApiRoutes({ platform, directory, numbers, gate, now });
  }

  recognise(connect: ConnectPacket): 'yes' | 'maybe' | 'no' {
    return connect.username ? 'maybe' : 'no';
  }

  authenticate(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Authentication {
    const { username, password, clientId } = connect;
    const credential = username === null ? undefined : credentialOf(username, registry);
    const application = credential?.application ?? null;
    if (username === null || credential === undefined || application === null) {
      passwordMatches(password, NOBODYS_SECRET);
      const reason = 'No application has this AppID.';
      // A pinned listener asks nobody else. recognition.md, R1
      return via.pinnedDialect === DIALECT_ID ? notAuthorized(reason) : { outcome: 'notMine', reason };
    }
    const { name, id, tenantId } = application;
    const secrets = secretsOf(credential, this.#options.now());
    if (secrets.filter((secret) => passwordMatches(password, secret)).length === 0)
      return notAuthorized(`Wrong AppSecret for ${name}.`);
    if (!clientIdFits(clientId, username)) {
      return notAuthorized(
        `The client ID must be ${username}, or ${username}/ with up to 36 letters, digits, - and _.`,
      );
    }
    if (!application.enabled) return notAuthorized(`The application ${name} is disabled.`);
    if (this.#options.connectionsOf(id, clientId) >= MAXIMUM_CONNECTIONS) return tooManyConnections(username);
    const principal: Principal = {
      dialect: DIALECT_ID,
      tenantId,
      device: null,
      application,
      identity: `${id}/${clientId}`,
      assignedClientId: null,
      account: id,
      policy: POLICY,
    };
    return { outcome: 'accepted', principal };
  }

  openSession({ application, identity }: Principal, link: DeviceLink): DialectSession {
    if (application === null) throw new TypeError('a SENSORO session belongs to an application');
    // Behind the id of the application stands the Client Identifier, and it begins with the AppID.
    const [, appId = ''] = (identity ?? '').split('/', 2);
    return new SensoroSession(appId, application, link, this.#reader);
  }

  work({ application }: Principal, work: DialectWork, completion: Completion): void {
    if (application !== null && work instanceof UplinkWork) this.#uplinks.take(application, work, completion);
  }

  readonly connectionGuide = connectionGuide;
}

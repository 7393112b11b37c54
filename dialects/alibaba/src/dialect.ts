import { type CredentialLookup, type DeviceRef, type RpcTimeoutRange, ValueReader } from '@moorage/core';
import type {
  Accepted,
  Authentication,
  ConnectPacket,
  ConnectVia,
  DeviceHttpRoute,
  DeviceLink,
  Dialect,
  DialectSession,
  Principal,
  Refusal,
} from '@moorage/dialect-api';
import { bootstrapRoutes, type MqttEndpoint } from './bootstrap-routes.ts';
import { type LinkClientId, parseClientId } from './client-id.ts';
import { badClientId, badCredentials, unavailable } from './codes.ts';
import { connectionGuide } from './connection-guide.ts';
import { identify, type ProvenDevice, parseUsername } from './credentials.ts';
import { dataChannelRoutes } from './data-channel.ts';
import { DeviceTokens } from './device-tokens.ts';
import { LinkDirectory } from './directory.ts';
import { DownloadLinks } from './download-links.ts';
import { downloadRoute } from './download-route.ts';
import { GatewaySession, type GatewayTools } from './gateway-session.ts';
import { registrationRoutes } from './http-routes.ts';
import { JsonTexts } from './json-text.ts';
import { DIALECT_ID, manifest } from './manifest.ts';
import { sessionPolicy } from './policy.ts';
import { preSharedKey } from './pre-shared-key.ts';
import {
  REGISTRATION_ERRORS,
  type Registered,
  type RegistrationError,
  register,
  registerUnannounced,
  registrationData,
  tokenData,
} from './registration.ts';
import { type RegistrationNotice, RegistrationSession, registrationPolicy } from './registration-session.ts';
import { RRPC_METHOD, RRPC_TIMEOUT } from './rrpc.ts';
import type { LinkSecrets } from './secrets.ts';
import { AlibabaSession, type SessionTools } from './session.ts';
import type { Hmac, LinkIdentity } from './signature.ts';
import { type LinkStore, StoredRequests } from './stored-requests.ts';
import { Topology } from './topology.ts';

/** Settings of the dialect. */
export interface AlibabaDialectOptions {
  readonly hmac: Hmac;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Reads and writes what devices ask for beside values. Asked for when it is needed, which is after the start. */
  readonly store: () => LinkStore;
  /** Gives out secrets, asked for when needed. Absent: dynamic registration is off, whatever products say. */
  readonly secrets?: () => LinkSecrets;
  /** Tells secrets over connections without TLS, as where a proxy in front of the server ends it. Section 1.7 */
  readonly registerWithoutTls?: boolean;
  /** Scheme, host and port of the HTTP server as devices reach it; null or absent: firmware goes over MQTT alone. */
  readonly downloadBase?: () => string | null;
  /** Seconds in which a device with `_ss=1` and clean session 1 finds its subscriptions again; 0 or absent: none. Section 2.3 */
  readonly sessionGraceSeconds?: number;
  /** What devices are told that ask where to connect; absent: the host they asked, and the usual port. */
  readonly mqttEndpoint?: () => MqttEndpoint;
}

const DEFAULT_PORT = 1883;

/** A way of being registered over MQTT. */
interface Registration {
  readonly register: typeof register;
  readonly notice: (identity: LinkIdentity, registered: Registered) => RegistrationNotice;
}

/** By `authType`. Section 1.7 */
const REGISTRATIONS: ReadonlyMap<string, Registration> = new Map([
  [
    'register',
    {
      register,
      notice: (identity, { secret }) => ({ topicName: '/ext/register', data: registrationData(identity, secret) }),
    },
  ],
  [
    'regnwl',
    {
      register: registerUnannounced,
      notice: (identity, { device, secret }) => ({
        topicName: '/ext/regnwl',
        data: tokenData(identity, device.id, secret),
      }),
    },
  ],
] satisfies [string, Registration][]);

/** Devices whose library is known already; beyond so many it is written down again. */
const MAXIMUM_KNOWN = 100_000;

/** Devices built with the Link SDKs, over MQTT. */
export class AlibabaDialect implements Dialect {
  readonly manifest = manifest;
  readonly #options: AlibabaDialectOptions;
  readonly #tools: SessionTools;
  readonly #requests: StoredRequests;
  /** What the Client Identifier of a device said of its library, so that only news are written. */
  readonly #libraries = new Map<string, string>();
  /** What connections that are let in to be registered are told. */
  readonly #registrations = new WeakMap<Principal, RegistrationNotice>();
  readonly httpRoutes: readonly DeviceHttpRoute[];
  readonly #directory: LinkDirectory;
  readonly #tokens: DeviceTokens;
  readonly #gatewayTools: GatewayTools;
  /** Connections on which nobody reads along, or of which the operator says so. */
  readonly #confidential = new WeakSet<Principal>();

  constructor(options: AlibabaDialectOptions) {
    this.#options = options;
    const { hmac, now, secrets, store, downloadBase = () => null } = options;
    const directory = new LinkDirectory(hmac);
    this.#directory = directory;
    // What is made of a secret is good for nothing while the device is disabled.
    const secretOf = (identity: LinkIdentity): string | null =>
      directory.isEnabled(identity) ? directory.secretOf(identity) : null;
    const links = new DownloadLinks({ hmac, now, base: downloadBase, secretOf });
    const reader = new ValueReader();
    const decoder = new TextDecoder();
    const texts = new JsonTexts(reader, { text: (bytes) => decoder.decode(bytes) });
    const shadowControl: SessionTools['shadowControl'] = (...change) => this.#requests.shadowControl(...change);
    this.#tools = { reader, now, links, shadowControl };
    this.#requests = new StoredRequests(store, now, links, new Topology(store, directory, texts, secrets ?? null));
    this.#gatewayTools = {
      directory,
      texts,
      open: (link, device, identity) => new AlibabaSession(this.#tools, device, identity, link, true),
    };
    const tokens = new DeviceTokens({ hmac, now, secretOf });
    this.#tokens = tokens;
    const ask = (...question: Parameters<StoredRequests['answer']>) => this.#requests.answer(...question);
    const endpoint = options.mqttEndpoint ?? (() => ({ host: null, port: DEFAULT_PORT }));
    this.httpRoutes = [
      ...(secrets === undefined ? [] : registrationRoutes(hmac, secrets)),
      ...bootstrapRoutes({ directory, tokens, endpoint }),
      ...dataChannelRoutes({ tools: this.#tools, directory, tokens, ask }),
      downloadRoute(links),
    ].map((route) => knowing(directory, route));
  }

  recognise(connect: ConnectPacket): 'yes' | 'maybe' | 'no' {
    if (parseClientId(connect.clientId)?.isOwn === true) return 'yes';
    return connect.username?.includes('&') === true ? 'maybe' : 'no';
  }

  authenticate(
    connect: ConnectPacket,
    via: ConnectVia,
    registry: CredentialLookup,
  ): Authentication | Promise<Authentication> {
    this.#directory.registry = registry;
    const pinned = via.pinnedDialect === DIALECT_ID;
    const link = parseClientId(connect.clientId);
    if (link === undefined || !(link.isOwn || pinned)) return withoutLinkForm(connect, pinned, registry);
    const authType = link.parameters.get('authType') ?? '';
    const registration = REGISTRATIONS.get(authType);
    if (registration !== undefined) return this.#register(registration, connect, via, link, registry);
    const identification = identify(connect, link, registry, this.#options.hmac, this.#tokens);
    if (identification.outcome !== 'proven') return identification;
    const grace = link.parameters.get('_ss') === '1' ? (this.#options.sessionGraceSeconds ?? 0) : 0;
    const accepted = accept(connect, identification, grace);
    if (this.#mayTellSecrets(via)) this.#confidential.add(accepted.principal);
    return accepted;
  }

  openSession(principal: Principal, link: DeviceLink): DialectSession {
    const told = this.#registrations.get(principal);
    if (told !== undefined) return new RegistrationSession(told);
    const { device } = principal;
    const identity = identityOf(principal);
    if (device === null) throw new TypeError('a principal of this dialect is a device');
    // A principal without an identity is asked for its rights only, and never connects.
    const isTold = principal.identity === null || this.#isKnown(device, link);
    const session = new AlibabaSession(this.#tools, device, identity, link, isTold);
    if (!device.gateway) return session;
    const isConfidential = this.#confidential.has(principal);
    return new GatewaySession(session, { device, identity, link, isConfidential }, this.#gatewayTools);
  }

  /** The key of a device that connects by TLS-PSK; undefined: it is none of ours. Section 1.9 */
  preSharedKey(identity: string, registry: CredentialLookup): Uint8Array | undefined {
    return preSharedKey(identity, registry, this.#options.hmac);
  }

  /** Section 1.7. The keep-alive of such a connection is not checked. */
  async #register(
    registration: Registration,
    connect: ConnectPacket,
    via: ConnectVia,
    { parameters }: LinkClientId,
    registry: CredentialLookup,
  ): Promise<Authentication> {
    const { hmac, secrets } = this.#options;
    if (secrets === undefined) return unavailable('Dynamic registration is switched off.');
    if (!this.#mayTellSecrets(via)) return unavailable('Dynamic registration needs TLS.');
    const identity = parseUsername(connect.username);
    if (identity === undefined) return badCredentials('The user name is not deviceName&productKey.');
    const random = parameters.get('random') ?? '';
    const request = { identity, random, sign: connect.password, signMethod: parameters.get('signmethod') };
    const outcome = await registration.register(request, registry, hmac, secrets());
    if (outcome.outcome === 'refused') return registrationRefusal(outcome.error, outcome.reason);
    const principal: Principal = {
      dialect: DIALECT_ID,
      tenantId: outcome.device.tenantId,
      device: null,
      application: null,
      identity: null,
      assignedClientId: null,
      account: null,
      policy: registrationPolicy(),
    };
    this.#registrations.set(principal, registration.notice(identity, outcome));
    return { outcome: 'accepted', principal };
  }

  #mayTellSecrets({ transport }: ConnectVia): boolean {
    return this.#options.registerWithoutTls === true || transport === 'tls' || transport === 'wss';
  }

  oneSession(device: DeviceRef, registry: CredentialLookup): string | null {
    const credential = registry.ofDevice?.(device.id);
    const identity = credential?.credentialsType === 'ALIBABA' ? parseUsername(credential.username) : undefined;
    return identity === undefined ? null : sessionIdentity(device, identity);
  }

  /** Section 2.6 */
  rpcTimeoutRange(device: DeviceRef, method: string, registry: CredentialLookup): RpcTimeoutRange | null {
    if (method !== RRPC_METHOD) return null;
    return registry.ofDevice?.(device.id)?.credentialsType === 'ALIBABA' ? RRPC_TIMEOUT : null;
  }

  answerRequest(device: DeviceRef, request: string, params: string): Promise<string> {
    return this.#requests.answer(device, request, params);
  }

  readonly connectionGuide = (...[device, credentials, endpoint]: Parameters<Dialect['connectionGuide']>) =>
    connectionGuide(this.#options.hmac, device, credentials, endpoint);

  #isKnown({ id }: DeviceRef, { clientId }: DeviceLink): boolean {
    const parameters = parseClientId(clientId)?.parameters;
    const library = `${parameters?.get('_v') ?? ''} ${parameters?.get('lan') ?? ''}`;
    if (this.#libraries.get(id) === library) return true;
    if (this.#libraries.size >= MAXIMUM_KNOWN) this.#libraries.clear();
    this.#libraries.set(id, library);
    return false;
  }
}

/** Devices are looked up where the request comes from, which may be before the first CONNECT. */
function knowing(directory: LinkDirectory, route: DeviceHttpRoute): DeviceHttpRoute {
  return {
    ...route,
    handle(request, desk) {
      directory.registry = desk.credentials;
      return route.handle(request, desk);
    },
  };
}

/** Section 1.7: 2 for what the client ID says, 3 for what the server cannot do, 4 for the rest. */
function registrationRefusal(error: RegistrationError, why: string = REGISTRATION_ERRORS[error]): Refusal {
  const reason = `Registration: ${why}.`;
  if (error === 500) return unavailable(reason);
  return error === 460 || error === 6292 ? badClientId(reason) : badCredentials(reason);
}

/** Section 2.3: one Session for a device, whatever its Client Identifier is. */
function sessionIdentity({ id }: DeviceRef, { deviceName, productKey }: LinkIdentity): string {
  return `${id}/${deviceName}&${productKey}`;
}

function accept({ level }: ConnectPacket, { device, identity }: ProvenDevice, graceSeconds: number): Accepted {
  return {
    outcome: 'accepted',
    principal: {
      dialect: DIALECT_ID,
      tenantId: device.tenantId,
      device,
      application: null,
      identity: sessionIdentity(device, identity),
      assignedClientId: null,
      account: '',
      policy: graceSeconds > 0 ? { ...sessionPolicy(level), cleanGraceSeconds: graceSeconds } : sessionPolicy(level),
    },
  };
}

/** Without an identity, as when only the right to a Will is asked for, nothing is the device's own. */
function identityOf({ identity }: Principal): { readonly productKey: string; readonly deviceName: string } {
  const name = identity === null ? null : identity.slice(identity.indexOf('/') + 1);
  return parseUsername(name) ?? { productKey: '+', deviceName: '+' };
}

/** recognition.md, R5 and R6: a known name of ours with another form of Client Identifier is ours to refuse. */
function withoutLinkForm(connect: ConnectPacket, pinned: boolean, registry: CredentialLookup): Authentication {
  const reason = 'The client ID does not have the form <base>|key=value,...| with securemode or signmethod.';
  if (pinned) return badClientId(reason);
  const { username } = connect;
  const holder = username ? registry.byUsername(username) : undefined;
  if (holder !== undefined) {
    return holder.dialect === DIALECT_ID
      ? badClientId(reason)
      : { outcome: 'notMine', reason: 'The user name belongs to another dialect.' };
  }
  const at = username?.lastIndexOf('&') ?? -1;
  const product = at === -1 ? undefined : registry.product?.(DIALECT_ID, username?.slice(at + 1) ?? '');
  return product === undefined ? { outcome: 'notMine', reason } : badClientId(reason);
}

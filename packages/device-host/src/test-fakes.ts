import {
  type ApplicationRef,
  type Attribute,
  type AttributeScope,
  type Clock,
  type Completion,
  type CredentialLookup,
  DEFAULT_PROFILE_SETTINGS,
  type DeviceIntent,
  type DeviceOutcome,
  type DevicePlatform,
  type DeviceRef,
  type Intent,
  type OtaDownload,
  type OtaUnavailable,
  PointList,
  type ProvisionOutcome,
  type Scheduler,
  type SessionLimits,
  type TelemetrySink,
  ValueKind,
} from '@moorage/core';
import {
  type DeviceCommand,
  type DeviceReply,
  type Dialect,
  type DialectSession,
  type Disposition,
  NOTHING,
  type OutboundMessage,
  type PayloadSource,
  type Principal,
  type ProtocolLevel,
  perform,
  type ReasonCode,
  type SubscriptionDecision,
} from '@moorage/dialect-api';
import type { CloseReason, ConnectionHandle, InboundMessage, ListenerInfo, StoreOutcome } from '@moorage/mqtt-broker';
import type { ApplicationCommand } from './commands/command-desk.ts';
import type { DeviceConnection } from './device-connection.ts';
import { DeviceHost } from './device-host.ts';
import type { DeviceHostOptions, HostBroker } from './options.ts';

const TENANT = 'tenant';

export const VIA: ListenerInfo = {
  listener: 'mqtt',
  transport: 'tcp',
  remoteAddress: '10.0.0.1',
  remotePort: 5,
  pinnedDialect: null,
  serverName: null,
  clientCertificates: null,
};

export const MESSAGE: InboundMessage = {
  topicName: 't',
  payload: new Uint8Array(10),
  qos: 1,
  retain: false,
  dup: false,
  properties: null,
  receivedAt: 5,
};

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function deviceRef(id: string, fields: Partial<DeviceRef> = {}): DeviceRef {
  const settings = DEFAULT_PROFILE_SETTINGS;
  return { id, tenantId: TENANT, name: id, profileId: 'profile', gateway: false, settings, ...fields };
}

/** Points of one message. */
export function points(count = 1): PointList {
  const list = new PointList();
  for (let index = 0; index < count; index++) list.add(7, `key${index}`, ValueKind.Long, index);
  return list;
}

export function attribute(scope: AttributeScope, key: string, value: number): Attribute {
  return { scope, key, kind: ValueKind.Long, value, lastUpdateTs: 1 };
}

/** A registry without credentials. */
export const NO_CREDENTIALS: CredentialLookup = {
  byUsername: () => undefined,
  byClientId: () => undefined,
  byCertificate: () => undefined,
  hasCertificateProfile: () => false,
  deviceOfChain: async () => ({ outcome: 'failed' }),
};

/** A promise that a test settles. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  #settle: { resolve(value: T): void; reject(error: unknown): void } | null = null;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  resolve(value: T): void {
    this.#settle?.resolve(value);
  }

  reject(error: unknown): void {
    this.#settle?.reject(error);
  }
}

/** A token that notes what happens to it. */
export class FakeToken implements Completion {
  readonly outcomes: StoreOutcome[] = [];
  held = 0;

  hold(): void {
    this.held++;
  }

  release(outcome: StoreOutcome): void {
    this.held--;
    this.outcomes.push(outcome);
  }
}

/** A vendor's session that answers what the test says. Topics and payloads it makes are readable text. */
export class FakeSession implements DialectSession {
  disposition: Disposition = NOTHING;
  /** `null`: not subscribed. */
  listens = true;
  closeAfterReplyMs?: number;
  openingIntents?: readonly DeviceIntent[];
  listensAtOnce?: boolean;
  openingMessages?: readonly OutboundMessage[];
  readonly replies: DeviceReply[] = [];
  readonly changed: DeviceRef[] = [];

  subscribe(): SubscriptionDecision {
    this.listens = true;
    return { reasonCode: 0, enter: [] };
  }

  unsubscribe(): null {
    return null;
  }

  publish(): Disposition {
    return this.disposition;
  }

  command(command: DeviceCommand): readonly OutboundMessage[] | 'notSubscribed' {
    return this.listens ? [text(describe(command), 'command')] : 'notSubscribed';
  }

  subDeviceCommand(name: string, command: DeviceCommand): readonly OutboundMessage[] {
    return [text(`${name}/${describe(command)}`, 'command')];
  }

  subDeviceClosed(name: string, reasonCode: ReasonCode): readonly OutboundMessage[] {
    return [text(`${name}/closed`, String(reasonCode))];
  }

  subDeviceEnabled({ name }: DeviceRef, enabled: boolean): readonly OutboundMessage[] {
    return [text(`${name}/enabled`, String(enabled))];
  }

  reply(reply: DeviceReply): readonly OutboundMessage[] {
    this.replies.push(reply);
    if (reply.kind === 'otaChunk') return [{ topicName: reply.ref, payload: reply.payload, qos: 1 }];
    if (reply.kind === 'otaError') return [text(reply.ref, reply.error)];
    if (reply.kind === 'clientRpc' || reply.kind === 'dialect') return [text(reply.ref, reply.payload)];
    if (reply.kind === 'outcome') return [text(reply.ref, reply.outcome)];
    if (reply.kind === 'provision') return [text(reply.ref, reply.outcome.status)];
    const keys = [...reply.client, ...reply.shared].map(({ scope, key }) => `${scope}.${key}`);
    return [text(reply.ref, `${reply.subDevice ?? ''}[${keys}]`)];
  }

  deviceChanged(device: DeviceRef): void {
    this.changed.push(device);
  }

  mayReceive(): boolean {
    return true;
  }

  mayPublishWill(): boolean {
    return true;
  }
}

function describe(command: DeviceCommand): string {
  return command.kind === 'rpc' ? `rpc/${command.id}` : 'shared';
}

function text(topicName: string, payload: string): OutboundMessage {
  return { topicName, payload: encoder.encode(payload), qos: 1 };
}

/** The broker's side of a connection. Pushes stay untaken until the test says otherwise. */
export class FakeHandle implements ConnectionHandle {
  readonly number = 1;
  readonly level: ProtocolLevel;
  readonly clientId = 'client';
  readonly via = VIA;
  lastReceivedAt = 0;
  /** Topics and payloads; of a pulled payload its length. */
  readonly pushed: string[] = [];
  readonly payloads: PayloadSource[] = [];
  readonly disconnected: number[] = [];
  onDisconnect: ((reason: CloseReason) => void) | null = null;
  #untaken: ((outcome: 'written' | 'acknowledged' | 'lost') => void)[] = [];

  constructor(level: ProtocolLevel) {
    this.level = level;
  }

  push(
    topicName: string,
    payload: PayloadSource,
    _qos: number,
    done?: (outcome: 'written' | 'acknowledged' | 'lost') => void,
  ): void {
    const shown = payload instanceof Uint8Array ? decoder.decode(payload) : `${payload.length} bytes`;
    this.pushed.push(`${topicName}=${shown}`);
    this.payloads.push(payload);
    if (done !== undefined) this.#untaken.push(done);
  }

  /** The device takes what was pushed. */
  take(outcome: 'written' | 'acknowledged' | 'lost' = 'acknowledged'): void {
    for (const done of this.#untaken.splice(0)) done(outcome);
  }

  disconnect(reasonCode: ReasonCode, reason: string): void {
    this.disconnected.push(reasonCode);
    const closed = this.onDisconnect;
    this.onDisconnect = null;
    closed?.({ by: 'server', reasonCode, reason });
  }
}

/** A package in memory. */
export class FakeDownload implements OtaDownload {
  readonly packageId = 'package';
  readonly title = 'title';
  readonly version = '1';
  readonly fileName = 'file';
  readonly contentType = 'application/octet-stream';
  readonly bytes: Uint8Array;
  closings = 0;
  readonly reads: Deferred<void>[] = [];
  /** Reads wait for the test. */
  slow = false;
  /** The first so many bytes are in memory. */
  inMemory = 0;

  constructor(content: string) {
    this.bytes = encoder.encode(content);
  }

  peek(offset: number, length: number): Uint8Array | null {
    const end = Math.min(this.bytes.length, offset + length);
    return offset < end && end <= this.inMemory ? this.bytes.subarray(offset, end) : null;
  }

  get size(): number {
    return this.bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const turn = new Deferred<void>();
    this.reads.push(turn);
    if (!this.slow) turn.resolve();
    await turn.promise;
    return this.bytes.slice(offset, offset + length);
  }

  close(): void {
    this.closings++;
  }
}

type Ensured = Awaited<ReturnType<DevicePlatform['gateways']['ensure']>>;

/** The use cases of the platform, as far as the host calls them. */
export class FakePlatform implements DevicePlatform {
  readonly calls: string[] = [];
  readonly listening: string[] = [];
  readonly answers: string[] = [];
  claim: () => Promise<DeviceOutcome> = () => Promise.resolve('stored');
  provision: () => Promise<ProvisionOutcome | 'full' | 'failed'> = () => Promise.resolve({ status: 'NOT_FOUND' });
  ensure: (name: string, type: string | null) => Promise<Ensured> = (name) =>
    Promise.resolve({ outcome: 'found', device: deviceRef(`id-${name}`, { name }) });
  open: (deviceId: string) => Promise<OtaDownload | OtaUnavailable> = () => Promise.resolve('notFound');
  call: (method: string, limits: SessionLimits) => Promise<string> = (method) => Promise.resolve(`"${method}"`);
  onListening: ((deviceId: string) => void) | null = null;

  readonly claims = {
    open: (device: DeviceRef, secretKey: string) => {
      this.calls.push(`claim ${device.id} ${secretKey}`);
      return this.claim();
    },
  };

  readonly provisioning = {
    provision: () => this.provision(),
    connected: (deviceId: string) => void this.calls.push(`connected ${deviceId}`),
  };

  readonly gateways = {
    ensure: (gateway: DeviceRef, name: string, type: string | null) => {
      this.calls.push(`ensure ${gateway.id}/${name}`);
      return this.ensure(name, type);
    },
  };

  readonly downloads = {
    open: (deviceId: string, type: string) => {
      this.calls.push(`open ${deviceId} ${type}`);
      return this.open(deviceId);
    },
  };

  readonly clientRpc = {
    call: (_device: DeviceRef, method: string, _params: string, limits: SessionLimits) => this.call(method, limits),
  };

  readonly commands = {
    answer: (deviceId: string, id: string, payload: string): void => {
      this.answers.push(`${deviceId}/${id}=${payload}`);
    },
    listening: (deviceId: string): void => {
      this.listening.push(deviceId);
      this.onListening?.(deviceId);
    },
  };
}

/** One connection as a test drives it. */
export class FakeLink {
  readonly session: FakeSession;
  readonly handle: FakeHandle;
  readonly connection: DeviceConnection;

  constructor(session: FakeSession, handle: FakeHandle, connection: DeviceConnection) {
    this.session = session;
    this.handle = handle;
    this.connection = connection;
    handle.onDisconnect = (reason) => connection.closed(reason);
    connection.opened(handle);
  }

  /** The device publishes a message that means these intents. */
  say(intents: readonly Intent[], message = MESSAGE): { readonly token: FakeToken; readonly verdict: object } {
    const token = new FakeToken();
    this.session.disposition = perform(intents);
    return { token, verdict: this.connection.publish(message, token) };
  }

  /** The network connection is lost. */
  lose(): void {
    this.handle.onDisconnect = null;
    this.connection.closed({ by: 'network', reasonCode: 0x80, reason: 'lost' });
  }
}

export interface FixtureOptions extends Partial<Pick<DeviceHostOptions, 'limits' | 'gateway' | 'dialectOf'>> {
  readonly time: Clock & Scheduler;
  /** What the dialect can do besides. */
  readonly dialect?: Partial<Dialect>;
}

/** A host with fakes around it. */
export class HostFixture {
  readonly devices = new Map<string, DeviceRef>([['d1', deviceRef('d1', { name: 'boiler' })]]);
  readonly platform = new FakePlatform();
  readonly counted: string[] = [];
  readonly faults: unknown[] = [];
  /** Of the platform's stores and watchers, in order. */
  readonly events: string[] = [];
  readonly owed: Completion[] = [];
  readonly commands: ApplicationCommand[] = [];
  attributes: (owner: string, scope: AttributeScope | null, keys: readonly string[] | null) => Promise<Attribute[]> =
    async () => [];
  answerRequest: (device: DeviceRef, request: string, params: string) => Promise<string> = async () => '{}';
  readonly host: DeviceHost;
  readonly applications = new Map<string, ApplicationRef>();
  /** Where the host publishes. */
  broker: HostBroker = {
    hasSubscribers: () => false,
    publish: () => 0,
    reach: () => 0,
    dropSessions: () => 0,
    holdPublishers: () => {},
  };
  /** The session of the next connection, and who it is. */
  session = new FakeSession();
  principal: Partial<Principal> = {};

  constructor({ time, dialect = {}, ...options }: FixtureOptions) {
    this.host = new DeviceHost({
      dialects: [{ ...this.#dialect(), ...dialect }],
      credentials: NO_CREDENTIALS,
      deviceRef: (id) => this.devices.get(id),
      deviceRefByName: (_tenant, name) => [...this.devices.values()].find((device) => device.name === name),
      applicationRef: (id) => this.applications.get(id),
      anonymous: false,
      clock: time,
      scheduler: time,
      text: (payload) => decoder.decode(payload),
      serverKeepAlive: null,
      observer: { count: (event) => void this.counted.push(event), fault: (error) => void this.faults.push(error) },
      ...options,
    });
    const note = (event: string) => void this.events.push(event);
    this.host.attach({
      broker: {
        hasSubscribers: (...args) => this.broker.hasSubscribers(...args),
        publish: (...args) => this.broker.publish(...args),
        reach: (...args) => this.broker.reach(...args),
        dropSessions: (...args) => this.broker.dropSessions(...args),
        holdPublishers: (...args) => this.broker.holdPublishers(...args),
      },
      ingest: {
        sink: (owner): TelemetrySink => ({ owner, series: new Map(), waiting: null }),
        submit: (sink, list, completion) => {
          completion?.hold();
          if (completion !== null) this.owed.push(completion);
          note(`telemetry ${sink.owner} ${list.length}`);
        },
        submitAttributes: (owner, scope, list, _receivedAt, completion) => {
          completion?.hold();
          if (completion !== null) this.owed.push(completion);
          note(`attributes ${owner} ${scope} ${list.length}`);
        },
      },
      activity: {
        connected: (owner) => note(`connected ${owner}`),
        disconnected: (owner) => note(`disconnected ${owner}`),
        active: (owner) => note(`active ${owner}`),
        removed: (owner) => note(`removed ${owner}`),
        attributesStored: () => {},
        attributesRemoved: () => {},
      },
      attributes: { read: (owner, scope, keys) => this.attributes(owner, scope, keys) },
      happened: (deviceId, { type, detail }) => note(`${type} ${deviceId}: ${detail}`),
      commands: { request: (command) => void this.commands.push(command) },
      platform: this.platform,
    });
  }

  #dialect(): Dialect {
    return {
      manifest: { id: 'test', title: 'Test', documents: [], capabilities: [] },
      recognise: () => 'maybe',
      authenticate: () => ({
        outcome: 'accepted',
        principal: {
          dialect: 'test',
          tenantId: TENANT,
          device: this.devices.get('d1') ?? null,
          application: null,
          identity: null,
          assignedClientId: null,
          account: null,
          policy: {} as Principal['policy'],
          ...this.principal,
        },
      }),
      openSession: () => this.session,
      answerRequest: (device, request, params) => this.answerRequest(device, request, params),
      connectionGuide: () => ({ dialect: 'test', endpoints: [], fields: [], snippets: [] }),
    };
  }

  /** Opens a connection; of the device `d1` if nothing else is said. */
  connect(principal: Partial<Principal> = {}, level: ProtocolLevel = 5): FakeLink {
    this.principal = principal;
    this.session = new FakeSession();
    return this.connectSession(this.session, level);
  }

  connectSession(session: FakeSession, level: ProtocolLevel = 5): FakeLink {
    this.session = session;
    const connect = { type: 1, level, clientId: 'client', cleanStart: true, keepAlive: 0, will: null } as const;
    const answer = this.host.authenticate({ ...connect, username: 'user', password: null, properties: null }, VIA);
    if (answer instanceof Promise || !answer.accepted) throw new TypeError('not accepted');
    return new FakeLink(session, new FakeHandle(level), answer.handler as DeviceConnection);
  }

  /** The stores have what was handed to them. */
  commit(outcome: StoreOutcome = 'stored'): void {
    for (const completion of this.owed.splice(0)) completion.release(outcome);
  }
}

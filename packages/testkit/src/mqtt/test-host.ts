import {
  type AcceptedPrincipal,
  type AckToken,
  type Authenticator,
  Broker,
  type BrokerLimits,
  type BrokerObserver,
  type CloseReason,
  type ConnectionHandle,
  type ConnectionHandler,
  type ConnectRefusal,
  type InboundMessage,
  type ListenerInfo,
  MemoryRetainedStore,
  MemorySessionStore,
  type PublishVerdict,
  type RestoredWill,
  type ResumedSubscription,
  type RetainedStore,
  type SessionPolicy,
  type SessionStore,
  type SubscribeVerdict,
} from '@moorage/mqtt-broker';
import type { ConnectPacket, ProtocolLevel, SubscriptionOptions } from '@moorage/mqtt-codec';
import { FakeTime } from './fake-time.ts';
import { MemoryStream } from './memory-stream.ts';
import { RawClient, readText } from './raw-client.ts';

/** The whole standard, as the `plain` dialect has it. */
export const WHOLE_STANDARD: SessionPolicy = {
  maximumGrantedQoS: 2,
  persistence: 'asRequested',
  maximumSessionExpiryInterval: 604_800,
  will: 'honoured',
  retained: 'honoured',
  maximumPacketSize: 1_048_576,
  receiveMaximum: 100,
  topicAliasMaximum: 32,
  maximumSubscriptions: 10_000,
  queue: { messages: 10_000, bytes: 67_108_864, ageMs: 604_800_000 },
  serverKeepAlive: null,
};

export const TEST_LISTENER: ListenerInfo = {
  listener: 'test',
  transport: 'tcp',
  remoteAddress: '127.0.0.1',
  remotePort: 40_000,
  pinnedDialect: null,
  serverName: null,
  clientCertificates: null,
};

const ROUTE: PublishVerdict = { route: true, reasonCode: 0, close: null };

/** A host that lets everything through until a test says otherwise, and notes what it was told. */
export class TestHandler implements ConnectionHandler {
  connection: ConnectionHandle | null = null;
  readonly events: string[] = [];
  readonly closings: CloseReason[] = [];
  resumedWith: readonly ResumedSubscription[] | null = null;
  onOpened: ((connection: ConnectionHandle) => void) | null = null;
  onPublish: ((message: InboundMessage, token: AckToken) => PublishVerdict) | null = null;
  onSubscribe: ((topicFilter: string, options: SubscriptionOptions) => SubscribeVerdict) | null = null;
  onUnsubscribe: ((topicFilter: string) => number | null) | null = null;
  receives: (topicName: string) => boolean = () => true;
  publishesWill: (topicName: string) => boolean = () => true;
  /** null: a Will is no message. */
  onWill: ((message: InboundMessage, token: AckToken) => PublishVerdict | null) | null = null;
  /** To be set before the CONNECT goes on. */
  deliveredAs: ((topicName: string) => string) | undefined = undefined;

  opened(connection: ConnectionHandle): void {
    this.connection = connection;
    this.events.push('opened');
    this.onOpened?.(connection);
  }

  resumed(subscriptions: readonly ResumedSubscription[]): void {
    this.resumedWith = subscriptions;
  }

  publish(message: InboundMessage, token: AckToken): PublishVerdict {
    this.events.push(`publish ${message.topicName}`);
    return this.onPublish?.(message, token) ?? ROUTE;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscribeVerdict {
    return this.onSubscribe?.(topicFilter, options) ?? { reasonCode: options.qos, enter: [topicFilter] };
  }

  subscribed(): void {
    this.events.push('subscribed');
  }

  unsubscribe(topicFilter: string): number | null {
    return this.onUnsubscribe?.(topicFilter) ?? null;
  }

  mayReceive(topicName: string): boolean {
    return this.receives(topicName);
  }

  mayPublishWill(topicName: string): boolean {
    return this.publishesWill(topicName);
  }

  publishWill(message: InboundMessage, token: AckToken): PublishVerdict | null {
    return this.onWill?.(message, token) ?? null;
  }

  closed(reason: CloseReason): void {
    this.events.push('closed');
    this.closings.push(reason);
  }
}

/** Accepts everybody: the Session key is the Client Identifier, the space the user name, or `space`. */
export class TestAuthenticator implements Authenticator {
  policy: SessionPolicy = WHOLE_STANDARD;
  /** By order of CONNECT. */
  readonly handlers: TestHandler[] = [];
  /** Called for each new handler before the CONNECT goes on. */
  prepare: ((handler: TestHandler, connect: ConnectPacket) => void) | null = null;
  answer: ((connect: ConnectPacket, accepted: AcceptedPrincipal) => ReturnType<Authenticator['authenticate']>) | null =
    null;

  /** Answers for Wills of clients that have not come back since the start. */
  restoredWills: ((restored: RestoredWill) => boolean) | null = null;

  mayPublishWill(restored: RestoredWill): boolean {
    return this.restoredWills?.(restored) ?? false;
  }

  /** What becomes of such Wills as messages; null: they are none. */
  restoredMessages: ((restored: RestoredWill, message: InboundMessage, token: AckToken) => PublishVerdict) | null =
    null;

  publishWill(restored: RestoredWill, message: InboundMessage, token: AckToken): PublishVerdict | null {
    return this.restoredMessages?.(restored, message, token) ?? null;
  }

  authenticate(
    connect: ConnectPacket,
  ): AcceptedPrincipal | ConnectRefusal | Promise<AcceptedPrincipal | ConnectRefusal> {
    const handler = new TestHandler();
    this.handlers.push(handler);
    this.prepare?.(handler, connect);
    const assignedClientId = connect.clientId === '' ? `auto-${this.handlers.length}` : null;
    const accepted: AcceptedPrincipal = {
      accepted: true,
      sessionKey: assignedClientId ?? connect.clientId,
      assignedClientId,
      space: connect.username ?? 'space',
      policy: this.policy,
      handler,
    };
    return this.answer?.(connect, accepted) ?? accepted;
  }
}

/** Counts events by name. */
export class TestObserver implements BrokerObserver {
  readonly counts = new Map<string, number>();
  readonly faults: unknown[] = [];
  /** Packets of traced connections, as `in` or `out` and hexadecimal bytes. */
  readonly packets: string[] = [];

  packet(_connection: ConnectionHandle, direction: 'in' | 'out', bytes: Uint8Array): void {
    this.packets.push(`${direction} ${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`);
  }

  count(event: string, amount: number): void {
    this.counts.set(event, (this.counts.get(event) ?? 0) + amount);
  }

  fault(error: unknown): void {
    this.faults.push(error);
  }

  of(event: string): number {
    return this.counts.get(event) ?? 0;
  }
}

export interface TestBrokerOptions {
  readonly limits?: Partial<BrokerLimits>;
  readonly policy?: Partial<SessionPolicy>;
  readonly sessions?: SessionStore;
  readonly retained?: RetainedStore;
  readonly time?: FakeTime;
  readonly restoredWills?: (restored: RestoredWill) => boolean;
  readonly restoredMessages?: (restored: RestoredWill, message: InboundMessage, token: AckToken) => PublishVerdict;
}

/** A broker with fake time and in-memory streams. */
export class TestBroker {
  readonly time: FakeTime;
  readonly authenticator = new TestAuthenticator();
  readonly observer = new TestObserver();
  readonly sessions: SessionStore;
  readonly retained: RetainedStore;
  readonly broker: Broker;

  constructor(options: TestBrokerOptions = {}) {
    this.time = options.time ?? new FakeTime();
    this.authenticator.policy = { ...WHOLE_STANDARD, ...options.policy };
    this.authenticator.restoredWills = options.restoredWills ?? null;
    this.authenticator.restoredMessages = options.restoredMessages ?? null;
    this.sessions = options.sessions ?? new MemorySessionStore(() => this.time.now());
    this.retained = options.retained ?? new MemoryRetainedStore();
    this.broker = new Broker({
      authenticator: this.authenticator,
      sessions: this.sessions,
      retained: this.retained,
      clock: this.time,
      scheduler: this.time,
      readText,
      observer: this.observer,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
  }

  /** Makes and starts a broker. */
  static async start(options: TestBrokerOptions = {}): Promise<TestBroker> {
    const test = new TestBroker(options);
    await test.broker.start();
    return test;
  }

  /** Opens a stream to the broker. */
  open(level: ProtocolLevel = 5, via: Partial<ListenerInfo> = {}): RawClient {
    const stream = new MemoryStream();
    this.broker.accept(stream, { ...TEST_LISTENER, ...via });
    return new RawClient(stream, level, () => this.time.endTurn());
  }

  /** Opens a stream and connects. */
  connect(clientId: string, level: ProtocolLevel = 5, fields: Parameters<RawClient['connect']>[0] = {}): RawClient {
    const client = this.open(level);
    client.connect({ clientId, ...fields });
    return client;
  }

  /** The host's side of the last CONNECT. */
  get handler(): TestHandler {
    const handler = this.authenticator.handlers.at(-1);
    if (handler === undefined) throw new TypeError('Nobody has connected.');
    return handler;
  }
}

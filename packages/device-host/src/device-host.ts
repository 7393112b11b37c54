import {
  type ApplicationRef,
  type AttributeScope,
  type Clock,
  type CredentialLookup,
  type DeviceActivity,
  type DeviceRef,
  type EntityId,
  type Intent,
  MESSAGE_FAULT_TEXTS,
  type MessageFault,
  type PointList,
  type RegistryListener,
  type Scheduler,
  type TelemetryIngest,
  type TelemetryObserver,
  type Value,
} from '@moorage/core';
import {
  type ConnectPacket,
  type DeviceCommand,
  type Dialect,
  type OutboundMessage,
  type Principal,
  ReasonCode,
} from '@moorage/dialect-api';
import type {
  AcceptedPrincipal,
  AckToken,
  Authenticator,
  CloseReason,
  ConnectRefusal,
  InboundMessage,
  ListenerInfo,
  RestoredWill,
  SessionPolicy,
} from '@moorage/mqtt-broker';
import { type CommandDesk, rpcError } from './command-desk.ts';
import { ConnectionLog, shorten } from './connection-log.ts';
import { ConnectionTable } from './connection-table.ts';
import { type ConnectionHost, DeviceConnection } from './device-connection.ts';
import { GuessLimiter } from './guess-limiter.ts';
import { type FeedBroker, LiveFeed, spaceKey } from './live-feed.ts';
import { NormalisedTopics } from './normalised-topics.ts';
import { type Recognition, Recognizer } from './recognition.ts';

/** What the host needs of the broker. */
export interface HostBroker extends FeedBroker {
  /** Drops Sessions, connected or absent, with their queues and Wills; ends their connections. */
  dropSessions(belongs: (sessionKey: string) => boolean, reasonCode: ReasonCode, reason: string): number;
  /** Stops reading from publishers while the stores are behind. */
  holdPublishers(hold: boolean): void;
}

/** What the host acts through; made after the host, since all of it needs the host. */
export interface HostParts {
  readonly broker: HostBroker;
  readonly ingest: TelemetryIngest;
  readonly activity: DeviceActivity;
  readonly commands: CommandDesk;
}

export interface DeviceHostOptions {
  /** In the order of recognition.md; the one with anonymous access comes last. */
  readonly dialects: readonly Dialect[];
  readonly credentials: CredentialLookup;
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly applicationRef: (id: EntityId) => ApplicationRef | undefined;
  /** Principals without credentials are let in. */
  readonly anonymous: boolean;
  readonly deviceRefByName: (tenantId: EntityId, name: string) => DeviceRef | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Text of a payload, or undefined if it is not well-formed UTF-8. */
  readonly text: (payload: Uint8Array) => string | undefined;
  /** Seconds; holds wherever the dialect leaves Keep Alive to the client. null: as asked. */
  readonly serverKeepAlive: number | null;
  readonly observer: {
    count(event: string, amount: number): void;
    fault(error: unknown): void;
  };
}

/** How often activity of live connections is reported. thingsboard-device.md, 1.7 */
const ACTIVITY_INTERVAL_MS = 3_000;

/** Of a principal that is asked for its rights only. */
const NO_CONNECTION: SessionPolicy = {
  maximumGrantedQoS: 0,
  persistence: 'never',
  maximumSessionExpiryInterval: 0,
  will: 'honoured',
  retained: 'honoured',
  maximumPacketSize: 0,
  receiveMaximum: 0,
  topicAliasMaximum: 0,
  maximumSubscriptions: 0,
  queue: { messages: 0, bytes: 0, ageMs: 0 },
  serverKeepAlive: null,
};

/** Joins the broker and the dialects with the platform: who may connect, what a message means, where an order goes. */
export class DeviceHost implements Authenticator, ConnectionHost, RegistryListener, TelemetryObserver {
  readonly log = new ConnectionLog();
  readonly #options: DeviceHostOptions;
  readonly #recognizer: Recognizer;
  readonly #guesses = new GuessLimiter();
  readonly #connections = new ConnectionTable();
  #attached: (HostParts & { readonly feed: LiveFeed }) | null = null;
  #stopActivity: () => void = () => {};

  constructor(options: DeviceHostOptions) {
    this.#options = options;
    this.#recognizer = new Recognizer(options.dialects, options.credentials);
  }

  /** The broker and the stores' writers need the host to be made, and the host needs them to act: this closes the ring. */
  attach(parts: HostParts): void {
    this.#attached = { ...parts, feed: new LiveFeed(parts.broker) };
    this.#stopActivity = this.#options.scheduler.every(ACTIVITY_INTERVAL_MS, () => this.#reportActivity());
  }

  close(): void {
    this.#stopActivity();
  }

  /** Live connections of known principals. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  connectionsOf(principalId: EntityId): readonly DeviceConnection[] {
    return this.#connections.of(principalId);
  }

  get #parts(): HostParts & { readonly feed: LiveFeed } {
    if (this.#attached === null) throw new TypeError('the host is used before it was attached');
    return this.#attached;
  }

  authenticate(
    connect: ConnectPacket,
    via: ListenerInfo,
  ): AcceptedPrincipal | ConnectRefusal | Promise<AcceptedPrincipal | ConnectRefusal> {
    const recognition = this.#recognizer.recognize(connect, via);
    if (recognition instanceof Promise) return recognition.then((settled) => this.#answer(connect, via, settled));
    return this.#answer(connect, via, recognition);
  }

  #answer(connect: ConnectPacket, via: ListenerInfo, recognition: Recognition): AcceptedPrincipal | ConnectRefusal {
    if (recognition.outcome === 'accepted')
      return this.#accept(connect, via, recognition.dialect, recognition.principal);
    const { refusal } = recognition;
    const unclaimed = recognition.outcome === 'unclaimed' ? recognition : null;
    const name = connect.username ?? connect.clientId;
    this.#options.observer.count('connect_refused', 1);
    this.log.add({
      ts: this.#options.clock.now(),
      event: 'refused',
      tenantId: null,
      principalId: null,
      dialect: recognition.outcome === 'refused' ? recognition.dialect.manifest.id : null,
      address: via.remoteAddress,
      listener: via.listener,
      level: connect.level,
      clientId: connect.clientId,
      username: connect.username === null ? null : shorten(connect.username),
      code: connect.level === 5 ? refusal.reasonCode : refusal.returnCode,
      reason: refusal.reason,
      row: unclaimed?.refusal.row ?? null,
      looksLike: unclaimed?.refusal.looksLike ?? null,
      said: unclaimed?.said ?? [],
    });
    return {
      accepted: false,
      returnCode: refusal.returnCode,
      reasonCode: refusal.reasonCode,
      reasonString: null,
      delayMs: this.#guesses.failed(via.remoteAddress, name, this.#options.clock.monotonic()),
    };
  }

  #accept(connect: ConnectPacket, via: ListenerInfo, dialect: Dialect, principal: Principal): AcceptedPrincipal {
    this.#guesses.succeeded(via.remoteAddress, connect.username ?? connect.clientId);
    const link = {
      level: connect.level,
      clientId: principal.assignedClientId ?? connect.clientId,
      text: this.#options.text,
    };
    const session = dialect.openSession(principal, link);
    return {
      accepted: true,
      sessionKey: sessionKey(principal),
      assignedClientId: principal.assignedClientId,
      space: principal.account === null ? null : spaceKey(principal.tenantId, principal.dialect, principal.account),
      policy: this.#policyOf(principal),
      handler: new DeviceConnection(this, dialect, principal, session, connect.username),
    };
  }

  /**
   * A Will that outlived the server: its owner must still exist and still have the right. mqtt.md, O-21 and O-22. Its
   * Session key is the one that `sessionKey` makes: tenant, dialect, identity; identities begin with the owner's id.
   */
  mayPublishWill({ sessionKey: key, clientId, topicName }: RestoredWill): boolean {
    const [tenantId = '', dialectId = '', ownerId = ''] = key.split('/', 3);
    const dialect = this.#options.dialects.find((one) => one.manifest.id === dialectId);
    if (dialect === undefined) return false;
    const device = this.#options.deviceRef(ownerId) ?? null;
    const application = this.#options.applicationRef(ownerId) ?? null;
    const known = device !== null || (application?.enabled ?? (this.#options.anonymous && ownerId === 'anonymous'));
    if (!known) return false;
    const principal: Principal = {
      dialect: dialectId,
      tenantId,
      device,
      application,
      identity: null,
      assignedClientId: null,
      account: '',
      policy: NO_CONNECTION,
    };
    return dialect.openSession(principal, { level: 5, clientId, text: this.#options.text }).mayPublishWill(topicName);
  }

  #policyOf({ policy }: Principal): SessionPolicy {
    const { serverKeepAlive } = this.#options;
    return serverKeepAlive === null || policy.serverKeepAlive !== null ? policy : { ...policy, serverKeepAlive };
  }

  opened(connection: DeviceConnection): void {
    const { principal } = connection;
    const id = connection.principalId;
    if (id === null) return;
    const first = this.#connections.add(id, connection);
    this.#note(connection, 'connected', 0, 'connected');
    if (principal.device === null) return;
    connection.sink = this.#parts.ingest.sink(principal.device.id);
    connection.reportedActivityAt = connection.handle?.lastReceivedAt ?? 0;
    if (first) this.#parts.activity.connected(principal.device.id);
    else this.#parts.activity.active(principal.device.id);
  }

  perform(connection: DeviceConnection, intent: Intent, message: InboundMessage, token: AckToken): void {
    const device = connection.principal.device;
    switch (intent.kind) {
      case 'telemetry': {
        const { sink } = connection;
        if (sink === null || device === null) return;
        this.#parts.ingest.submit(sink, intent.points, token, this.#parts.feed.wantsTelemetry(device));
        return;
      }
      case 'attributes':
        if (device === null) return;
        this.#parts.ingest.submitAttributes(device.id, intent.scope, intent.values, message.receivedAt, token);
        return;
      case 'rpcResponse':
        if (device !== null) this.#parts.commands.response(device.id, intent.id, intent.payload);
        return;
      case 'rpcRequest':
        this.#request(connection, intent);
        return;
      default:
        intent satisfies never;
    }
  }

  #request(connection: DeviceConnection, intent: Extract<Intent, { kind: 'rpcRequest' }>): void {
    const { tenantId } = connection.principal;
    const device = this.#options.deviceRefByName(tenantId, intent.deviceName);
    const answer = (json: string): void => {
      const topics = device === undefined ? new NormalisedTopics(intent.deviceName) : this.#parts.feed.topicsOf(device);
      connection.handle?.push(topics.rpcResponse(intent.id), new TextEncoder().encode(json), 1);
    };
    if (device === undefined) {
      answer(rpcError('notFound', 'there is no device of that name'));
      return;
    }
    this.#parts.commands.request({ device, method: intent.method, params: intent.params }, answer);
  }

  refused(connection: DeviceConnection, reasonCode: number, reason: string): void {
    this.#options.observer.count('message_refused', 1);
    if (connection.principalId !== null) this.#note(connection, 'message', reasonCode, reason);
  }

  closed(connection: DeviceConnection, reason: CloseReason): void {
    const id = connection.principalId;
    if (id === null) return;
    this.#note(connection, 'disconnected', reason.reasonCode, reason.reason);
    const last = this.#connections.remove(id, connection);
    const device = connection.principal.device;
    if (!last || device === null) return;
    this.#reportActivityOf(connection, device.id);
    this.#parts.activity.disconnected(device.id);
  }

  /**
   * Sends a command to the connections of a device: `rpc` to the newest one that takes it, anything else to all.
   * Nothing is queued here for an absent device.
   */
  send(deviceId: EntityId, command: DeviceCommand): 'sent' | 'notConnected' | 'notSupported' | 'notSubscribed' {
    let outcome: 'sent' | 'notConnected' | 'notSupported' | 'notSubscribed' = 'notConnected';
    for (const connection of this.#connections.of(deviceId).toReversed()) {
      const messages = connection.session.command(command);
      if (typeof messages === 'string') {
        if (outcome !== 'sent') outcome = messages;
        continue;
      }
      this.#push(connection, messages);
      outcome = 'sent';
      if (command.kind === 'rpc') return outcome;
    }
    return outcome;
  }

  #push(connection: DeviceConnection, messages: readonly OutboundMessage[]): void {
    for (const message of messages) connection.handle?.push(message.topicName, message.payload, message.qos);
  }

  revoked(principalId: EntityId, reason: 'credentialsChanged' | 'deleted' | 'disabled'): void {
    const text = { credentialsChanged: 'credentials changed', deleted: 'deleted', disabled: 'disabled' }[reason];
    for (const connection of this.#connections.of(principalId)) {
      if (sessionKey(connection.principal) !== null) continue;
      connection.handle?.disconnect(ReasonCode.AdministrativeAction, text, { dropWill: true });
    }
    // An absent Session has a queue and perhaps a Will: they end with the right to them. An identity begins with its owner.
    const belongs = (key: string): boolean => key.split('/', 3)[2] === principalId;
    this.#parts.broker.dropSessions(belongs, ReasonCode.AdministrativeAction, text);
  }

  /** Closes the connections of a device or application; it may come back. */
  disconnect(principalId: EntityId, reason: string): void {
    for (const connection of this.#connections.of(principalId)) {
      connection.handle?.disconnect(ReasonCode.AdministrativeAction, reason);
    }
  }

  deviceChanged(device: DeviceRef): void {
    for (const connection of this.#connections.of(device.id)) {
      const known = connection.principal.device;
      if (known === null) continue;
      this.#parts.feed.forget(known);
      connection.principal = { ...connection.principal, device };
      connection.session.deviceChanged?.(device);
    }
  }

  sharedAttributesChanged(
    deviceId: EntityId,
    change: { readonly values: ReadonlyMap<string, Value> } | { readonly deleted: readonly string[] },
  ): void {
    const values = 'values' in change ? change.values : null;
    const deleted = 'deleted' in change ? change.deleted : null;
    this.send(deviceId, { kind: 'sharedAttributes', values, deleted });
  }

  telemetryStored(owner: EntityId, points: PointList): void {
    const device = this.#options.deviceRef(owner);
    if (device !== undefined) this.#parts.feed.telemetry(device, points);
  }

  attributesStored(owner: EntityId, scope: AttributeScope, values: PointList): void {
    this.#parts.activity.attributesStored(owner, scope, values);
    const device = this.#options.deviceRef(owner);
    if (device !== undefined) this.#parts.feed.attributes(device, scope, this.#options.clock.now(), values);
  }

  attributesRemoved(owner: EntityId, scope: AttributeScope, keys: readonly string[]): void {
    this.#parts.activity.attributesRemoved(owner, scope, keys);
    const device = this.#options.deviceRef(owner);
    if (device !== undefined) this.#parts.feed.attributesDeleted(device, scope, this.#options.clock.now(), keys);
  }

  dropped(owner: EntityId, reason: MessageFault, points: number): void {
    this.#options.observer.count(`telemetry_dropped_${reason}`, points);
    const connection = this.#connections.of(owner).at(-1);
    if (connection !== undefined)
      this.#note(connection, 'message', ReasonCode.PayloadFormatInvalid, MESSAGE_FAULT_TEXTS[reason]);
  }

  congestionChanged(congested: boolean): void {
    this.#options.observer.count(congested ? 'store_congested' : 'store_relieved', 1);
    this.#parts.broker.holdPublishers(congested);
  }

  fault(error: unknown): void {
    this.#options.observer.fault(error);
  }

  /** Tells the tenant's clients that a device came, went, or fell silent. For `DeviceActivity.changed`. */
  activityChanged(owner: EntityId, event: string, at: number): void {
    const device = this.#options.deviceRef(owner);
    if (device !== undefined) this.#parts.feed.event(device, at, event, null);
  }

  #reportActivity(): void {
    for (const connection of this.#connections) {
      const device = connection.principal.device;
      if (device !== null) this.#reportActivityOf(connection, device.id);
    }
  }

  #reportActivityOf(connection: DeviceConnection, deviceId: EntityId): void {
    const at = connection.handle?.lastReceivedAt ?? 0;
    if (at <= connection.reportedActivityAt) return;
    connection.reportedActivityAt = at;
    this.#parts.activity.active(deviceId);
  }

  #note(
    connection: DeviceConnection,
    event: 'connected' | 'disconnected' | 'message',
    code: number,
    reason: string,
  ): void {
    const { principal, handle } = connection;
    if (handle === null) return;
    this.log.add({
      ts: this.#options.clock.now(),
      event,
      tenantId: principal.tenantId,
      principalId: connection.principalId,
      dialect: principal.dialect,
      address: handle.via.remoteAddress,
      listener: handle.via.listener,
      level: handle.level,
      clientId: handle.clientId,
      username: connection.username === null ? null : shorten(connection.username),
      code,
      reason,
      row: null,
      looksLike: null,
      said: [],
    });
  }
}

/** Key of a Session on the whole server. architecture.md, Identity */
export function sessionKey(principal: Principal): string | null {
  return principal.identity === null ? null : `${principal.tenantId}/${principal.dialect}/${principal.identity}`;
}

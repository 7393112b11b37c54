import type {
  AttributeScope,
  Completion,
  DeliveryResult,
  DeviceEventIntent,
  DeviceRef,
  DialectWork,
  EntityId,
  Intent,
  MessageFault,
  PointList,
  RegistryListener,
  SendResult,
  TelemetryObserver,
} from '@moorage/core';
import {
  type ConnectPacket,
  type DeviceCommand,
  type DeviceDesk,
  ReasonCode,
  type SpaceMessage,
} from '@moorage/dialect-api';
import type {
  AckToken,
  Authenticator,
  CloseReason,
  InboundMessage,
  ListenerInfo,
  PublishVerdict,
  RestoredWill,
} from '@moorage/mqtt-broker';
import { Admission } from './admission/admission.ts';
import { sessionKey } from './admission/session-key.ts';
import { CommandSender } from './commands/command-sender.ts';
import { HostDesk } from './desk/host-desk.ts';
import { ACTIVITY_UNIT_MS, type ConnectionHost, type DeviceConnection } from './device-connection.ts';
import { FeedObserver } from './feed/feed-observer.ts';
import { spaceKey } from './feed/live-feed.ts';
import { GatewayLink } from './gateway/gateway-link.ts';
import { HostContext, type Objection } from './host-context.ts';
import { Effects, isEffect } from './intents/effects.ts';
import { Requests } from './intents/requests.ts';
import { type LiveConnection, listConnections } from './live-connections.ts';
import type { ConnectionLog } from './log/connection-log.ts';
import type { DeviceHostOptions, HostParts } from './options.ts';

/** How often activity of live connections is reported. thingsboard-device.md, 1.7 */
const ACTIVITY_INTERVAL_MS = 3_000;
/** Longest life of a connection that is to end after its first answer and gets none. */
const UNANSWERED_MS = 600_000;

/** Of what nobody waits for. */
const NO_STAKE: Completion = { hold() {}, release() {} };

const OVER_LIMIT = 'the device is over its rate limit';
const THROTTLED: PublishVerdict = {
  route: false,
  reasonCode: ReasonCode.ImplementationSpecificError,
  close: { reasonCode: ReasonCode.ImplementationSpecificError, reason: OVER_LIMIT },
};

/** Joins the broker and the dialects with the platform: who may connect, what a message means, where an order goes. */
export class DeviceHost implements Authenticator, ConnectionHost, RegistryListener, TelemetryObserver {
  readonly #context: HostContext;
  readonly #admission: Admission;
  readonly #effects: Effects;
  readonly #requests: Requests;
  readonly #sender: CommandSender;
  readonly #feed: FeedObserver;
  #stopActivity: () => void = () => {};

  constructor(options: DeviceHostOptions) {
    this.#context = new HostContext(options);
    this.#admission = new Admission(this.#context, this);
    this.#effects = new Effects(this.#context);
    this.#requests = new Requests(this.#context);
    this.#sender = new CommandSender(this.#context);
    this.#feed = new FeedObserver(this.#context);
  }

  /** The broker and the stores' writers need the host to be made, and the host needs them to act: this closes the ring. */
  attach(parts: HostParts): void {
    this.#context.attach(parts);
    this.#stopActivity = this.#context.options.scheduler.every(ACTIVITY_INTERVAL_MS, () => this.#reportActivity());
  }

  /** Stops the timers and ends whoever listens without a connection. */
  close(): void {
    this.#stopActivity();
    this.#sender.close();
    for (const target of [...this.#context.targets]) if (target.kind === 'listener') target.end('stopping');
  }

  get log(): ConnectionLog {
    return this.#context.notes.log;
  }

  /** Live connections of known principals. */
  get connectionCount(): number {
    return this.#context.targets.connections;
  }

  connectionsOf(principalId: EntityId): readonly DeviceConnection[] {
    return this.#context.targets.of(principalId).filter((target) => target.kind === 'connection');
  }

  /** A page of the live connections of a tenant, or (null) of all. */
  connections(
    tenantId: EntityId | null,
    offset: number,
    limit: number,
  ): { readonly total: number; readonly connections: readonly LiveConnection[] } {
    return listConnections(this.#context, tenantId, offset, limit);
  }

  /** The desk for requests that come by `listener`, its name in the connection log. */
  desk(listener: string): DeviceDesk {
    return new HostDesk(this.#context, this.#effects, listener);
  }

  authenticate(connect: ConnectPacket, via: ListenerInfo): ReturnType<Authenticator['authenticate']> {
    return this.#admission.authenticate(connect, via);
  }

  mayPublishWill(restored: RestoredWill): boolean {
    return this.#admission.mayPublishWill(restored);
  }

  publishWill(restored: RestoredWill, message: InboundMessage, token: AckToken): PublishVerdict | null {
    return this.#admission.publishWill(restored, message, token);
  }

  opened(connection: DeviceConnection): void {
    const { clock, scheduler, limits } = this.#context.options;
    connection.openedAtSeconds = Math.trunc(clock.monotonic() / 1000);
    if (connection.session.closeAfterReplyMs !== undefined) {
      connection.extrasMade().cancelClose = scheduler.after(UNANSWERED_MS, () => endOfLife(connection));
    }
    this.#openingMessages(connection);
    const id = connection.principalId;
    if (id === null) return;
    const { device } = connection.principal;
    if (device === null) {
      this.#context.targets.add(id, connection);
      this.#context.notes.note(connection, 'connected', 0, 'connected');
      return;
    }
    const { parts } = this.#context;
    connection.sink = parts.ingest.sink(device.id);
    connection.limiter = limits?.limiterOf(device, device.gateway ? 'gateway' : 'device') ?? null;
    connection.reportedActivity = activityOf(connection);
    this.#context.notes.note(connection, 'connected', 0, 'connected');
    this.#context.present(device.id, connection);
    parts.platform.provisioning.connected(device.id);
    this.#openingIntents(connection, device);
    if (connection.session.listensAtOnce === true) this.subscribed(connection);
  }

  /** They answer the CONNECT, so the time of a connection that ends after its first answer begins here. */
  #openingMessages(connection: DeviceConnection): void {
    const { openingMessages, closeAfterReplyMs } = connection.session;
    if (openingMessages === undefined) return;
    connection.push(openingMessages);
    if (closeAfterReplyMs !== undefined) this.answered(connection, closeAfterReplyMs);
  }

  #openingIntents(connection: DeviceConnection, device: DeviceRef): void {
    const { sink, session } = connection;
    if (sink === null || session.openingIntents === undefined) return;
    const receivedAt = this.#context.options.clock.now();
    for (const intent of session.openingIntents) {
      if (isEffect(intent)) this.#effects.perform(device, sink, intent, receivedAt, NO_STAKE);
      else this.#requests.perform(connection, device, null, intent);
    }
  }

  subscribed(connection: DeviceConnection): void {
    const { device } = connection.principal;
    if (device !== null) this.#context.parts.platform.commands.listening(device.id);
  }

  perform(
    connection: DeviceConnection,
    intent: Intent,
    message: InboundMessage,
    token: AckToken,
    intents: number,
  ): Objection | null {
    const { device } = connection.principal;
    switch (intent.kind) {
      case 'telemetry':
      case 'attributes':
      case 'rpcResponse':
      case 'claim':
        if (device !== null && connection.sink !== null)
          this.#effects.perform(device, connection.sink, intent, message.receivedAt, token);
        return null;
      case 'deviceEvent':
        this.#happened(intent);
        return null;
      case 'subDevice':
        return this.#gatewayOf(connection).speak(intent, message, token, intents);
      case 'subDeviceLeft':
        return connection.extras?.gateway?.leave(intent.name) ?? null;
      case 'dialectWork':
        this.#work(connection, intent.work, token);
        return null;
      default:
        return this.#requests.perform(connection, device, null, intent);
    }
  }

  /** A message whose work nobody does is not acknowledged. */
  #work({ principal }: DeviceConnection, work: DialectWork, token: AckToken): void {
    try {
      const dialect = this.#context.dialect(principal.dialect);
      if (dialect?.work === undefined) throw new TypeError(`nobody does the work ${work.work} of ${principal.dialect}`);
      dialect.work(principal, work, token);
    } catch (error) {
      this.#context.fault(error);
      token.hold();
      token.release('failed');
    }
  }

  copy({ principal }: DeviceConnection, copies: readonly SpaceMessage[], token: AckToken): void {
    const { broker } = this.#context.parts;
    const retained = principal.policy.retained === 'honoured';
    for (const { tenantId, account, topicName, payload, qos, retain } of copies) {
      const space = spaceKey(tenantId, principal.dialect, account);
      broker.publish(space, { topicName, payload, qos, retain: retain && retained }, token);
    }
  }

  deviceNow(device: DeviceRef): DeviceRef | undefined {
    return this.#context.options.deviceRef(device.id);
  }

  #happened({ deviceId, type, detail }: DeviceEventIntent): void {
    const { parts, options } = this.#context;
    const device = options.deviceRef(deviceId);
    if (device === undefined) return;
    const ts = options.clock.now();
    parts.feed.event(device, ts, type, detail);
    parts.happened?.(deviceId, { ts, type, detail });
  }

  #gatewayOf(connection: DeviceConnection): GatewayLink {
    const extras = connection.extrasMade();
    extras.gateway ??= new GatewayLink(this.#context, this.#effects, this.#requests, connection);
    return extras.gateway;
  }

  refused(connection: DeviceConnection, reasonCode: number, reason: string): void {
    this.#context.count('message_refused');
    this.#context.notes.note(connection, 'message', reasonCode, reason);
  }

  throttled(connection: DeviceConnection): PublishVerdict {
    this.#context.count('rate_limited');
    this.#context.notes.note(connection, 'message', THROTTLED.reasonCode, OVER_LIMIT);
    return THROTTLED;
  }

  answered(connection: DeviceConnection, closeAfterMs: number): void {
    const extras = connection.extrasMade();
    if (extras.answered) return;
    extras.answered = true;
    extras.cancelClose?.();
    extras.cancelClose = this.#context.options.scheduler.after(closeAfterMs, () => endOfLife(connection));
  }

  closed(connection: DeviceConnection, reason: CloseReason): void {
    connection.extras?.close();
    const id = connection.principalId;
    if (id === null) return;
    this.#context.notes.note(connection, 'disconnected', reason.reasonCode, reason.reason);
    const { device } = connection.principal;
    if (device === null) {
      this.#context.targets.remove(id, connection);
      return;
    }
    this.#reportActivityOf(connection, device.id);
    this.#context.absent(device.id, connection);
  }

  /**
   * For `CommandRouter`: published where the dialect of the device routes commands; else `rpc` goes to the newest connection
   * that takes it, anything else to all of them.
   */
  send(deviceId: EntityId, command: DeviceCommand, delivered?: (result: DeliveryResult) => void): SendResult {
    return this.#sender.send(deviceId, command, delivered);
  }

  sharedAttributesChanged(
    deviceId: EntityId,
    change: Parameters<RegistryListener['sharedAttributesChanged']>[1],
  ): void {
    this.#sender.sharedAttributesChanged(deviceId, change);
  }

  revoked(principalId: EntityId, reason: 'credentialsChanged' | 'deleted' | 'disabled'): void {
    const text = { credentialsChanged: 'credentials changed', deleted: 'deleted', disabled: 'disabled' }[reason];
    for (const target of this.#context.targets.of(principalId)) {
      if (target.kind === 'listener') {
        target.end(reason === 'deleted' ? 'deviceDeleted' : 'credentialsChanged');
      } else if (target.kind === 'subDevice') {
        // A gateway speaks for the device by its own right, whatever the device's credentials are.
        if (reason === 'credentialsChanged') continue;
        if (reason === 'disabled') target.link.dismiss(target, ReasonCode.AdministrativeAction);
        else target.link.end(target);
      } else if (sessionKey(target.principal) === null) {
        target.handle?.disconnect(ReasonCode.AdministrativeAction, text, { dropWill: true });
      }
    }
    // An absent Session has a queue and perhaps a Will: they end with the right to them. An identity begins with its owner.
    const belongs = (key: string): boolean => key.split('/', 3)[2] === principalId;
    const { broker, activity } = this.#context.parts;
    broker.dropSessions(belongs, ReasonCode.AdministrativeAction, text);
    if (reason !== 'deleted') return;
    activity.removed(principalId);
    this.#sender.removed(principalId);
    this.#context.options.limits?.removed(principalId);
  }

  /** Closes the connections of a device or application, and its sessions behind gateways; it may come back. */
  disconnect(principalId: EntityId, reason: string): void {
    for (const target of this.#context.targets.of(principalId)) {
      if (target.kind === 'connection') target.handle?.disconnect(ReasonCode.AdministrativeAction, reason);
      else if (target.kind === 'subDevice') target.link.dismiss(target, ReasonCode.AdministrativeAction);
    }
  }

  deviceEnabled(device: DeviceRef, enabled: boolean, gatewayId: EntityId | null): void {
    for (const connection of gatewayId === null ? [] : this.connectionsOf(gatewayId)) {
      const messages = connection.session.subDeviceEnabled?.(device, enabled) ?? [];
      if (messages.length > 0) connection.push(messages);
    }
  }

  deviceChanged(device: DeviceRef): void {
    for (const target of this.#context.targets.of(device.id)) {
      // The session goes on under the name that the gateway knows, until the gateway takes up the new one.
      if (target.kind === 'subDevice') target.device = device;
      if (target.kind !== 'connection') continue;
      const known = target.principal.device;
      if (known === null) continue;
      this.#context.parts.feed.forget(known);
      target.principal = { ...target.principal, device };
      target.session.deviceChanged?.(device);
      if (!device.gateway) target.extras?.gateway?.endAll();
    }
  }

  telemetryStored(owner: EntityId, points: PointList): void {
    this.#feed.telemetryStored(owner, points);
  }

  attributesStored(owner: EntityId, scope: AttributeScope, values: PointList): void {
    this.#feed.attributesStored(owner, scope, values);
  }

  attributesRemoved(owner: EntityId, scope: AttributeScope, keys: readonly string[]): void {
    this.#feed.attributesRemoved(owner, scope, keys);
  }

  dropped(owner: EntityId, reason: MessageFault, points: number): void {
    this.#feed.dropped(owner, reason, points);
  }

  congestionChanged(congested: boolean): void {
    this.#feed.congestionChanged(congested);
  }

  fault(error: unknown): void {
    this.#context.fault(error);
  }

  /** Tells the tenant's clients that a device came, went, or fell silent. For `DeviceActivity.changed`. */
  activityChanged(owner: EntityId, event: string, at: number): void {
    const device = this.#context.options.deviceRef(owner);
    if (device !== undefined) this.#context.parts.feed.event(device, at, event, null);
  }

  #reportActivity(): void {
    for (const target of this.#context.targets) {
      if (target.kind !== 'connection') continue;
      const { device } = target.principal;
      if (device !== null) this.#reportActivityOf(target, device.id);
    }
  }

  #reportActivityOf(connection: DeviceConnection, deviceId: EntityId): void {
    const activity = activityOf(connection);
    if (activity <= connection.reportedActivity) return;
    connection.reportedActivity = activity;
    this.#context.parts.activity.active(deviceId);
  }
}

function activityOf({ handle }: DeviceConnection): number {
  return Math.ceil((handle?.lastReceivedAt ?? 0) / ACTIVITY_UNIT_MS);
}

function endOfLife(connection: DeviceConnection): void {
  connection.handle?.disconnect(ReasonCode.MaximumConnectTime, 'the time of the connection is over');
}

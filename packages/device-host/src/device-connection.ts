import type { DeliveryResult, DeviceRef, Intent, ReplyRef, TelemetrySink } from '@moorage/core';
import type {
  DeviceCommand,
  DeviceReply,
  DialectSession,
  Disposition,
  OutboundMessage,
  Principal,
  SpaceMessage,
} from '@moorage/dialect-api';
import { ReasonCode, type SubscriptionOptions } from '@moorage/dialect-api';
import type {
  AckToken,
  CloseReason,
  ConnectionHandle,
  ConnectionHandler,
  InboundMessage,
  PublishVerdict,
  ResumedSubscription,
  SubscribeVerdict,
} from '@moorage/mqtt-broker';
import type { CommandTarget, Delivered, Heard } from './commands/command-target.ts';
import { ConnectionExtras } from './connection-extras.ts';
import type { Objection } from './host-context.ts';
import { OutcomeStake } from './intents/outcome-stake.ts';
import { pointsIn } from './message-cost.ts';
import type { MessageLimiter } from './options.ts';

const ACCEPTED: PublishVerdict = { route: false, reasonCode: ReasonCode.Success, close: null };
const ROUTED: PublishVerdict = { route: true, reasonCode: ReasonCode.Success, close: null };

/** Of `DeviceConnection.reportedActivity`; fine enough for reports that come every few seconds. */
export const ACTIVITY_UNIT_MS = 64;

/** What a connection needs of the host it belongs to. */
export interface ConnectionHost {
  opened(connection: DeviceConnection): void;
  /** SUBACK has been sent. */
  subscribed(connection: DeviceConnection): void;
  /**
   * Carries out one intent out of `intents`; `token` is held for every store the effect waits for. Answers why not, if
   * the message is not to be acknowledged as done; null: all is well.
   */
  perform(
    connection: DeviceConnection,
    intent: Intent,
    message: InboundMessage,
    token: AckToken,
    intents: number,
  ): Objection | null;
  /** Publishes copies of a message in other spaces of the dialect; `token` is held for every store that keeps one. */
  copy(connection: DeviceConnection, copies: readonly SpaceMessage[], token: AckToken): void;
  /** The device as the registry has it now; undefined: it is gone. */
  deviceNow(device: DeviceRef): DeviceRef | undefined;
  /** A message was refused or ended its connection. */
  refused(connection: DeviceConnection, reasonCode: number, reason: string): void;
  /** The limits of the device are used up: what its connection is to be closed with. */
  throttled(connection: DeviceConnection): PublishVerdict;
  /** An answer was sent on a connection that ends some time after its first one. */
  answered(connection: DeviceConnection, closeAfterMs: number): void;
  closed(connection: DeviceConnection, reason: CloseReason): void;
  fault(error: unknown): void;
}

/** One live connection: the broker's events in, the dialect's decisions out. */
export class DeviceConnection implements ConnectionHandler, CommandTarget {
  principal: Principal;
  readonly session: DialectSession;
  readonly username: string | null;
  readonly #host: ConnectionHost;
  #handle: ConnectionHandle | null = null;
  /** Where telemetry of this connection goes; null for whoever is not a device. */
  sink: TelemetrySink | null = null;
  /** null: nothing is limited. */
  limiter: MessageLimiter | null = null;
  /** null until something is needed of it. */
  extras: ConnectionExtras | null = null;
  /** Monotonic time up to which activity has been reported, in whole units: a small integer costs no memory of its own. */
  reportedActivity = 0;
  /** Monotonic seconds, whole. */
  openedAtSeconds = 0;

  constructor(host: ConnectionHost, principal: Principal, session: DialectSession, username: string | null) {
    this.#host = host;
    this.principal = principal;
    this.session = session;
    this.username = username;
  }

  get kind(): 'connection' {
    return 'connection';
  }

  /** null before CONNACK and after the end. */
  get handle(): ConnectionHandle | null {
    return this.#handle;
  }

  /** Identifier of the device or application, or null for an anonymous principal. */
  get principalId(): string | null {
    return this.principal.device?.id ?? this.principal.application?.id ?? null;
  }

  extrasMade(): ConnectionExtras {
    this.extras ??= new ConnectionExtras();
    return this.extras;
  }

  opened(connection: ConnectionHandle): void {
    this.#handle = connection;
    this.#host.opened(this);
  }

  publish(message: InboundMessage, token: AckToken): PublishVerdict {
    const disposition: Disposition = this.session.publish(message);
    if (this.limiter !== null && !this.limiter.take(pointsIn(disposition.intents))) return this.#host.throttled(this);
    return this.#carryOut(disposition, message, token);
  }

  /** The Will is no message of a device that could be slowed down, so no rate is asked. */
  publishWill(message: InboundMessage, token: AckToken): PublishVerdict | null {
    if (this.session.willIsMessage !== true) return null;
    if (!this.#catchUp()) return ACCEPTED;
    const verdict = this.#carryOut(this.session.publish(message), message, token);
    // The connection is over, or never was: what was begun for it would not end by itself.
    this.extras?.close();
    return verdict;
  }

  /** While nobody is connected nobody is told of changes. False: the device is gone. */
  #catchUp(): boolean {
    const known = this.principal.device;
    if (known === null) return true;
    const device = this.#host.deviceNow(known);
    if (device === undefined) return false;
    if (device !== known) {
      this.principal = { ...this.principal, device };
      this.session.deviceChanged?.(device);
    }
    return true;
  }

  #carryOut(disposition: Disposition, message: InboundMessage, token: AckToken): PublishVerdict {
    const { intents } = disposition;
    let objection: Objection | null = null;
    const stake = disposition.tell === undefined ? null : this.#telling(disposition.tell, token, () => objection);
    for (let index = 0; index < intents.length; index++) {
      const intent = intents[index];
      if (intent === undefined) continue;
      objection = this.#host.perform(this, intent, message, stake ?? token, intents.length) ?? objection;
    }
    const { refuse, close, copies } = disposition;
    if (copies !== undefined && close === null && refuse === null && objection === null)
      this.#host.copy(this, copies, stake ?? token);
    stake?.taken();
    if (close !== null) {
      this.#host.refused(this, close.reasonCode, close.reason);
      if (refuse === null) return { route: false, reasonCode: close.reasonCode, close };
      return { route: false, reasonCode: refuse.reasonCode, close: { ...close, acknowledge: true } };
    }
    if (objection !== null) return this.#object(objection);
    if (refuse !== null) {
      this.#host.refused(this, refuse.reasonCode, refuse.reason);
      return { route: disposition.route, reasonCode: refuse.reasonCode, close: null };
    }
    if (!disposition.route) return ACCEPTED;
    const { routeAs } = disposition;
    return routeAs === undefined ? ROUTED : { ...ROUTED, routeAs };
  }

  /** The token of a message whose device is told what became of it. */
  #telling(ref: ReplyRef, token: AckToken, objection: () => Objection | null): OutcomeStake {
    return new OutcomeStake(token, (outcome) =>
      this.answer({ kind: 'outcome', ref, outcome: objection() === null ? outcome : 'refused' }),
    );
  }

  #object({ reasonCode, reason, close }: Objection): PublishVerdict {
    this.#host.refused(this, reasonCode, reason);
    return { route: false, reasonCode, close: close ? { reasonCode, reason } : null };
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscribeVerdict {
    if (this.limiter !== null && !this.limiter.take(0)) {
      const { close, reasonCode } = this.#host.throttled(this);
      if (close !== null) this.#handle?.disconnect(close.reasonCode, close.reason);
      return { reasonCode, enter: [] };
    }
    return this.session.subscribe(topicFilter, options);
  }

  subscribed(): void {
    this.#pushHeld();
    this.#host.subscribed(this);
  }

  /** What the dialect has kept for the device goes before the commands that wait for it. */
  #pushHeld(): void {
    if (this.session.afterSubscribe === undefined) return;
    try {
      this.push(this.session.afterSubscribe());
    } catch (error) {
      this.#host.fault(error);
    }
  }

  /** Filters that enter no tree are known to the dialect's session alone, which is new. */
  resumed(subscriptions: readonly ResumedSubscription[]): void {
    for (const { topicFilter, options } of subscriptions) this.session.subscribe(topicFilter, options);
    this.#pushHeld();
    if (subscriptions.length > 0) this.#host.subscribed(this);
  }

  unsubscribe(topicFilter: string): number | null {
    return this.session.unsubscribe(topicFilter);
  }

  mayReceive(topicName: string): boolean {
    return this.session.mayReceive(topicName);
  }

  /** Absent where the dialect shows every name as it is: the broker need not ask. */
  get deliveredAs(): ((topicName: string) => string) | undefined {
    const { session } = this;
    if (session.deliveredAs === undefined) return undefined;
    return (topicName) => session.deliveredAs?.(topicName) ?? topicName;
  }

  mayPublishWill(topicName: string): boolean {
    return this.session.mayPublishWill(topicName);
  }

  hear(command: DeviceCommand, delivered?: Delivered): Heard {
    if (this.#handle === null) return 'notConnected';
    const messages = this.session.command(command);
    if (typeof messages === 'string') return messages;
    this.push(messages, delivered);
    return 'sent';
  }

  /** Sends the answer to an intent, if the connection is still there. `done` is told what became of the last message. */
  answer(reply: DeviceReply, done?: Delivered): void {
    const messages = this.#handle === null ? [] : this.#encode(reply);
    if (messages.length === 0) {
      if (reply.kind === 'otaChunk') discard(reply);
      done?.('lost');
      return;
    }
    this.push(messages, done);
    const { closeAfterReplyMs } = this.session;
    if (closeAfterReplyMs !== undefined) this.#host.answered(this, closeAfterReplyMs);
  }

  #encode(reply: DeviceReply): readonly OutboundMessage[] {
    try {
      return this.session.reply?.(reply) ?? [];
    } catch (error) {
      this.#host.fault(error);
      return [];
    }
  }

  /** Sends messages past the subscriptions; `done` is told what became of the last one. */
  push(messages: readonly OutboundMessage[], done?: (result: DeliveryResult) => void): void {
    const handle = this.#handle;
    if (handle === null) {
      for (const message of messages) discard(message);
      done?.('lost');
      return;
    }
    const last = messages.length - 1;
    for (const [index, { topicName, payload, qos }] of messages.entries())
      handle.push(topicName, payload, qos, index === last ? done : undefined);
    if (last < 0) done?.('written');
  }

  closed(reason: CloseReason): void {
    this.#host.closed(this, reason);
    this.#handle = null;
  }
}

/** Closes a payload that nobody will read. */
function discard({ payload }: Pick<OutboundMessage, 'payload'>): void {
  if (!(payload instanceof Uint8Array)) payload.close();
}

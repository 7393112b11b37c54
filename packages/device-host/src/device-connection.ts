import type { Intent, TelemetrySink } from '@moorage/core';
import type { Dialect, DialectSession, Disposition, Principal } from '@moorage/dialect-api';
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

const ACCEPTED: PublishVerdict = { route: false, reasonCode: ReasonCode.Success, close: null };
const ROUTED: PublishVerdict = { route: true, reasonCode: ReasonCode.Success, close: null };

/** What a connection needs of the host it belongs to. */
export interface ConnectionHost {
  opened(connection: DeviceConnection): void;
  /** Carries out one intent; `token` is held for every store the effect waits for. */
  perform(connection: DeviceConnection, intent: Intent, message: InboundMessage, token: AckToken): void;
  /** A message was refused or ended its connection. */
  refused(connection: DeviceConnection, reasonCode: number, reason: string): void;
  closed(connection: DeviceConnection, reason: CloseReason): void;
}

/** One live connection: the broker's events in, the dialect's decisions out. */
export class DeviceConnection implements ConnectionHandler {
  readonly dialect: Dialect;
  principal: Principal;
  readonly session: DialectSession;
  readonly username: string | null;
  readonly #host: ConnectionHost;
  #handle: ConnectionHandle | null = null;
  /** Where telemetry of this connection goes; null for whoever is not a device. */
  sink: TelemetrySink | null = null;
  /** Monotonic milliseconds up to which activity has been reported. */
  reportedActivityAt = 0;

  constructor(
    host: ConnectionHost,
    dialect: Dialect,
    principal: Principal,
    session: DialectSession,
    username: string | null,
  ) {
    this.#host = host;
    this.dialect = dialect;
    this.principal = principal;
    this.session = session;
    this.username = username;
  }

  /** null before CONNACK and after the end. */
  get handle(): ConnectionHandle | null {
    return this.#handle;
  }

  /** Identifier of the device or application, or null for an anonymous principal. */
  get principalId(): string | null {
    return this.principal.device?.id ?? this.principal.application?.id ?? null;
  }

  opened(connection: ConnectionHandle): void {
    this.#handle = connection;
    this.#host.opened(this);
  }

  publish(message: InboundMessage, token: AckToken): PublishVerdict {
    const disposition: Disposition = this.session.publish(message);
    const intents = disposition.intents;
    for (let index = 0; index < intents.length; index++) {
      const intent = intents[index];
      if (intent !== undefined) this.#host.perform(this, intent, message, token);
    }
    const { refuse, close } = disposition;
    if (close !== null) {
      this.#host.refused(this, close.reasonCode, close.reason);
      return { route: false, reasonCode: close.reasonCode, close };
    }
    if (refuse !== null) {
      this.#host.refused(this, refuse.reasonCode, refuse.reason);
      return { route: disposition.route, reasonCode: refuse.reasonCode, close: null };
    }
    return disposition.route ? ROUTED : ACCEPTED;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscribeVerdict {
    return this.session.subscribe(topicFilter, options);
  }

  subscribed(): void {}

  /** Filters that enter no tree are known to the dialect's session alone, which is new. */
  resumed(subscriptions: readonly ResumedSubscription[]): void {
    for (const { topicFilter, options } of subscriptions) this.session.subscribe(topicFilter, options);
  }

  unsubscribe(topicFilter: string): number | null {
    return this.session.unsubscribe(topicFilter);
  }

  mayReceive(topicName: string): boolean {
    return this.session.mayReceive(topicName);
  }

  mayPublishWill(topicName: string): boolean {
    return this.session.mayPublishWill(topicName);
  }

  closed(reason: CloseReason): void {
    this.#host.closed(this, reason);
    this.#handle = null;
  }
}

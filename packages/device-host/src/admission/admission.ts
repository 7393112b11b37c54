import {
  type ConnectPacket,
  type Dialect,
  type DialectSession,
  type Principal,
  ReasonCode,
  type Refusal,
} from '@moorage/dialect-api';
import type {
  AcceptedPrincipal,
  AckToken,
  Authenticator,
  ConnectRefusal,
  InboundMessage,
  ListenerInfo,
  PublishVerdict,
  RestoredWill,
  SessionPolicy,
} from '@moorage/mqtt-broker';
import { type ConnectionHost, DeviceConnection } from '../device-connection.ts';
import { behindDialect, spaceKey } from '../feed/live-feed.ts';
import type { HostContext } from '../host-context.ts';
import { type Recognition, Recognizer } from './recognition.ts';
import { sessionKey } from './session-key.ts';

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

const RATE_EXCEEDED: Refusal = {
  outcome: 'refused',
  returnCode: 3,
  reasonCode: ReasonCode.ConnectionRateExceeded,
  reason: 'the device is over its rate limit',
};

/** Decides who may connect, and as whom. */
export class Admission implements Authenticator {
  readonly #context: HostContext;
  readonly #host: ConnectionHost;
  readonly #recognizer: Recognizer;
  #lastSpace = { tenantId: '', dialect: '', account: '', key: '' };

  constructor(context: HostContext, host: ConnectionHost) {
    this.#context = context;
    this.#host = host;
    this.#recognizer = new Recognizer(context.options.dialects, context.options.credentials);
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
    const name = connect.username ?? connect.clientId;
    this.#context.count('connect_refused');
    this.#context.notes.refusedConnect(connect, via, recognition);
    return {
      accepted: false,
      returnCode: refusal.returnCode,
      reasonCode: refusal.reasonCode,
      reasonString: null,
      delayMs: this.#context.guesses.failed(via.remoteAddress, name, this.#context.options.clock.monotonic()),
    };
  }

  #accept(
    connect: ConnectPacket,
    via: ListenerInfo,
    dialect: Dialect,
    principal: Principal,
  ): AcceptedPrincipal | ConnectRefusal {
    const { guesses } = this.#context;
    // The kernel is asked for an address only where somebody wants to know it.
    if (guesses.some) guesses.succeeded(via.remoteAddress, connect.username ?? connect.clientId);
    if (this.#overLimit(principal)) {
      this.#context.count('connect_rate_limited');
      this.#context.notes.refusedConnect(connect, via, { outcome: 'refused', dialect, refusal: RATE_EXCEEDED });
      const { returnCode, reasonCode } = RATE_EXCEEDED;
      return { accepted: false, returnCode, reasonCode, reasonString: null, delayMs: 0 };
    }
    const link = {
      level: connect.level,
      clientId: principal.assignedClientId ?? connect.clientId,
      text: this.#context.options.text,
    };
    const session = dialect.openSession(principal, link);
    return {
      accepted: true,
      sessionKey: sessionKey(principal),
      assignedClientId: principal.assignedClientId,
      space: this.#spaceOf(principal),
      policy: this.#policyOf(principal),
      handler: new DeviceConnection(this.#host, principal, session, connect.username),
    };
  }

  /** Clients of one space come one after the other, and their Sessions keep its name: one string for all of them. */
  #spaceOf({ tenantId, dialect, account }: Principal): string | null {
    if (account === null) return null;
    const last = this.#lastSpace;
    if (last.tenantId === tenantId && last.dialect === dialect && last.account === account) return last.key;
    this.#lastSpace = { tenantId, dialect, account, key: spaceKey(tenantId, dialect, account) };
    return this.#lastSpace.key;
  }

  /** A CONNECT is a message as well. thingsboard-device.md, 1.5 and 11 */
  #overLimit({ device }: Principal): boolean {
    if (device === null) return false;
    const limiter = this.#context.options.limits?.limiterOf(device, device.gateway ? 'gateway' : 'device') ?? null;
    return limiter !== null && !limiter.take(0);
  }

  #policyOf({ policy }: Principal): SessionPolicy {
    const { serverKeepAlive } = this.#context.options;
    return serverKeepAlive === null || policy.serverKeepAlive !== null ? policy : { ...policy, serverKeepAlive };
  }

  /** A Will that outlived the server: its owner must still exist and still have the right. mqtt.md, O-21 and O-22 */
  mayPublishWill(restored: RestoredWill): boolean {
    return this.#absent(restored)?.session.mayPublishWill(restored.topicName) ?? false;
  }

  /** Such a Will as a message of somebody who is not connected. */
  publishWill(restored: RestoredWill, message: InboundMessage, token: AckToken): PublishVerdict | null {
    const absent = this.#absent(restored);
    if (absent === null) return null;
    const { principal, session } = absent;
    const connection = new DeviceConnection(this.#host, principal, session, null);
    if (principal.device !== null) connection.sink = this.#context.parts.ingest.sink(principal.device.id);
    return connection.publishWill(message, token);
  }

  /**
   * Who left a Will behind; null: nobody that is known. The Session key is the one that `sessionKey` makes: tenant, dialect,
   * identity; identities begin with the owner's id. The name of the space ends with the account.
   */
  #absent({
    sessionKey: key,
    space,
    clientId,
  }: RestoredWill): { principal: Principal; session: DialectSession } | null {
    const { deviceRef, applicationRef, anonymous, text } = this.#context.options;
    const [tenantId = '', dialectId = '', ownerId = ''] = key.split('/', 3);
    const dialect = this.#context.dialect(dialectId);
    if (dialect === undefined) return null;
    const device = deviceRef(ownerId) ?? null;
    const application = applicationRef(ownerId) ?? null;
    const known = device !== null || (application?.enabled ?? (anonymous && ownerId === 'anonymous'));
    if (!known) return null;
    const principal: Principal = {
      dialect: dialectId,
      tenantId,
      device,
      application,
      identity: behindDialect(key),
      assignedClientId: null,
      account: behindDialect(space),
      policy: NO_CONNECTION,
    };
    return { principal, session: dialect.openSession(principal, { level: 5, clientId, text }) };
  }
}

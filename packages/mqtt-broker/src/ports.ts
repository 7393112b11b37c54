import type {
  ConnectPacket,
  Properties,
  ProtocolLevel,
  QoS,
  ReasonCode,
  SubscriptionOptions,
} from '@moorage/mqtt-codec';

/** Time, injected. Both in milliseconds. */
export interface Clock {
  /** Epoch milliseconds; may jump. */
  now(): number;
  /** Never goes back; for keep-alive, delays and deadlines. */
  monotonic(): number;
}

/** The event loop, injected. */
export interface Scheduler {
  /** Runs `task` once, after everything that is ready in the present turn of the event loop has been read. */
  endOfTurn(task: () => void): void;
  /** Runs `task` every `intervalMs` until the returned function is called. Never keeps a process alive. */
  every(intervalMs: number, task: () => void): () => void;
  /** Runs `task` once after `delayMs` unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
}

/** A client certificate, or an issuer of one. The broker only carries it; `ClientCertificate` of core is the same. */
export interface PresentedCertificate {
  /** DER in base64, without line breaks. */
  readonly text: string;
  /** SHA3-256 over `text`, lower-case hex. */
  readonly hash: string;
  /** Common Name of the subject, or null. */
  readonly commonName: string | null;
  /** Epoch milliseconds. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** How a connection reached the server. */
export interface ListenerInfo {
  /** Name of the listener in logs and metrics. */
  readonly listener: string;
  readonly transport: 'tcp' | 'tls' | 'ws' | 'wss';
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Identifier of the dialect this listener is pinned to, or null. */
  readonly pinnedDialect: string | null;
  /** TLS server name, or null. */
  readonly serverName: string | null;
  /** The presented client certificate and its chain, leaf first, each signed by the next; null without. */
  readonly clientCertificates: readonly PresentedCertificate[] | null;
}

/** What the broker does with the events of a stream. A chunk is valid only during the call. */
export interface StreamHandler {
  onData(chunk: Uint8Array): void;
  /** Everything written so far has left for the kernel. */
  onDrain(): void;
  /** The stream is gone, for whatever reason; called once. */
  onClose(error: Error | null): void;
}

/** A connected two-way byte stream: TCP, TLS or WebSocket. [MQTT-4.2.0-1] */
export interface ByteStream {
  /** Begins reading. */
  start(handler: StreamHandler): void;
  /** Hands bytes to the kernel. The block belongs to the stream until `writableLength` is 0 again. */
  write(bytes: Uint8Array): void;
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly writableLength: number;
  pause(): void;
  resume(): void;
  /** Lets the network ask, after so many seconds of silence, whether the peer is still there. */
  probe?(idleSeconds: number): void;
  /** Closes after what was written has left, at the latest after 1 s. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** What the vendor's rules make of MQTT for one principal. architecture.md, Identity */
export interface SessionPolicy {
  /** Highest QoS granted to a subscription. */
  readonly maximumGrantedQoS: QoS;
  /** `never`: the Session ends with its connection and CONNACK says Session Present 0. */
  readonly persistence: 'never' | 'asRequested';
  /** Longest Session Expiry Interval in seconds; also the lifetime of a 3.x Session without clean flag. */
  readonly maximumSessionExpiryInterval: number;
  readonly will: 'honoured' | 'ignored';
  readonly retained: 'honoured' | 'ignored';
  /** Bytes of a whole packet after CONNECT. */
  readonly maximumPacketSize: number;
  /** Unfinished QoS 1 and 2 PUBLISHes from the client. */
  readonly receiveMaximum: number;
  /** Topic Aliases from the client. */
  readonly topicAliasMaximum: number;
  readonly maximumSubscriptions: number;
  /** What an absent Session may hold; beyond it the oldest message is dropped and counted. */
  readonly queue: { readonly messages: number; readonly bytes: number; readonly ageMs: number };
  /** Seconds; a 5.0 client that asks for more or for none is told this. null: as asked. */
  readonly serverKeepAlive: number | null;
  /** It holds for 3.x clients that ask for more too, who are not told; absent: for 5.0 only. */
  readonly serverKeepAliveForAll?: boolean;
  /**
   * Seconds of silence after which the network is asked whether a client without Keep Alive is still there; absent: as
   * the listener has it.
   */
  readonly probeAfter?: number;
  /**
   * Seconds that a Session of Clean Start is kept, without messages, when its connection ends without a DISCONNECT: a CONNECT
   * with Clean Start in that time finds its subscriptions in force, and is told of no Session. Lost with the process. Absent:
   * it ends at once, as the standard has it.
   */
  readonly cleanGraceSeconds?: number;
  /** PUBLISHes of one connection, so many in so many seconds; all hold. Whoever is over one is not read until it is paid for. */
  readonly rates?: readonly { readonly messages: number; readonly seconds: number }[];
}

/** A PUBLISH as it came in. `payload` is a view that is valid only during the call: whoever keeps it copies it. */
export interface InboundMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties | null;
  /** Epoch milliseconds, taken once when the packet was read. */
  readonly receivedAt: number;
}

/** How a store ended. `full` becomes 0x97 on 5.0; on 3.x, and for `failed`, the sender is not acknowledged and closed. */
export type StoreOutcome = 'stored' | 'full' | 'failed';

/**
 * Ties an inbound message to the stores it waits for. The acknowledgement is sent when the call that handed the token
 * out has returned and every `hold` has been released. QoS 0 messages have a token too; it acknowledges nothing.
 */
export interface AckToken {
  hold(): void;
  /** Once for every `hold`, in any order, also long after. The worst outcome wins. */
  release(outcome: StoreOutcome): void;
}

/** What becomes of an inbound message besides the stores that hold its token. */
export interface PublishVerdict {
  /** Deliver to the subscribers of the principal's space (and retain if the flag is set and the policy honours it). */
  readonly route: boolean;
  /**
   * The Topic Name under which it is routed and retained in the space; absent: the one it came with. Only of a message
   * that is routed.
   */
  readonly routeAs?: string;
  /** Success, or why the message is refused: told on 5.0 with QoS 1 and 2; on 3.x acknowledged all the same. */
  readonly reasonCode: ReasonCode;
  /** Close the connection instead of acknowledging; with `acknowledge` a 5.0 client is told `reasonCode` by PUBACK or PUBREC before. */
  readonly close: { readonly reasonCode: ReasonCode; readonly reason: string; readonly acknowledge?: boolean } | null;
}

export interface SubscribeVerdict {
  /** Granted QoS 0 to 2, or a Reason Code of SUBACK from 0x80 on; 3.1.1 is told 0x80, 3.1 a grant without effect. */
  readonly reasonCode: number;
  /** Filters entered into the tree of the space instead of the one asked for; empty: none (direct push only). */
  readonly enter: readonly string[];
}

/** A subscription that a resumed Session brought along. */
export interface ResumedSubscription {
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
  readonly grantedQoS: QoS;
  /** Filters in the tree; empty for direct push only. */
  readonly enter: readonly string[];
}

/** Why a connection ended; `reason` is plain English for the connection log. */
export interface CloseReason {
  readonly by: 'client' | 'server' | 'network';
  readonly reasonCode: number;
  readonly reason: string;
}

/**
 * A payload that is read piece by piece while the connection takes it, so that a large file is never held whole.
 * `read` may give fewer bytes than asked only at the end; `close` is called once, whatever happens.
 */
export interface PulledPayload {
  /** Bytes; the packet has exactly so many. */
  readonly length: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): void;
}

/** The part of a connection that the host sees. */
export interface ConnectionHandle {
  readonly number: number;
  readonly level: ProtocolLevel;
  readonly clientId: string;
  readonly via: ListenerInfo;
  /** Monotonic milliseconds of the last packet from the client. */
  readonly lastReceivedAt: number;
  /**
   * Sends a message to this connection whether or not a subscription matches, in order with routed ones and within
   * the client's Receive Maximum. Ends with the connection. `done` is told once: `written` (QoS 0) or `acknowledged`
   * (QoS 1, 2), else `lost`.
   */
  push(
    topicName: string,
    payload: Uint8Array | PulledPayload,
    qos: QoS,
    done?: (outcome: 'written' | 'acknowledged' | 'lost') => void,
  ): void;
  /** Tells a 5.0 client why, then closes. The Will is published unless `dropWill`. */
  disconnect(reasonCode: ReasonCode, reason: string, options?: { readonly dropWill?: boolean }): void;
}

/** What the host answers for one accepted connection. All calls are synchronous. */
export interface ConnectionHandler {
  /** CONNACK has been staged; nothing has been read behind CONNECT yet. */
  opened(connection: ConnectionHandle): void;
  publish(message: InboundMessage, token: AckToken): PublishVerdict;
  subscribe(topicFilter: string, options: SubscriptionOptions): SubscribeVerdict;
  /** SUBACK has been staged. */
  subscribed(): void;
  /** A Reason Code of UNSUBACK, or null to let the tree decide. */
  unsubscribe(topicFilter: string): number | null;
  /** Asked again whenever a message is about to be delivered from the tree, the queue or the retained store. */
  mayReceive(topicName: string): boolean;
  /**
   * The Topic Name that the client is shown for one of the space. Asked for every delivery from the tree, the queue or the
   * retained store, behind `mayReceive`, and not for direct pushes. Absent when the connection opens: names are shown as
   * they are.
   */
  readonly deliveredAs?: ((topicName: string) => string) | undefined;
  /** Asked at CONNECT and again when the Will is sent. */
  mayPublishWill(topicName: string): boolean;
  /**
   * A Will that is due and may be published, as `publish`; nothing is acknowledged, and `close` drops it. May come long
   * behind `closed`. null or absent: it is routed as it is.
   */
  publishWill?(message: InboundMessage, token: AckToken): PublishVerdict | null;
  closed(reason: CloseReason): void;
  /** Right after `opened`, if a Session was resumed: the subscriptions that hold already. */
  resumed?(subscriptions: readonly ResumedSubscription[]): void;
}

export interface AcceptedPrincipal {
  readonly accepted: true;
  /** Key of the Session on the whole server; null: the connection itself. */
  readonly sessionKey: string | null;
  /** Identifier made by the server when the client sent none, told on 5.0; null: the client's own holds. */
  readonly assignedClientId: string | null;
  /** Name of the space in which topics are routed; null: nothing is ever routed. */
  readonly space: string | null;
  readonly policy: SessionPolicy;
  readonly handler: ConnectionHandler;
}

export interface ConnectRefusal {
  readonly accepted: false;
  /** Return code for 3.1 and 3.1.1, 1 to 5. */
  readonly returnCode: number;
  /** Reason Code for 5.0. */
  readonly reasonCode: ReasonCode;
  /** Fixed English phrase sent as Reason String; null: none. */
  readonly reasonString: string | null;
  /** Wait before the answer, against guessing. */
  readonly delayMs: number;
}

/** Decides who may connect. Called for one CONNECT of a Session key after the other. */
export interface Authenticator {
  authenticate(
    connect: ConnectPacket,
    via: ListenerInfo,
  ): AcceptedPrincipal | ConnectRefusal | Promise<AcceptedPrincipal | ConnectRefusal>;
  /**
   * May a Will be published whose client has not been seen since the server was started? Asked when the Will is due.
   * Without this method no such Will is published. mqtt.md, O-21 and O-22
   */
  mayPublishWill?(restored: RestoredWill): boolean;
  /** The same as `ConnectionHandler.publishWill` for such a Will; asked behind `mayPublishWill`. */
  publishWill?(restored: RestoredWill, message: InboundMessage, token: AckToken): PublishVerdict | null;
}

/** Who left a Will behind before the server was started. */
export interface RestoredWill {
  readonly sessionKey: string;
  readonly space: string;
  readonly clientId: string;
  readonly topicName: string;
}

/** Counters of the broker, by reason; for metrics. */
export interface BrokerObserver {
  /** A drop, refusal, throttle or expiry, with its reason. */
  count(event: string, amount: number): void;
  /** Something of ours threw while a packet was handled; the connection was closed with 0x80. */
  fault?(error: unknown): void;
  /** A packet of a connection that is traced (`Broker.trace`). `bytes` is a view that is valid only during the call. */
  packet?(connection: ConnectionHandle, direction: 'in' | 'out', bytes: Uint8Array): void;
}

/** An Application Message inside the broker; shared by reference between queues. */
export interface Message {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Properties that travel with the message, or null. */
  readonly properties: Properties | null;
  /** Epoch milliseconds after which it is not delivered; Infinity: never. */
  readonly expiresAt: number;
}

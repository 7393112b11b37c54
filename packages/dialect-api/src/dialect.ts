import type {
  ClientCertificate,
  Completion,
  CredentialLookup,
  Device,
  DeviceCredentials,
  DeviceIntent,
  DeviceRef,
  DialectId,
  DialectWork,
  EntityId,
  Intent,
  ReplyRef,
  RpcTimeoutRange,
} from '@moorage/core';
import type {
  ConnectPacket,
  Properties,
  ProtocolLevel,
  QoS,
  ReasonCode,
  SubscriptionOptions,
} from '@moorage/mqtt-codec';
import type { DeviceCommand, OutboundMessage, RoutedCommand } from './commands.ts';
import type { ConnectionGuide, PublicEndpoint } from './connection-guide.ts';
import type { DeviceCoapRoute, DeviceHttpRoute } from './device-routes.ts';
import type { Principal } from './principal.ts';
import type { DialectPushes } from './pushes.ts';
import type { DeviceReply } from './replies.ts';

/** What a dialect is and which documents it implements. */
export interface DialectManifest {
  readonly id: DialectId;
  readonly title: string;
  /** Vendor documents implemented, with version or date. */
  readonly documents: readonly string[];
  readonly capabilities: readonly (
    | 'telemetry'
    | 'attributes'
    | 'rpc'
    | 'claim'
    | 'provision'
    | 'ota'
    | 'gateway'
    | 'routing'
  )[];
}

/** How a CONNECT arrived, as far as a dialect may know. */
export interface ConnectVia {
  readonly listener: string;
  readonly transport: 'tcp' | 'tls' | 'ws' | 'wss';
  readonly pinnedDialect: DialectId | null;
  readonly serverName: string | null;
  /** Leaf first; null: none was shown. Each is signed by the next. */
  readonly clientCertificates: readonly ClientCertificate[] | null;
}

export interface Accepted {
  readonly outcome: 'accepted';
  readonly principal: Principal;
}

/** Final: no other dialect is asked. */
export interface Refusal {
  readonly outcome: 'refused';
  /** CONNACK return code of 3.1 and 3.1.1. */
  readonly returnCode: 1 | 2 | 3 | 4 | 5;
  /** CONNACK Reason Code of 5.0. */
  readonly reasonCode: ReasonCode;
  /** Plain English for the connection log; may name the device, never a secret. */
  readonly reason: string;
}

/** The next candidate is asked; `reason` goes into the connection log if all pass. */
export interface NotMine {
  readonly outcome: 'notMine';
  readonly reason: string;
}

export type Authentication = Accepted | Refusal | NotMine;

/** The connection as its dialect sees it. */
export interface DeviceLink {
  readonly level: ProtocolLevel;
  readonly clientId: string;
  /** Text of a payload, or undefined if it is not well-formed UTF-8. */
  text(payload: Uint8Array): string | undefined;
}

/** A PUBLISH of the device. `payload` is valid during the call only. */
export interface DialectMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | null;
  /** Epoch milliseconds; the one time stamp of the message. */
  readonly receivedAt: number;
}

/** A message for the subscribers of a space of the dialect. `payload` may be that of the message it came from. */
export interface SpaceMessage {
  readonly tenantId: EntityId;
  /** `Principal.account` of the space. */
  readonly account: string;
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** What becomes of a message; the parts may be combined. */
export interface Disposition {
  /** Deliver to subscribers of the principal's space under the name it came with, or under `routeAs`. */
  readonly route: boolean;
  /** The Topic Name in the space, also for the Retained Message; absent: the one it came with. */
  readonly routeAs?: string;
  /** Copies for other spaces of this dialect; the acknowledgement waits for them too. */
  readonly copies?: readonly SpaceMessage[];
  readonly intents: readonly Intent[];
  /** Present: an `outcome` reply follows as soon as the effects of all intents are durable, or have failed. */
  readonly tell?: ReplyRef;
  /** Told on 5.0 with QoS 1 and 2; acknowledged plainly on 3.x. `reason` goes into the connection log. */
  readonly refuse: { readonly reasonCode: ReasonCode; readonly reason: string } | null;
  /** Instead of acknowledging; together with `refuse` a 5.0 client is told by PUBACK or PUBREC first. */
  readonly close: { readonly reasonCode: ReasonCode; readonly reason: string } | null;
}

export interface SubscriptionDecision {
  /** Granted QoS, or a Reason Code of SUBACK from 0x80 on. */
  readonly reasonCode: number;
  /** Filters entered into the tree of the space; empty: push only. */
  readonly enter: readonly string[];
}

/** One connection of one principal, in the vendor's language. Pure: effects are intents, messages are return values. */
export interface DialectSession {
  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision;
  /** A Reason Code of UNSUBACK, or null: the tree decides. */
  unsubscribe(topicFilter: string): number | null;
  publish(message: DialectMessage): Disposition;
  /** The messages that carry a command to this device; `notSupported` where the vendor's protocol has no word for it. */
  command(command: DeviceCommand): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed';
  /** The messages that carry an answer to an intent of this session. Needed where the session has intents with a `ref`. */
  reply?(reply: DeviceReply): readonly OutboundMessage[];
  /** As `command`, for a device behind this gateway. */
  subDeviceCommand?(
    name: string,
    command: DeviceCommand,
  ): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed';
  /** Tells the gateway, of whatever version, that the server ended the session of a device behind it. thingsboard-device.md, 8 */
  subDeviceClosed?(name: string, reasonCode: ReasonCode): readonly OutboundMessage[];
  /**
   * Tells a gateway that a device which is or was behind it is refused from now on, or let in again. A session that the
   * device has there is ended after it: `subDeviceClosed`.
   */
  subDeviceEnabled?(device: DeviceRef, enabled: boolean): readonly OutboundMessage[];
  /** What the CONNECT itself says of the device; carried out when the connection opens. */
  readonly openingIntents?: readonly DeviceIntent[];
  /** Sent when the connection opens, right behind CONNACK. */
  readonly openingMessages?: readonly OutboundMessage[];
  /** True: commands reach the device without a subscription, so those that wait are sent when it connects. */
  readonly listensAtOnce?: boolean;
  /** Milliseconds after the first answer at which the server closes; absent: never. thingsboard-device.md, 6.2 */
  readonly closeAfterReplyMs?: number;
  /** May this message, found in the tree, in the queue or among the retained ones, be delivered? */
  mayReceive(topicName: string): boolean;
  /** The Topic Name that this client is shown for one of the space; absent: the same. Asked for every delivery from the tree. */
  deliveredAs?(topicName: string): string;
  /**
   * May the platform send this device such a message by its space, on behalf of an operator? Absent: what it may receive.
   * `tooLarge`: the device could not take the packet.
   */
  maySend?(topicName: string, payload: Uint8Array): 'yes' | 'no' | 'tooLarge';
  /** Sent behind SUBACK, past the subscriptions. Asked after every SUBSCRIBE and once when a Session is resumed. */
  afterSubscribe?(): readonly OutboundMessage[];
  mayPublishWill(topicName: string): boolean;
  /** True: a Will is handed to `publish` when it is due, as any other message; `mayPublishWill` is asked before. */
  readonly willIsMessage?: boolean;
  /** Name, profile or settings of the device changed while it is connected; the new ones hold from the next message on. */
  deviceChanged?(device: DeviceRef): void;
}

/** A vendor's protocol. */
export interface Dialect {
  readonly manifest: DialectManifest;
  /** From the packet and the listener alone: pure, no look-up. recognition.md, section 3 */
  recognise(connect: ConnectPacket, via: ConnectVia): 'yes' | 'maybe' | 'no';
  authenticate(
    connect: ConnectPacket,
    via: ConnectVia,
    registry: CredentialLookup,
  ): Authentication | Promise<Authentication>;
  openSession(principal: Principal, link: DeviceLink): DialectSession;
  /**
   * Carries out a `dialectWork` intent; holds `completion` until everything is durable. Called in the order of the
   * messages of a connection. Must not throw; what fails is released as `failed`.
   */
  work?(principal: Principal, work: DialectWork, completion: Completion): void;
  /**
   * How a command reaches a device whose messages are routed in a space: whoever subscribes there hears it, absent Sessions
   * too. Present: `DialectSession.command` is never asked. `tooLarge`: the device could not take the packet.
   */
  routedCommand?(
    device: DeviceRef,
    command: DeviceCommand,
    registry: CredentialLookup,
  ): RoutedCommand | 'notSupported' | 'tooLarge';
  /**
   * `Principal.account` that the device has, or would have if it were connected; null: it is none of this dialect's, or its
   * topics are not routed. For what is published in its space while it is away. Absent: known from its connections and
   * Sessions only.
   */
  spaceAccount?(device: DeviceRef, registry: CredentialLookup): string | null;
  /** How long a call that somebody waits for may take; null or absent: the vendor does not say, or it is another's device. */
  rpcTimeoutRange?(device: DeviceRef, method: string, registry: CredentialLookup): RpcTimeoutRange | null;
  /**
   * `Principal.identity` of the only Session that the device has, or would have if it were connected; null: it is none of this
   * dialect's. Absent: a device may have several.
   */
  oneSession?(device: DeviceRef, registry: CredentialLookup): string | null;
  /** Applications of this dialect that are told what devices of all dialects send. */
  readonly pushes?: DialectPushes;
  /** Answers a `dialectRequest` of a device of this dialect with JSON text. Rejects only for a fault of the server. */
  answerRequest?(device: DeviceRef, request: string, params: string): Promise<string>;
  /** The key of a device that connects by TLS-PSK; undefined: none of this dialect's. At once, from memory. RFC 4279 */
  preSharedKey?(identity: string, registry: CredentialLookup): Uint8Array | undefined;
  /** The dialect's own HTTP API for devices. */
  readonly httpRoutes?: readonly DeviceHttpRoute[];
  /** The dialect's own CoAP API for devices. */
  readonly coapRoutes?: readonly DeviceCoapRoute[];
  /** How to connect this device, with nothing left to fill in. */
  connectionGuide(device: Device, credentials: DeviceCredentials, endpoint: PublicEndpoint): ConnectionGuide;
}

const NO_INTENTS: readonly Intent[] = [];

/** Nothing to do, acknowledged. */
export const NOTHING: Disposition = { route: false, intents: NO_INTENTS, refuse: null, close: null };

/** Routed in the space, nothing else. */
export const ROUTE: Disposition = { route: true, intents: NO_INTENTS, refuse: null, close: null };

/** Carries out intents, routes nothing. */
export function perform(intents: readonly Intent[]): Disposition {
  return { route: false, intents, refuse: null, close: null };
}

/** Carries out intents and tells the device how that ended. */
export function performAndTell(intents: readonly Intent[], tell: ReplyRef): Disposition {
  return { route: false, intents, tell, refuse: null, close: null };
}

/** Refused, the connection stays. */
export function refuseMessage(reasonCode: ReasonCode, reason: string): Disposition {
  return { route: false, intents: NO_INTENTS, refuse: { reasonCode, reason }, close: null };
}

/** The connection is closed without an acknowledgement. */
export function closeConnection(reasonCode: ReasonCode, reason: string): Disposition {
  return { route: false, intents: NO_INTENTS, refuse: null, close: { reasonCode, reason } };
}

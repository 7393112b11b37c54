import type { ReasonCode } from './reason-codes.ts';

/** The protocol levels that are spoken: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type ProtocolLevel = 3 | 4 | 5;

/** Control packet types, MQTT 5.0, 2.1.2. */
export const PacketType = {
  Connect: 1,
  Connack: 2,
  Publish: 3,
  Puback: 4,
  Pubrec: 5,
  Pubrel: 6,
  Pubcomp: 7,
  Subscribe: 8,
  Suback: 9,
  Unsubscribe: 10,
  Unsuback: 11,
  Pingreq: 12,
  Pingresp: 13,
  Disconnect: 14,
  Auth: 15,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

export type QoS = 0 | 1 | 2;

/** A User Property: name and value. Order and repetition count. MQTT 5.0, 2.2.2.2 */
export type UserProperty = readonly [name: string, value: string];

/** Every property of MQTT 5.0. Which may stand in which packet: `mqtt.md`, section 3, and `properties.ts`. */
export interface Properties {
  payloadFormatIndicator?: 0 | 1;
  /** Seconds. */
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  /** 1 to 268,435,455. SUBSCRIBE carries at most one, PUBLISH from a server any number. */
  subscriptionIdentifiers?: readonly number[];
  /** Seconds; 0xFFFFFFFF: never. */
  sessionExpiryInterval?: number;
  assignedClientIdentifier?: string;
  /** Seconds. */
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
  requestProblemInformation?: 0 | 1;
  /** Seconds. */
  willDelayInterval?: number;
  requestResponseInformation?: 0 | 1;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQoS?: 0 | 1;
  retainAvailable?: 0 | 1;
  userProperties?: readonly UserProperty[];
  /** Bytes of the whole packet. */
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: 0 | 1;
  subscriptionIdentifierAvailable?: 0 | 1;
  sharedSubscriptionAvailable?: 0 | 1;
}

export interface Will {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** null on 3.1 and 3.1.1. */
  readonly properties: Properties | null;
}

export interface ConnectPacket {
  readonly type: typeof PacketType.Connect;
  readonly level: ProtocolLevel;
  readonly clientId: string;
  /** Clean Start on 5.0, Clean Session before. */
  readonly cleanStart: boolean;
  /** Seconds; 0: none. */
  readonly keepAlive: number;
  readonly will: Will | null;
  /** null: the flag is not set; an empty string was sent with length zero. */
  readonly username: string | null;
  readonly password: Uint8Array | null;
  readonly properties: Properties | null;
}

export interface ConnackPacket {
  readonly type: typeof PacketType.Connack;
  readonly sessionPresent: boolean;
  /** A Reason Code on 5.0, a return code 0 to 5 before. */
  readonly reasonCode: number;
  readonly properties: Properties | null;
}

export interface PublishPacket {
  readonly type: typeof PacketType.Publish;
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly dup: boolean;
  readonly retain: boolean;
  /** 0 on QoS 0. */
  readonly packetIdentifier: number;
  readonly properties: Properties | null;
}

export interface AcknowledgementPacket {
  readonly type:
    | typeof PacketType.Puback
    | typeof PacketType.Pubrec
    | typeof PacketType.Pubrel
    | typeof PacketType.Pubcomp;
  readonly packetIdentifier: number;
  /** Success on 3.x. */
  readonly reasonCode: ReasonCode;
  readonly properties: Properties | null;
}

export interface SubscriptionOptions {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  readonly type: typeof PacketType.Subscribe;
  readonly packetIdentifier: number;
  readonly subscriptions: readonly { readonly topicFilter: string; readonly options: SubscriptionOptions }[];
  readonly properties: Properties | null;
}

export interface SubackPacket {
  readonly type: typeof PacketType.Suback;
  readonly packetIdentifier: number;
  readonly reasonCodes: readonly number[];
  readonly properties: Properties | null;
}

export interface UnsubscribePacket {
  readonly type: typeof PacketType.Unsubscribe;
  readonly packetIdentifier: number;
  readonly topicFilters: readonly string[];
  readonly properties: Properties | null;
}

export interface UnsubackPacket {
  readonly type: typeof PacketType.Unsuback;
  readonly packetIdentifier: number;
  /** Empty on 3.x. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties | null;
}

export interface PingreqPacket {
  readonly type: typeof PacketType.Pingreq;
}

export interface PingrespPacket {
  readonly type: typeof PacketType.Pingresp;
}

export interface DisconnectPacket {
  readonly type: typeof PacketType.Disconnect;
  /** 0 on 3.x. */
  readonly reasonCode: ReasonCode;
  readonly properties: Properties | null;
}

export interface AuthPacket {
  readonly type: typeof PacketType.Auth;
  readonly reasonCode: ReasonCode;
  readonly properties: Properties | null;
}

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AcknowledgementPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;

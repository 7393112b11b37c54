import { PacketType, type Properties } from '../packets.ts';
import { ReasonCode } from '../reason-codes.ts';

/** Where a property list may stand: a packet type, or 0 for the Will Properties in a CONNECT. */
export type PropertyOwner = PacketType | 0;
export const WILL_PROPERTIES = 0;

type KeysOf<Value> = {
  [Key in keyof Properties]-?: Exclude<Properties[Key], undefined> extends Value ? Key : never;
}[keyof Properties];

interface Entry {
  /** Property Identifier; all fit one byte. */
  readonly id: number;
  /** Spelled as in the standard. */
  readonly name: string;
  readonly owners: readonly PropertyOwner[];
}

/** One property of MQTT 5.0: its wire type, its key in `Properties`, and the packets it may stand in. */
export type PropertyDefinition =
  | (Entry & { readonly type: 'flag'; readonly key: KeysOf<0 | 1> })
  | (Entry & {
      readonly type: 'twoBytes' | 'fourBytes';
      readonly key: Exclude<KeysOf<number>, KeysOf<0 | 1>>;
      /** The Reason Code that answers the value 0, where 0 is not legal. */
      readonly zero?: ReasonCode;
    })
  | (Entry & { readonly type: 'text'; readonly key: KeysOf<string> })
  | (Entry & { readonly type: 'binary'; readonly key: KeysOf<Uint8Array> })
  | (Entry & { readonly type: 'variable'; readonly key: 'subscriptionIdentifiers' })
  | (Entry & { readonly type: 'pair'; readonly key: 'userProperties' });

const P = PacketType;
const WILL = WILL_PROPERTIES;
const MESSAGE: readonly PropertyOwner[] = [P.Publish, WILL];
const CONNECT_BOTH: readonly PropertyOwner[] = [P.Connect, P.Connack];
const AUTHENTICATION: readonly PropertyOwner[] = [P.Connect, P.Connack, P.Auth];
const ACKNOWLEDGING: readonly PropertyOwner[] = [
  P.Connack,
  P.Puback,
  P.Pubrec,
  P.Pubrel,
  P.Pubcomp,
  P.Suback,
  P.Unsuback,
  P.Disconnect,
  P.Auth,
];
const ALL: readonly PropertyOwner[] = [...ACKNOWLEDGING, P.Connect, P.Publish, P.Subscribe, P.Unsubscribe, WILL];

/** The properties of MQTT 5.0, 2.2.2.2, in the order of their identifiers. mqtt.md, section 3 */
export const PROPERTY_TABLE: readonly PropertyDefinition[] = [
  { id: 0x01, name: 'Payload Format Indicator', type: 'flag', key: 'payloadFormatIndicator', owners: MESSAGE },
  { id: 0x02, name: 'Message Expiry Interval', type: 'fourBytes', key: 'messageExpiryInterval', owners: MESSAGE },
  { id: 0x03, name: 'Content Type', type: 'text', key: 'contentType', owners: MESSAGE },
  { id: 0x08, name: 'Response Topic', type: 'text', key: 'responseTopic', owners: MESSAGE },
  { id: 0x09, name: 'Correlation Data', type: 'binary', key: 'correlationData', owners: MESSAGE },
  {
    id: 0x0b,
    name: 'Subscription Identifier',
    type: 'variable',
    key: 'subscriptionIdentifiers',
    owners: [P.Subscribe, P.Publish],
  },
  {
    id: 0x11,
    name: 'Session Expiry Interval',
    type: 'fourBytes',
    key: 'sessionExpiryInterval',
    owners: [P.Connect, P.Connack, P.Disconnect],
  },
  { id: 0x12, name: 'Assigned Client Identifier', type: 'text', key: 'assignedClientIdentifier', owners: [P.Connack] },
  { id: 0x13, name: 'Server Keep Alive', type: 'twoBytes', key: 'serverKeepAlive', owners: [P.Connack] },
  { id: 0x15, name: 'Authentication Method', type: 'text', key: 'authenticationMethod', owners: AUTHENTICATION },
  { id: 0x16, name: 'Authentication Data', type: 'binary', key: 'authenticationData', owners: AUTHENTICATION },
  {
    id: 0x17,
    name: 'Request Problem Information',
    type: 'flag',
    key: 'requestProblemInformation',
    owners: [P.Connect],
  },
  { id: 0x18, name: 'Will Delay Interval', type: 'fourBytes', key: 'willDelayInterval', owners: [WILL] },
  {
    id: 0x19,
    name: 'Request Response Information',
    type: 'flag',
    key: 'requestResponseInformation',
    owners: [P.Connect],
  },
  { id: 0x1a, name: 'Response Information', type: 'text', key: 'responseInformation', owners: [P.Connack] },
  { id: 0x1c, name: 'Server Reference', type: 'text', key: 'serverReference', owners: [P.Connack, P.Disconnect] },
  { id: 0x1f, name: 'Reason String', type: 'text', key: 'reasonString', owners: ACKNOWLEDGING },
  {
    id: 0x21,
    name: 'Receive Maximum',
    type: 'twoBytes',
    key: 'receiveMaximum',
    owners: CONNECT_BOTH,
    zero: ReasonCode.ProtocolError,
  },
  { id: 0x22, name: 'Topic Alias Maximum', type: 'twoBytes', key: 'topicAliasMaximum', owners: CONNECT_BOTH },
  {
    id: 0x23,
    name: 'Topic Alias',
    type: 'twoBytes',
    key: 'topicAlias',
    owners: [P.Publish],
    zero: ReasonCode.TopicAliasInvalid,
  },
  { id: 0x24, name: 'Maximum QoS', type: 'flag', key: 'maximumQoS', owners: [P.Connack] },
  { id: 0x25, name: 'Retain Available', type: 'flag', key: 'retainAvailable', owners: [P.Connack] },
  { id: 0x26, name: 'User Property', type: 'pair', key: 'userProperties', owners: ALL },
  {
    id: 0x27,
    name: 'Maximum Packet Size',
    type: 'fourBytes',
    key: 'maximumPacketSize',
    owners: CONNECT_BOTH,
    zero: ReasonCode.ProtocolError,
  },
  {
    id: 0x28,
    name: 'Wildcard Subscription Available',
    type: 'flag',
    key: 'wildcardSubscriptionAvailable',
    owners: [P.Connack],
  },
  {
    id: 0x29,
    name: 'Subscription Identifier Available',
    type: 'flag',
    key: 'subscriptionIdentifierAvailable',
    owners: [P.Connack],
  },
  {
    id: 0x2a,
    name: 'Shared Subscription Available',
    type: 'flag',
    key: 'sharedSubscriptionAvailable',
    owners: [P.Connack],
  },
];

const BY_ID: readonly (PropertyDefinition | undefined)[] = Array.from({ length: 0x2b }, (_, id) =>
  PROPERTY_TABLE.find((definition) => definition.id === id),
);

/** The property of an identifier, if it may stand there. */
export function propertyFor(id: number, owner: PropertyOwner): PropertyDefinition | undefined {
  const definition = BY_ID[id];
  return definition?.owners.includes(owner) ? definition : undefined;
}

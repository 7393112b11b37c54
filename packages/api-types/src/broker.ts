import { type Static, type TSchema, Type } from 'typebox';
import {
  epochMs,
  freeJsonObject,
  named,
  nullableInteger,
  nullableRefTo,
  nullableText,
  refTo,
} from './building-blocks.ts';
import { EntityId, Uuid } from './entity-id.ts';

const nullableBoolean = (options: { readonly description?: string } = {}) =>
  Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], ...options });
const nullableList = <T extends TSchema>(items: T, description: string) =>
  Type.Unsafe<Static<T>[] | null>({ type: ['array', 'null'], items, description });
const qos = (description = 'Quality of Service.') => Type.Integer({ minimum: 0, maximum: 2, description });

const complete = Type.Boolean({
  description: 'False: there is more than one call looks at; the totals count a part, and a search narrows it.',
});

/** A page of a list that may have been too long to count. */
function brokerPageOf<const Id extends string, T extends TSchema>(name: Id, item: T) {
  return named(
    name,
    Type.Object({
      data: Type.Array(item),
      totalPages: Type.Integer(),
      totalElements: Type.Integer(),
      hasNext: Type.Boolean(),
      complete,
    }),
  );
}

const ownerMembers = {
  clientId: Type.String({ description: 'Client Identifier.' }),
  entityId: nullableRefTo(EntityId, { description: 'The device or application; null: an anonymous client.' }),
  name: nullableText({ description: 'Of the device or application.' }),
  dialect: Type.String({ examples: ['plain'] }),
};

/** An MQTT Session, connected or absent. api-additions.md, 3 */
export const BrokerSession = named(
  'BrokerSession',
  Type.Object({
    ...ownerMembers,
    connected: Type.Boolean(),
    address: nullableText({ description: 'Of the client; null: not connected.' }),
    listener: nullableText(),
    protocolLevel: nullableInteger({ description: '3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0.' }),
    connectedAt: nullableInteger({ description: 'Epoch milliseconds, to the second.' }),
    queuedMessages: Type.Integer({ description: 'Messages that wait to be sent.' }),
    queuedBytes: nullableInteger({ description: 'Their bytes; null: not known.' }),
    inFlight: Type.Integer({ description: 'Messages of QoS 1 and 2 that were sent and are not finished.' }),
    subscriptions: Type.Integer(),
    sessionExpiryInterval: Type.Integer({ description: 'Seconds that the Session outlives its connection.' }),
  }),
);
export type BrokerSession = Static<typeof BrokerSession>;
export const BrokerSessionPage = brokerPageOf('BrokerSessionPage', refTo(BrokerSession));
export type BrokerSessionPage = Static<typeof BrokerSessionPage>;

export const BrokerSubscription = named(
  'BrokerSubscription',
  Type.Object({
    ...ownerMembers,
    connected: Type.Boolean(),
    topicFilter: Type.String({ description: 'As the client wrote it, `$share/` included.' }),
    qos: qos('Granted.'),
    noLocal: Type.Boolean(),
    retainAsPublished: Type.Boolean(),
    retainHandling: Type.Integer({ minimum: 0, maximum: 2 }),
    subscriptionIdentifier: nullableInteger(),
    routedAs: Type.Array(Type.String(), {
      description: 'Filters that stand for it among those of all clients; none: the server pushes its messages.',
    }),
  }),
);
export type BrokerSubscription = Static<typeof BrokerSubscription>;
export const BrokerSubscriptionPage = brokerPageOf('BrokerSubscriptionPage', refTo(BrokerSubscription));
export type BrokerSubscriptionPage = Static<typeof BrokerSubscriptionPage>;

/** The beginning of a payload. */
const previewMembers = {
  payloadText: nullableText({ description: 'Its beginning, if it is readable text.' }),
  payloadHex: nullableText({ description: 'Its beginning in hexadecimal, if it is not.' }),
  payloadCut: Type.Boolean({ description: 'There is more than what is shown.' }),
};

export const RetainedMessage = named(
  'RetainedMessage',
  Type.Object({
    dialect: Type.String(),
    topic: Type.String(),
    qos: qos(),
    payloadBytes: Type.Integer(),
    ...previewMembers,
    expiresAt: nullableInteger({ description: 'Epoch milliseconds; null: never.' }),
  }),
);
export type RetainedMessage = Static<typeof RetainedMessage>;
export const RetainedMessagePage = brokerPageOf('RetainedMessagePage', refTo(RetainedMessage));
export type RetainedMessagePage = Static<typeof RetainedMessagePage>;

const targetMembers = {
  clientId: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'Client Identifier of a Session there is. This or `deviceId`.',
    }),
  ),
  deviceId: Type.Optional(Uuid),
};

export const TraceRequest = named(
  'TraceRequest',
  Type.Object({
    ...targetMembers,
    durationMs: Type.Optional(
      Type.Integer({ minimum: 1_000, maximum: 3_600_000, description: 'Milliseconds; a minute if left out.' }),
    ),
  }),
);
export type TraceRequest = Static<typeof TraceRequest>;

const traceMembers = {
  id: Uuid,
  deviceId: Type.Unsafe<string | null>({ anyOf: [Uuid, { type: 'null' }] }),
  clientId: nullableText(),
  startedAt: epochMs(),
  endsAt: epochMs('Epoch milliseconds: when it ends by itself.'),
  endedAt: nullableInteger({ description: 'Epoch milliseconds; null: it goes on.' }),
  endedBy: Type.Unsafe<string | null>({
    enum: ['time', 'packets', 'bytes', 'stopped', 'failed', null],
    description: 'null: it goes on. `packets`, `bytes`: it is full.',
  }),
  packets: Type.Integer({ description: 'Recorded so far.' }),
};

/** A record of the packets of a client. */
export const Trace = named('Trace', Type.Object(traceMembers));
export type Trace = Static<typeof Trace>;

export const TracedPacket = named(
  'TracedPacket',
  Type.Object({
    ts: epochMs(),
    direction: Type.Enum(['in', 'out'], { description: '`in`: from the client.' }),
    clientId: Type.String(),
    connection: Type.Integer({ description: 'Tells one connection from the next.' }),
    type: Type.String({ examples: ['PUBLISH'], description: 'CONNECT is never shown: it holds credentials.' }),
    sizeBytes: Type.Integer(),
    packetIdentifier: nullableInteger(),
    topic: nullableText({ description: 'Empty: a Topic Alias stands for it.' }),
    qos: nullableInteger(),
    retain: nullableBoolean(),
    dup: nullableBoolean(),
    sessionPresent: nullableBoolean(),
    reasonCodes: nullableList(Type.Integer(), 'Reason Codes, or return codes on 3.x.'),
    topicFilters: nullableList(
      Type.Object({ topicFilter: Type.String(), qos: nullableInteger() }),
      'Of SUBSCRIBE and UNSUBSCRIBE; the first fifty.',
    ),
    payloadBytes: nullableInteger(),
    ...previewMembers,
    properties: Type.Unsafe<Static<ReturnType<typeof freeJsonObject>> | null>({
      anyOf: [freeJsonObject(), { type: 'null' }],
      description: 'Of MQTT 5.0; long ones are cut, authentication data is never shown.',
    }),
    problem: nullableText({ description: 'Why the packet cannot be read.' }),
  }),
);
export type TracedPacket = Static<typeof TracedPacket>;

export const TracePage = named(
  'TracePage',
  Type.Object({
    ...traceMembers,
    data: Type.Array(refTo(TracedPacket)),
    totalPages: Type.Integer(),
    totalElements: Type.Integer(),
    hasNext: Type.Boolean(),
  }),
);
export type TracePage = Static<typeof TracePage>;

export const BanRequest = named(
  'BanRequest',
  Type.Object({
    ...targetMembers,
    durationMs: Type.Integer({
      minimum: 1_000,
      maximum: 2_592_000_000,
      description: 'Milliseconds, at most 30 days; no ban outlives the server.',
    }),
  }),
);
export type BanRequest = Static<typeof BanRequest>;

/** A client that is kept out. */
export const BrokerBan = named(
  'BrokerBan',
  Type.Object({
    id: Uuid,
    clientId: nullableText({ description: 'null: there was no Session when the ban was made.' }),
    entityId: nullableRefTo(EntityId),
    name: nullableText(),
    dialect: Type.String(),
    until: epochMs(),
  }),
);
export type BrokerBan = Static<typeof BrokerBan>;
export const BrokerBanPage = brokerPageOf('BrokerBanPage', refTo(BrokerBan));
export type BrokerBanPage = Static<typeof BrokerBanPage>;

/** A raw MQTT message to a device. */
export const PublishRequest = named(
  'PublishRequest',
  Type.Object({
    topic: Type.String({ minLength: 1, maxLength: 4096 }),
    payload: Type.Optional(Type.String({ description: 'Text, sent as UTF-8. This, `payloadBase64`, or none: empty.' })),
    payloadBase64: Type.Optional(Type.String({ description: 'Bytes in Base64. At most 1 MiB.' })),
    qos: Type.Optional(qos('0 if left out.')),
    retain: Type.Optional(Type.Boolean({ description: 'False if left out.' })),
  }),
);
export type PublishRequest = Static<typeof PublishRequest>;

export const PublishResult = named(
  'PublishResult',
  Type.Object({
    via: Type.Enum(['connection', 'space'], {
      description: '`connection`: pushed to the device. `space`: published to whoever subscribed.',
    }),
    qos: qos('As it was sent; devices may take less than was asked for.'),
    result: Type.Unsafe<string | null>({
      enum: ['written', 'acknowledged', 'waiting', null],
      description: 'Of a push; `waiting`: the device has not acknowledged within ten seconds.',
    }),
    sessions: nullableInteger({ description: 'Sessions that the message was routed to; null: pushed.' }),
  }),
);
export type PublishResult = Static<typeof PublishResult>;

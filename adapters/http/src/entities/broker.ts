import type {
  BrokerBan,
  BrokerSession,
  BrokerSubscription,
  PublishRequest,
  PublishResult,
  RetainedMessage,
  Trace,
  TracedPacket,
} from '@moorage/api-types';
import { type Result, refuse, success } from '@moorage/core';
import type {
  BrokerOwner,
  BrokerPage,
  BrokerQuery,
  ListedBan,
  ListedPacket,
  ListedRetained,
  ListedSession,
  ListedSubscription,
  ListedTrace,
  RawMessage,
  RawOutcome,
  ShownPayload,
} from '../broker-desk.ts';
import { entityId } from './entity-ids.ts';
import { MAX_PAGE_SIZE } from './pages.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function toBrokerQuery(link: {
  readonly pageSize: number;
  readonly page: number;
  readonly textSearch?: string;
}): BrokerQuery {
  const { pageSize, page, textSearch = null } = link;
  return { pageSize: Math.min(pageSize, MAX_PAGE_SIZE), page, textSearch };
}

/** The same page with each item in the API's form. */
export function mapBrokerPage<T, U>(page: BrokerPage<T>, map: (item: T) => U) {
  const { totalPages, totalElements, hasNext, complete } = page;
  return { data: page.data.map(map), totalPages, totalElements, hasNext, complete };
}

function ownerMembers({ owner, dialect }: Pick<BrokerOwner, 'owner' | 'dialect'>) {
  return { entityId: owner && entityId(owner.entityType, owner.id), name: owner?.name ?? null, dialect };
}

export function toBrokerSession(session: ListedSession): BrokerSession {
  return {
    clientId: session.clientId,
    ...ownerMembers(session),
    connected: session.connected,
    address: session.address,
    listener: session.listener,
    protocolLevel: session.level,
    connectedAt: session.connectedAt,
    queuedMessages: session.queuedMessages,
    queuedBytes: session.queuedBytes,
    inFlight: session.inFlight,
    subscriptions: session.subscriptions,
    sessionExpiryInterval: session.expiryInterval,
  };
}

export function toBrokerSubscription(subscription: ListedSubscription): BrokerSubscription {
  return {
    clientId: subscription.clientId,
    ...ownerMembers(subscription),
    connected: subscription.connected,
    topicFilter: subscription.topicFilter,
    qos: subscription.grantedQoS,
    noLocal: subscription.noLocal,
    retainAsPublished: subscription.retainAsPublished,
    retainHandling: subscription.retainHandling,
    subscriptionIdentifier: subscription.subscriptionIdentifier,
    routedAs: [...subscription.enter],
  };
}

function previewMembers(payload: ShownPayload | null) {
  return { payloadText: payload?.text ?? null, payloadHex: payload?.hex ?? null, payloadCut: payload?.cut ?? false };
}

export function toRetainedMessage(message: ListedRetained): RetainedMessage {
  const { dialect, topicName, qos, payloadBytes, payload, expiresAt } = message;
  return { dialect, topic: topicName, qos, payloadBytes, ...previewMembers(payload), expiresAt };
}

export function toTrace(trace: ListedTrace): Trace {
  const { id, deviceId, clientId, startedAt, endsAt, endedAt, endedBy, packets } = trace;
  return { id, deviceId, clientId, startedAt, endsAt, endedAt, endedBy, packets };
}

export function toTracedPacket(packet: ListedPacket): TracedPacket {
  const { reasonCodes, topicFilters } = packet;
  return {
    ts: packet.ts,
    direction: packet.direction,
    clientId: packet.clientId,
    connection: packet.connection,
    type: packet.type,
    sizeBytes: packet.sizeBytes,
    packetIdentifier: packet.packetIdentifier,
    topic: packet.topicName,
    qos: packet.qos,
    retain: packet.retain,
    dup: packet.dup,
    sessionPresent: packet.sessionPresent,
    reasonCodes: reasonCodes && [...reasonCodes],
    topicFilters: topicFilters && [...topicFilters],
    payloadBytes: packet.payloadBytes,
    ...previewMembers(packet.payload),
    properties: packet.properties,
    problem: packet.problem,
  };
}

export function toBrokerBan(ban: ListedBan): BrokerBan {
  return { id: ban.id, clientId: ban.clientId, ...ownerMembers(ban), until: ban.until };
}

/** The message that a request describes, or what is wrong with it. */
export function fromPublishRequest(request: PublishRequest): Result<RawMessage> {
  const { topic: topicName, payload = null, payloadBase64 = null, qos = 0, retain = false } = request;
  if (qos !== 0 && qos !== 1 && qos !== 2) return refuse('badRequest', 'qos must be 0, 1 or 2.');
  if (payload !== null && payloadBase64 !== null) {
    return refuse('badRequest', 'Give either payload or payloadBase64, not both.');
  }
  if (payloadBase64 !== null && (payloadBase64.length % 4 !== 0 || !BASE64.test(payloadBase64))) {
    return refuse('badRequest', 'payloadBase64 is not Base64.');
  }
  const bytes = payloadBase64 === null ? Buffer.from(payload ?? '', 'utf8') : Buffer.from(payloadBase64, 'base64');
  return success({ topicName, payload: bytes, qos, retain });
}

export function toPublishResult(outcome: Exclude<RawOutcome, { readonly kind: 'refused' }>): PublishResult {
  return outcome.kind === 'pushed'
    ? { via: 'connection', qos: outcome.qos, result: outcome.result, sessions: null }
    : { via: 'space', qos: outcome.qos, result: null, sessions: outcome.sessions };
}

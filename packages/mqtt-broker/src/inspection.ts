import type { QoS, SubscriptionOptions } from '@moorage/mqtt-codec';
import type { BrokerContext } from './context.ts';
import type { Message } from './ports.ts';
import type { Session } from './session.ts';

/** Which Sessions to list. Texts are compared without regard to case. */
export interface SessionQuery {
  /** 1 to 1,000. */
  readonly limit: number;
  /** `next` of the page before; absent or null: the first page. */
  readonly after?: number | null;
  /** Part of the Client Identifier, the Session key, or the address. */
  readonly search?: string;
  /** What the Session key begins with, as it is; for the Sessions of one tenant. */
  readonly keyPrefix?: string;
  /** Only those with a connection, or without. */
  readonly connected?: boolean;
}

export interface SessionSummary {
  /** null: the Session of one connection, which has no name. */
  readonly sessionKey: string | null;
  readonly clientId: string;
  /** null: nothing is routed to it. */
  readonly space: string | null;
  readonly connected: boolean;
  /** Of the connection there is now; null: none. */
  readonly address: string | null;
  readonly listener: string | null;
  readonly level: 3 | 4 | 5 | null;
  /** Epoch milliseconds, to the second. */
  readonly connectedAt: number | null;
  /** Messages that wait to be sent. */
  readonly queued: number;
  /** QoS 1 and 2 messages that were sent and are not finished. */
  readonly inFlight: number;
  readonly subscriptions: number;
  /** Seconds after the end of the connection. */
  readonly expiryInterval: number;
}

export interface SessionPage {
  readonly sessions: readonly SessionSummary[];
  /** `after` of the next page; null: this was the last one. A page may be short and still have a next one. */
  readonly next: number | null;
}

export interface SubscriptionSummary {
  /** As the client wrote it, `$share/` included. */
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
  readonly grantedQoS: QoS;
  /** 0: none. */
  readonly subscriptionIdentifier: number;
  /** Filters in the tree of the space; empty for direct push only. */
  readonly enter: readonly string[];
}

export interface SubscriptionPage {
  readonly subscriptions: readonly SubscriptionSummary[];
  /** `after` of the next page; null: this was the last one. */
  readonly next: number | null;
}

export interface RetainedPage {
  readonly messages: readonly Message[];
  /** Topic Name behind which the next page begins; null: this was the last one. */
  readonly next: string | null;
}

const LARGEST_PAGE = 1_000;
/** Retained Messages read at once, and the bytes behind which a page ends. */
const RETAINED_STEP = 50;
const RETAINED_BYTES = 1_048_576;

function pageSize(limit: number): number {
  return Math.min(LARGEST_PAGE, Math.max(1, Math.floor(limit)));
}

/** Lists Sessions a page at a time; what a call looks at is bounded whatever there are. */
export function listSessions(context: BrokerContext, query: SessionQuery): SessionPage {
  const { after = null, search = '', keyPrefix = '', connected } = query;
  const text = search.toLowerCase();
  const wanted = (session: Session): boolean => {
    const { key, clientId, connection } = session;
    if (connected !== undefined && (connection !== null) !== connected) return false;
    if (keyPrefix !== '' && key?.startsWith(keyPrefix) !== true) return false;
    if (text === '') return true;
    return [clientId, key ?? '', connection?.via.remoteAddress ?? ''].some((one) => one.toLowerCase().includes(text));
  };
  const { sessions, next } = context.slots.page(after ?? 0, pageSize(query.limit), wanted);
  return { sessions: sessions.map((session) => summarise(context, session)), next };
}

export function summarise(context: BrokerContext, session: Session): SessionSummary {
  const { key, clientId, spaceName, connection, outbox, subscriptions, expiryInterval } = session;
  const ageMs = connection === null ? 0 : context.clock.monotonic() - connection.openedAtSeconds * 1_000;
  return {
    sessionKey: key,
    clientId,
    space: spaceName,
    connected: connection !== null,
    address: connection?.via.remoteAddress ?? null,
    listener: connection?.via.listener ?? null,
    level: connection?.level ?? null,
    connectedAt: connection === null ? null : Math.round(context.clock.now() - ageMs),
    queued: outbox.queuedMessages,
    inFlight: outbox.inFlightMessages,
    subscriptions: subscriptions?.size ?? 0,
    expiryInterval,
  };
}

/** Lists the subscriptions of a Session in the order in which they were made; null: there is no such Session. */
export function listSubscriptions(
  context: BrokerContext,
  sessionKey: string,
  query: { readonly limit: number; readonly after?: number | null },
): SubscriptionPage | null {
  const session = context.sessions.get(sessionKey);
  if (session === undefined) return null;
  const from = query.after ?? 0;
  const limit = pageSize(query.limit);
  const page: SubscriptionSummary[] = [];
  let index = 0;
  for (const one of session.subscriptions?.values() ?? []) {
    if (index++ < from) continue;
    if (page.length === limit) return { subscriptions: page, next: from + limit };
    const { topicFilter, options, grantedQoS, subscriptionIdentifier, enter } = one;
    page.push({ topicFilter, options, grantedQoS, subscriptionIdentifier, enter });
  }
  return { subscriptions: page, next: null };
}

/** Lists Retained Messages in byte order of their topics. A page ends behind 1 MiB of payloads. */
export async function listRetained(
  context: BrokerContext,
  space: string,
  topicFilter: string,
  query: { readonly limit: number; readonly after?: string | null },
): Promise<RetainedPage> {
  const limit = pageSize(query.limit);
  const cursor = context.retained.match(space, topicFilter, context.clock.now(), query.after ?? null);
  const messages: Message[] = [];
  let bytes = 0;
  while (messages.length < limit && bytes < RETAINED_BYTES) {
    const asked = Math.min(RETAINED_STEP, limit - messages.length);
    const page = await cursor.read(asked);
    for (const message of page) bytes += message.payload.length;
    messages.push(...page);
    if (page.length < asked) return { messages, next: null };
  }
  return { messages, next: messages.at(-1)?.topicName ?? null };
}

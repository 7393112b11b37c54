import { type EntityId, type Result, refuse, success } from '@moorage/core';
import type { Message } from '@moorage/mqtt-broker';
import { spaceKey } from '../feed/live-feed.ts';
import type { BrokerDeskOptions, DeskLimits } from './desk-options.ts';
import { type ListPage, type ListQuery, PageCollector, searchOf } from './list-page.ts';
import { type PayloadPreview, previewOf } from './payload-preview.ts';
import { keyPartsOf, ownerOf, type SessionOwner, tenantPrefix } from './session-owner.ts';
import { type NamedSession, nextTurn, SessionWalk } from './session-walk.ts';

/** A Session, connected or absent. */
export interface SessionLine {
  readonly clientId: string;
  /** null: an anonymous client. */
  readonly owner: SessionOwner | null;
  readonly dialect: string;
  readonly connected: boolean;
  /** This and the next three: null without a connection. */
  readonly address: string | null;
  readonly listener: string | null;
  readonly level: number | null;
  /** Epoch milliseconds. */
  readonly connectedAt: number | null;
  readonly queuedMessages: number;
  /** null: not known. */
  readonly queuedBytes: number | null;
  /** Sent, and not acknowledged yet. */
  readonly inFlight: number;
  readonly subscriptions: number;
  /** Seconds after the end of the connection. */
  readonly expiryInterval: number;
}

export interface SubscriptionLine {
  readonly clientId: string;
  readonly owner: SessionOwner | null;
  readonly dialect: string;
  readonly connected: boolean;
  readonly topicFilter: string;
  readonly grantedQoS: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: number;
  readonly subscriptionIdentifier: number | null;
  /** Filters that stand for it among those of all clients; empty: its messages are pushed by the server. */
  readonly enter: readonly string[];
}

export interface RetainedLine {
  readonly dialect: string;
  readonly topicName: string;
  readonly qos: number;
  readonly payloadBytes: number;
  readonly payload: PayloadPreview;
  /** Epoch milliseconds; null: never. */
  readonly expiresAt: number | null;
}

const SUBSCRIPTION_PAGE = 1_000;
const RETAINED_PAGE = 200;
/** Subscriptions read in one turn of the event loop. */
const TURN = 5_000;

const TOO_MANY = 'Too many lists of the broker are being made at once; try again in a moment.';

/** Lists of what the broker holds for one tenant. Whatever there is, a call reads a bounded part, in turns that yield. */
export class BrokerLists {
  readonly #options: BrokerDeskOptions;
  readonly #limits: DeskLimits;
  readonly #walk: SessionWalk;
  #running = 0;

  constructor(options: BrokerDeskOptions, limits: DeskLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#walk = new SessionWalk(options.broker, options.scheduler, limits.sessionPages);
  }

  /** Searched by Client Identifier, name, dialect and address. */
  sessions(tenantId: EntityId, query: ListQuery): Promise<Result<ListPage<SessionLine>>> {
    return this.#oneOf(async () => {
      const found = searchOf(query.textSearch);
      const collector = new PageCollector<SessionLine>(query);
      const complete = await this.#walk.each(tenantId, (session, key) => {
        const owner = ownerOf(this.#options, key);
        if (!found(session.clientId, owner?.name ?? null, key.dialect, session.address)) return;
        collector.offer(() => lineOf(session, owner, key.dialect));
      });
      return collector.page(complete);
    });
  }

  /** Searched by Topic Filter, Client Identifier and name. */
  subscriptions(tenantId: EntityId, query: ListQuery): Promise<Result<ListPage<SubscriptionLine>>> {
    return this.#oneOf(async () => {
      const collector = new PageCollector<SubscriptionLine>(query);
      const pages = this.#walk.pages(tenantPrefix(tenantId));
      let looked = 0;
      for (;;) {
        const step = await pages.next();
        if (step.done === true) return collector.page(step.value);
        for (const session of step.value) {
          if (looked + session.subscriptions > this.#limits.subscriptions) return collector.page(false);
          looked += session.subscriptions;
          this.#collect(session, query.textSearch, collector);
          if (session.subscriptions > 0 && looked % TURN < session.subscriptions) {
            await nextTurn(this.#options.scheduler);
          }
        }
      }
    });
  }

  #collect(session: NamedSession, textSearch: string | null, collector: PageCollector<SubscriptionLine>): void {
    const found = searchOf(textSearch);
    const { sessionKey, clientId, connected } = session;
    const key = keyPartsOf(sessionKey);
    const owner = ownerOf(this.#options, key);
    const whole = found(clientId, owner?.name ?? null);
    let after: number | null = session.subscriptions === 0 ? null : 0;
    while (after !== null) {
      const page = this.#options.broker.subscriptions(sessionKey, { limit: SUBSCRIPTION_PAGE, after });
      for (const { topicFilter, options, grantedQoS, subscriptionIdentifier, enter } of page?.subscriptions ?? []) {
        if (!whole && !found(topicFilter)) continue;
        collector.offer(() => ({
          clientId,
          owner,
          dialect: key.dialect,
          connected,
          topicFilter,
          grantedQoS,
          noLocal: options.noLocal,
          retainAsPublished: options.retainAsPublished,
          retainHandling: options.retainHandling,
          subscriptionIdentifier: subscriptionIdentifier === 0 ? null : subscriptionIdentifier,
          enter,
        }));
      }
      after = page?.next ?? null;
    }
  }

  /** Searched by topic; `topicFilter` is a Topic Filter that all of them match. In byte order of the topics. */
  retained(tenantId: EntityId, topicFilter: string, query: ListQuery): Promise<Result<ListPage<RetainedLine>>> {
    return this.#oneOf(async () => {
      const { broker, text, dialects, scheduler } = this.#options;
      const found = searchOf(query.textSearch);
      const collector = new PageCollector<RetainedLine>(query);
      const { retainedMessages, retainedBytes } = this.#limits;
      let messages = 0;
      let bytes = 0;
      for (const { manifest } of dialects) {
        if (!manifest.capabilities.includes('routing')) continue;
        const space = spaceKey(tenantId, manifest.id, '');
        let after: string | null = null;
        do {
          if (messages >= retainedMessages || bytes >= retainedBytes) return collector.page(false);
          if (messages > 0) await nextTurn(scheduler);
          const page: Awaited<ReturnType<typeof broker.retained>> = await broker.retained(space, topicFilter, {
            limit: RETAINED_PAGE,
            after,
          });
          for (const message of page.messages) {
            messages++;
            bytes += message.payload.length;
            if (found(message.topicName)) collector.offer(() => retainedLine(manifest.id, message, text));
          }
          after = page.next;
        } while (after !== null);
      }
      return collector.page(true);
    });
  }

  async #oneOf<T>(make: () => Promise<T>): Promise<Result<T>> {
    if (this.#running >= this.#limits.listsAtOnce) return refuse('tooManyRequests', TOO_MANY);
    this.#running++;
    try {
      return success(await make());
    } finally {
      this.#running--;
    }
  }
}

function lineOf(session: NamedSession, owner: SessionOwner | null, dialect: string): SessionLine {
  const { clientId, connected, address, listener, level, connectedAt, inFlight, subscriptions, expiryInterval } =
    session;
  return {
    clientId,
    owner,
    dialect,
    connected,
    address,
    listener,
    level,
    connectedAt,
    queuedMessages: session.queued,
    queuedBytes: session.queuedBytes ?? null,
    inFlight,
    subscriptions,
    expiryInterval,
  };
}

function retainedLine(dialect: string, message: Message, text: BrokerDeskOptions['text']): RetainedLine {
  const { topicName, payload, qos, expiresAt } = message;
  return {
    dialect,
    topicName,
    qos,
    payloadBytes: payload.length,
    payload: previewOf(payload, text),
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : null,
  };
}

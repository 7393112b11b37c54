import { ProtocolError, parseSharedFilter, type QoS, type SubscriptionOptions } from '@moorage/mqtt-codec';
import type { Publication } from './publication.ts';
import { lowerQoS } from './qos.ts';
import type { Session } from './session.ts';
import type { StoredSubscription } from './session-store.ts';

const optionsKnown = new Map<number, SubscriptionOptions>();

/** The one object for options of these values: there are 36 of them, and often 100,000 subscriptions. */
function sharedOptions(options: SubscriptionOptions): SubscriptionOptions {
  const { qos, noLocal, retainAsPublished, retainHandling } = options;
  const number = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
  const known = optionsKnown.get(number);
  if (known !== undefined) return known;
  const shared: SubscriptionOptions = { qos, noLocal, retainAsPublished, retainHandling };
  optionsKnown.set(number, shared);
  return shared;
}

/** A subscription of a Session as it stands in the tree. */
export class Subscription {
  readonly session: Session;
  /** As the client wrote it, `$share/` included. */
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
  readonly grantedQoS: QoS;
  /** 0: none. */
  readonly subscriptionIdentifier: number;
  /** Filters in the tree; null: the one that the client wrote, which is the rule. */
  readonly #enter: readonly string[] | null;

  constructor(session: Session, stored: StoredSubscription) {
    this.session = session;
    this.topicFilter = stored.topicFilter;
    this.options = sharedOptions(stored.options);
    this.grantedQoS = stored.grantedQoS;
    this.subscriptionIdentifier = stored.subscriptionIdentifier;
    const { enter } = stored;
    this.#enter = enter.length === 1 && enter[0] === stored.topicFilter ? null : enter;
  }

  /** Filters in the tree; empty for direct push only. */
  get enter(): readonly string[] {
    return this.#enter ?? [this.topicFilter];
  }
}

/** Members of a Shared Subscription that take turns. mqtt.md, O-10 */
export class SharedGroup {
  /** As it stands in the tree, `$share/` included. */
  readonly filter: string;
  readonly members: Subscription[] = [];
  #turn = 0;

  constructor(filter: string) {
    this.filter = filter;
  }

  /**
   * The next connected member with room in its window that can take a packet of this size; if none is connected and the
   * QoS is above 0, the next absent one whose Session is kept. Never a subscription of `except`.
   */
  choose(qos: QoS, except: Session | null, publication: Publication): Subscription | null {
    const { members } = this;
    let connected: Subscription | null = null;
    let absent: Subscription | null = null;
    for (let step = 0; step < members.length; step++) {
      const index = (this.#turn + step) % members.length;
      const member = members[index];
      if (member === undefined || member.session === except) continue;
      const { session, grantedQoS, subscriptionIdentifier } = member;
      if (!session.outbox.fits(publication, lowerQoS(qos, grantedQoS), subscriptionIdentifier)) continue; // O-30
      if (session.hasRoom) {
        this.#turn = index + 1;
        return member;
      }
      if (session.connection !== null) connected ??= member;
      else if (qos > 0 && grantedQoS > 0 && session.persistent) absent ??= member;
    }
    const chosen = connected ?? absent;
    if (chosen !== null) this.#turn = members.indexOf(chosen) + 1;
    return chosen;
  }
}

/** Splits an entered filter into the part that is matched and the ShareName, null without. */
export function splitFilter(filter: string): { readonly topicFilter: string; readonly shareName: string | null } {
  const shared = parseSharedFilter(filter);
  if (shared === null || shared instanceof ProtocolError) return { topicFilter: filter, shareName: null };
  return shared;
}

import type { QoS } from '@moorage/mqtt-codec';
import type { Session } from './session.ts';
import type { Space } from './space.ts';
import type { SharedGroup, Subscription } from './subscription.ts';
import type { Matches } from './topic-tree.ts';

/** What one Session gets of a topic: one copy for all its subscriptions that match. mqtt.md, O-1 */
export interface RouteTarget {
  readonly session: Session;
  readonly grantedQoS: QoS;
  readonly retainAsPublished: boolean;
  readonly subscriptionIdentifiers: readonly number[] | null;
  /** The same for its own messages, where No Local may leave less or nothing. [MQTT-3.8.3-3] */
  readonly local: RouteTarget | null;
}

/** Where a Topic Name leads, remembered by the cache. */
export class Route {
  readonly topicName: string;
  readonly targets: readonly RouteTarget[];
  readonly groups: readonly SharedGroup[];
  /** Space and slot in the cache; set by it. null: the cache does not know it any more, and nobody may go by it. */
  space: Space | null = null;
  slot = -1;
  /** Looked up since the hand of the clock passed. */
  referenced = true;
  /** Stamp of the space at which the route was last known to be right. */
  validAt: number;

  constructor(topicName: string, matches: Matches, validAt: number) {
    this.topicName = topicName;
    this.targets = mergeTargets(matches.subscriptions);
    this.groups = matches.groups;
    this.validAt = validAt;
  }

  get empty(): boolean {
    return this.targets.length === 0 && this.groups.length === 0;
  }
}

function mergeTargets(subscriptions: readonly Subscription[]): RouteTarget[] {
  const bySession = new Map<Session, Subscription[]>();
  for (const subscription of subscriptions) {
    const list = bySession.get(subscription.session);
    if (list === undefined) bySession.set(subscription.session, [subscription]);
    // One subscription entered under several filters counts once.
    else if (!list.includes(subscription)) list.push(subscription);
  }
  const targets: RouteTarget[] = [];
  for (const [session, list] of bySession) targets.push(merge(session, list));
  return targets;
}

function merge(session: Session, subscriptions: readonly Subscription[]): RouteTarget {
  const all = combine(session, subscriptions);
  const heard = subscriptions.filter((subscription) => !subscription.options.noLocal);
  if (heard.length === subscriptions.length) {
    const target = { ...all, local: null as RouteTarget | null };
    target.local = target;
    return target;
  }
  return { ...all, local: heard.length === 0 ? null : { ...combine(session, heard), local: null } };
}

/** Highest granted QoS and all Subscription Identifiers. [MQTT-3.3.4-2] [MQTT-3.3.4-4] */
function combine(session: Session, subscriptions: readonly Subscription[]): Omit<RouteTarget, 'local'> {
  let grantedQoS: QoS = 0;
  let retainAsPublished = false;
  let subscriptionIdentifiers: number[] | null = null;
  for (const subscription of subscriptions) {
    if (subscription.grantedQoS > grantedQoS) grantedQoS = subscription.grantedQoS;
    retainAsPublished ||= subscription.options.retainAsPublished;
    if (subscription.subscriptionIdentifier === 0) continue;
    subscriptionIdentifiers ??= [];
    subscriptionIdentifiers.push(subscription.subscriptionIdentifier);
  }
  return { session, grantedQoS, retainAsPublished, subscriptionIdentifiers };
}

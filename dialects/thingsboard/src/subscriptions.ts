import type { ProfileSettings } from '@moorage/core';
import { type QoS, topicMatches } from '@moorage/dialect-api';

/** What a subscription switches on; `other` is granted and only its QoS counts. Section 1.8 */
export type SubscribedTo = 'attributes' | 'rpc' | 'other';

const DEFAULT_ATTRIBUTES = 'v1/devices/me/attributes';

/** The table of section 1.8. Filters are compared as text. */
const FILTERS: ReadonlyMap<string, SubscribedTo> = new Map<string, SubscribedTo>([
  [DEFAULT_ATTRIBUTES, 'attributes'],
  ['v2/a', 'attributes'],
  ['v2/a/j', 'attributes'],
  ['v2/a/p', 'attributes'],
  ['v1/devices/me/rpc/request/+', 'rpc'],
  ['v2/r/req/+', 'rpc'],
  ['v2/r/req/j/+', 'rpc'],
  ['v2/r/req/p/+', 'rpc'],
  ['v1/devices/me/attributes/response/+', 'other'],
  ['v2/a/res/+', 'other'],
  ['v2/a/res/j/+', 'other'],
  ['v2/a/res/p/+', 'other'],
  ['v1/devices/me/rpc/response/+', 'other'],
  ['v2/r/res/+', 'other'],
  ['v2/r/res/j/+', 'other'],
  ['v2/r/res/p/+', 'other'],
  ['v2/fw/response/+/chunk/+', 'other'],
  ['v2/fw/error', 'other'],
  ['v2/sw/response/+/chunk/+', 'other'],
  ['v2/sw/error', 'other'],
  ['v1/gateway/attributes', 'other'],
  ['v1/gateway/attributes/response', 'other'],
  ['v1/gateway/rpc', 'other'],
]);

/** Every filter that any device may subscribe to, in the order of section 1.8. */
export const ACCEPTED_FILTERS: readonly string[] = [...FILTERS.keys()];

/** QoS of a push that no subscription asked for. Section 1.8 */
const UNASKED_QOS: QoS = 1;

interface Subscription {
  readonly to: SubscribedTo;
  readonly qos: QoS;
}

/** What one connection has subscribed to. As many at most as there are filters to accept. */
export class Subscriptions {
  /** In the order of use: the last one of a kind decides the form of pushes. Section 1.8 */
  private readonly entries = new Map<string, Subscription>();

  /** The granted QoS; undefined: the filter is refused. */
  add(topicFilter: string, requested: QoS, settings: ProfileSettings): QoS | undefined {
    const to = topicFilter === settings.attributesSubscribeTopic ? 'attributes' : FILTERS.get(topicFilter);
    if (to === undefined) return undefined;
    const qos = requested === 0 ? 0 : 1;
    this.entries.delete(topicFilter);
    this.entries.set(topicFilter, { to, qos });
    return qos;
  }

  /** False: there was no such subscription. */
  remove(topicFilter: string): boolean {
    return this.entries.delete(topicFilter);
  }

  lastUsed(to: SubscribedTo): { readonly topicFilter: string; readonly qos: QoS } | undefined {
    let found: { readonly topicFilter: string; readonly qos: QoS } | undefined;
    for (const [topicFilter, subscription] of this.entries) {
      if (subscription.to === to) found = { topicFilter, qos: subscription.qos };
    }
    return found;
  }

  /** QoS of an answer: the one granted for it, whichever of several is last. Section 1.8 */
  qosOf(topicName: string): QoS {
    let found: QoS = UNASKED_QOS;
    for (const [topicFilter, { qos }] of this.entries) if (topicMatches(topicFilter, topicName)) found = qos;
    return found;
  }
}

/** Where shared attributes go, by the filter that asked for them; one with wildcards names no topic. Section 3.1 */
export function attributesPushTopic(topicFilter: string): string {
  return /[+#]/.test(topicFilter) ? DEFAULT_ATTRIBUTES : topicFilter;
}

/** Where an RPC goes, by the filter that asked for it. Section 4.1 */
export function rpcRequestTopic(topicFilter: string, id: string): string {
  return `${topicFilter.slice(0, -1)}${id}`;
}

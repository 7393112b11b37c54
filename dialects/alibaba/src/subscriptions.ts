import { type QoS, ReasonCode, type SubscriptionDecision, topicMatches } from '@moorage/dialect-api';
import type { TopicClasses } from './topic-classes.ts';
import { type DeviceTopics, EXT_RRPC, isTooLong } from './topics.ts';

const REFUSED: SubscriptionDecision = { reasonCode: ReasonCode.NotAuthorized, enter: [] };
const BAD_FILTER: SubscriptionDecision = { reasonCode: ReasonCode.TopicFilterInvalid, enter: [] };

/** Number of levels before the ProductKey in the topics of the system. Section 2.4 */
const SYSTEM_ROOTS: readonly { readonly root: readonly string[]; readonly levels: number }[] = [
  { root: ['sys'], levels: 2 },
  { root: ['ota', 'device'], levels: 4 },
  { root: ['shadow'], levels: 3 },
  { root: ['ext', 'ntp'], levels: 3 },
  { root: ['ext', 'session'], levels: 3 },
  { root: ['ext', 'error'], levels: 3 },
];

/**
 * What a connection listens to. Topics of the system are pushed and never enter the tree of the space, so no message
 * arrives twice, whatever the device subscribes to beside the automatic subscription. Section 2.5
 */
export class Subscriptions {
  readonly #topics: DeviceTopics;
  /** `_ss=1`: everything of the system arrives unasked. */
  readonly #automatic: boolean;
  readonly #granted = new Map<string, QoS>();
  /** Filters of the system that were given up; they hold against the automatic subscription. */
  readonly #givenUp = new Set<string>();

  constructor(topics: DeviceTopics, automatic: boolean) {
    this.#topics = topics;
    this.#automatic = automatic;
  }

  add(topicFilter: string, wanted: QoS, classes: TopicClasses): SubscriptionDecision {
    if (isTooLong(topicFilter)) return BAD_FILTER;
    const qos: QoS = wanted === 0 ? 0 : 1;
    const levels = topicFilter.split('/');
    if (levels[0] !== '') return REFUSED;
    if (this.#isSystem(topicFilter, levels)) {
      this.#givenUp.delete(topicFilter);
      this.#granted.set(topicFilter, qos);
      return { reasonCode: qos, enter: [] };
    }
    const own = levels[1] === 'broadcast' ? this.#broadcast(levels) : this.#custom(levels, classes);
    return own === null ? REFUSED : { reasonCode: qos, enter: [own] };
  }

  /** A code of UNSUBACK, or null for what is in the tree. */
  remove(topicFilter: string): number | null {
    if (this.#granted.delete(topicFilter)) {
      if (this.#automatic) this.#giveUp(topicFilter);
      return ReasonCode.Success;
    }
    const isSystem = this.#isSystem(topicFilter, topicFilter.split('/'));
    if (!isSystem) return null;
    if (!this.#automatic) return ReasonCode.NoSubscriptionExisted;
    this.#giveUp(topicFilter);
    return ReasonCode.Success;
  }

  /** The QoS at which a message of the system is sent; null: the device does not listen. */
  qosFor(topicName: string, wanted: QoS): QoS | null {
    if (this.#automatic) {
      for (const filter of this.#givenUp) if (topicMatches(filter, topicName)) return null;
      return wanted;
    }
    let granted: QoS | null = null;
    for (const [filter, qos] of this.#granted) {
      if ((granted === null || qos > granted) && topicMatches(filter, topicName)) granted = qos;
    }
    return granted !== null && granted > wanted ? wanted : granted;
  }

  #giveUp(topicFilter: string): void {
    // A device that goes on for ever would fill the memory; the vendor's own limit is far below.
    if (this.#givenUp.size < 1000) this.#givenUp.add(topicFilter);
  }

  /** Whether it is a filter of the system that names this device, or any device by `+`. */
  #isSystem(topicFilter: string, levels: readonly string[]): boolean {
    if (topicFilter.startsWith(EXT_RRPC)) return levels.length > 3;
    for (const { root, levels: before } of SYSTEM_ROOTS) {
      if (!root.every((level, index) => levels[index + 1] === level)) continue;
      return this.#names(levels[before], levels[before + 1]);
    }
    return false;
  }

  #names(productKey: string | undefined, deviceName: string | undefined): boolean {
    const { identity } = this.#topics;
    return (
      (productKey === '+' || productKey === identity.productKey) &&
      (deviceName === '+' || deviceName === identity.deviceName)
    );
  }

  /** Any topic that the server sends to all devices of the product. */
  #broadcast(levels: readonly string[]): string | null {
    const [, , productKey, ...suffix] = levels;
    if (suffix.length === 0 || !this.#names(productKey, '+')) return null;
    return this.#topics.broadcast + suffix.join('/');
  }

  /** Entered under the device's own names, so that `+` in their place matches nobody else's messages. */
  #custom(levels: readonly string[], classes: TopicClasses): string | null {
    const [, productKey, deviceName, ...suffix] = levels;
    if (suffix.length === 0 || !this.#names(productKey, deviceName)) return null;
    const topic = suffix.join('/');
    return classes.maySubscribe(topic) ? this.#topics.custom + topic : null;
  }
}

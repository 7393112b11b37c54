import { countTopicLevels, isTopicName, type QoS } from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import type { AckToken } from './ports.ts';
import type { Publication } from './publication.ts';
import { PublishToken } from './publish-token.ts';
import { lowerQoS } from './qos.ts';
import type { Session } from './session.ts';
import type { StoreCompletion } from './session-store.ts';

const NOTHING_WAITS: StoreCompletion = { release(): void {} };

/**
 * Delivers a message to every subscriber of the space and stores it, in one change, for those who outlive their
 * connections. Gives the number of Sessions it was routed to.
 */
export function routePublication(
  context: BrokerContext,
  spaceName: string,
  publication: Publication,
  publisher: Session | null,
  connection: Connection | null,
  token: AckToken | null,
): number {
  const space = context.spaces.get(spaceName);
  if (space === undefined) return 0;
  const route = space.route(publication.topicName, publication.route);
  publication.route = route;
  if (route.empty) return 0;
  const { qos, retain } = publication;
  let count = 0;
  for (const found of route.targets) {
    const own = found.session === publisher;
    const target = own ? found.local : found;
    if (target === null) continue;
    count++;
    const granted = lowerQoS(qos, target.grantedQoS);
    const retainFlag = retain && target.retainAsPublished; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    const after = own && qos === 2 ? answerTo(token) : null;
    const { session, subscriptionIdentifiers } = target;
    session.outbox.deliver(publication, granted, retainFlag, subscriptionIdentifiers, connection, after, null);
  }
  for (const group of route.groups) {
    const member = group.choose(qos, null, publication);
    if (member === null) {
      if (group.members.some(({ session }) => session.connection !== null)) context.count('delivery.tooLarge'); // O-30
      continue;
    }
    count++;
    const { session, grantedQoS, options, subscriptionIdentifier } = member;
    const identifiers = subscriptionIdentifier === 0 ? null : [subscriptionIdentifier]; // U-21
    const retainFlag = retain && options.retainAsPublished;
    const granted = lowerQoS(qos, grantedQoS);
    const after = session === publisher && qos === 2 ? answerTo(token) : null;
    session.outbox.deliver(publication, granted, retainFlag, identifiers, connection, after, group.filter);
  }
  const { storeTargets } = publication;
  if (storeTargets !== null) {
    publication.storeTargets = null;
    token?.hold();
    context.store.enqueue(publication.keep(), storeTargets, token ?? NOTHING_WAITS);
  }
  return count;
}

/** How many Sessions a message with this name would be handed to now. A Shared Subscription hands it to one. */
export function reachOf(context: BrokerContext, spaceName: string, topicName: string, qos: QoS): number {
  const route = context.spaces.get(spaceName)?.route(topicName);
  if (route === undefined) return 0;
  const takes = ({ session, grantedQoS }: { readonly session: Session; readonly grantedQoS: QoS }): boolean => {
    const { connection } = session;
    return connection === null ? lowerQoS(qos, grantedQoS) > 0 && session.persistent : connection.mayReceive(topicName);
  };
  const groups = route.groups.filter(({ members }) => members.some(takes));
  return route.targets.filter(takes).length + groups.length;
}

/** O-27: with QoS 2 a publisher's own copy follows its PUBREC, whenever that is sent. */
function answerTo(token: AckToken | null): PublishToken | null {
  if (!(token instanceof PublishToken)) return null;
  token.awaited = true;
  return token;
}

/** Replaces or removes the Retained Message of a topic. [MQTT-3.3.1-5] [MQTT-3.3.1-6] */
export function retainPublication(
  context: BrokerContext,
  spaceName: string,
  publication: Publication,
  token: AckToken | null,
): void {
  // O-20: an interval of 0 is never retained, what was retained is removed.
  const removes = publication.payloadBytes === 0 || publication.properties?.messageExpiryInterval === 0;
  token?.hold();
  context.retained.put(spaceName, publication.topicName, removes ? null : publication.keep(), token ?? NOTHING_WAITS);
}

/** Is the name that the host gave a message one that can be published to? */
export function mayBeRoutedAs(context: BrokerContext, { topicName, topicBytes }: Publication): boolean {
  if (isTopicName(topicName) && withinTopicLimits(context, topicName, topicBytes.length)) return true;
  context.count('publish.renamedTopicRefused');
  return false;
}

/** mqtt.md, O-14: our own limits of a name or filter. `topicBytes` is its length in UTF-8. */
export function withinTopicLimits(context: BrokerContext, topic: string, topicBytes: number): boolean {
  const { limits } = context;
  if (topicBytes > limits.topicBytes) return false;
  // So many levels need at least as many characters less one.
  return topic.length < limits.topicLevels || countTopicLevels(topic) <= limits.topicLevels;
}

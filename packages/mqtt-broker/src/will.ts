import { encodeText, type Will } from '@moorage/mqtt-codec';
import { Publication } from './publication.ts';
import { retainPublication, routePublication, withinTopicLimits } from './routing.ts';
import type { Session } from './session.ts';

/** Publishes a Will if its sender still has the right to. Its Message Expiry Interval runs from now (K-10). mqtt.md, O-22 */
export function publishWill(session: Session, will: Will): void {
  const { context, handler, spaceName, policy } = session;
  const { topicName } = will;
  if (spaceName === null || policy.will === 'ignored') return;
  const allowed = handler === null ? mayPublishRestored(session, topicName) : handler.mayPublishWill(topicName);
  if (!allowed) {
    context.count('will.notAllowed');
    return;
  }
  if (!routable(topicName) || !withinTopicLimits(context, topicName, encodeText(topicName).length)) {
    context.count('will.topicRefused');
    return;
  }
  const retain = will.retain && policy.retained === 'honoured';
  const { willDelayInterval: _delay, ...properties } = will.properties ?? {};
  const message = { topicName, payload: will.payload, qos: will.qos, retain, properties };
  const publication = Publication.of(message, context.clock.now());
  context.count('will.published');
  if (retain) retainPublication(context, spaceName, publication, null);
  routePublication(context, spaceName, publication, session, null, null);
}

/** Its client has not been seen since the start: the host is asked by key. mqtt.md, O-21 */
function mayPublishRestored({ context, key, spaceName, clientId }: Session, topicName: string): boolean {
  if (key === null || spaceName === null) return false;
  return context.authenticator.mayPublishWill?.({ sessionKey: key, space: spaceName, clientId, topicName }) ?? false;
}

/** Nobody publishes to names that begin with `$`. mqtt.md, O-28 */
export function routable(topicName: string): boolean {
  return !topicName.startsWith('$');
}

import { encodeText, ReasonCode, type Will } from '@moorage/mqtt-codec';
import type { BrokerContext } from './context.ts';
import type { AckToken, PublishVerdict, RestoredWill, StoreOutcome } from './ports.ts';
import { Publication } from './publication.ts';
import { mayBeRoutedAs, retainPublication, routePublication, withinTopicLimits } from './routing.ts';
import type { Session } from './session.ts';

const AS_IT_IS: PublishVerdict = { route: true, reasonCode: ReasonCode.Success, close: null };
const FAILED: PublishVerdict = { route: false, reasonCode: ReasonCode.UnspecifiedError, close: null };

/** Publishes a Will if its sender still has the right to. Its Message Expiry Interval runs from now (K-10). mqtt.md, O-22 */
export function publishWill(session: Session, will: Will): void {
  const { context, handler, spaceName, policy } = session;
  const { topicName } = will;
  if (spaceName === null || policy.will === 'ignored') return;
  const restored = handler === null ? restoredOf(session, topicName) : null;
  const allowed =
    handler !== null
      ? handler.mayPublishWill(topicName)
      : restored !== null && (context.authenticator.mayPublishWill?.(restored) ?? false);
  if (!allowed) {
    context.count('will.notAllowed');
    return;
  }
  if (!routable(topicName) || !withinTopicLimits(context, topicName, encodeText(topicName).length)) {
    context.count('will.topicRefused');
    return;
  }
  const { willDelayInterval: _delay, ...properties } = will.properties ?? {};
  const message = { topicName, payload: will.payload, qos: will.qos, retain: will.retain, properties };
  const publication = Publication.of(message, context.clock.now());
  const verdict = askHost(session, restored, publication);
  if (verdict.close !== null || verdict.reasonCode >= 0x80) {
    context.count('will.refused');
    return;
  }
  context.count('will.published');
  if (verdict.route) routeWill(session, spaceName, publication, verdict.routeAs);
}

/** What the host makes of a Will that it takes as a message. A fault of ours must not stop the end of a connection. */
function askHost(
  { context, handler }: Session,
  restored: RestoredWill | null,
  publication: Publication,
): PublishVerdict {
  const token = new WillToken(context);
  try {
    const verdict =
      restored === null
        ? handler?.publishWill?.(publication, token)
        : context.authenticator.publishWill?.(restored, publication, token);
    return verdict ?? AS_IT_IS;
  } catch (error) {
    context.observer.fault?.(error);
    return FAILED;
  }
}

function routeWill(session: Session, spaceName: string, publication: Publication, routeAs: string | undefined): void {
  const { context, policy } = session;
  if (routeAs !== undefined && routeAs !== publication.topicName) {
    publication.rename(routeAs);
    if (!routable(routeAs) || !mayBeRoutedAs(context, publication)) return;
  }
  if (policy.retained === 'ignored') publication.retain = false;
  if (publication.retain) retainPublication(context, spaceName, publication, null);
  routePublication(context, spaceName, publication, session, null, null);
}

/** Its client has not been seen since the start: the host is asked by key. mqtt.md, O-21 */
function restoredOf({ key, spaceName, clientId }: Session, topicName: string): RestoredWill | null {
  return key === null || spaceName === null ? null : { sessionKey: key, space: spaceName, clientId, topicName };
}

/** Nobody is told what became of a Will, so the stores' answers are counted only. */
class WillToken implements AckToken {
  readonly #context: BrokerContext;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  hold(): void {}

  release(outcome: StoreOutcome): void {
    if (outcome !== 'stored') this.#context.count('will.notStored');
  }
}

/** Nobody publishes to names that begin with `$`. mqtt.md, O-28 */
export function routable(topicName: string): boolean {
  return !topicName.startsWith('$');
}

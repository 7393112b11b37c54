import {
  encodePacket,
  encodeText,
  isTopicFilter,
  PacketType,
  ReasonCode,
  type SubscribePacket,
  type UnsubscribePacket,
} from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import type { StoreOutcome, SubscribeVerdict } from './ports.ts';
import { toQoS } from './qos.ts';
import { type ReplayJob, RetainedReplay } from './retained-replay.ts';
import { withinTopicLimits } from './routing.ts';
import type { Session } from './session.ts';
import type { StoreCompletion, StoredSubscription } from './session-store.ts';

type Request = SubscribePacket['subscriptions'][number];

/** One filter of a SUBSCRIBE: what it is answered, and what was entered. */
interface Outcome {
  reasonCode: number;
  readonly entered: StoredSubscription | null;
  /** There was no subscription with this filter before. */
  readonly isNew: boolean;
}

const SHARE_PREFIX = '$share/';
const LIMIT_REACHED: SubscribeVerdict = { reasonCode: ReasonCode.QuotaExceeded, enter: [] };
const TOO_LONG: SubscribeVerdict = { reasonCode: ReasonCode.TopicFilterInvalid, enter: [] };

/** SUBACK is owed once the subscriptions are stored. */
class SubackOwed implements StoreCompletion {
  readonly #context: BrokerContext;
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #packetIdentifier: number;
  readonly #outcomes: readonly Outcome[];

  constructor(
    context: BrokerContext,
    connection: Connection,
    session: Session,
    packetIdentifier: number,
    outcomes: readonly Outcome[],
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#session = session;
    this.#packetIdentifier = packetIdentifier;
    this.#outcomes = outcomes;
  }

  release(outcome: StoreOutcome): void {
    if (outcome !== 'stored') this.#undo(outcome);
    const connection = this.#connection;
    if (connection.ended) return;
    const reasonCodes = this.#outcomes.map(({ reasonCode }) => codeFor(connection, reasonCode));
    if (reasonCodes.length === 1 && connection.level !== 5) this.#answerOne(connection, reasonCodes[0] ?? 0x80);
    else {
      const packet = encodePacket(
        connection.level,
        { type: PacketType.Suback, packetIdentifier: this.#packetIdentifier, reasonCodes, properties: null },
        connection.maximumPacketSize,
      );
      if (packet !== null) connection.output.stage(packet);
    }
    connection.handler?.subscribed();
    this.#replay();
  }

  /** The commonest SUBACK, without a buffer of its own. [v3.1.1, 3.9] */
  #answerOne({ output }: Connection, reasonCode: number): void {
    const block = output.reserve(5);
    const { position } = output;
    block[position] = PacketType.Suback << 4;
    block[position + 1] = 3;
    block[position + 2] = this.#packetIdentifier >> 8;
    block[position + 3] = this.#packetIdentifier & 255;
    block[position + 4] = reasonCode;
    output.commit(5);
  }

  #undo(outcome: StoreOutcome): void {
    for (const one of this.#outcomes) {
      if (one.entered === null) continue;
      this.#session.unsubscribe(one.entered.topicFilter);
      one.reasonCode = outcome === 'full' ? ReasonCode.QuotaExceeded : ReasonCode.UnspecifiedError;
    }
  }

  /** Retained Messages follow SUBACK. mqtt.md, O-19 */
  #replay(): void {
    const session = this.#session;
    if (session.spaceName === null || session.policy.retained === 'ignored') return;
    const jobs: ReplayJob[] = [];
    const now = this.#context.clock.now();
    for (const { reasonCode, entered, isNew } of this.#outcomes) {
      if (entered === null || reasonCode >= 0x80) continue;
      const { retainHandling } = entered.options;
      // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
      if (retainHandling === 2 || (retainHandling === 1 && !isNew)) continue;
      const { subscriptionIdentifier, grantedQoS } = entered;
      const subscriptionIdentifiers = subscriptionIdentifier === 0 ? null : [subscriptionIdentifier];
      for (const filter of entered.enter) {
        if (filter.startsWith(SHARE_PREFIX)) continue; // U-17
        const cursor = this.#context.retained.match(session.spaceName, filter, now);
        jobs.push({ cursor, grantedQoS, subscriptionIdentifiers });
      }
    }
    if (jobs.length > 0) session.outbox.replay(new RetainedReplay(this.#context, session.outbox, jobs));
  }
}

/** UNSUBACK is owed once the removal is stored. */
class UnsubackOwed implements StoreCompletion {
  readonly #connection: Connection;
  readonly #packetIdentifier: number;
  readonly #reasonCodes: readonly number[];

  constructor(connection: Connection, packetIdentifier: number, reasonCodes: readonly number[]) {
    this.#connection = connection;
    this.#packetIdentifier = packetIdentifier;
    this.#reasonCodes = reasonCodes;
  }

  release(outcome: StoreOutcome): void {
    const connection = this.#connection;
    if (connection.ended) return;
    const stored = outcome === 'stored';
    const reasonCodes = stored ? this.#reasonCodes : this.#reasonCodes.map(() => ReasonCode.UnspecifiedError);
    const { level, maximumPacketSize } = connection;
    const packetIdentifier = this.#packetIdentifier;
    const packet = encodePacket(
      level,
      { type: PacketType.Unsuback, packetIdentifier, reasonCodes: level === 5 ? reasonCodes : [], properties: null },
      maximumPacketSize,
    );
    if (packet !== null) connection.output.stage(packet);
  }
}

/** Serves a SUBSCRIBE whose form the codec has checked. MQTT 5.0, 3.8.4 */
export function handleSubscribe(context: BrokerContext, connection: Connection, packet: SubscribePacket): void {
  const { session } = connection;
  if (session === null) return;
  for (const { topicFilter, options } of packet.subscriptions) {
    if (!options.noLocal || !topicFilter.startsWith(SHARE_PREFIX)) continue;
    connection.closeByServer(ReasonCode.ProtocolError, 'No Local is set on a Shared Subscription.'); // [MQTT-3.8.3-4]
    return;
  }
  const subscriptionIdentifier = packet.properties?.subscriptionIdentifiers?.[0] ?? 0;
  const outcomes: Outcome[] = [];
  for (const request of packet.subscriptions) {
    outcomes.push(enter(context, connection, session, request, subscriptionIdentifier));
    if (connection.ended) return;
  }
  const owed = new SubackOwed(context, connection, session, packet.packetIdentifier, outcomes);
  const added: StoredSubscription[] = [];
  for (const { entered } of outcomes) if (entered !== null) added.push(entered);
  if (session.claim === null || added.length === 0) owed.release('stored');
  else context.store.saveSubscriptions(session.claim, added, [], owed);
}

/** Serves an UNSUBSCRIBE. MQTT 5.0, 3.10.4 */
export function handleUnsubscribe(context: BrokerContext, connection: Connection, packet: UnsubscribePacket): void {
  const { session, handler } = connection;
  if (session === null || handler === null) return;
  const reasonCodes: number[] = [];
  const removed: string[] = [];
  for (const topicFilter of packet.topicFilters) {
    const verdict = handler.unsubscribe(topicFilter);
    if (verdict !== null && verdict >= 0x80) {
      reasonCodes.push(verdict);
      continue;
    }
    const existed = session.unsubscribe(topicFilter);
    if (existed) removed.push(topicFilter);
    reasonCodes.push(verdict ?? (existed ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted));
  }
  const owed = new UnsubackOwed(connection, packet.packetIdentifier, reasonCodes);
  if (session.claim === null || removed.length === 0) owed.release('stored');
  else context.store.saveSubscriptions(session.claim, [], removed, owed);
}

function enter(
  context: BrokerContext,
  connection: Connection,
  session: Session,
  request: Request,
  subscriptionIdentifier: number,
): Outcome {
  const { topicFilter, options } = request;
  const isNew = session.subscriptions?.get(topicFilter) === undefined;
  const verdict = ask(context, connection, session, request, isNew);
  if (verdict.reasonCode >= 0x80) {
    context.count('subscribe.refused');
    // 3.1 has no failure: the filter is granted and nothing is delivered (mqtt.md, 2.2).
    const reasonCode = connection.level === 3 ? options.qos : verdict.reasonCode;
    return { reasonCode, entered: null, isNew };
  }
  const grantedQoS = session.granted(toQoS(verdict.reasonCode));
  const enterFilters = verdict.enter.filter((filter) => isTopicFilter(filter));
  const entered = { topicFilter, options, grantedQoS, subscriptionIdentifier, enter: enterFilters };
  session.subscribe(entered);
  return { reasonCode: grantedQoS, entered, isNew };
}

function ask(
  context: BrokerContext,
  connection: Connection,
  session: Session,
  request: Request,
  isNew: boolean,
): SubscribeVerdict {
  const { topicFilter, options } = request;
  if (!withinTopicLimits(context, topicFilter, encodeText(topicFilter).length)) return TOO_LONG; // O-14
  if (isNew && (session.subscriptions?.size ?? 0) >= session.policy.maximumSubscriptions) return LIMIT_REACHED;
  return connection.handler?.subscribe(topicFilter, options) ?? TOO_LONG;
}

/** 3.1.1 knows one failure. [v3.1.1 MQTT-3.9.3-2] */
function codeFor(connection: Connection, reasonCode: number): number {
  return connection.level !== 5 && reasonCode >= 0x80 ? 0x80 : reasonCode;
}

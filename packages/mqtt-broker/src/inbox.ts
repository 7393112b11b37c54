import {
  encodePacket,
  type FrameReader,
  PacketType,
  ProtocolError,
  PublishFields,
  ReasonCode,
  readPublish,
} from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { KnownTopic } from './known-topic.ts';
import { Pause } from './pause.ts';
import type { PublishVerdict } from './ports.ts';
import { Publication } from './publication.ts';
import { stageAcknowledgement } from './publish-packet.ts';
import { NO_ACKNOWLEDGEMENT, PublishToken } from './publish-token.ts';
import { reasonPhrase } from './reason-phrases.ts';
import { mayBeRoutedAs, retainPublication, routePublication, withinTopicLimits } from './routing.ts';
import type { Session } from './session.ts';
import type { StoreCompletion } from './session-store.ts';
import { routable } from './will.ts';

/** Filled in by the codec and used up before the next packet is read. */
const fields = new PublishFields();

const TOPIC_REFUSED: PublishVerdict = { route: false, reasonCode: ReasonCode.TopicNameInvalid, close: null };

/** PUBCOMP waits for the store to let go of an incoming identifier. */
class PubcompOwed implements StoreCompletion {
  readonly #inbox: Inbox;
  readonly #packetIdentifier: number;

  constructor(inbox: Inbox, packetIdentifier: number) {
    this.#inbox = inbox;
    this.#packetIdentifier = packetIdentifier;
  }

  release(outcome: 'stored' | 'full' | 'failed'): void {
    this.#inbox.identifierReleased(this.#packetIdentifier, outcome === 'stored');
  }
}

/** What comes in on one connection: PUBLISH and its acknowledgements, first in, first out. */
export class Inbox {
  readonly #context: BrokerContext;
  readonly #connection: Connection;
  readonly #session: Session;
  /** Answers owed, in the order of their PUBLISHes. [MQTT-4.6.0-2] */
  #owed: PublishToken[] = [];
  #owedHead = 0;
  /** PUBLISHes of this connection that take a place in our Receive Maximum. [MQTT-3.3.4-7] */
  #open = 0;
  #aliases: Map<number, string> | null = null;
  /** The Topic Name of the last packet; it becomes known when it comes twice running. */
  #lastTopic = '';
  #known: KnownTopic | null = null;

  constructor(context: BrokerContext, connection: Connection, session: Session) {
    this.#context = context;
    this.#connection = connection;
    this.#session = session;
  }

  get #owedCount(): number {
    return this.#owed.length - this.#owedHead;
  }

  /** Monotonic milliseconds since when the oldest answer waits for a store; Infinity: none does. */
  get waitingSinceMs(): number {
    const head = this.#owed[this.#owedHead];
    return head === undefined || head.settled ? Number.POSITIVE_INFINITY : head.takenAtMs;
  }

  /** A PUBLISH lies in the reader. */
  publish(reader: FrameReader): void {
    const connection = this.#connection;
    const context = this.#context;
    const { level } = connection;
    const { topics } = context;
    topics.known = this.#known;
    const error = readPublish(
      level,
      reader.firstByte,
      reader.buffer,
      reader.bodyStart,
      reader.end,
      connection.decodeLimits,
      topics.read,
      fields,
    );
    if (error !== null) {
      connection.fail(error);
      return;
    }
    context.counters.publishReceived++;
    const topicName = fields.properties?.topicAlias === undefined ? fields.topicName : this.#resolveAlias();
    if (topicName === null) return;
    const { qos, packetIdentifier } = fields;
    const publication = Publication.read(level, reader, fields, topicName, context.receivedAt);
    const known = this.#knownTopic(reader.buffer);
    if (known !== null) publication.route = known.route;
    const limited = withinTopicLimits(context, topicName, fields.topicEnd - fields.topicStart);
    if (qos === 0) this.#unacknowledged(publication, limited);
    else if (!this.#isRepetition(packetIdentifier) && this.#mayOpen()) {
      this.#acknowledged(publication, packetIdentifier, limited);
    }
    if (known !== null) known.route = publication.route;
    if (context.publishersHeld) context.holdPublisher(connection);
  }

  /** The Topic Name in `fields` as a known one; null: it is not, or is an alias. */
  #knownTopic(buffer: Uint8Array): KnownTopic | null {
    const { topicName, topicStart, topicEnd } = fields;
    const known = this.#known;
    if (known !== null && known.name === topicName) return known;
    if (topicName === '') return null;
    if (topicName === this.#lastTopic && KnownTopic.fits(topicStart, topicEnd)) {
      this.#known = new KnownTopic(topicName, buffer, topicStart, topicEnd);
      return this.#known;
    }
    this.#lastTopic = topicName;
    return null;
  }

  /** A PUBREL came. */
  pubrel(packetIdentifier: number): void {
    const connection = this.#connection;
    if (this.#find(packetIdentifier) !== null) {
      const message = `PUBREL for Packet Identifier ${packetIdentifier} comes before its PUBREC.`;
      connection.fail(new ProtocolError(ReasonCode.ProtocolError, message, 'MQTT 4.3.3', connection.level === 5));
      return;
    }
    const session = this.#session;
    if (!session.incoming?.delete(packetIdentifier)) {
      this.#pubcomp(packetIdentifier, ReasonCode.PacketIdentifierNotFound);
      return;
    }
    if (this.#open > 0) this.#open--;
    if (session.claim === null) this.#pubcomp(packetIdentifier, ReasonCode.Success);
    else this.#context.store.releaseIncoming(session.claim, packetIdentifier, new PubcompOwed(this, packetIdentifier));
  }

  /** The store has let go of an incoming identifier. [MQTT-4.3.3-11] */
  identifierReleased(packetIdentifier: number, stored: boolean): void {
    if (this.#connection.ended) return;
    if (stored) this.#pubcomp(packetIdentifier, ReasonCode.Success);
    else this.#connection.closeByServer(ReasonCode.UnspecifiedError, 'A PUBREL could not be stored.');
  }

  /** Everything a message waited for has answered. */
  settled(token: PublishToken): void {
    if (token.qos === 2 && (token.outcome !== 'stored' || token.reasonCode >= 0x80)) this.#forgetIncoming(token);
    if (this.#connection.ended) {
      const { unsettled } = this.#session;
      const index = unsettled?.indexOf(token) ?? -1;
      if (index >= 0) unsettled?.splice(index, 1);
      return;
    }
    // A token that settles within the call that made it is not in the line yet.
    if (this.#owedCount === 0) this.#answer(token);
    else this.#advance();
  }

  /** The connection is gone; commits that are still to come decide about repetitions on the next one. */
  close(): void {
    for (let index = this.#owedHead; index < this.#owed.length; index++) {
      const token = this.#owed[index];
      if (token === undefined || token.settled || token.qos !== 2) continue;
      this.#session.unsettled ??= [];
      this.#session.unsettled.push(token);
    }
    this.#owed = [];
    this.#owedHead = 0;
    this.#aliases = null; // [MQTT-3.3.2-7]
  }

  #unacknowledged(publication: Publication, limited: boolean): void {
    if (!limited) {
      this.#context.count('publish.topicTooLong');
      return;
    }
    const verdict = this.#connection.askPublish(publication, NO_ACKNOWLEDGEMENT);
    if (verdict.close !== null) {
      this.#connection.closeByServer(verdict.close.reasonCode, verdict.close.reason);
      return;
    }
    if (verdict.reasonCode >= 0x80) this.#context.count('publish.refused');
    else if (verdict.route) this.#route(publication, verdict.routeAs, null);
  }

  #acknowledged(publication: Publication, packetIdentifier: number, limited: boolean): void {
    const session = this.#session;
    const { qos } = publication;
    const token = new PublishToken(this, packetIdentifier, qos, this.#connection.lastReceivedAt);
    this.#open++;
    if (qos === 2) session.incomingMade().add(packetIdentifier);
    const verdict = limited ? this.#connection.askPublish(publication, token) : TOPIC_REFUSED;
    if (verdict.close !== null) {
      if (qos === 2) session.incoming?.delete(packetIdentifier);
      // [MQTT-4.6.0-2] Behind an answer that is still owed there is none.
      if (verdict.close.acknowledge === true && this.#connection.level === 5 && this.#owedCount === 0) {
        token.reasonCode = verdict.reasonCode;
        this.#stageAnswer(token);
      }
      this.#connection.closeByServer(verdict.close.reasonCode, verdict.close.reason);
      return;
    }
    token.reasonCode = verdict.reasonCode;
    if (verdict.reasonCode >= 0x80) this.#context.count('publish.refused');
    else if (verdict.route) {
      const interested = token.held;
      const matched = this.#route(publication, verdict.routeAs, token);
      if (matched === REFUSED) token.reasonCode = ReasonCode.NotAuthorized;
      else if (matched === 0 && qos === 1 && !interested && verdict.reasonCode === ReasonCode.Success) {
        token.reasonCode = ReasonCode.NoMatchingSubscribers; // O-6
      }
    }
    if (qos === 2 && session.claim !== null && token.reasonCode < 0x80) {
      token.hold();
      this.#context.store.holdIncoming(session.claim, packetIdentifier, token);
    }
    // In line first: what settles now is answered behind those before it.
    const inLine = this.#owedCount > 0;
    if (inLine) this.#owed.push(token);
    token.release('stored');
    if (!inLine && !token.settled) this.#owed.push(token);
    if (!token.settled) this.#wait();
  }

  /** Gives the number of Sessions, or REFUSED for a name that nobody may publish to. */
  #route(publication: Publication, routeAs: string | undefined, token: PublishToken | null): number {
    const { spaceName, policy } = this.#session;
    if (spaceName === null) return 0;
    if (routeAs !== undefined && routeAs !== publication.topicName) {
      return this.#routeRenamed(publication, routeAs, token);
    }
    if (!routable(publication.topicName)) {
      this.#context.count('publish.dollarTopic');
      return REFUSED;
    }
    if (policy.retained === 'ignored') publication.retain = false;
    if (publication.retain) retainPublication(this.#context, spaceName, publication, token);
    return routePublication(this.#context, spaceName, publication, this.#session, this.#connection, token);
  }

  /** The route of the name that came stays where it was, and that of the other name is remembered beside it. */
  #routeRenamed(publication: Publication, routeAs: string, token: PublishToken | null): number {
    const { topicName, route } = publication;
    const known = this.#known !== null && this.#known.name === topicName ? this.#known : null;
    const renamed = known?.renamedRoute ?? null;
    publication.rename(routeAs);
    publication.route = renamed !== null && renamed.topicName === routeAs ? renamed : null;
    if (publication.route === null && !mayBeRoutedAs(this.#context, publication)) {
      publication.route = route;
      return REFUSED;
    }
    const count = this.#route(publication, undefined, token);
    if (known !== null) known.renamedRoute = publication.route;
    publication.route = route;
    return count;
  }

  /** U-6 to U-8; null: the connection was closed. */
  #resolveAlias(): string | null {
    const alias = fields.properties?.topicAlias ?? 0;
    const connection = this.#connection;
    if (alias === 0 || alias > this.#session.policy.topicAliasMaximum) {
      connection.closeByServer(ReasonCode.TopicAliasInvalid, `Topic Alias ${alias} is not offered.`);
      return null;
    }
    const { topicName } = fields;
    if (topicName !== '') {
      this.#aliases ??= new Map();
      this.#aliases.set(alias, topicName);
      return topicName;
    }
    const known = this.#aliases?.get(alias);
    if (known !== undefined) return known;
    connection.closeByServer(ReasonCode.ProtocolError, `Topic Alias ${alias} is not set on this connection.`);
    return null;
  }

  /** Answers or refuses a PUBLISH whose Packet Identifier is in use. mqtt.md, section 5 and its note 1 */
  #isRepetition(packetIdentifier: number): boolean {
    const connection = this.#connection;
    if (this.#owedCount > 0 && this.#find(packetIdentifier) !== null) {
      if (fields.dup) return true; // The answer owed holds for both.
      const message = `Packet Identifier ${packetIdentifier} is in use.`;
      connection.fail(new ProtocolError(ReasonCode.ProtocolError, message, 'O-29', connection.level === 5));
      return true;
    }
    const session = this.#session;
    if (fields.qos !== 2 || !session.incoming?.has(packetIdentifier)) return false;
    // [MQTT-4.3.3-10] PUBREC is owed again; the message is not delivered twice.
    const token = new PublishToken(this, packetIdentifier, 2, connection.lastReceivedAt);
    const pending = session.unsettled?.find((one) => one.packetIdentifier === packetIdentifier);
    if (this.#owedCount > 0 || pending !== undefined) this.#owed.push(token);
    if (pending === undefined) token.release('stored');
    else {
      pending.follower = token;
      this.#wait();
    }
    return true;
  }

  #mayOpen(): boolean {
    const connection = this.#connection;
    const { receiveMaximum } = this.#session.policy;
    if (connection.level !== 5 || this.#open < receiveMaximum) return true;
    const message = `More than ${receiveMaximum} messages are unfinished.`;
    connection.closeByServer(ReasonCode.ReceiveMaximumExceeded, message);
    return false;
  }

  #find(packetIdentifier: number): PublishToken | null {
    for (let index = this.#owedHead; index < this.#owed.length; index++) {
      const token = this.#owed[index];
      if (token?.packetIdentifier === packetIdentifier) return token;
    }
    return null;
  }

  #wait(): void {
    const connection = this.#connection;
    connection.watch();
    // mqtt.md, section 5, note 2; a 5.0 client that goes further is told 0x93.
    if (connection.level !== 5 && this.#owedCount >= this.#session.policy.receiveMaximum)
      connection.pause(Pause.Unacknowledged);
  }

  /** Sends what is ready at the head of the line. */
  #advance(): void {
    for (;;) {
      const token = this.#owed[this.#owedHead];
      if (token === undefined || !token.settled) break;
      if (!this.#answer(token)) return;
      this.#owedHead++;
    }
    if (this.#owedHead === this.#owed.length) {
      this.#owed.length = 0;
      this.#owedHead = 0;
    } else if (this.#owedHead >= 256) {
      this.#owed = this.#owed.slice(this.#owedHead);
      this.#owedHead = 0;
    }
    if (this.#owedCount < this.#session.policy.receiveMaximum) this.#connection.resume(Pause.Unacknowledged);
  }

  /** Stages PUBACK or PUBREC; false: there is none, and nothing behind it is answered either. */
  #answer(token: PublishToken): boolean {
    token.answered = true;
    const staged = this.#stageAnswer(token);
    if (token.awaited) this.#session.outbox.pump();
    return staged;
  }

  #stageAnswer(token: PublishToken): boolean {
    const connection = this.#connection;
    const { outcome, qos, packetIdentifier } = token;
    if (outcome === 'failed') {
      connection.closeByServer(ReasonCode.UnspecifiedError, 'A message could not be stored.');
      return false;
    }
    if (outcome === 'full') {
      this.#context.count('publish.storeFull');
      if (connection.level !== 5) {
        if (this.#owedCount === 0) this.#owed.push(token);
        connection.patience.storeFull();
        return false;
      }
      token.reasonCode = ReasonCode.QuotaExceeded;
    }
    const type = qos === 2 ? PacketType.Pubrec : PacketType.Puback;
    const { reasonCode } = token;
    if ((qos === 1 || reasonCode >= 0x80) && this.#open > 0) this.#open--;
    if (reasonCode < 0x80 || connection.level !== 5 || !connection.problemInformation) {
      stageAcknowledgement(connection.output, connection.level, type, packetIdentifier, reasonCode);
      return true;
    }
    const reasonString = reasonPhrase(reasonCode);
    const properties = reasonString === null ? null : { reasonString };
    const packet = encodePacket(5, { type, packetIdentifier, reasonCode, properties }, connection.maximumPacketSize);
    if (packet !== null) connection.output.stage(packet);
    return true;
  }

  /** [MQTT-4.3.3-9] After a PUBREC of 0x80 or more the identifier means a new message. */
  #forgetIncoming(token: PublishToken): void {
    const session = this.#session;
    if (!session.incoming?.delete(token.packetIdentifier)) return;
    if (session.claim !== null) this.#context.store.releaseIncoming(session.claim, token.packetIdentifier, null);
  }

  #pubcomp(packetIdentifier: number, reasonCode: ReasonCode): void {
    const { output, level } = this.#connection;
    stageAcknowledgement(output, level, PacketType.Pubcomp, packetIdentifier, reasonCode);
  }
}

const REFUSED = -1;

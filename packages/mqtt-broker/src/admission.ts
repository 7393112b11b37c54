import { type ConnectPacket, encodePacket, encodeText, PacketType, ReasonCode } from '@moorage/mqtt-codec';
import { connack, connackProperties, effectiveKeepAlive, grantedExpiry, UNLIMITED_IN_FLIGHT } from './connack.ts';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { Pause } from './pause.ts';
import type { AcceptedPrincipal, Authenticator, ConnectRefusal, StoreOutcome } from './ports.ts';
import { reasonPhrase } from './reason-phrases.ts';
import { withinTopicLimits } from './routing.ts';
import { Session } from './session.ts';
import type { StoreCompletion } from './session-store.ts';

/** Return codes of 3.1 and 3.1.1. */
const IDENTIFIER_REJECTED = 2;
const SERVER_UNAVAILABLE = 3;
const NOT_AUTHORIZED = 5;

/** CONNACK of 3.x, by Session Present. [v3.1.1, 3.2] */
const ACCEPTED = [Uint8Array.of(0x20, 2, 0, 0), Uint8Array.of(0x20, 2, 1, 0)] as const;

interface Candidate {
  readonly connection: Connection;
  readonly connect: ConnectPacket;
}

interface Claimant extends Candidate {
  readonly principal: AcceptedPrincipal;
}

/** The answer of the store to a claim, which may come before `claim` has returned. */
class ClaimAnswer implements StoreCompletion {
  #outcome: StoreOutcome | null = null;
  #next: ((outcome: StoreOutcome) => void) | null = null;

  release(outcome: StoreOutcome): void {
    this.#outcome = outcome;
    this.#next?.(outcome);
  }

  whenKnown(next: (outcome: StoreOutcome) => void): void {
    if (this.#outcome === null) this.#next = next;
    else next(this.#outcome);
  }
}

/** What CONNECTs that are looked up one after the other have in common. */
function nameOf({ username, clientId }: ConnectPacket): string {
  return `${username ?? ''}\u0000${clientId}`;
}

/** `SessionPolicy.cleanGraceSeconds`: the client lost its connection, and comes back as one that keeps nothing. */
function inherits({ connect, principal }: Claimant, older: Session): boolean {
  const { policy, space } = principal;
  if (!older.lingers || older.spaceName !== space || (policy.cleanGraceSeconds ?? 0) <= 0) return false;
  return connect.cleanStart && grantedExpiry(connect, principal) === 0;
}

/** From CONNECT to CONNACK: limits, authentication, take-over, and the claim of the Session, one after the other for each key. */
export class Admission {
  readonly #context: BrokerContext;
  readonly #authenticator: Authenticator;
  /** CONNECTs of the same user name and Client Identifier behind one that is being looked up. mqtt.md, O-36 */
  readonly #lookUps = new Map<string, Candidate[]>();
  /** CONNECTs of the same Session key behind one that is being claimed. */
  readonly #claims = new Map<string, Claimant[]>();

  constructor(context: BrokerContext, authenticator: Authenticator) {
    this.#context = context;
    this.#authenticator = authenticator;
  }

  /** Answers a CONNECT, now or later. Order of the checks: mqtt.md, end of section 5. */
  connect(connection: Connection, connect: ConnectPacket): void {
    const { clientId, will, properties } = connect;
    const { limits } = this.#context;
    connection.maximumPacketSize = properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    if (clientId.length > limits.clientIdBytes || encodeText(clientId).length > limits.clientIdBytes) {
      this.#refuse(
        connection,
        IDENTIFIER_REJECTED,
        ReasonCode.ClientIdentifierNotValid,
        'The Client Identifier is too long.',
      );
      return;
    }
    if (will !== null && !withinTopicLimits(this.#context, will.topicName, encodeText(will.topicName).length)) {
      this.#refuse(connection, NOT_AUTHORIZED, ReasonCode.TopicNameInvalid, 'The Will Topic is too long.');
      return;
    }
    if (properties?.authenticationMethod !== undefined) {
      const reason = 'An Authentication Method is not supported.';
      this.#refuse(connection, NOT_AUTHORIZED, ReasonCode.BadAuthenticationMethod, reason);
      return;
    }
    this.#lookUp({ connection, connect });
  }

  /** Refuses because the server cannot answer now. */
  refuseUnavailable(connection: Connection, reason: string): void {
    this.#refuse(connection, SERVER_UNAVAILABLE, ReasonCode.ServerUnavailable, reason);
  }

  #lookUp(candidate: Candidate): void {
    const { connection, connect } = candidate;
    const waiting = this.#lookUps.size === 0 ? undefined : this.#lookUps.get(nameOf(connect));
    if (waiting !== undefined) {
      waiting.push(candidate);
      return;
    }
    const answer = this.#authenticate(candidate);
    if (!(answer instanceof Promise)) {
      this.#authenticated(candidate, answer);
      return;
    }
    const named = connect.clientId !== '' || connect.username !== null;
    const name = nameOf(connect);
    if (named) this.#lookUps.set(name, []);
    answer.then(
      (principal) => this.#lookedUp(candidate, principal, named ? name : null),
      (error: unknown) => {
        this.#context.observer.fault?.(error);
        this.refuseUnavailable(connection, 'The look-up failed.');
        if (named) this.#nextLookUp(name);
      },
    );
  }

  #authenticate(candidate: Candidate): ReturnType<Authenticator['authenticate']> | null {
    try {
      return this.#authenticator.authenticate(candidate.connect, candidate.connection.via);
    } catch (error) {
      this.#context.observer.fault?.(error);
      return null;
    }
  }

  #lookedUp(candidate: Candidate, principal: AcceptedPrincipal | ConnectRefusal, name: string | null): void {
    this.#authenticated(candidate, principal);
    if (name !== null) this.#nextLookUp(name);
  }

  #nextLookUp(name: string): void {
    const waiting = this.#lookUps.get(name) ?? [];
    this.#lookUps.delete(name);
    for (const [index, candidate] of waiting.entries()) {
      if (candidate.connection.ended) continue;
      this.#lookUp(candidate);
      const behind = this.#lookUps.get(name);
      if (behind === undefined) continue;
      behind.push(...waiting.slice(index + 1));
      return;
    }
  }

  #authenticated(candidate: Candidate, answer: AcceptedPrincipal | ConnectRefusal | null): void {
    const { connection, connect } = candidate;
    if (connection.ended) return;
    if (answer === null) {
      this.refuseUnavailable(connection, 'The look-up failed.');
      return;
    }
    if (!answer.accepted) {
      this.#context.count('connect.refused');
      const packet = connack(
        connect.level,
        answer.returnCode,
        answer.reasonCode,
        answer.reasonString,
        connection.maximumPacketSize,
      );
      connection.refuse(packet, 'The CONNECT was refused.', answer.reasonCode, answer.delayMs);
      return;
    }
    if (this.#isKeptOut(connection, connect, answer)) return;
    const { will } = connect;
    if (will !== null && answer.policy.will === 'honoured' && !answer.handler.mayPublishWill(will.topicName)) {
      this.#context.count('will.notAllowed');
      this.#refuse(connection, NOT_AUTHORIZED, ReasonCode.NotAuthorized, 'The Will is not allowed.');
      return;
    }
    this.#claim({ connection, connect, principal: answer });
  }

  /** Refuses who is banned, or connects again and again. */
  #isKeptOut(connection: Connection, connect: ConnectPacket, { sessionKey }: AcceptedPrincipal): boolean {
    const { bans, flapping, clock } = this.#context;
    if (sessionKey !== null && bans.has(sessionKey, clock.now())) {
      this.#context.count('connect.banned');
      this.#refuse(connection, NOT_AUTHORIZED, ReasonCode.Banned, 'The client is banned.');
      return true;
    }
    if (flapping === null) return false;
    const identity = sessionKey ?? connect.clientId;
    if (flapping.mayConnect(connection.via.remoteAddress, identity, clock.monotonic())) return false;
    this.#context.count('connect.flapping');
    const reason = 'The client connects too often.';
    this.#refuse(connection, SERVER_UNAVAILABLE, ReasonCode.ConnectionRateExceeded, reason);
    return true;
  }

  #claim(claimant: Claimant): void {
    const { sessionKey } = claimant.principal;
    if (sessionKey === null) {
      this.#open(claimant, this.#newSession(claimant, null), false);
      return;
    }
    const waiting = this.#claims.get(sessionKey);
    if (waiting !== undefined) {
      waiting.push(claimant);
      return;
    }
    this.#takeOver(claimant, sessionKey);
  }

  #takeOver(claimant: Claimant, key: string): void {
    const { connection, connect, principal } = claimant;
    const { sessions, store } = this.#context;
    // [MQTT-3.1.4-3] The older connection is told before the newer one gets CONNACK.
    sessions
      .get(key)
      ?.connection?.closeByServer(ReasonCode.SessionTakenOver, 'Another connection took the Session over.');
    let session = sessions.get(key);
    const { policy, space } = principal;
    const isOurs = session?.spaceName === space && !session.lingers;
    const resumes = !connect.cleanStart && policy.persistence !== 'never' && isOurs;
    const older = session !== undefined && inherits(claimant, session) ? session : null;
    if (session !== undefined && !resumes) {
      if (older === null) session.end(); // [MQTT-3.1.2-4]
      session = undefined;
    }
    const present = session !== undefined;
    session ??= this.#newSession(claimant, key);
    if (older !== null) {
      session.inherit(older);
      older.end();
    }
    sessions.set(key, session);
    this.#prepare(session, claimant);
    const ends = session.expiryInterval === 0 && session.claim === null;
    if (ends && session.will === null) {
      this.#open(claimant, session, false);
      return;
    }
    this.#claims.set(key, []);
    const { clientId, expiryInterval, will } = session;
    const answer = new ClaimAnswer();
    const record = { key, space, clientId, expiryInterval, queue: policy.queue, will };
    const claim = store.claim(record, !present, answer);
    if (ends) session.willClaim = claim;
    else session.claim = claim;
    const claimed = session;
    answer.whenKnown((outcome) => {
      if (outcome !== 'stored') {
        this.refuseUnavailable(connection, 'The Session could not be stored.');
        if (present || claimed.subscriptions !== null) claimed.detach(true);
        else {
          claimed.will = null;
          claimed.end();
        }
        this.#nextClaim(key);
      } else if (claimed.restored) this.#restore(claimant, claimed, key);
      else this.#claimed(claimant, claimed, present, key);
    });
  }

  /** Reads what was unfinished when the server stopped. */
  #restore(claimant: Claimant, session: Session, key: string): void {
    if (session.claim === null) return;
    this.#context.store.flights(session.claim).then(
      ({ outgoing, incoming }) => {
        session.restored = false;
        session.outbox.restoreFlights(outgoing);
        for (const identifier of incoming) session.incomingMade().add(identifier);
        this.#claimed(claimant, session, true, key);
      },
      (error: unknown) => {
        this.#context.observer.fault?.(error);
        this.refuseUnavailable(claimant.connection, 'The Session could not be read.');
        this.#nextClaim(key);
      },
    );
  }

  #claimed(claimant: Claimant, session: Session, present: boolean, key: string): void {
    if (claimant.connection.ended) {
      // Nobody was told of this CONNECT: the Session waits, or ends, without a Will.
      session.detach(true);
    } else this.#open(claimant, session, present);
    this.#nextClaim(key);
  }

  #nextClaim(key: string): void {
    const waiting = this.#claims.get(key) ?? [];
    this.#claims.delete(key);
    for (const [index, claimant] of waiting.entries()) {
      if (claimant.connection.ended) continue;
      this.#takeOver(claimant, key);
      const behind = this.#claims.get(key);
      if (behind === undefined) continue;
      behind.push(...waiting.slice(index + 1));
      return;
    }
  }

  #newSession(claimant: Claimant, key: string | null): Session {
    const { connect, principal } = claimant;
    const clientId = principal.assignedClientId ?? connect.clientId;
    const session = new Session(this.#context, key, clientId, principal.space, principal.policy);
    if (key === null) this.#prepare(session, claimant);
    return session;
  }

  /** What a CONNECT changes of a Session, be it new or resumed. */
  #prepare(session: Session, claimant: Claimant): void {
    const { connect, principal } = claimant;
    session.stopWaiting();
    session.policy = principal.policy;
    session.handler = principal.handler;
    session.clientId = principal.assignedClientId ?? connect.clientId;
    session.expiryInterval = session.key === null ? 0 : grantedExpiry(connect, principal);
    session.will = principal.policy.will === 'honoured' ? connect.will : null; // [MQTT-3.1.2-7]
  }

  #open(claimant: Claimant, session: Session, present: boolean): void {
    const { connection, connect, principal } = claimant;
    const { handler, policy } = principal;
    const { level, properties } = connect;
    const holds = level === 5 || policy.serverKeepAliveForAll === true;
    const keepAlive = holds ? effectiveKeepAlive(connect.keepAlive, policy.serverKeepAlive) : connect.keepAlive;
    const told = level === 5 ? connackProperties(connect, principal, session, keepAlive) : null;
    const sessionPresent = present && level !== 3;
    const packet =
      told === null
        ? ACCEPTED[Number(sessionPresent)]
        : encodePacket(
            level,
            { type: PacketType.Connack, sessionPresent, reasonCode: ReasonCode.Success, properties: told },
            connection.maximumPacketSize,
          );
    if (packet === null || packet === undefined) {
      this.refuseUnavailable(connection, 'CONNACK exceeds the Maximum Packet Size of the client.');
      session.detach(true);
      return;
    }
    connection.expiryWasZero = session.expiryInterval === 0;
    connection.session = session;
    if (this.#context.traces.has(session.key)) connection.trace(true);
    connection.output.stage(packet); // [MQTT-3.2.0-1]
    connection.open(session, connect, handler, session.clientId, keepAlive);
    session.attach(connection, properties?.receiveMaximum ?? UNLIMITED_IN_FLIGHT);
    this.#context.count('connect.accepted');
    handler.opened(connection);
    if (connection.ended) return;
    if (session.subscriptions !== null || present) handler.resumed?.([...(session.subscriptions?.values() ?? [])]);
    session.outbox.pump();
    connection.resume(Pause.Authenticating);
  }

  #refuse(connection: Connection, returnCode: number, reasonCode: ReasonCode, reason: string): void {
    if (connection.ended) return;
    this.#context.count('connect.refused');
    const { level, maximumPacketSize } = connection;
    const packet = connack(level, returnCode, reasonCode, reasonPhrase(reasonCode), maximumPacketSize);
    connection.refuse(packet, reason, reasonCode, 0);
  }
}

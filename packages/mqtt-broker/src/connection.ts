import {
  type ConnectPacket,
  type DecodeLimits,
  decodeConnect,
  encodePacket,
  FRAME_ERROR,
  FRAME_NEED_MORE,
  type FrameReader,
  PacketType,
  ProtocolError,
  type ProtocolLevel,
  type QoS,
  ReasonCode,
} from '@moorage/mqtt-codec';
import type { Admission } from './admission.ts';
import { NO_TICKET } from './connect-gate.ts';
import { handlePacket } from './connected-packets.ts';
import type { BrokerContext } from './context.ts';
import type { PushOutcome } from './delivery.ts';
import { Inbox } from './inbox.ts';
import { Output, type OutputWatcher } from './output.ts';
import { Patience } from './patience.ts';
import { Pause } from './pause.ts';
import { PulledSource } from './payload-pull.ts';
import type {
  AckToken,
  ByteStream,
  CloseReason,
  ConnectionHandle,
  ConnectionHandler,
  InboundMessage,
  ListenerInfo,
  PublishVerdict,
  PulledPayload,
  StreamHandler,
} from './ports.ts';
import type { RateGate } from './rate-gate.ts';
import { reasonPhrase } from './reason-phrases.ts';
import type { Session } from './session.ts';
import { IDLE, type WheelEntry } from './timer-wheel.ts';
import { TopicAliases } from './topic-aliases.ts';

/** The states of mqtt.md, section 5. E is not reached: every Authentication Method is refused. */
const State = { Waiting: 0, Authenticating: 1, Connected: 2, Ended: 3 } as const;
type State = (typeof State)[keyof typeof State];

const EMPTY = new Uint8Array(0);
const UNSERVED: PublishVerdict = { route: false, reasonCode: ReasonCode.Success, close: null };
const CONNECT_BYTE = 0x10;
/** A direct push of so many bytes does not wait for the end of the turn: its own write costs less than its block. */
const FLUSHED_BYTES = 2_048;
/** Answers that may wait for a client, beyond what QoS 0 messages may, before it is not read any more. */
const ANSWERS_BYTES = 65_536;

/** One network connection, from its first byte to its last. */
export class Connection implements ConnectionHandle, StreamHandler, OutputWatcher, WheelEntry {
  readonly number: number;
  readonly via: ListenerInfo;
  readonly output: Output;
  /** Told to the client on this connection; null: it takes none. */
  aliases: TopicAliases | null = null;
  /** What the client is shown for a Topic Name of its space; null: the same. */
  shownAs: ((topicName: string) => string) | null = null;
  level: ProtocolLevel = 4;
  clientId = '';
  /** Monotonic milliseconds of the last whole packet. */
  lastReceivedAt: number;
  session: Session | null = null;
  /** null until the client has published. */
  inbox: Inbox | null = null;
  decodeLimits: DecodeLimits;
  /** The client's Maximum Packet Size. [MQTT-3.1.2-24] */
  maximumPacketSize = Number.POSITIVE_INFINITY;
  /** Request Problem Information. [MQTT-3.1.2-29] */
  problemInformation = true;
  /** Kept here for the gate, which is asked about every connection. */
  gateTicket = NO_TICKET;
  /** The stream has said that it is gone. */
  streamClosed = false;
  onStreamClosed: (() => void) | null = null;
  /** Monotonic seconds, whole, at which the CONNECT was accepted: a small integer takes no memory of its own. */
  openedAtSeconds = 0;
  /** Session Expiry Interval that CONNECT asked for was 0. U-11 */
  expiryWasZero = true;

  readonly #context: BrokerContext;
  readonly #stream: ByteStream;
  readonly #admission: Admission;
  // The connection is its own entry in the wheel, and has a reader only while a packet is incomplete: what 100,000 idle
  // connections do not own.
  deadlineMs = 0;
  next: WheelEntry | null = null;
  previous: WheelEntry | null = null;
  slot = IDLE;
  #reader: FrameReader | null = null;
  #patience: Patience | null = null;
  #handler: ConnectionHandler | null = null;
  #state: State = State.Waiting;
  #pauses = 0;
  #traced = false;
  #reading = false;
  /** The stream was told to pause. */
  #stopped = false;
  /** Bytes that came while the connection is not read. */
  #rest: Uint8Array = EMPTY;
  /** One and a half times the Keep Alive; 0: none. */
  #silenceMs = 0;
  #cancelDelay: (() => void) | null = null;
  #rates: RateGate | null = null;
  #ratesVersion = 0;
  /** The CONNECT has been read and is not answered yet. */
  #lookingUp = false;
  #pushes: Set<(outcome: PushOutcome) => void> | null = null;

  constructor(context: BrokerContext, admission: Admission, stream: ByteStream, via: ListenerInfo, number: number) {
    this.#context = context;
    this.#admission = admission;
    this.#stream = stream;
    this.via = via;
    this.number = number;
    this.output = new Output(context, stream, this);
    this.decodeLimits = context.decodeLimits;
    this.lastReceivedAt = context.clock.monotonic();
  }

  get patience(): Patience {
    this.#patience ??= new Patience(this.#context, this);
    return this.#patience;
  }

  get ended(): boolean {
    return this.#state === State.Ended;
  }

  /** Reads the stream as soon as it is this connection's turn. */
  start(): void {
    if (this.#context.gate.enter(this)) this.begin();
  }

  /** Begins to wait for CONNECT. */
  begin(): void {
    this.lastReceivedAt = this.#context.clock.monotonic();
    this.#context.wheel.schedule(this, this.lastReceivedAt + this.#context.limits.connectTimeoutMs);
    this.#stream.start(this);
  }

  onData(chunk: Uint8Array): void {
    if (this.#state === State.Ended || chunk.length === 0) return;
    if (this.#pauses !== 0 || this.#reading) {
      this.#keep(chunk);
      return;
    }
    if (this.#state === State.Waiting && this.#reader === null && chunk[0] !== CONNECT_BYTE) {
      this.#context.count('connect.notMqtt');
      this.#abandon('The first byte is not that of a CONNECT.'); // [MQTT-3.1.0-1]
      return;
    }
    this.#readSafely(chunk);
  }

  onDrain(): void {
    if (this.#state === State.Ended) return;
    this.output.drained();
    if (!this.output.blocked) this.unblocked();
  }

  /** The client takes everything again. */
  unblocked(): void {
    this.#patience?.drained();
    this.resume(Pause.Output);
    this.session?.outbox.pump();
  }

  onClose(error: Error | null): void {
    this.output.discard();
    this.streamClosed = true;
    this.onStreamClosed?.();
    if (this.#state === State.Ended) return;
    const reason = error === null ? 'The network connection was closed.' : 'The network connection failed.';
    this.#finish({ by: 'network', reasonCode: ReasonCode.UnspecifiedError, reason }, false);
  }

  push(topicName: string, payload: Uint8Array | PulledPayload, qos: QoS, done?: (outcome: PushOutcome) => void): void {
    const { observer } = this.#context;
    const source = payload instanceof Uint8Array ? null : new PulledSource(payload, (error) => observer.fault?.(error));
    const outbox = this.session?.outbox;
    if (outbox === undefined || this.#state !== State.Connected) {
      source?.close();
      done?.('lost');
      return;
    }
    const bytes = payload instanceof Uint8Array ? payload : EMPTY;
    const expiresAt = Number.POSITIVE_INFINITY;
    const message = { topicName, payload: bytes, qos, retain: false, properties: null, expiresAt };
    outbox.push(message, qos, source, done ?? null);
    // Its block comes back at once and serves the next connection; a thousand chunks in a turn would take a thousand.
    if (bytes.length >= FLUSHED_BYTES) this.output.flush();
  }

  pullFailed(error: unknown): void {
    if (this.#state === State.Ended) return;
    this.#context.count('push.readFailed');
    this.#context.observer.fault?.(error);
    this.closeByServer(ReasonCode.UnspecifiedError, 'The payload of a message could not be read.');
  }

  /** Tells a QoS 0 push that it was written; `lost` if the connection ends before. */
  whenWritten(done: (outcome: PushOutcome) => void): void {
    if (this.#state === State.Ended) {
      done('lost');
      return;
    }
    this.#pushes ??= new Set();
    const pushes = this.#pushes;
    // One callback may serve several pushes, so each gets an identity of its own.
    const once = (outcome: PushOutcome) => done(outcome);
    pushes.add(once);
    this.output.whenWritten(() => {
      if (pushes.delete(once)) once('written');
    });
  }

  disconnect(reasonCode: ReasonCode, reason: string, options?: { readonly dropWill?: boolean }): void {
    this.closeByServer(reasonCode, reason, options?.dropWill ?? false);
  }

  mayReceive(topicName: string): boolean {
    return this.#handler?.mayReceive(topicName) ?? false;
  }

  /** Takes what the client publishes; null before the CONNECT was accepted. */
  inboxMade(): Inbox | null {
    if (this.inbox === null && this.session !== null) this.inbox = new Inbox(this.#context, this, this.session);
    return this.inbox;
  }

  /** What the host makes of a PUBLISH. */
  askPublish(message: InboundMessage, token: AckToken): PublishVerdict {
    return this.#handler?.publish(message, token) ?? UNSERVED;
  }

  get handler(): ConnectionHandler | null {
    return this.#handler;
  }

  /** The CONNECT was accepted: from here on packets are served. The caller has staged CONNACK. */
  open(
    session: Session,
    connect: ConnectPacket,
    handler: ConnectionHandler,
    clientId: string,
    keepAlive: number,
  ): void {
    this.#lookUpEnded();
    this.#state = State.Connected;
    this.session = session;
    this.#handler = handler;
    this.shownAs = handler.deliveredAs?.bind(handler) ?? null;
    this.clientId = clientId;
    const { maximumPacketSize, probeAfter } = session.policy;
    if (this.#reader !== null) this.#reader.maximumPacketSize = maximumPacketSize;
    this.decodeLimits = this.#context.limitsFor(maximumPacketSize);
    this.problemInformation = connect.properties?.requestProblemInformation !== 0;
    this.#takeAliases(connect);
    this.#takeRates();
    this.#silenceMs = keepAlive * 1_500;
    if (keepAlive === 0 && probeAfter !== undefined) this.#stream.probe?.(probeAfter);
    this.lastReceivedAt = this.#context.clock.monotonic();
    this.openedAtSeconds = Math.floor(this.lastReceivedAt / 1_000);
    this.#context.wheel.cancel(this);
    if (this.#silenceMs > 0) this.#context.wheel.schedule(this, this.lastReceivedAt + this.#silenceMs);
  }

  /** [MQTT-3.1.2-26] [MQTT-3.1.2-27] */
  #takeAliases(connect: ConnectPacket): void {
    const maximum = Math.min(connect.properties?.topicAliasMaximum ?? 0, this.#context.limits.outboundTopicAliases);
    if (maximum > 0) this.aliases = new TopicAliases(maximum);
  }

  #takeRates(): void {
    this.#rates?.end();
    this.#rates = this.#context.rateGate(this);
    this.#ratesVersion = this.#context.ratesVersion;
  }

  /** Shows the packets of this connection from now on, or no longer. */
  trace(on: boolean): void {
    this.#traced = on;
    this.output.trace = on ? (bytes) => this.#show('out', bytes) : null;
  }

  #show(direction: 'in' | 'out', bytes: Uint8Array): void {
    this.#context.traces.show(this.session?.key ?? null, this, direction, bytes);
  }

  /** Refuses the CONNECT with a packet that is complete, at once or after a delay against guessing. */
  refuse(packet: Uint8Array | null, reason: string, reasonCode: number, delayMs: number): void {
    if (this.#state === State.Ended) return;
    this.#lookUpEnded();
    if (delayMs > 0) {
      this.#context.wheel.cancel(this);
      this.#cancelDelay = this.#context.scheduler.after(delayMs, () => this.refuse(packet, reason, reasonCode, 0));
      return;
    }
    this.#close(reasonCode, reason, false, packet);
  }

  /** Stops reading the stream. */
  pause(why: Pause): void {
    if (this.#state === State.Ended) return;
    this.#pauses |= why;
    this.#stopReading();
  }

  /** Reads on, from the end of the turn, once nothing else holds. */
  resume(why: Pause): void {
    if ((this.#pauses & why) === 0) return;
    this.#pauses &= ~why;
    if (this.#pauses !== 0 || this.#state === State.Ended) return;
    // Keep Alive has not run while the client could not be heard.
    this.lastReceivedAt = this.#context.clock.monotonic();
    if (!this.#reading) this.#context.goOnLater(this);
    else this.#startReading();
  }

  /** Called at the end of the turn after `resume`. */
  goOn(): void {
    if (this.ended || this.#pauses !== 0) return;
    const rest = this.#rest;
    this.#rest = EMPTY;
    if (rest.length > 0) this.#readSafely(rest);
    if (!this.ended && this.#pauses === 0) this.#startReading();
  }

  /** Looks at this connection once a second from now on. */
  watch(): void {
    this.#context.watched.add(this);
  }

  /** The look once a second; false: no more is needed. */
  check(nowMs: number): boolean {
    return this.#state !== State.Ended && this.patience.check(nowMs);
  }

  /** Closes because of a broken rule: a 5.0 client is told which code. mqtt.md, O-4 */
  fail(error: ProtocolError): void {
    this.#context.count('connection.protocolError');
    if (error.answerable) this.closeByServer(error.reasonCode, error.message);
    else this.closeSilently(error);
  }

  /** Closes without telling the client. */
  closeSilently(error: ProtocolError): void {
    this.#close(error.reasonCode, error.message, false, null);
  }

  /** The client has sent DISCONNECT. [MQTT-3.14.4-3] Any code but 0x00 leaves the Will. */
  closedByClient(reasonCode: ReasonCode): void {
    this.#state = State.Ended;
    this.output.end();
    const normal = reasonCode === ReasonCode.Success;
    const reason = normal ? 'The client disconnected.' : 'The client disconnected with a code.';
    this.#finish({ by: 'client', reasonCode, reason }, normal);
  }

  /** Tells a 5.0 client why, then closes. [MQTT-3.14.0-1] */
  closeByServer(reasonCode: ReasonCode, reason: string, dropWill = false): void {
    if (this.#state === State.Ended) return;
    let packet: Uint8Array | null = null;
    if (this.#state === State.Connected && this.level === 5) {
      const reasonString = reasonPhrase(reasonCode);
      const properties = reasonString === null ? null : { reasonString };
      packet = encodePacket(5, { type: PacketType.Disconnect, reasonCode, properties }, this.maximumPacketSize);
    }
    this.#close(reasonCode, reason, dropWill, packet);
  }

  #close(reasonCode: number, reason: string, dropWill: boolean, packet: Uint8Array | null): void {
    if (this.#state === State.Ended) return;
    this.#state = State.Ended;
    if (packet !== null) this.output.stage(packet);
    this.output.end();
    this.#finish({ by: 'server', reasonCode, reason }, dropWill);
  }

  /** Closes without a word and without flushing. */
  #abandon(reason: string): void {
    this.#state = State.Ended;
    this.#stream.destroy();
    this.#finish({ by: 'server', reasonCode: ReasonCode.ProtocolError, reason }, true);
  }

  /** The connection is over, whatever the stream still does; called once, in state X. */
  #finish(reason: CloseReason, dropWill: boolean): void {
    this.#state = State.Ended;
    this.#rest = EMPTY;
    this.#context.wheel.cancel(this);
    this.#rates?.end();
    this.#context.connections.delete(this);
    this.#context.watched.delete(this);
    this.#context.counters.connections--;
    this.#cancelDelay?.();
    this.#cancelDelay = null;
    this.#context.gate.leave(this);
    this.#lookUpEnded();
    this.#patience?.end();
    this.inbox?.close();
    this.session?.detach(dropWill, reason.by === 'client');
    const pushes = this.#pushes;
    this.#pushes = null;
    if (pushes !== null) {
      for (const lost of [...pushes]) {
        pushes.delete(lost);
        lost('lost');
      }
    }
    this.#handler?.closed(reason);
  }

  /** Its time in the wheel has come. */
  fire(nowMs: number): void {
    if (this.#state === State.Waiting) {
      this.#context.count('connect.timeout');
      this.#abandon('No CONNECT came in time.');
      return;
    }
    if (this.#state === State.Authenticating) {
      this.#admission.refuseUnavailable(this, 'The look-up did not end in time.');
      return;
    }
    if (this.#silenceMs === 0) return;
    // A client in the middle of a long packet gets no PINGRESP before its end; while it takes bytes it is alive.
    if (this.#pauses !== 0 || this.output.pullMovedOn()) this.lastReceivedAt = nowMs;
    const deadlineMs = this.lastReceivedAt + this.#silenceMs;
    if (nowMs < deadlineMs) {
      this.#context.wheel.schedule(this, deadlineMs);
      return;
    }
    this.#context.count('connection.keepAlive');
    this.closeByServer(ReasonCode.KeepAliveTimeout, 'Nothing came for one and a half times the Keep Alive.'); // [MQTT-3.1.2-22]
  }

  #lookUpEnded(): void {
    if (!this.#lookingUp) return;
    this.#lookingUp = false;
    this.#context.gate.lookUpEnded();
  }

  #stopReading(): void {
    if (this.#stopped || this.ended) return;
    this.#stopped = true;
    this.#stream.pause();
  }

  #startReading(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#stream.resume();
  }

  /** Keeps a copy of what cannot be handled yet. */
  #keep(bytes: Uint8Array): void {
    const { bytesBehindConnect, bytesWhilePaused } = this.#context.limits;
    const limit = this.#state === State.Connected ? bytesWhilePaused : bytesBehindConnect;
    const rest = this.#rest;
    if (rest.length + bytes.length > limit) {
      this.#context.count('connection.floodWhilePaused');
      this.closeByServer(ReasonCode.QuotaExceeded, 'More was sent than is kept while the connection is not read.');
      return;
    }
    const joined = new Uint8Array(rest.length + bytes.length);
    joined.set(rest);
    joined.set(bytes, rest.length);
    this.#rest = joined;
  }

  /** A fault of ours ends this connection and no other. */
  #readSafely(chunk: Uint8Array): void {
    this.#reading = true;
    try {
      this.#read(chunk);
    } catch (error) {
      this.#context.count('connection.fault');
      this.#context.observer.fault?.(error);
      this.closeByServer(ReasonCode.UnspecifiedError, 'The server failed to handle a packet.');
    } finally {
      this.#reading = false;
    }
    if (this.#state !== State.Ended && this.#pauses === 0 && this.#rest.length > 0) this.#context.goOnLater(this);
  }

  #read(chunk: Uint8Array): void {
    const context = this.#context;
    const reader = this.#reader ?? context.takeReader(this.decodeLimits.maximumPacketSize, this.level === 5);
    this.#reader = reader;
    // Bytes of the first packet that came before this chunk.
    let before = reader.pendingBytes;
    reader.push(chunk);
    const { counters } = context;
    counters.bytesReceived += chunk.length;
    context.receivedAt = context.clock.now();
    const nowMs = this.#context.clock.monotonic();
    for (;;) {
      const result = reader.next();
      if (result === FRAME_NEED_MORE) break;
      if (result === FRAME_ERROR) {
        this.#frameError(reader.error);
        return;
      }
      this.lastReceivedAt = nowMs; // U-16
      counters.packetsReceived++;
      const position = reader.buffer === chunk ? reader.end : reader.end - reader.start - before;
      before = 0;
      this.#handle(reader);
      if (this.#state === State.Ended) return;
      if (this.output.blocked) this.#limitAnswers();
      if (this.#pauses === 0) continue;
      if (position < chunk.length) this.#keepBehind(chunk.subarray(position));
      reader.push(EMPTY);
      break;
    }
    if (reader.pendingBytes > 0) return;
    this.#reader = null;
    context.giveReader(reader);
  }

  /** What is behind the packet in hand comes before what came meanwhile. */
  #keepBehind(bytes: Uint8Array): void {
    const later = this.#rest;
    this.#rest = EMPTY;
    this.#keep(bytes);
    if (later.length > 0) this.#keep(later);
  }

  #limitAnswers(): void {
    if (this.output.backlog > this.#context.limits.slowReaderBytes + ANSWERS_BYTES) this.pause(Pause.Output);
  }

  #frameError(error: ProtocolError | null): void {
    const known = error ?? new ProtocolError(ReasonCode.MalformedPacket, 'The packet cannot be read.', 'MQTT 2.1');
    if (this.#state === State.Connected) this.fail(known);
    else this.#abandon(known.message);
  }

  #handle(reader: FrameReader): void {
    if (this.#state !== State.Connected) {
      this.#connect(reader);
      return;
    }
    if (this.#ratesVersion !== this.#context.ratesVersion) this.#takeRates();
    if (this.#rates !== null) {
      this.#rates.take(reader.firstByte >> 4 === PacketType.Publish ? 1 : 0, reader.end - reader.start);
    }
    if (this.#traced) this.#show('in', reader.buffer.subarray(reader.start, reader.end));
    handlePacket(this.#context, this, reader);
  }

  #connect(reader: FrameReader): void {
    const { limits, readText, decodeLimits, count } = this.#context;
    const packet = decodeConnect(reader.buffer, reader.start, reader.bodyStart, reader.end, decodeLimits, readText);
    if ('bytes' in packet) {
      count.call(this.#context, 'connect.levelRefused');
      this.refuse(
        packet.bytes,
        `Protocol level ${packet.level} is not spoken.`,
        ReasonCode.UnsupportedProtocolVersion,
        0,
      );
      return;
    }
    if (packet instanceof ProtocolError) {
      count.call(this.#context, 'connect.malformed');
      const { reasonCode, message, answerable } = packet;
      const connack = { type: PacketType.Connack, sessionPresent: false, reasonCode, properties: null };
      this.refuse(answerable ? encodePacket(5, connack) : null, message, reasonCode, 0);
      return;
    }
    this.level = packet.level;
    reader.strictLength = packet.level === 5;
    this.#state = State.Authenticating;
    this.#lookingUp = true;
    this.#context.gate.lookUpBegins(this);
    this.#context.wheel.schedule(this, this.#context.clock.monotonic() + limits.acknowledgementTimeoutMs);
    this.#pauses |= Pause.Authenticating;
    this.#admission.connect(this, packet);
    // Most look-ups are answered from memory, and the stream is never stopped.
    if (this.#pauses !== 0) this.#stopReading();
  }
}

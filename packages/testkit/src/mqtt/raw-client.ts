import {
  type ConnackPacket,
  type ConnectPacket,
  decodePacket,
  encodePacket,
  FRAME_READY,
  FrameReader,
  type Packet,
  PacketType,
  type Properties,
  ProtocolError,
  type ProtocolLevel,
  type PublishPacket,
  type QoS,
  type SubackPacket,
  type SubscriptionOptions,
} from '@moorage/mqtt-codec';
import type { MemoryStream } from './memory-stream.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Text from bytes, for the codec and the broker in tests. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

const LIMITS = { maximumPacketSize: 268_435_460, maximumUserProperties: 1_000, maximumTopicFilters: 10_000 };
const PLAIN: SubscriptionOptions = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };

/** What to say in CONNECT; the rest has quiet defaults. */
export type ConnectFields = Partial<Omit<ConnectPacket, 'type' | 'level'>>;

/** What to say in PUBLISH; a text payload is encoded. */
export interface PublishInput {
  readonly payload?: string | Uint8Array;
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetIdentifier?: number;
  readonly properties?: Properties | null;
}

/** An MQTT client of raw packets: it sends exactly what a test says and acknowledges nothing by itself. */
export class RawClient {
  readonly stream: MemoryStream;
  readonly level: ProtocolLevel;
  readonly #reader = new FrameReader(LIMITS.maximumPacketSize);
  readonly #endTurn: () => void;
  #seen = 0;

  /** `endTurn` lets the server finish its turn of the event loop. */
  constructor(stream: MemoryStream, level: ProtocolLevel, endTurn: () => void) {
    this.stream = stream;
    this.level = level;
    this.#endTurn = endTurn;
  }

  /** Sends bytes as they are, and lets the server finish its turn. */
  bytes(...bytes: (number | Uint8Array)[]): void {
    for (const part of bytes.some((one) => typeof one === 'number') ? [join(bytes)] : bytes)
      this.stream.send(part as Uint8Array);
    this.#endTurn();
  }

  /** Sends packets in one chunk. */
  send(...packets: Packet[]): void {
    this.stream.send(join(packets.map((packet) => this.encode(packet))));
    this.#endTurn();
  }

  encode(packet: Packet): Uint8Array {
    const bytes = encodePacket(this.level, packet);
    if (bytes === null) throw new TypeError('The packet cannot be encoded.');
    return bytes;
  }

  /** Packets that the server has sent since the last call. */
  receive(): Packet[] {
    const packets: Packet[] = [];
    const { writes } = this.stream;
    for (; this.#seen < writes.length; this.#seen++) {
      this.#reader.push(writes[this.#seen] ?? new Uint8Array(0));
      while (this.#reader.next() === FRAME_READY) packets.push(this.#decode());
    }
    return packets;
  }

  /** The PUBLISHes among what the server has sent since the last call, the rest being dropped. */
  messages(): PublishPacket[] {
    return this.receive().filter((packet) => packet.type === PacketType.Publish);
  }

  /** Topics and payloads of `messages`, as `topic=payload`. */
  texts(): string[] {
    return this.messages().map(({ topicName, payload }) => `${topicName}=${decoder.decode(payload)}`);
  }

  connectPacket(fields: ConnectFields = {}): ConnectPacket {
    return {
      type: PacketType.Connect,
      level: this.level,
      clientId: 'client',
      cleanStart: true,
      keepAlive: 0,
      will: null,
      username: null,
      password: null,
      properties: null,
      ...fields,
    };
  }

  /** Connects and gives the CONNACK. */
  connect(fields: ConnectFields = {}): ConnackPacket {
    this.send(this.connectPacket(fields));
    const [connack, ...rest] = this.receive();
    if (connack?.type !== PacketType.Connack) throw new TypeError('No CONNACK came.');
    if (rest.length > 0) this.#unread.push(...rest);
    return connack;
  }

  /** Packets that came together with the CONNACK. */
  readonly #unread: Packet[] = [];

  behindConnack(): Packet[] {
    return this.#unread.splice(0);
  }

  publishPacket(topicName: string, input: PublishInput = {}): PublishPacket {
    const { payload = '', qos = 0, retain = false, dup = false, properties = null } = input;
    const { packetIdentifier = qos === 0 ? 0 : 1 } = input;
    const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
    return { type: PacketType.Publish, topicName, payload: bytes, qos, retain, dup, packetIdentifier, properties };
  }

  publish(topicName: string, input: PublishInput = {}): void {
    this.send(this.publishPacket(topicName, input));
  }

  acknowledge(type: 4 | 5 | 6 | 7, packetIdentifier: number, reasonCode: number = 0): void {
    this.send({ type, packetIdentifier, reasonCode, properties: null } as Packet);
  }

  /** Subscribes to filters with the same options and gives the SUBACK; what came behind it stays to be received. */
  subscribe(
    topicFilters: string | readonly string[],
    options: Partial<SubscriptionOptions> = {},
    subscriptionIdentifier = 0,
  ): SubackPacket {
    const filters = typeof topicFilters === 'string' ? [topicFilters] : topicFilters;
    const properties = subscriptionIdentifier === 0 ? null : { subscriptionIdentifiers: [subscriptionIdentifier] };
    this.receive();
    const before = this.#seen;
    this.send({
      type: PacketType.Subscribe,
      packetIdentifier: 10,
      subscriptions: filters.map((topicFilter) => ({ topicFilter, options: { ...PLAIN, ...options } })),
      properties,
    });
    const suback = this.receive().find((packet) => packet.type === PacketType.Suback);
    if (suback === undefined) throw new TypeError('No SUBACK came.');
    this.#seen = before;
    return suback;
  }

  unsubscribe(...topicFilters: string[]): readonly number[] {
    this.send({ type: PacketType.Unsubscribe, packetIdentifier: 11, topicFilters, properties: null });
    const unsuback = this.receive().find((packet) => packet.type === PacketType.Unsuback);
    if (unsuback?.type !== PacketType.Unsuback) throw new TypeError('No UNSUBACK came.');
    return unsuback.reasonCodes;
  }

  ping(): void {
    this.send({ type: PacketType.Pingreq });
  }

  disconnect(reasonCode: number = 0, properties: Properties | null = null): void {
    this.send({ type: PacketType.Disconnect, reasonCode, properties } as Packet);
  }

  /** The network connection is lost. */
  lose(): void {
    this.stream.lose();
    this.#endTurn();
  }

  #decode(): Packet {
    const { firstByte, buffer, bodyStart, end } = this.#reader;
    const packet = decodePacket(this.level, firstByte, buffer, bodyStart, end, LIMITS, readText);
    if (packet instanceof ProtocolError) throw new TypeError(`The server sent a wrong packet: ${packet.message}`);
    return packet;
  }
}

function join(parts: readonly (number | Uint8Array)[]): Uint8Array {
  const bytes: number[] = [];
  for (const part of parts) {
    if (typeof part === 'number') bytes.push(part);
    else for (const byte of part) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

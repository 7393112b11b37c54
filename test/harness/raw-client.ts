import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  type ConnectPacket,
  DEFAULT_LIMITS,
  decodePacket,
  encodePacket,
  FRAME_READY,
  FrameReader,
  type Packet,
  PacketType,
  ProtocolError,
  type ProtocolLevel,
  type QoS,
} from '@moorage/mqtt-codec';

/** The packet of a type; PUBACK, PUBREC, PUBREL and PUBCOMP share one. */
type PacketOf<T, P = Packet> = P extends { readonly type: infer U } ? (T extends U ? P : never) : never;

/** A client that sends exactly the bytes it is told to and keeps every packet it receives. */
export class RawClient {
  readonly level: ProtocolLevel;
  readonly packets: Packet[] = [];
  closed = false;
  readonly #socket: Socket;
  readonly #reader = new FrameReader(16_777_216);
  #waiters: (() => void)[] = [];

  private constructor(socket: Socket, level: ProtocolLevel) {
    this.#socket = socket;
    this.level = level;
    socket.on('data', (chunk) => {
      this.#read(chunk);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async open(port: number, level: ProtocolLevel = 4): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket, level);
  }

  /** On a socket that is connected already, such as one of TLS. */
  static over(socket: Socket, level: ProtocolLevel = 4): RawClient {
    return new RawClient(socket, level);
  }

  write(...parts: readonly (Packet | Uint8Array)[]): void {
    const bytes = parts.map((part) => (part instanceof Uint8Array ? part : this.encode(part)));
    this.#socket.write(Buffer.concat(bytes));
  }

  encode(packet: Packet): Uint8Array {
    const bytes = encodePacket(this.level, packet);
    if (bytes === null) throw new Error('packet cannot be encoded');
    return bytes;
  }

  connectPacket(fields: Partial<ConnectPacket> = {}): ConnectPacket {
    return {
      type: PacketType.Connect,
      level: this.level,
      clientId: 'raw',
      cleanStart: true,
      keepAlive: 60,
      will: null,
      username: null,
      password: null,
      properties: this.level === 5 ? {} : null,
      ...fields,
    };
  }

  publishPacket(topicName: string, payload: string | Uint8Array, qos: QoS, packetIdentifier = 0): Packet {
    return {
      type: PacketType.Publish,
      topicName,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      qos,
      dup: false,
      retain: false,
      packetIdentifier,
      properties: this.level === 5 ? {} : null,
    };
  }

  /** The first packet from `from` on that fits, or undefined once the connection is closed without one. */
  async next<T extends Packet['type']>(
    type: T,
    fits: (packet: PacketOf<T>) => boolean = () => true,
  ): Promise<PacketOf<T> | undefined> {
    for (;;) {
      const index = this.packets.findIndex((packet) => packet.type === type && fits(packet as PacketOf<T>));
      if (index >= 0) return this.packets.splice(index, 1)[0] as PacketOf<T>;
      if (this.closed) return undefined;
      await this.#changed();
    }
  }

  async connect(fields: Partial<ConnectPacket> = {}): Promise<number | undefined> {
    this.write(this.connectPacket(fields));
    return (await this.next(PacketType.Connack))?.reasonCode;
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await this.#changed();
  }

  close(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  #read(chunk: Uint8Array): void {
    this.#reader.push(Buffer.from(chunk));
    while (this.#reader.next() === FRAME_READY) {
      const { firstByte, buffer, bodyStart, end } = this.#reader;
      const packet = decodePacket(
        this.level,
        firstByte,
        buffer.slice(0, end),
        bodyStart,
        end,
        { ...DEFAULT_LIMITS, maximumPacketSize: 16_777_216 },
        (bytes, start, stop) => Buffer.from(bytes.subarray(start, stop)).toString('utf8'),
      );
      if (packet instanceof ProtocolError) throw new Error(`the server sent a bad packet: ${packet.message}`);
      this.packets.push(packet);
    }
  }
}

import { connect, type Socket } from 'node:net';
import { encodePacket, FRAME_READY, FrameReader, type Packet, PacketType } from '@moorage/mqtt-codec';
import { expand, type LoadOptions } from './load-options.ts';

/** Publisher and sequence, four bytes each, then the time of sending in milliseconds, eight bytes. */
const STAMP_BYTES = 16;
const LARGEST_PACKET = 268_435_460;
const FIRST_CAPACITY = 256;

/** What a client tells the run it belongs to. */
export interface LoadRun {
  readonly options: LoadOptions;
  connected(client: LoadClient): void;
  refused(client: LoadClient, reasonCode: number): void;
  /** It may publish, or may again. */
  ready(client: LoadClient): void;
  delivered(client: LoadClient, payload: DataView | null, nowMs: number): void;
  acknowledged(client: LoadClient, sentAtMs: number, reasonCode: number): void;
  ponged(client: LoadClient): void;
  failed(client: LoadClient, why: string): void;
  /** It has something to flush at the end of the turn. */
  dirty(client: LoadClient): void;
}

/** One MQTT client of the generator: everything it says in one turn of the event loop leaves in one write. */
export class LoadClient {
  readonly index: number;
  readonly publishes: boolean;
  window: number;
  isReady = false;
  startedAtMs = 0;
  sent = 0;
  acked = 0;
  delivered = 0;
  /** Messages that were given up, so that a lost one does not hold its place for ever. */
  forgiven = 0;
  progressSeen = 0;
  /** The socket has not taken everything. */
  blocked = false;
  bytesRead = 0;
  readonly #run: LoadRun;
  readonly #reader = new FrameReader(LARGEST_PACKET);
  #socket: Socket | null = null;
  #out = Buffer.allocUnsafe(FIRST_CAPACITY);
  #outBytes = 0;
  #template: Buffer | null = null;
  #identifierAt = 0;
  #nextIdentifier = 0;
  /** Time of sending by Packet Identifier. */
  readonly #sentAtMs = new Map<number, number>();

  constructor(run: LoadRun, index: number, publishes: boolean) {
    this.#run = run;
    this.index = index;
    this.publishes = publishes;
    this.window = run.options.window;
  }

  get open(): boolean {
    return this.#socket !== null;
  }

  get backlogBytes(): number {
    return this.#outBytes + (this.#socket?.writableLength ?? 0);
  }

  start(): void {
    const { host, port } = this.#run.options;
    this.startedAtMs = performance.now();
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    socket.on('connect', () => this.#sendConnect());
    socket.on('data', (chunk) => {
      if (this.#socket === socket) this.#read(chunk);
    });
    socket.on('error', (error) => {
      if (this.#socket === socket) this.#fail(error.message);
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#fail('closed by the broker');
    });
  }

  /** Says DISCONNECT and closes. */
  stop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.isReady = false;
    socket?.end(Buffer.from([0xe0, 0]));
  }

  /** Closes without a word. */
  destroy(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.isReady = false;
    socket?.destroy();
  }

  ping(): void {
    this.#write(Buffer.from([0xc0, 0]));
  }

  publish(atMs: number): void {
    const { qos, payload } = this.#run.options;
    const packet = payload === null ? this.#stamped(atMs) : this.#worded(payload);
    if (qos > 0) {
      this.#nextIdentifier = (this.#nextIdentifier % 65_535) + 1;
      packet.writeUInt16BE(this.#nextIdentifier, this.#identifierAt);
      this.#sentAtMs.set(this.#nextIdentifier, atMs);
    }
    this.sent++;
    this.#write(packet);
  }

  /** Hands the turn's bytes to the socket. */
  flush(): void {
    const bytes = this.#out.subarray(0, this.#outBytes);
    if (this.#socket === null || bytes.length === 0) return;
    this.#out = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY, bytes.length));
    this.#outBytes = 0;
    if (this.#socket.write(bytes)) return;
    this.blocked = true;
    this.#socket.once('drain', () => {
      this.blocked = false;
      this.flush();
      this.#run.ready(this);
    });
  }

  #stamped(atMs: number): Buffer {
    this.#template ??= this.#makeTemplate(Buffer.alloc(this.#run.options.size, 'abcdefghijklmnopqrstuvwxyz'));
    const packet = this.#template;
    const stamp = packet.length - this.#run.options.size;
    packet.writeUInt32LE(this.index, stamp);
    packet.writeUInt32LE(this.sent + 1, stamp + 4);
    packet.writeDoubleLE(atMs, stamp + 8);
    return packet;
  }

  #worded(template: string): Buffer {
    return this.#makeTemplate(Buffer.from(expand(template, this.index, this.sent)));
  }

  /** The whole PUBLISH; identifier and stamp are written into it. */
  #makeTemplate(payload: Buffer): Buffer {
    const { pubTopic, qos, retain, level } = this.#run.options;
    const topicName = expand(pubTopic, this.index);
    const packet = this.#encode({
      ...{
        type: PacketType.Publish,
        topicName,
        payload,
        qos,
        retain,
        dup: false,
        packetIdentifier: 1,
        properties: null,
      },
    });
    this.#identifierAt = packet.length - payload.length - 2 - (level === 5 ? 1 : 0);
    return packet;
  }

  #encode(packet: Packet): Buffer {
    const bytes = encodePacket(this.#run.options.level, packet);
    if (bytes === null) throw new TypeError('the packet cannot be encoded');
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #sendConnect(): void {
    const { level, pubId, subId, user, password, subUser, subPassword, keepAlive, keepSession } = this.#run.options;
    const name = this.publishes ? user : subUser;
    const secret = this.publishes ? password : subPassword;
    this.#write(
      this.#encode({
        type: PacketType.Connect,
        level,
        clientId: expand(this.publishes ? pubId : subId, this.index),
        cleanStart: !keepSession,
        keepAlive,
        will: null,
        username: name === null ? null : expand(name, this.index),
        password: secret === null ? null : Buffer.from(expand(secret, this.index)),
        properties: null,
      }),
    );
  }

  #write(bytes: Uint8Array): void {
    const needed = this.#outBytes + bytes.length;
    if (needed > this.#out.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#out.length * 2));
      this.#out.copy(grown, 0, 0, this.#outBytes);
      this.#out = grown;
    }
    this.#out.set(bytes, this.#outBytes);
    const first = this.#outBytes === 0;
    this.#outBytes = needed;
    if (first) this.#run.dirty(this);
  }

  #read(chunk: Buffer): void {
    const reader = this.#reader;
    this.bytesRead += chunk.length;
    reader.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const nowMs = performance.now();
    while (this.#socket !== null && reader.next() === FRAME_READY) {
      const { buffer, bodyStart, end, firstByte } = reader;
      this.#packet(firstByte, new DataView(buffer.buffer, buffer.byteOffset + bodyStart, end - bodyStart), nowMs);
    }
  }

  #packet(firstByte: number, body: DataView, nowMs: number): void {
    switch (firstByte >> 4) {
      case PacketType.Connack:
        this.#connack(body);
        return;
      case PacketType.Publish:
        this.#publish((firstByte >> 1) & 3, body, nowMs);
        return;
      case PacketType.Suback:
        if (body.getUint8(body.byteLength - 1) >= 0x80) this.#fail('the subscription was refused');
        else this.#ready();
        return;
      case PacketType.Puback:
      case PacketType.Pubcomp:
        this.#acknowledged(body);
        return;
      case PacketType.Pubrec:
        if (body.byteLength > 2 && body.getUint8(2) >= 0x80) this.#acknowledged(body);
        else this.#answer(0x62, body.getUint16(0));
        return;
      case PacketType.Pubrel:
        this.#answer(0x70, body.getUint16(0));
        return;
      case PacketType.Pingresp:
        this.#run.ponged(this);
        return;
      default:
        this.#fail(`a packet of type ${firstByte >> 4} came`);
    }
  }

  #connack(body: DataView): void {
    const reasonCode = body.getUint8(1);
    if (reasonCode !== 0) {
      this.destroy();
      this.#run.refused(this, reasonCode);
      return;
    }
    this.#run.connected(this);
    if (this.#socket === null) return;
    if (this.publishes) {
      this.#ready();
      return;
    }
    const { subFilter, subQos } = this.#run.options;
    const options = { qos: subQos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const subscriptions = [{ topicFilter: expand(subFilter, this.index), options }];
    this.#write(this.#encode({ type: PacketType.Subscribe, packetIdentifier: 1, subscriptions, properties: null }));
  }

  #ready(): void {
    this.isReady = true;
    this.#run.ready(this);
  }

  #publish(qos: number, body: DataView, nowMs: number): void {
    let at = 2 + body.getUint16(0);
    if (qos > 0) {
      this.#answer(qos === 1 ? 0x40 : 0x50, body.getUint16(at));
      at += 2;
    }
    if (this.#run.options.level === 5) at += 1 + body.getUint8(at);
    const sizeBytes = body.byteLength - at;
    const stamp = sizeBytes < STAMP_BYTES ? null : new DataView(body.buffer, body.byteOffset + at, STAMP_BYTES);
    this.#run.delivered(this, stamp, nowMs);
  }

  #acknowledged(body: DataView): void {
    const identifier = body.getUint16(0);
    const sentAtMs = this.#sentAtMs.get(identifier);
    if (sentAtMs === undefined) {
      this.#fail(`Packet Identifier ${identifier} was acknowledged and not sent`);
      return;
    }
    this.#sentAtMs.delete(identifier);
    this.acked++;
    this.#run.acknowledged(this, sentAtMs, body.byteLength > 2 ? body.getUint8(2) : 0);
  }

  #answer(firstByte: number, packetIdentifier: number): void {
    this.#write(Uint8Array.of(firstByte, 2, packetIdentifier >> 8, packetIdentifier & 0xff));
  }

  #fail(why: string): void {
    this.destroy();
    this.#run.failed(this, why);
  }
}

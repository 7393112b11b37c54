import { type ConnectPacket, PacketType, type ProtocolLevel, type QoS } from '@moorage/mqtt-codec';
import type { MoorageProcess } from './moorage-process.ts';
import { RawClient } from './raw-client.ts';

/** A PUBLISH from the server. */
export interface ServerMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly text: string;
  /** Parsed payload, or undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: payloads of every shape are looked into
  readonly body: any;
}

/** A device of ThingsBoard, packet by packet; it acknowledges what it is sent unless told otherwise. */
export class ThingsboardDevice {
  readonly client: RawClient;
  acknowledges = true;
  #identifier = 0;

  constructor(client: RawClient) {
    this.client = client;
  }

  /** Connects with an access token; throws if it is refused. */
  static async connect(
    server: MoorageProcess,
    username: string,
    level: ProtocolLevel = 4,
    fields: Partial<ConnectPacket> = {},
  ): Promise<ThingsboardDevice> {
    const client = await RawClient.open(server.mqttPort, level);
    const code = await client.connect({ username, clientId: 'device', ...fields });
    if (code !== 0) throw new Error(`refused with ${code}`);
    return new ThingsboardDevice(client);
  }

  /** The codes of SUBACK. */
  async subscribe(qos: QoS, ...topicFilters: readonly string[]): Promise<readonly number[]> {
    const packetIdentifier = this.#next();
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    this.client.write({
      type: PacketType.Subscribe,
      packetIdentifier,
      subscriptions: topicFilters.map((topicFilter) => ({ topicFilter, options })),
      properties: this.#properties,
    });
    const suback = await this.client.next(PacketType.Suback, (packet) => packet.packetIdentifier === packetIdentifier);
    return suback?.reasonCodes ?? [];
  }

  async unsubscribe(topicFilter: string): Promise<void> {
    this.client.write({
      type: PacketType.Unsubscribe,
      packetIdentifier: this.#next(),
      topicFilters: [topicFilter],
      properties: this.#properties,
    });
    await this.client.next(PacketType.Unsuback);
  }

  /** The Reason Code of PUBACK; undefined: closed without one. */
  async publish(topicName: string, payload: unknown): Promise<number | undefined> {
    const packetIdentifier = this.#next();
    this.client.write(this.client.publishPacket(topicName, bytesOf(payload), 1, packetIdentifier));
    const puback = await this.client.next(PacketType.Puback, (packet) => packet.packetIdentifier === packetIdentifier);
    return puback?.reasonCode;
  }

  /** At QoS 0. */
  send(topicName: string, payload: unknown): void {
    this.client.write(this.client.publishPacket(topicName, bytesOf(payload), 0));
  }

  /** The next PUBLISH of the server, on this topic if one is given; throws once the connection is closed. */
  async message(topicName?: string): Promise<ServerMessage> {
    const publish = await this.client.next(
      PacketType.Publish,
      (packet) => topicName === undefined || packet.topicName === topicName,
    );
    if (publish === undefined) throw new Error(`closed while waiting for ${topicName ?? 'a message'}`);
    if (publish.qos === 1 && this.acknowledges) this.acknowledge(publish.packetIdentifier);
    const text = Buffer.from(publish.payload).toString();
    const { payload, qos } = publish;
    return { topicName: publish.topicName, payload, qos, text, body: parse(text) };
  }

  acknowledge(packetIdentifier: number): void {
    this.client.write({ type: PacketType.Puback, packetIdentifier, reasonCode: 0, properties: this.#properties });
  }

  /** Everything that was sent before has been answered when it resolves; the messages that came and nobody took. */
  async quiet(): Promise<readonly string[]> {
    this.client.write({ type: PacketType.Pingreq });
    await this.client.next(PacketType.Pingresp);
    return this.client.packets.flatMap((packet) => (packet.type === PacketType.Publish ? [packet.topicName] : []));
  }

  /** The Reason Code of the server's DISCONNECT, or undefined where it closed without one. */
  async closed(): Promise<number | undefined> {
    await this.client.untilClosed();
    return (await this.client.next(PacketType.Disconnect))?.reasonCode;
  }

  close(): void {
    this.client.close();
  }

  get #properties(): Record<string, never> | null {
    return this.client.level === 5 ? {} : null;
  }

  #next(): number {
    this.#identifier = (this.#identifier % 65_535) + 1;
    return this.#identifier;
  }
}

function bytesOf(payload: unknown): string | Uint8Array {
  return typeof payload === 'string' || payload instanceof Uint8Array ? payload : JSON.stringify(payload);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

/** One message as it came. */
export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
  readonly retain: boolean;
}

/** MQTT.js as a Waveshare device: a client ID and nothing else; everything it is sent is kept. */
export class WaveshareClient {
  readonly client: MqttClient;
  sessionPresent = false;
  #received: Received[] = [];
  #waiters: (() => void)[] = [];
  #marks = 0;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('connect', ({ sessionPresent }) => {
      this.sessionPresent = sessionPresent;
    });
    client.on('message', (topic, payload, { qos, retain }) => {
      this.#received.push({ topic, text: payload.toString(), qos, retain });
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const wake of waiters) wake();
    });
  }

  static async connect(url: string, clientId: string, options: IClientOptions = {}): Promise<WaveshareClient> {
    const client = mqtt.connect(url, { clientId, reconnectPeriod: 0, keepalive: 60, ...options });
    const device = new WaveshareClient(client);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
    });
    return device;
  }

  /** The granted QoS. */
  async subscribe(topicFilter: string, qos: 0 | 1 | 2 = 0): Promise<number | undefined> {
    return (await this.client.subscribeAsync(topicFilter, { qos }))[0]?.qos;
  }

  async publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 1, retain = false): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos, retain });
  }

  async next(): Promise<Received> {
    for (;;) {
      const first = this.#received.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Topic and text of the next message. */
  async line(): Promise<string> {
    const { topic, text } = await this.next();
    return `${topic} ${text}`;
  }

  /** What came and nobody took, once everything that was sent before has been delivered. */
  async unread(): Promise<readonly Received[]> {
    this.#marks++;
    const mark = `mark/${this.client.options.clientId}/${this.#marks}`;
    await this.subscribe(mark);
    await this.publish(mark, '');
    const before: Received[] = [];
    for (let message = await this.next(); message.topic !== mark; message = await this.next()) before.push(message);
    await this.client.unsubscribeAsync(mark);
    return before.filter(({ topic }) => !topic.startsWith('mark/'));
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }
}

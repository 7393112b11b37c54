import { createHmac } from 'node:crypto';
import { PacketType, type ProtocolLevel, type QoS } from '@moorage/mqtt-codec';
import type { ApiAnswer, ApiClient } from './api-client.ts';
import type { MoorageProcess } from './moorage-process.ts';
import { RawClient } from './raw-client.ts';
import { run } from './real-clients.ts';
import { createApplication } from './vendor-devices.ts';

/** A push as it came. */
export interface Pushed {
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly packetIdentifier: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
  readonly body: any;
}

/** A request to the open API; what is left out is right. */
export interface OpenApiRequest {
  readonly body?: object;
  /** Signed in place of the body. */
  readonly signedBody?: string;
  /** Scheme and host that are signed. */
  readonly base?: string;
  readonly nonce?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An application of the SENSORO dialect and whatever it does. */
export class SensoroApplication {
  readonly id: string;
  readonly appId: string;
  readonly appKey: string;
  readonly appSecret: string;
  readonly #name: string;
  readonly #server: MoorageProcess;
  readonly #api: ApiClient;
  readonly #clients: RawClient[] = [];

  private constructor(
    server: MoorageProcess,
    api: ApiClient,
    name: string,
    { id, credentials }: Awaited<ReturnType<typeof createApplication>>,
  ) {
    const { appId = '', appKey = '', appSecret = '' } = credentials;
    this.#server = server;
    this.#api = api;
    this.#name = name;
    this.id = id;
    this.appId = appId;
    this.appKey = appKey;
    this.appSecret = appSecret;
  }

  static async create(
    server: MoorageProcess,
    api: ApiClient,
    name: string,
    configuration: object = {},
    credentials: object = {},
  ): Promise<SensoroApplication> {
    const created = await createApplication(api, 'sensoro', name, credentials, configuration);
    return new SensoroApplication(server, api, name, created);
  }

  get topic(): string {
    return `users/${this.appId}/devices`;
  }

  async configure(configuration: object): Promise<void> {
    const answer = await this.#api.call('POST', '/api/application', {
      id: { entityType: 'APPLICATION', id: this.id },
      name: this.#name,
      dialect: 'sensoro',
      credentials: {},
      configuration,
    });
    if (answer.status !== 200) throw new Error(`application ${this.#name}: ${answer.status} ${answer.text}`);
  }

  /** What a CONNECT shows. */
  connectFields(suffix = '', secret = this.appSecret) {
    return { clientId: this.appId + suffix, username: this.appId, password: Buffer.from(secret) };
  }

  async open(
    level: ProtocolLevel = 4,
    suffix = '',
    fields: Parameters<RawClient['connect']>[0] = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(this.#server.mqttPort, level);
    this.#clients.push(client);
    const code = await client.connect({ ...this.connectFields(suffix), ...fields });
    if (code !== 0) throw new Error(`${this.appId + suffix} is refused with ${code}`);
    return client;
  }

  /** A client that has subscribed to the usual topic. */
  async subscriber(suffix = '', qos: QoS = 1, level: ProtocolLevel = 4): Promise<RawClient> {
    const client = await this.open(level, suffix);
    await subscribe(client, this.topic, qos);
    return client;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  /** Calls the open API as the vendor's clients do. */
  async call(method: 'GET' | 'POST', target: string, request: OpenApiRequest = {}): Promise<ApiAnswer> {
    const { body, nonce = String(Date.now()), base = this.#server.baseUrl, headers = {} } = request;
    const text = body === undefined ? '' : JSON.stringify(body);
    const signed = request.signedBody ?? (text === '' ? '{}' : text);
    const signature = createHmac('sha256', this.appSecret)
      .update(nonce + method + base + target + signed)
      .digest('base64');
    const args = ['-s', '-X', method, '-w', '\n%{http_code}', '--path-as-is'];
    const all = {
      'X-ACCESS-ID': this.appId,
      'X-ACCESS-NONCE': nonce,
      'X-ACCESS-SIGNATURE': signature,
      'Content-Type': 'application/json',
      ...headers,
    };
    for (const [name, value] of Object.entries(all)) args.push('-H', `${name}: ${value}`);
    if (text !== '') args.push('--data-binary', '@-');
    const { stdout } = await run('curl', [...args, this.#server.baseUrl + target], { input: text });
    const at = stdout.lastIndexOf('\n');
    const answer = stdout.slice(0, at);
    return { status: Number(stdout.slice(at + 1)), text: answer, body: answer === '' ? undefined : JSON.parse(answer) };
  }
}

/** The code of SUBACK. */
export async function subscribe(client: RawClient, topicFilter: string, qos: QoS = 1): Promise<number | undefined> {
  const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  client.write({
    type: PacketType.Subscribe,
    packetIdentifier: 7,
    subscriptions: [{ topicFilter, options }],
    properties: client.level === 5 ? {} : null,
  });
  return (await client.next(PacketType.Suback))?.reasonCodes[0];
}

/** The next push, acknowledged unless the test does it. */
export async function nextPush(client: RawClient, acknowledge = true): Promise<Pushed> {
  const packet = await client.next(PacketType.Publish);
  if (packet === undefined) throw new Error('closed before a push came');
  const { topicName, qos, retain, dup, packetIdentifier, payload } = packet;
  if (acknowledge && qos === 1) {
    const properties = client.level === 5 ? {} : null;
    client.write({ type: PacketType.Puback, packetIdentifier, reasonCode: 0, properties });
  }
  const text = Buffer.from(payload).toString();
  return { topic: topicName, qos, retain, dup, packetIdentifier, text, body: JSON.parse(text) };
}

/** How many pushes have come and were not asked for, once the server has answered everything before. */
export async function unread(client: RawClient): Promise<number> {
  client.write({ type: PacketType.Pingreq });
  await client.next(PacketType.Pingresp);
  return client.packets.filter(({ type }) => type === PacketType.Publish).length;
}

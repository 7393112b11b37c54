import type { ApiClient } from './api-client.ts';
import type { MoorageProcess } from './moorage-process.ts';
import { MosquittoSub } from './mosquitto-sub.ts';
import { run } from './real-clients.ts';
import { createApplication } from './vendor-devices.ts';

export interface RestAnswer {
  readonly status: number;
  readonly text: string;
  /** Parsed body, or undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
  readonly body: any;
}

export type Headers = Readonly<Record<string, string>>;

let count = 0;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An account of ThingScale, used with curl and the Mosquitto clients as its documents do. */
export class ThingscaleAccount {
  readonly server: MoorageProcess;
  readonly id: string;
  readonly userId: string;
  readonly deviceToken: string;
  readonly apiToken: string;

  private constructor(server: MoorageProcess, id: string, credentials: Readonly<Record<string, string>>) {
    const { userId = '', deviceToken = '', apiToken = '' } = credentials;
    this.server = server;
    this.id = id;
    this.userId = userId;
    this.deviceToken = deviceToken;
    this.apiToken = apiToken;
  }

  /** A new one: limits of requests are those of the account. */
  static async create(server: MoorageProcess, api: ApiClient, configuration: object = {}): Promise<ThingscaleAccount> {
    count++;
    const settings = { timezone: 'Asia/Tokyo', ...configuration };
    const { id, credentials } = await createApplication(api, 'thingscale', `account ${count}`, {}, settings);
    return new ThingscaleAccount(server, id, credentials);
  }

  /** curl, with the content type of a form where there is a body. */
  async curl(method: string, path: string, headers: Headers, body?: string): Promise<RestAnswer> {
    const args = ['-sS', '-X', method, '-w', '\n%{http_code}', `${this.server.baseUrl}${path}`];
    for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
    if (body !== undefined) args.push('--data-binary', '@-');
    const { stdout, stderr } = await run('curl', args, body === undefined ? {} : { input: body });
    const end = stdout.lastIndexOf('\n');
    const status = Number(stdout.slice(end + 1));
    if (!(status >= 100)) throw new Error(`curl ${method} ${path}: ${stderr}`);
    const text = stdout.slice(0, end);
    return { status, text, body: parsed(text) };
  }

  /** A call of the REST API, `path` below `/v2/`. */
  rest(method: string, path: string, body?: object | string, headers: Headers = {}): Promise<RestAnswer> {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    return this.curl(method, `/v2/${path}`, { 'X-APITOKEN': this.apiToken, ...headers }, text);
  }

  /** A message to the HTTP connector. */
  post(version: 1 | 2, deviceId: string, body: string, headers: Headers = {}): Promise<RestAnswer> {
    const all = { 'X-DEVICETOKEN': this.deviceToken, 'X-DEVICEID': deviceId, ...headers };
    return this.curl('POST', `/post_v${version}/`, all, body);
  }

  #mosquitto(topic: string): string[] {
    const { mqttPort } = this.server;
    return ['-h', '127.0.0.1', '-p', String(mqttPort), '-u', this.userId, '-P', this.deviceToken, '-t', topic];
  }

  /** `topic` below the device token. Resolves when the server has acknowledged. */
  async publish(topic: string, payload: string, ...more: readonly string[]): Promise<void> {
    const args = [...this.#mosquitto(`${this.deviceToken}/${topic}`), '-m', payload, '-q', '1', ...more];
    const { code, stderr } = await run('mosquitto_pub', args);
    if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}: ${stderr}`);
  }

  /** Subscribed when it resolves. */
  async subscribe(topic: string, ...more: readonly string[]): Promise<MosquittoSub> {
    const sub = new MosquittoSub([...this.#mosquitto(`${this.deviceToken}/${topic}`), ...more]);
    await sub.subscribed();
    return sub;
  }

  /** Values of the newest points of a channel, the oldest first. */
  async values(channel: number, limit = 10): Promise<unknown[]> {
    const headers = { 'X-ENDTIME': 'last', 'X-PAGELIMIT': String(limit) };
    const { body } = await this.rest('GET', `stream/${channel}`, undefined, headers);
    return body.stream.map(({ value }: { value: unknown }) => value);
  }
}

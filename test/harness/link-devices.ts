import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ConnectionOptions } from 'node:tls';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { ApiClient } from './api-client.ts';

/** A device of the Link dialect with what it needs to connect. */
export interface LinkDevice {
  readonly id: string;
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
}

/** A product, and the profile that it is. */
export interface LinkProduct {
  readonly profileId: string;
  readonly productKey: string;
  readonly productSecret: string;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
export type Body = any;

export async function createProduct(api: ApiClient, name: string, transport: object = {}): Promise<LinkProduct> {
  const answer = await api.call('POST', '/api/deviceProfile', {
    name,
    type: 'DEFAULT',
    transportType: 'DEFAULT',
    profileData: {
      configuration: { type: 'DEFAULT' },
      transportConfiguration: { type: 'ALIBABA', ...transport },
    },
  });
  if (answer.status !== 200) throw new Error(`profile ${name}: ${answer.status} ${answer.text}`);
  const { productKey, productSecret } = answer.body.profileData.transportConfiguration;
  return { profileId: answer.body.id.id, productKey, productSecret };
}

/** `secret` null: it waits for its registration; undefined: drawn by the server. */
export async function createLinkDevice(
  api: ApiClient,
  { profileId, productKey }: LinkProduct,
  deviceName: string,
  secret?: string | null,
  additionalInfo: object = {},
): Promise<LinkDevice> {
  const credentialsValue =
    secret === undefined ? { productKey, deviceName } : { productKey, deviceName, deviceSecret: secret };
  const answer = await api.call('POST', '/api/device-with-credentials', {
    device: {
      name: `${productKey} ${deviceName}`,
      deviceProfileId: { entityType: 'DEVICE_PROFILE', id: profileId },
      additionalInfo,
    },
    credentials: { credentialsType: 'ALIBABA', credentialsValue: JSON.stringify(credentialsValue) },
  });
  if (answer.status !== 200) throw new Error(`device ${deviceName}: ${answer.status} ${answer.text}`);
  const id = answer.body.id.id;
  const credentials = await api.call('GET', `/api/device/${id}/credentials`);
  const { deviceSecret } = JSON.parse(credentials.body.credentialsValue);
  return { id, productKey, deviceName, deviceSecret };
}

/** Has the device refused, or lets it in again. */
export async function setEnabled(api: ApiClient, { id }: Pick<LinkDevice, 'id'>, enabled: boolean): Promise<void> {
  const { body } = await api.call('GET', `/api/device/${id}/credentials`);
  const credentialsValue = JSON.stringify({ ...JSON.parse(body.credentialsValue), enabled });
  const answer = await api.call('POST', '/api/device/credentials', { ...body, credentialsValue });
  if (answer.status !== 200) throw new Error(`credentials: ${answer.status} ${answer.text}`);
}

/** What a device is told that registers over MQTT, as `[topic, body]`; rejects with the refusal. alibaba-link.md, 1.7 */
export function registerOverMqtt(
  url: string,
  { productKey, productSecret }: LinkProduct,
  deviceName: string,
  authType: 'register' | 'regnwl',
  options: IClientOptions & ConnectionOptions = {},
): Promise<readonly [string, Body]> {
  const content = `deviceName${deviceName}productKey${productKey}random1`;
  const client = mqtt.connect(url, {
    clientId: `${deviceName}.${productKey}|authType=${authType},random=1,signmethod=hmacsha256,securemode=2|`,
    username: `${deviceName}&${productKey}`,
    password: createHmac('sha256', productSecret).update(content).digest('hex'),
    reconnectPeriod: 0,
    ...options,
  });
  return new Promise<readonly [string, Body]>((resolve, reject) => {
    client.once('message', (topic, payload) => resolve([topic, parse(payload)]));
    client.once('error', reject);
  }).finally(() => client.endAsync(true));
}

export interface SignOptions {
  readonly method?: 'md5' | 'sha1' | 'sha256';
  readonly base?: string;
  readonly timestamp?: string;
  /** Behind the parameters that are always there. */
  readonly more?: string;
}

/** What a device sends at CONNECT. alibaba-link.md, 1.2 */
export function signed(device: LinkDevice, options: SignOptions = {}) {
  const { productKey, deviceName, deviceSecret } = device;
  const { method = 'sha256', base = `${productKey}.${deviceName}`, timestamp = '2524608000000', more = '' } = options;
  const content = `clientId${base}deviceName${deviceName}productKey${productKey}timestamp${timestamp}`;
  return {
    clientId: `${base}|securemode=3,signmethod=hmac${method},timestamp=${timestamp}${more}|`,
    username: `${deviceName}&${productKey}`,
    password: createHmac(method, deviceSecret).update(content).digest('hex').toUpperCase(),
  };
}

/** MQTT.js with a signature made by hand; everything it is sent is kept. */
export class LinkClient {
  readonly client: MqttClient;
  readonly device: LinkDevice;
  /** `/sys/{productKey}/{deviceName}/` */
  readonly system: string;
  sessionPresent = false;
  #id = 0;
  readonly #received: { readonly topic: string; readonly payload: Buffer }[] = [];
  #waiters: (() => void)[] = [];

  private constructor(client: MqttClient, device: LinkDevice) {
    this.client = client;
    this.device = device;
    this.system = `/sys/${device.productKey}/${device.deviceName}/`;
    client.on('connect', ({ sessionPresent }) => {
      this.sessionPresent = sessionPresent;
    });
    client.on('message', (topic, payload) => {
      this.#received.push({ topic, payload });
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const wake of waiters) wake();
    });
  }

  static async connect(
    url: string,
    device: LinkDevice,
    sign: SignOptions = {},
    options: IClientOptions & ConnectionOptions = {},
  ) {
    const client = mqtt.connect(url, { ...signed(device, sign), reconnectPeriod: 0, keepalive: 60, ...options });
    const link = new LinkClient(client, device);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
    });
    return link;
  }

  /** The next message on a topic; `prefix`: on any that begins so. */
  async message(topic: string, prefix = false): Promise<{ topic: string; payload: Buffer; body: Body }> {
    for (;;) {
      const at = this.#received.findIndex((message) =>
        prefix ? message.topic.startsWith(topic) : message.topic === topic,
      );
      const [found] = at === -1 ? [] : this.#received.splice(at, 1);
      if (found !== undefined) return { ...found, body: parse(found.payload) };
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Topics of what came and nobody took, once the server has answered everything before. */
  async quiet(): Promise<readonly string[]> {
    const { productKey, deviceName } = this.device;
    this.client.publish(`/ext/ntp/${productKey}/${deviceName}/request`, '{"deviceSendTime":"1"}');
    await this.message(`/ext/ntp/${productKey}/${deviceName}/response`);
    return this.#received.map(({ topic }) => topic);
  }

  /** A request on `/sys/.../<suffix>`; the body of its reply. */
  async ask(suffix: string, params: unknown, topic = this.system + suffix): Promise<Body> {
    this.#id++;
    const id = String(this.#id);
    await this.client.publishAsync(
      topic,
      JSON.stringify({ id, version: '1.0', params, method: suffix.replaceAll('/', '.') }),
      { qos: 1 },
    );
    return (await this.message(`${topic}_reply`)).body;
  }

  async send(topic: string, payload: unknown, qos: 0 | 1 = 1): Promise<void> {
    const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
    await this.client.publishAsync(topic, text, { qos });
  }

  /** The granted QoS of each. */
  async subscribe(...topicFilters: readonly string[]): Promise<readonly number[]> {
    return (await this.client.subscribeAsync([...topicFilters], { qos: 1 })).map(({ qos }) => qos);
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** As far as the vendor's library for JavaScript is used here. */
export interface VendorDevice {
  readonly connected: boolean;
  on(event: string, listener: (...values: Body[]) => void): void;
  once(event: string, listener: (...values: Body[]) => void): void;
  publish(topic: string, payload: string, options?: object, done?: (error?: unknown) => void): void;
  subscribe(topic: string, options?: object, done?: (error?: unknown) => void): void;
  postProps(properties: object, reply: (body: Body) => void): void;
  postEvent(name: string, output: object, reply: (body: Body) => void): void;
  onProps(listener: (body: Body) => void): void;
  onService(
    name: string,
    listener: (body: Body, reply: (answer: object, kind?: 'async' | 'sync') => void) => void,
  ): void;
  postTags(tags: readonly object[], reply: (body: Body) => void): void;
  deleteTags(tags: readonly string[], reply: (body: Body) => void): void;
  getConfig(reply: (body: Body) => void): void;
  onConfig(listener: (body: Body) => void): void;
  getShadow(): void;
  postShadow(reported: object): void;
  deleteShadow(keys?: string | readonly string[]): void;
  onShadow(listener: (body: Body) => void): void;
  end(force?: boolean, done?: () => void): void;
}

export interface VendorGateway extends VendorDevice {
  addTopo(devices: readonly object[], reply: (body: Body) => void): void;
  getTopo(reply: (body: Body) => void): void;
  removeTopo(devices: readonly object[], reply: (body: Body) => void): void;
  login(device: object, reply: (body: Body) => void): VendorDevice;
  logout(device: object, reply: (body: Body) => void): void;
  regiestSubDevice(devices: readonly object[], reply: (body: Body) => void): void;
}

export interface VendorLibrary {
  readonly sdkver: string;
  device(configuration: object): VendorDevice;
  gateway(configuration: object): VendorGateway;
  register(configuration: object, reply: (body: Body) => void): void;
}

/** alibabacloud-iot-device-sdk of npm, unmodified. */
export const vendorLibrary = createRequire(import.meta.url)('alibabacloud-iot-device-sdk') as VendorLibrary;

/** Waits for what the callback of a call of the library is told. */
export function told(call: (reply: (body: Body) => void) => void): Promise<Body> {
  return new Promise((resolve) => call(resolve));
}

function parse(payload: Buffer): Body {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}

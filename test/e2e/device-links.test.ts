import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { createLinkDevice, createProduct, LinkClient } from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { createApplication, createWaveshareDevice } from '../harness/vendor-devices.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);

/** A device of some vendor as far as links need it. */
interface LinkedDevice {
  readonly id: string;
  /** Under which it reports its switch. */
  readonly key: string;
  /** How it is told to switch. */
  readonly target: { readonly method: string } | { readonly attribute: string };
  report(value: boolean | number): Promise<void>;
  /** The next value that it is told. */
  told(): Promise<unknown>;
  /** Values that came and were not taken, once the server has answered everything before. */
  untaken(): Promise<readonly unknown[]>;
  end(): Promise<void>;
}

/** What a device is told, in a queue. */
class Inbox {
  readonly #values: unknown[] = [];
  #wake: () => void = () => {};

  add(value: unknown): void {
    this.#values.push(value);
    this.#wake();
  }

  async next(): Promise<unknown> {
    while (this.#values.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#values.shift();
  }

  get all(): readonly unknown[] {
    return this.#values;
  }
}

async function overMqtt(
  credentials: { readonly username?: string; readonly password?: string; readonly clientId: string },
  listen: string,
  heardIn: (body: Record<string, Record<string, unknown>>) => unknown,
): Promise<{ client: MqttClient; inbox: Inbox }> {
  const url = `mqtt://127.0.0.1:${server.mqttPort}`;
  const client = await mqtt.connectAsync(url, { ...credentials, reconnectPeriod: 0 });
  const inbox = new Inbox();
  client.on('message', (_topic, payload) => inbox.add(heardIn(JSON.parse(payload.toString()))));
  await client.subscribeAsync(listen, { qos: 1 });
  return { client, inbox };
}

const RPC = { listen: 'v1/devices/me/rpc/request/+', method: 'setSwitch' };

/** One device of each vendor, with a name of its own every time. */
const VENDORS: Readonly<Record<string, (name: string) => Promise<LinkedDevice>>> = {
  async thingsboard(name) {
    const id = await api.createDevice(name, `${name}-token`);
    const { client, inbox } = await overMqtt(
      { username: `${name}-token`, clientId: name },
      RPC.listen,
      (body) => body.params,
    );
    return {
      id,
      key: 'switch',
      target: { method: RPC.method },
      report: async (value) => {
        await client.publishAsync('v1/devices/me/telemetry', JSON.stringify({ switch: value }), { qos: 1 });
      },
      told: () => inbox.next(),
      async untaken() {
        await client.publishAsync('v1/devices/me/telemetry', '{"quiet":1}', { qos: 1 });
        return inbox.all;
      },
      end: () => client.endAsync(),
    };
  },
  async plain(name) {
    const id = await api.createPlainDevice(name, name, 'secret');
    const { client, inbox } = await overMqtt(
      { username: name, password: 'secret', clientId: name },
      'moorage/me/rpc/request/+',
      (body) => body.params,
    );
    return {
      id,
      key: 'on',
      target: { method: 'on' },
      report: async (value) => {
        await client.publishAsync('moorage/me/telemetry', JSON.stringify({ on: value }), { qos: 1 });
      },
      told: () => inbox.next(),
      async untaken() {
        await client.publishAsync('moorage/me/telemetry', '{"quiet":1}', { qos: 1 });
        return inbox.all;
      },
      end: () => client.endAsync(),
    };
  },
  async alibaba(name) {
    const product = await createProduct(api, name);
    const device = await createLinkDevice(api, product, name);
    const link = await LinkClient.connect(`mqtt://127.0.0.1:${server.mqttPort}`, device);
    const topic = `${link.system}thing/service/property/set`;
    await link.subscribe(topic, `${link.system}thing/event/property/post_reply`);
    return {
      id: device.id,
      key: 'PowerSwitch',
      target: { attribute: 'PowerSwitch' },
      report: async (value) => {
        expect((await link.ask('thing/event/property/post', { PowerSwitch: Number(value) })).code).toBe(200);
      },
      told: async () => (await link.message(topic)).body.params.PowerSwitch,
      untaken: () => link.quiet(),
      end: () => link.end(),
    };
  },
  async waveshare(name) {
    const topic = `1/37/${name}`;
    const id = await createWaveshareDevice(api, name, name, topic);
    const { client, inbox } = await overMqtt({ clientId: name }, `Sub/${topic}`, (body) => body.data?.CH1);
    return {
      id,
      key: 'CH1',
      target: { method: 'CH1' },
      report: async (value) => {
        await client.publishAsync(`Pub/${topic}`, JSON.stringify({ data: { CH1: Number(value) } }), { qos: 1 });
      },
      told: () => inbox.next(),
      async untaken() {
        await client.publishAsync(`Pub/${topic}`, '{"data":{"quiet":1}}', { qos: 1 });
        return inbox.all;
      },
      end: () => client.endAsync(),
    };
  },
  async thingscale(name) {
    const account = await createApplication(api, 'thingscale', name);
    const { userId = '', deviceToken = '' } = account.credentials;
    const credentialsValue = JSON.stringify({ accountId: account.id });
    const created = await api.call('POST', '/api/device-with-credentials', {
      device: { name },
      credentials: { credentialsType: 'THINGSCALE', credentialsId: name, credentialsValue },
    });
    expect(created.status, created.text).toBe(200);
    const { client, inbox } = await overMqtt(
      { username: userId, password: deviceToken, clientId: name },
      `${deviceToken}/${name}/subscribe`,
      (body) => body.params,
    );
    const data = `${deviceToken}/json/${name}`;
    return {
      id: created.body.id.id,
      key: 'relay',
      target: { method: 'relay' },
      report: async (value) => {
        await client.publishAsync(data, JSON.stringify({ relay: Number(value) }), { qos: 1 });
      },
      told: () => inbox.next(),
      async untaken() {
        await client.publishAsync(data, '{"quiet":1}', { qos: 1 });
        return inbox.all;
      },
      end: () => client.endAsync(),
    };
  },
};

let devices = 0;

async function deviceOf(vendor: string): Promise<LinkedDevice> {
  devices += 1;
  const make = VENDORS[vendor];
  if (make === undefined) throw new Error(`no vendor ${vendor}`);
  return make(`${vendor}${devices}`);
}

async function link(from: LinkedDevice, to: LinkedDevice, more: object = {}) {
  const source = { deviceId: { entityType: 'DEVICE', id: from.id }, key: from.key };
  const target = { deviceId: { entityType: 'DEVICE', id: to.id }, ...to.target };
  const answer = await api.call('POST', '/api/link', { name: 'a link', source, target, ...more });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

/** The link once its last value has become something, as it is a moment after the device was told. */
async function outcomeOf({ id }: { readonly id: { readonly id: string } }): Promise<string> {
  for (;;) {
    const { lastOutcome } = (await api.call('GET', `/api/link/${id.id}`)).body;
    if (lastOutcome !== null) return lastOutcome;
  }
}

beforeAll(async () => {
  await server.start();
  await api.login();
});
afterAll(() => server.dispose());

const names = Object.keys(VENDORS);
const pairs = names.flatMap((from) => names.map((to) => [from, to] as const));

describe('device links', () => {
  it.each(pairs)('a value of a %s device becomes a command to a %s device', async (one, other) => {
    const [from, to] = [await deviceOf(one), await deviceOf(other)];
    const made = await link(from, to);
    await from.report(true);
    expect(Number(await to.told())).toBe(1);
    expect(['SENT', 'STORED']).toContain(await outcomeOf(made));
    await from.report(false);
    expect(Number(await to.told())).toBe(0);
    await Promise.all([from.end(), to.end()]);
  });

  it('two devices of different vendors that follow each other settle after one round', async () => {
    const [one, other] = [await deviceOf('thingsboard'), await deviceOf('plain')];
    await link(one, other);
    await link(other, one);
    await one.report(true);
    expect(await other.told()).toBe(true);
    await other.report(true);
    expect(await one.told()).toBe(true);
    await one.report(true);
    await other.report(true);
    expect(await one.untaken()).toEqual([]);
    expect(await other.untaken()).toEqual([]);
    await Promise.all([one.end(), other.end()]);
  });

  it('map values, and end with the link, and with the device', async () => {
    const [from, to] = [await deviceOf('plain'), await deviceOf('thingsboard')];
    const made = await link(from, to, { map: { '1': 'open', '2': { level: 2 } } });
    for (const value of [1, 3, 2]) await from.report(value);
    expect([await to.told(), await to.told()]).toEqual(['open', { level: 2 }]);
    expect((await api.call('DELETE', `/api/link/${made.id.id}`)).status).toBe(200);
    await from.report(1);
    const second = await link(from, to);
    await from.report(7);
    expect(await to.told()).toBe(7);
    expect((await api.call('DELETE', `/api/device/${to.id}`)).status).toBe(200);
    expect((await api.call('GET', `/api/link/${second.id.id}`)).status).toBe(404);
    const list = await api.call('GET', '/api/links?pageSize=100&page=0');
    const ends = list.body.data.map(({ target }: { target: { deviceId: { id: string } } }) => target.deviceId.id);
    expect(ends).not.toContain(to.id);
    await from.end();
  });

  it('are there after a restart, and say when the target is away', async () => {
    const [from, to] = [await deviceOf('plain'), await deviceOf('thingsboard')];
    const made = await link(from, to);
    await Promise.all([from.end(), to.end()]);
    await server.stop();
    await server.start();
    await api.login();
    expect((await api.call('GET', `/api/link/${made.id.id}`)).body).toMatchObject({
      name: 'a link',
      lastOutcome: null,
    });
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${from.id}/timeseries/ANY`, { on: true });
    expect(await outcomeOf(made)).toBe('OFFLINE');
  });
});

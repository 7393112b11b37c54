import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import {
  createLinkDevice,
  createProduct,
  LinkClient,
  type LinkDevice,
  type LinkProduct,
  setEnabled,
} from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
const clients: LinkClient[] = [];
let product: LinkProduct;
let number = 0;

beforeAll(async () => {
  await server.start();
  expect((await api.login()).status).toBe(200);
  product = await createProduct(api, 'lamps', {
    topicClasses: [
      { topic: 'user/update', permission: 'PUB' },
      { topic: 'user/get', permission: 'SUB' },
      { topic: 'user/both', permission: 'ALL' },
    ],
    thingModel: {
      properties: [{ identifier: 'temperature', dataType: { type: 'float' } }],
      services: [
        { identifier: 'reboot', callType: 'async' },
        { identifier: 'measure', callType: 'sync' },
      ],
    },
  });
});

afterAll(async () => {
  for (const client of clients) await client.end();
  await server.dispose();
});

function newDevice(): Promise<LinkDevice> {
  number++;
  return createLinkDevice(api, product, `lamp-${String(number).padStart(3, '0')}`);
}

async function connect(
  device: LinkDevice,
  ...rest: Parameters<typeof LinkClient.connect> extends [string, LinkDevice, ...infer R] ? R : never
) {
  const client = await LinkClient.connect(`mqtt://127.0.0.1:${server.mqttPort}`, device, ...rest);
  clients.push(client);
  return client;
}

const twoWay = (id: string, body: object) => api.call('POST', `/api/rpc/twoway/${id}`, body);
const attributes = async (id: string, scope: string): Promise<Record<string, unknown>> => {
  const { body } = await api.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/attributes/${scope}`);
  return Object.fromEntries(body.map(({ key, value }: { key: string; value: unknown }) => [key, value]));
};

describe('MQTT.js with signatures made by hand', () => {
  it('ALI-1, ALI-2 logs in with each method, by a password in upper case', async () => {
    const device = await newDevice();
    for (const method of ['md5', 'sha1', 'sha256'] as const) {
      const client = await connect(device, { method });
      expect(client.client.connected).toBe(true);
      await client.end();
    }
  });

  it('ALI-3, ALI-12 a wrong secret is refused with 4, an unknown device with 5', async () => {
    const device = await newDevice();
    await expect(connect({ ...device, deviceSecret: 'x'.repeat(32) })).rejects.toMatchObject({ code: 4 });
    await expect(connect({ ...device, deviceName: 'nobody' })).rejects.toMatchObject({ code: 5 });
  });

  it('ALI-12 a device that is disabled is cut off and refused with 5 until it is enabled', async () => {
    const device = await newDevice();
    const client = await connect(device, {}, { protocolVersion: 5 });
    const code = new Promise<unknown>((resolve) =>
      client.client.once('disconnect', ({ reasonCode }) => resolve(reasonCode)),
    );
    await setEnabled(api, device, false);
    expect(await code).toBe(0x98);
    await expect(connect(device)).rejects.toMatchObject({ code: 5 });
    await expect(connect(device, {}, { protocolVersion: 5 })).rejects.toMatchObject({ code: 0x87 });
    await expect(connect({ ...device, deviceSecret: 'x' })).rejects.toMatchObject({ code: 4 });
    await setEnabled(api, device, true);
    expect((await connect(device)).client.connected).toBe(true);
  });

  it('ALI-46, ALI-52 a post is answered and its values are read as those of any other device', async () => {
    const device = await newDevice();
    const client = await connect(device, { more: ',_ss=1' });
    const time = Date.now() - 60_000;
    const reply = await client.ask('thing/event/property/post', {
      Power: 'on',
      temperature: { value: 23.5, time },
    });
    expect(reply).toMatchObject({ id: '1', code: 200, data: {}, message: 'success' });
    const latest = await api.latest(device.id);
    expect(latest.Power?.[0]?.value).toBe('on');
    expect(latest.temperature).toEqual([{ ts: time, value: 23.5 }]);
  });

  it('ALI-56 an asynchronous service is called as RPC', async () => {
    const device = await newDevice();
    const client = await connect(device, { more: ',_ss=1' });
    const call = twoWay(device.id, { method: 'reboot', params: { delay: 3 }, timeout: 10_000 });
    const request = await client.message(`${client.system}thing/service/reboot`);
    expect(request.body).toMatchObject({ version: '1.0', method: 'thing.service.reboot', params: { delay: 3 } });
    expect(request.body.id).toBeTypeOf('string');
    await client.send(`${request.topic}_reply`, { id: request.body.id, code: 200, data: { done: true } });
    expect(await call).toMatchObject({ status: 200, body: { done: true } });
  });

  it('ALI-57, ALI-69 a synchronous one by RRPC, in the form that the device understands', async () => {
    const device = await newDevice();
    const plain = await connect(device, { more: ',_ss=1' });
    const first = twoWay(device.id, { method: 'measure', params: {}, timeout: 10_000 });
    const request = await plain.message(`${plain.system}rrpc/request/`, true);
    expect(request.body.method).toBe('thing.service.measure');
    await plain.send(request.topic.replace('/request/', '/response/'), {
      id: request.body.id,
      code: 200,
      data: { v: 1 },
    });
    expect((await first).body).toEqual({ v: 1 });
    await plain.end();
    const custom = await connect(device, { more: ',_ss=1,ext=3' });
    const second = twoWay(device.id, { method: 'measure', params: {}, timeout: 10_000 });
    const message = await custom.message('/ext/rrpc/', true);
    expect(message.topic).toMatch(/^\/ext\/rrpc\/\d+\/sys\/.*\/thing\/service\/measure$/);
    await custom.send(message.topic, { id: message.body.id, code: 200, data: { v: 2 } }, 0);
    expect((await second).body).toEqual({ v: 2 });
    expect(await custom.quiet()).toEqual([]);
  });

  it('ALI-68 a system RRPC gives its answer to the caller; time-out, offline, and a time out of range are told', async () => {
    const device = await newDevice();
    const client = await connect(device, { more: ',_ss=1' });
    const rrpc = (timeout: number, way = '/api/rpc/twoway') =>
      api.call('POST', `${way}/${device.id}`, { method: 'rrpc', params: { payload: 'ping' }, timeout });
    const call = rrpc(8000);
    const request = await client.message(`${client.system}rrpc/request/`, true);
    expect(request.topic).toMatch(/\/rrpc\/request\/\d+$/);
    expect(request.payload.toString()).toBe('ping');
    await client.send(request.topic.replace('/request/', '/response/'), '{"pong":1}', 0);
    expect(await call).toMatchObject({ status: 200, body: { pong: 1 } });
    for (const timeout of [999, 8001, 10_000]) {
      const refused = await rrpc(timeout);
      expect([timeout, refused.status]).toEqual([timeout, 400]);
      expect(refused.text).toContain('1000 to 8000');
    }
    expect(await client.quiet()).toEqual([]);
    const before = Date.now();
    const answers = await Promise.all([rrpc(1000), rrpc(1000, '/api/plugins/rpc/twoway')]);
    expect(answers.map(({ status }) => status)).toEqual([504, 408]);
    expect(Date.now() - before).toBeLessThan(5000);
    await client.end();
    const path = `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes/SERVER_SCOPE?keys=lastDisconnectTime`;
    while ((await api.call('GET', path)).body.length === 0);
    const offline = await Promise.all([rrpc(1000), rrpc(1000, '/api/plugins/rpc/twoway')]);
    expect(offline.map(({ status }) => status)).toEqual([504, 409]);
  });

  it('ALI-55, ALI-58, ALI-61 a desired value is set at once, asked for, and cleared by its version', async () => {
    const device = await newDevice();
    const client = await connect(device, { more: ',_ss=1' });
    const shared = `/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE`;
    expect((await api.call('POST', shared, { temperature: 21 })).status).toBe(200);
    const set = await client.message(`${client.system}thing/service/property/set`);
    expect(set.payload.toString()).toContain('"params":{"temperature":21.0}');
    const desired = await client.ask('thing/property/desired/get', ['temperature', 'none']);
    const { version } = desired.data.temperature;
    expect(desired.data).toEqual({ temperature: { value: 21, version } });
    expect(await client.ask('thing/property/desired/delete', { temperature: { version: version - 1 } })).toMatchObject({
      code: 200,
    });
    expect(await attributes(device.id, 'SHARED_SCOPE')).toEqual({ temperature: 21 });
    await client.ask('thing/property/desired/delete', { temperature: { version } });
    expect(await attributes(device.id, 'SHARED_SCOPE')).toEqual({});
    const call = twoWay(device.id, { method: 'property.set', params: { temperature: 5 }, timeout: 10_000 });
    const again = await client.message(`${client.system}thing/service/property/set`);
    await client.send(`${again.topic}_reply`, { id: again.body.id, code: 200, data: {} });
    expect(await call).toMatchObject({ status: 200, body: {} });
  });

  it('ALI-31, ALI-33, ALI-45 own topics by their classes, and nobody else’s', async () => {
    const [one, two] = [await connect(await newDevice()), await connect(await newDevice())];
    const topics = (link: LinkClient) => `/${link.device.productKey}/${link.device.deviceName}/user/`;
    expect(await one.subscribe(`${topics(one)}get`, `${topics(one)}both`)).toEqual([1, 1]);
    expect(await two.subscribe(`${topics(two)}both`)).toEqual([1]);
    const refused = await one.client
      .subscribeAsync([`${topics(two)}both`, `${topics(one)}update`])
      .catch((error) => error);
    expect(refused).toBeInstanceOf(Error);
    await one.send(`${topics(two)}both`, 'from another');
    await one.send(`${topics(one)}get`, 'may not be published');
    await one.send(`${topics(one)}both`, 'my own');
    expect((await one.message(`${topics(one)}both`)).payload.toString()).toBe('my own');
    await one.subscribe(`/sys/${one.device.productKey}/${one.device.deviceName}/#`, `/ext/ntp/+/+/response`);
    await two.subscribe(`/ext/ntp/+/+/response`);
    expect(await one.quiet()).toEqual([]);
    expect(await two.quiet()).toEqual([]);
  });

  it('ALI-18 the library is known by client attributes', async () => {
    const device = await newDevice();
    await connect(device, { more: ',_v=sdk-c-3.2.0,lan=C,_ss=1' });
    while (!('sdkVersion' in (await attributes(device.id, 'CLIENT_SCOPE'))));
    expect(await attributes(device.id, 'CLIENT_SCOPE')).toMatchObject({ sdkVersion: 'sdk-c-3.2.0', sdkLanguage: 'C' });
  });

  it('ALI-74 the version that a device reports of its modules', async () => {
    const device = await newDevice();
    const client = await connect(device, { more: ',_ss=1' });
    const inform = `/ota/device/inform/${device.productKey}/${device.deviceName}`;
    await client.send(inform, { id: 1, params: { version: '1.0.1' } });
    await client.send(inform, { id: '2', params: { version: '7', module: 'MCU' } });
    await client.quiet();
    const latest = await api.latest(device.id);
    expect(latest.current_fw_version?.[0]?.value).toBe('1.0.1');
    expect(latest['current_fw_version:MCU']?.[0]?.value).toBe('7');
  });

  it('ALI-14 a second connection of the same device ends the first', async () => {
    const device = await newDevice();
    const first = await connect(device);
    const closed = new Promise<void>((resolve) => first.client.once('close', () => resolve()));
    const second = await connect(device, { base: 'another' });
    await closed;
    expect(second.client.connected).toBe(true);
  });
});

describe('a session that is kept', () => {
  it('ALI-91, ALI-93 subscriptions hold across kill -9 and another time stamp, without SUBSCRIBE', async () => {
    const device = await newDevice();
    const both = `/${device.productKey}/${device.deviceName}/user/both`;
    const before = await connect(device, { timestamp: '1' }, { clean: false });
    expect(await before.subscribe(both, `${before.system}thing/service/property/set`)).toEqual([1, 1]);
    await server.kill();
    await before.end();
    await server.start();
    await api.login();
    const after = await connect(device, { timestamp: '2' }, { clean: false });
    expect(after.sessionPresent).toBe(true);
    await after.send(both, 'heard again');
    expect((await after.message(both)).payload.toString()).toBe('heard again');
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE`, { Power: 'on' });
    expect((await after.message(`${after.system}thing/service/property/set`)).body.params).toEqual({ Power: 'on' });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import {
  type Body,
  createLinkDevice,
  createProduct,
  type LinkDevice,
  type LinkProduct,
  told,
  type VendorDevice,
  vendorLibrary,
} from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
const open: VendorDevice[] = [];
let product: LinkProduct;
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
  product = await createProduct(api, 'meters', {
    dynamicRegistration: true,
    topicClasses: [
      { topic: 'user/update', permission: 'PUB' },
      { topic: 'user/both', permission: 'ALL' },
    ],
    thingModel: { services: [{ identifier: 'measure', callType: 'sync' }] },
  });
});

afterAll(async () => {
  for (const device of open) device.end(true);
  await server.dispose();
});

function newDevice(): Promise<LinkDevice> {
  number++;
  return createLinkDevice(api, product, `meter-${number}`);
}

/** The library with nothing but the address changed, once it has subscribed to its topics. */
async function connected(device: LinkDevice): Promise<VendorDevice> {
  const { productKey, deviceName, deviceSecret } = device;
  const brokerUrl = `mqtt://127.0.0.1:${server.mqttPort}/`;
  const vendor = vendorLibrary.device({ productKey, deviceName, deviceSecret, brokerUrl });
  open.push(vendor);
  await new Promise<void>((resolve) => vendor.once('connect', () => resolve()));
  return vendor;
}

const twoWay = (id: string, body: object) => api.call('POST', `/api/rpc/twoway/${id}`, body);
const attributes = async (id: string, scope: string): Promise<Record<string, unknown>> => {
  const { body } = await api.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/attributes/${scope}`);
  return Object.fromEntries(body.map(({ key, value }: { key: string; value: unknown }) => [key, value]));
};

describe('the vendor’s library for JavaScript, with brokerUrl alone', () => {
  it('ALI-36, ALI-47, ALI-88 posts properties and events and hears the replies', async () => {
    expect(vendorLibrary.sdkver).toBe('1.2.8');
    const device = await newDevice();
    const vendor = await connected(device);
    const reply = await told((done) => vendor.postProps({ power: 220.5, state: 'on' }, done));
    expect(reply).toMatchObject({ code: 200, data: {} });
    expect(reply.id).toContain('|exp-topic|/sys/');
    expect(await told((done) => vendor.postEvent('alarm', { level: 3 }, done))).toMatchObject({ code: 200 });
    const latest = await api.latest(device.id);
    expect(latest.power?.[0]?.value).toBe(220.5);
    expect(latest.state?.[0]?.value).toBe('on');
    expect(latest.alarm?.[0]?.value).toEqual({ level: 3 });
    expect(await attributes(device.id, 'CLIENT_SCOPE')).toMatchObject({ sdkVersion: '1.2.8' });
  });

  it('ALI-88 is set properties by RPC and by desired values', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    await told((done) => vendor.postProps({ a: 1 }, done));
    const heard: Body[] = [];
    const both = new Promise<void>((resolve) => {
      vendor.onProps((body) => {
        heard.push(body);
        if (heard.length === 1) {
          const { id } = body;
          vendor.publish(
            `/sys/${device.productKey}/${device.deviceName}/thing/service/property/set_reply`,
            JSON.stringify({ id, code: 200, data: {} }),
          );
        } else resolve();
      });
    });
    expect(await twoWay(device.id, { method: 'property.set', params: { limit: 7 }, timeout: 10_000 })).toMatchObject({
      status: 200,
      body: {},
    });
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE`, { limit: 9 });
    await both;
    expect(heard.map(({ params }) => params)).toEqual([{ limit: 7 }, { limit: 9 }]);
  });

  it('ALI-88 answers services of both kinds', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    vendor.onService('reset', ({ id, params }, reply) => reply({ id, code: 200, data: { was: params.counter } }));
    vendor.onService('measure', ({ id }, reply) => reply({ id, code: 200, data: { volts: 230 } }, 'sync'));
    expect(await twoWay(device.id, { method: 'reset', params: { counter: 4 }, timeout: 10_000 })).toMatchObject({
      status: 200,
      body: { was: 4 },
    });
    expect(await twoWay(device.id, { method: 'measure', params: {}, timeout: 10_000 })).toMatchObject({
      status: 200,
      body: { volts: 230 },
    });
  });

  it('ALI-59 keeps tags and deletes them', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    const tags = [
      { attrKey: 'place', attrValue: 'cellar' },
      { attrKey: 'floor', attrValue: '-1' },
    ];
    expect(await told((done) => vendor.postTags(tags, done))).toMatchObject({ code: 200 });
    expect(await attributes(device.id, 'CLIENT_SCOPE')).toMatchObject({ place: 'cellar', floor: '-1' });
    expect(await told((done) => vendor.deleteTags(['floor'], done))).toMatchObject({ code: 200 });
    expect(await attributes(device.id, 'CLIENT_SCOPE')).not.toHaveProperty('floor');
  });

  it('ALI-88 reads its configuration', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    expect(await told((done) => vendor.getConfig(done))).toMatchObject({ code: 6710, data: {} });
    const remoteConfig = {
      configId: 'c1',
      configSize: 2,
      sign: '00',
      signMethod: 'Sha256',
      url: 'http://x',
      getType: 'file',
    };
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${device.id}/SERVER_SCOPE`, { remoteConfig });
    expect(await told((done) => vendor.getConfig(done))).toMatchObject({ code: 200, data: remoteConfig });
  });

  it('ALI-71 is pushed a configuration in params', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    await told((done) => vendor.postProps({ a: 1 }, done));
    const sign = '0'.repeat(64);
    const params = { configId: 'c2', configSize: 7, sign, signMethod: 'Sha256', url: 'http://x/c2', getType: 'file' };
    const pushed = told((done) => vendor.onConfig(done));
    const call = api.call('POST', `/api/rpc/oneway/${device.id}`, { method: 'thing.config.push', params });
    expect(await pushed).toMatchObject({ method: 'thing.config.push', params });
    expect((await call).status).toBe(200);
  });

  it('ALI-64, ALI-67, ALI-88 keeps a shadow', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    const next = () => told((done) => vendor.onShadow(done));
    const posted = next();
    vendor.postShadow({ color: 'red' });
    const first = await posted;
    expect(first).toMatchObject({ method: 'reply', payload: { status: 'success' } });
    expect(JSON.stringify(first)).not.toContain('"state"');
    const read = next();
    vendor.getShadow();
    expect((await read).payload.state.reported).toEqual({ color: 'red' });
    await new Promise((resolve) => setTimeout(resolve, 2));
    const removed = next();
    vendor.deleteShadow('color');
    expect((await removed).payload.status).toBe('success');
    const again = next();
    vendor.getShadow();
    expect((await again).payload.state.reported).toEqual({});
  });

  it('ALI-66 is told by control what an application desires, at once, and after it was away by what it asks', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    const next = () => told((done) => vendor.onShadow(done));
    const posted = next();
    vendor.postShadow({ color: 'red' });
    const { version } = (await posted).payload;
    const control = next();
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE`, { color: 'green' });
    expect(await control).toMatchObject({
      method: 'control',
      payload: {
        status: 'success',
        state: { reported: { color: 'red' }, desired: { color: 'green' } },
        metadata: { desired: { color: { timestamp: expect.any(Number) } } },
      },
      version,
    });
    await new Promise<void>((resolve) => vendor.end(true, resolve));
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE`, { color: 'blue' });
    const again = await connected(device);
    const read = told((done) => again.onShadow(done));
    again.getShadow();
    expect((await read).payload.state).toEqual({ reported: { color: 'red' }, desired: { color: 'blue' } });
  });

  it('ALI-88 publishes and hears custom topics', async () => {
    const device = await newDevice();
    const vendor = await connected(device);
    const topic = `/${device.productKey}/${device.deviceName}/user/both`;
    await new Promise<void>((resolve, reject) =>
      vendor.subscribe(topic, { qos: 1 }, (error) => (error ? reject(error) : resolve())),
    );
    const heard = new Promise<string>((resolve) => {
      vendor.on('message', (name: string, payload: Buffer) => {
        if (name === topic) resolve(payload.toString());
      });
    });
    vendor.publish(topic, 'hello', { qos: 1 });
    expect(await heard).toBe('hello');
  });

  it('ALI-20, ALI-21, ALI-22 is registered over HTTP and connects with the secret it got', async () => {
    const waiting = await createLinkDevice(api, product, 'waiting-1', null);
    const { productKey, deviceName } = waiting;
    const ask = () =>
      told((done) =>
        vendorLibrary.register(
          {
            productKey,
            productSecret: product.productSecret,
            deviceName,
            registerURL: `${server.baseUrl}/auth/register/device`,
          },
          done,
        ),
      );
    const answer = await ask();
    expect(answer).toMatchObject({ code: 200, data: { productKey, deviceName } });
    expect((await ask()).data.deviceSecret).toBe(answer.data.deviceSecret);
    const vendor = await connected({ ...waiting, deviceSecret: answer.data.deviceSecret });
    expect(await told((done) => vendor.postProps({ a: 1 }, done))).toMatchObject({ code: 200 });
    // The time of the connection is written with the next report of activity.
    for (let answered = await ask(); answered.code !== 6289; answered = await ask()) expect(answered.code).toBe(200);
  });
});

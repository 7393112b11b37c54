import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import {
  createLinkDevice,
  createProduct,
  LinkClient,
  type LinkDevice,
  type LinkProduct,
  setEnabled,
  told,
  type VendorGateway,
  vendorLibrary,
} from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
const clients: LinkClient[] = [];
const vendors: VendorGateway[] = [];
let product: LinkProduct;
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
  product = await createProduct(api, 'probes', { dynamicRegistration: true });
});

afterAll(async () => {
  for (const vendor of vendors) vendor.end(true);
  for (const client of clients) await client.end();
  await server.dispose();
});

function newDevice(additionalInfo: object = {}): Promise<LinkDevice> {
  number++;
  return createLinkDevice(api, product, `probe-${number}`, undefined, additionalInfo);
}

async function newGateway(): Promise<LinkClient> {
  const device = await newDevice({ gateway: true });
  const client = await LinkClient.connect(`mqtt://127.0.0.1:${server.mqttPort}`, device, { more: ',_ss=1,gw=1' });
  clients.push(client);
  return client;
}

const named = ({ productKey, deviceName }: LinkDevice) => ({ productKey, deviceName });

/** What a sub-device signs; C 3.x puts bars into the Client Identifier. */
function proof(device: LinkDevice, secret = device.deviceSecret) {
  const { productKey, deviceName } = device;
  const clientId = `${productKey}.${deviceName}|_v=sdk-c-3.0.1|`;
  const content = `clientId${clientId}deviceName${deviceName}productKey${productKey}timestamp12345678`;
  const sign = createHmac('sha1', secret).update(content).digest('hex');
  return { ...named(device), clientId, timestamp: 12345678, signmethod: 'hmacSha1', sign };
}

const combine = ({ device, ask }: LinkClient, client: LinkClient, action: string, params: unknown) =>
  ask.call(client, '', params, `/ext/session/${device.productKey}/${device.deviceName}/combine/${action}`);
const logIn = (client: LinkClient, device: LinkDevice) =>
  combine(client, client, 'login', { ...proof(device), cleanSession: 'true' });

async function isActive(id: string, wanted: boolean): Promise<void> {
  for (;;) {
    const { body } = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE?keys=active`,
    );
    if (body[0]?.value === wanted) return;
  }
}

describe('a gateway', () => {
  it('ALI-81 adds devices that prove themselves, lists and removes them', async () => {
    const gateway = await newGateway();
    const [one, two] = [await newDevice(), await newDevice()];
    const wrong = await gateway.ask('thing/topo/add', [proof(one), { ...proof(two), sign: '00' }]);
    expect(wrong).toMatchObject({ code: 401 });
    expect((await gateway.ask('thing/topo/get', {})).data).toEqual([]);
    expect(await gateway.ask('thing/topo/add', [proof(gateway.device)])).toMatchObject({ code: 6402 });
    expect(await gateway.ask('thing/topo/add', [{ ...proof(one), deviceName: 'nobody' }])).toMatchObject({
      code: 6100,
    });
    const added = await gateway.ask('thing/topo/add', [proof(one), proof(two)]);
    expect(added).toMatchObject({ code: 200, data: [named(one), named(two)] });
    expect((await gateway.ask('thing/topo/get', '{}')).data).toEqual([named(one), named(two)]);
    expect((await gateway.ask('thing/topo/delete', [named(one)])).data).toEqual([named(one)]);
    expect((await gateway.ask('thing/topo/get', {})).data).toEqual([named(two)]);
    expect(await gateway.ask('thing/list/found', [named(one)])).toMatchObject({ code: 200, data: {} });
    // Over a connection without TLS no secret is told.
    expect(await gateway.ask('thing/sub/register', [named(one)])).toMatchObject({ code: 6288 });
  });

  it('ALI-82, ALI-83 logs devices in that are behind it, whatever bars they sign', async () => {
    const gateway = await newGateway();
    const device = await newDevice();
    expect(await logIn(gateway, device)).toMatchObject({ code: 6401 });
    await gateway.ask('thing/topo/add', [proof(device)]);
    const wrong = await combine(gateway, gateway, 'login', proof(device, 'another secret'));
    expect(wrong).toMatchObject({ code: 6287 });
    expect(await logIn(gateway, device)).toMatchObject({ code: 200, data: named(device) });
    await isActive(device.id, true);
  });

  it('ALI-84 a batch is logged in as a whole or not at all', async () => {
    const gateway = await newGateway();
    const [one, two] = [await newDevice(), await newDevice()];
    await gateway.ask('thing/topo/add', [proof(one)]);
    const batch = () => combine(gateway, gateway, 'batch_login', { deviceList: [proof(one), proof(two)] });
    expect(await batch()).toMatchObject({ code: 6401 });
    await gateway.send(`/sys/${one.productKey}/${one.deviceName}/thing/event/property/post`, {
      id: '1',
      params: { a: 1 },
    });
    const error = `/ext/error/${gateway.device.productKey}/${gateway.device.deviceName}`;
    expect((await gateway.message(error)).body).toMatchObject({ code: 520 });
    await gateway.ask('thing/topo/add', [proof(two)]);
    expect(await batch()).toMatchObject({ code: 200, data: [named(one), named(two)] });
  });

  it('ALI-85 carries posts and services of its devices once they are logged in', async () => {
    const gateway = await newGateway();
    const device = await newDevice();
    const system = `/sys/${device.productKey}/${device.deviceName}/`;
    await gateway.send(`${system}thing/event/property/post`, { id: '77', params: { a: 1 } });
    const error = await gateway.message(`/ext/error/${gateway.device.productKey}/${gateway.device.deviceName}`);
    expect(error.body).toMatchObject({ id: '77', code: 520, data: named(device) });
    await gateway.ask('thing/topo/add', [proof(device)]);
    await logIn(gateway, device);
    const reply = await gateway.ask('', { level: 7 }, `${system}thing/event/property/post`);
    expect(reply).toMatchObject({ code: 200, data: {} });
    expect((await api.latest(device.id)).level?.[0]?.value).toBe(7);
    const call = api.call('POST', `/api/rpc/twoway/${device.id}`, { method: 'reset', params: {}, timeout: 10_000 });
    const request = await gateway.message(`${system}thing/service/reset`);
    await gateway.send(`${request.topic}_reply`, { id: request.body.id, code: 200, data: { was: 7 } });
    expect(await call).toMatchObject({ status: 200, body: { was: 7 } });
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE`, { limit: 3 });
    expect((await gateway.message(`${system}thing/service/property/set`)).body.params).toEqual({ limit: 3 });
    expect((await gateway.ask('', ['limit'], `${system}thing/property/desired/get`)).data.limit.value).toBe(3);
    expect(await combine(gateway, gateway, 'logout', named(device))).toMatchObject({ code: 200, data: named(device) });
    await gateway.send(`${system}thing/event/property/post`, { id: '78', params: { a: 1 } });
    const again = await gateway.message(`/ext/error/${gateway.device.productKey}/${gateway.device.deviceName}`);
    expect(again.body.id).toBe('78');
  });

  it('ALI-85 the device that moved to another gateway is spoken for by that one alone', async () => {
    const [first, second] = [await newGateway(), await newGateway()];
    const device = await newDevice();
    await first.ask('thing/topo/add', [proof(device)]);
    await logIn(first, device);
    await second.ask('thing/topo/add', [proof(device)]);
    expect((await first.ask('thing/topo/get', {})).data).toEqual([]);
    expect(await logIn(second, device)).toMatchObject({ code: 200 });
    await first.send(`/sys/${device.productKey}/${device.deviceName}/thing/event/property/post`, {
      id: '1',
      params: { a: 1 },
    });
    const error = `/ext/error/${first.device.productKey}/${first.device.deviceName}`;
    expect((await first.message(error)).body).toMatchObject({ code: 427 });
    expect((await first.message(error)).body).toMatchObject({ code: 520 });
    const post = `/sys/${device.productKey}/${device.deviceName}/thing/event/property/post`;
    expect(await second.ask('', { b: 2 }, post)).toMatchObject({ code: 200 });
    expect(Object.keys(await api.latest(device.id))).toEqual(['b']);
  });

  it('ALI-86 logging in through another gateway sends 427 to the first, and to the device that connects itself 0x8e', async () => {
    const [first, second] = [await newGateway(), await newGateway()];
    const device = await newDevice();
    await first.ask('thing/topo/add', [proof(device)]);
    await logIn(first, device);
    await second.ask('thing/topo/add', [proof(device)]);
    expect(await logIn(second, device)).toMatchObject({ code: 200 });
    const error = await first.message(`/ext/error/${first.device.productKey}/${first.device.deviceName}`);
    expect(error.body).toMatchObject({ code: 427, data: named(device) });
    const direct = await LinkClient.connect(`mqtt://127.0.0.1:${server.mqttPort}`, device, { more: ',_ss=1' });
    clients.push(direct);
    const closed = new Promise<void>((resolve) => direct.client.once('close', () => resolve()));
    expect(await logIn(second, device)).toMatchObject({ code: 200 });
    await closed;
    await second.end();
    await isActive(device.id, true);
    const path = `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes/SERVER_SCOPE?keys=lastDisconnectTime`;
    while ((await api.call('GET', path)).body.length === 0);
  });

  it('ALI-54 history and pack posts store each point for the right device and time', async () => {
    const gateway = await newGateway();
    const [one, two] = [await newDevice(), await newDevice()];
    await gateway.ask('thing/topo/add', [proof(one), proof(two)]);
    await logIn(gateway, one);
    const now = Date.now();
    const entry = (device: LinkDevice, value: number, time: number) => ({
      identity: named(device),
      properties: [{ power: { value, time } }],
      events: [{ alarm: { value: { level: value }, time } }],
    });
    const history = [entry(gateway.device, 1, now - 1000), entry(one, 2, now - 2000)];
    expect(await gateway.ask('thing/event/property/history/post', history)).toMatchObject({ code: 200, data: {} });
    expect(await api.latest(gateway.device.id)).toMatchObject({
      power: [{ ts: now - 1000, value: 1 }],
      alarm: [{ ts: now - 1000 }],
    });
    expect(await api.latest(one.id)).toMatchObject({
      power: [{ ts: now - 2000, value: 2 }],
      alarm: [{ ts: now - 2000 }],
    });
    const pack = (device: LinkDevice) => ({
      properties: { power: { value: 3, time: now } },
      events: { alarm: { value: { level: 3 }, time: now } },
      subDevices: [{ identity: named(device), properties: { power: { value: 4, time: now + 1 } }, events: {} }],
    });
    expect(await gateway.ask('thing/event/property/pack/post', pack(one))).toMatchObject({ code: 200 });
    expect(await api.latest(gateway.device.id, 'power')).toEqual({ power: [{ ts: now, value: 3 }] });
    expect(await api.latest(one.id, 'power')).toEqual({ power: [{ ts: now + 1, value: 4 }] });
    // One that is not logged in, one that does not exist: nothing of the message is stored.
    expect(await gateway.ask('thing/event/property/pack/post', pack(two))).toMatchObject({ code: 520 });
    const stranger = { ...one, deviceName: 'nobody-here' };
    expect(
      await gateway.ask('thing/event/property/history/post', [entry(one, 9, now + 5), entry(stranger, 9, now)]),
    ).toMatchObject({ code: 520 });
    expect(await api.latest(one.id, 'power')).toEqual({ power: [{ ts: now + 1, value: 4 }] });
    expect(await api.latest(two.id)).toEqual({});
  });

  it('ALI-54 a batch post stores each point of a property at its time', async () => {
    const gateway = await newGateway();
    const now = Date.now();
    const power = [1, 2, 3].map((value) => ({ value, time: now - 10 * value }));
    expect(await gateway.ask('thing/event/property/batch/post', { properties: { power }, events: {} })).toMatchObject({
      code: 200,
    });
    const range = `startTs=${now - 100}&endTs=${now}&keys=power&useStrictDataTypes=true`;
    const { body } = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${gateway.device.id}/values/timeseries?${range}`,
    );
    expect(body.power).toEqual([1, 2, 3].map((value) => ({ value, ts: now - 10 * value })));
  });

  it('ALI-87 is told of changes and of devices to add, and answers', async () => {
    const gateway = await newGateway();
    const device = await newDevice();
    for (const [method, suffix, params] of [
      ['thing.topo.add.notify', 'thing/topo/add/notify', [named(device)]],
      ['thing.topo.change', 'thing/topo/change', { status: 0, subList: [named(device)] }],
    ] as const) {
      const call = api.call('POST', `/api/rpc/twoway/${gateway.device.id}`, { method, params, timeout: 10_000 });
      const request = await gateway.message(gateway.system + suffix);
      expect(request.body).toMatchObject({ method, params });
      await gateway.send(`${request.topic}_reply`, { id: request.body.id, code: 200, data: {} });
      expect(await call).toMatchObject({ status: 200, body: {} });
    }
  });

  it('ALI-83, ALI-87 a device that is disabled: thing/disable and 522 for its gateway, 6204 at log-in, then thing/enable', async () => {
    const gateway = await newGateway();
    const device = await newDevice();
    const system = `/sys/${device.productKey}/${device.deviceName}/`;
    const error = `/ext/error/${gateway.device.productKey}/${gateway.device.deviceName}`;
    await gateway.ask('thing/topo/add', [proof(device)]);
    await logIn(gateway, device);
    expect(await gateway.ask('', { level: 1 }, `${system}thing/event/property/post`)).toMatchObject({ code: 200 });
    await setEnabled(api, device, false);
    const told = await gateway.message(`${system}thing/disable`);
    expect(told.body).toMatchObject({ id: expect.any(String), version: '1.0', method: 'thing.disable', params: {} });
    await gateway.send(`${told.topic}_reply`, { id: told.body.id, code: 200, data: {} });
    expect((await gateway.message(error)).body).toMatchObject({ code: 522, data: named(device) });
    await gateway.send(`${system}thing/event/property/post`, { id: '9', params: { level: 2 } });
    expect((await gateway.message(error)).body).toMatchObject({ id: '9', code: 522, data: named(device) });
    expect(await logIn(gateway, device)).toMatchObject({ code: 6204 });
    const direct = LinkClient.connect(`mqtt://127.0.0.1:${server.mqttPort}`, device);
    await expect(direct).rejects.toMatchObject({ code: 5 });
    await setEnabled(api, device, true);
    expect((await gateway.message(`${system}thing/enable`)).body).toMatchObject({ method: 'thing.enable', params: {} });
    expect(await logIn(gateway, device)).toMatchObject({ code: 200 });
    expect(await gateway.ask('', { level: 3 }, `${system}thing/event/property/post`)).toMatchObject({ code: 200 });
    expect((await api.latest(device.id)).level?.[0]?.value).toBe(3);
    expect(await gateway.quiet()).toEqual([]);
  });

  it('a device that is deleted is not made anew by what its gateway still says for it', async () => {
    const gateway = await newGateway();
    const device = await newDevice();
    await gateway.ask('thing/topo/add', [proof(device)]);
    await logIn(gateway, device);
    const count = async () => (await api.call('GET', '/api/tenant/devices?pageSize=1&page=0')).body.totalElements;
    const before = await count();
    await api.call('DELETE', `/api/device/${device.id}`);
    await gateway.send(`/sys/${device.productKey}/${device.deviceName}/thing/event/property/post`, {
      id: '1',
      params: { a: 1 },
    });
    await gateway.quiet();
    expect(await count()).toBe(before - 1);
  });

  it('its devices are gone with it', async () => {
    const gateway = await newGateway();
    const device = await newDevice();
    await gateway.ask('thing/topo/add', [proof(device)]);
    await logIn(gateway, device);
    await gateway.end();
    const path = `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes/SERVER_SCOPE?keys=lastDisconnectTime`;
    while ((await api.call('GET', path)).body.length === 0);
    const again = await api.call('POST', `/api/rpc/oneway/${device.id}`, { method: 'reset', timeout: 1 });
    expect(again.status).toBe(504);
  });

  it('a device that is no gateway has nobody behind it', async () => {
    const device = await newDevice();
    const client = await LinkClient.connect(`mqtt://127.0.0.1:${server.mqttPort}`, device, { more: ',_ss=1' });
    clients.push(client);
    expect(await client.ask('thing/topo/add', [proof(await newDevice())])).toMatchObject({ code: 6401 });
  });
});

describe('the vendor’s library for JavaScript as a gateway', () => {
  it('ALI-81, ALI-82, ALI-85, ALI-88 adds a device, logs it in, and carries its posts, settings and services', async () => {
    const device = await newDevice({ gateway: true });
    const behind = await newDevice();
    const brokerUrl = `mqtt://127.0.0.1:${server.mqttPort}/`;
    const gateway = vendorLibrary.gateway({ ...device, brokerUrl });
    vendors.push(gateway);
    await new Promise<void>((resolve) => gateway.once('connect', () => resolve()));
    const { id: _id, ...identity } = behind;
    expect(await told((done) => gateway.addTopo([identity], done))).toMatchObject({ code: 200 });
    expect((await told((done) => gateway.getTopo(done))).data).toEqual([named(behind)]);
    const subDevice = await new Promise<ReturnType<VendorGateway['login']>>((resolve, reject) => {
      const opened = gateway.login(identity, (body) =>
        body.code === 200 ? resolve(opened) : reject(new Error(body.message)),
      );
    });
    expect(await told((done) => subDevice.postProps({ level: 5 }, done))).toMatchObject({ code: 200 });
    expect((await api.latest(behind.id)).level?.[0]?.value).toBe(5);
    const set = told((done) => subDevice.onProps(done));
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${behind.id}/SHARED_SCOPE`, { limit: 4 });
    expect((await set).params).toEqual({ limit: 4 });
    subDevice.onService('reset', ({ id }, reply) => reply({ id, code: 200, data: { done: 1 } }));
    await told((done) => subDevice.postProps({ level: 6 }, done));
    const call = await api.call('POST', `/api/rpc/twoway/${behind.id}`, {
      method: 'reset',
      params: {},
      timeout: 10_000,
    });
    expect(call).toMatchObject({ status: 200, body: { done: 1 } });
    expect(await told((done) => gateway.logout(named(behind), done))).toMatchObject({ code: 200 });
    expect(await told((done) => gateway.removeTopo([named(behind)], done))).toMatchObject({ code: 200 });
    expect((await told((done) => gateway.getTopo(done))).data).toEqual([]);
  });
});

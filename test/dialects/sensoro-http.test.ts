import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { run } from '../harness/real-clients.ts';
import { nextPush, SensoroApplication } from '../harness/sensoro-application.ts';
import { type Received, WebhookReceiver } from '../harness/webhook-receiver.ts';

const SN = '10610117C5A9D9DF';
const TOKEN = 'SENSOROHTTP000000001';
const OTHER_TOKEN = 'SENSOROHTTP000000002';

const server = new MoorageProcess({
  env: { MOORAGE_WEBHOOKS__ALLOW_PRIVATE_ADDRESSES: 'true', MOORAGE_HTTP__TRUSTED_PROXIES: '127.0.0.1' },
});
const api = new ApiClient(server);
const applications: SensoroApplication[] = [];
const receivers: WebhookReceiver[] = [];
let thermometer = '';

beforeAll(async () => {
  await server.start();
  await api.login();
  thermometer = await api.createDevice('thermometer', TOKEN);
  const other = await api.createDevice('other', OTHER_TOKEN);
  await setServerAttributes(thermometer, { 'sensoro.sn': SN, 'sensoro.deviceType': 'temp_humi' });
  await setServerAttributes(other, { 'sensoro.sn': 'OTHER', 'sensoro.deviceType': 'co' });
});
afterEach(async () => {
  for (const one of applications.splice(0)) {
    one.close();
    await api.call('DELETE', `/api/application/${one.id}`);
  }
  for (const one of receivers.splice(0)) await one.stop();
});
afterAll(() => server.dispose());

async function application(configuration: object = {}): Promise<SensoroApplication> {
  const created = await SensoroApplication.create(server, api, `application ${applications.length}`, configuration);
  applications.push(created);
  return created;
}

async function receiver(): Promise<WebhookReceiver> {
  const opened = new WebhookReceiver();
  receivers.push(opened);
  await opened.start();
  return opened;
}

async function setServerAttributes(id: string, values: object): Promise<void> {
  const answer = await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`, values);
  if (answer.status !== 200) throw new Error(answer.text);
}

async function upload(values: object, token = TOKEN): Promise<void> {
  const args = ['-h', '127.0.0.1', '-p', String(server.mqttPort), '-u', token, '-q', '1'];
  const sent = await run('mosquitto_pub', [...args, '-t', 'v1/devices/me/telemetry', '-m', JSON.stringify(values)]);
  if (sent.code !== 0) throw new Error(sent.stderr);
}

function header({ headers }: Received, name: string): string {
  return headers[name] ?? '';
}

/** Signed over the body as it is after it was parsed and serialised again. */
function isSigned({ appSecret }: SensoroApplication, url: string, request: Received): boolean {
  const body = JSON.stringify(JSON.parse(request.body));
  const text = `${header(request, 'X-ACCESS-NONCE')}POST${url}${body}`;
  return createHmac('sha256', appSecret).update(text).digest('base64') === header(request, 'X-ACCESS-SIGNATURE');
}

describe('webhooks', () => {
  it('SEN-24 SEN-25 carry the bytes that subscribers get, and three headers whose signature holds', async () => {
    const hook = await receiver();
    const told = await application({ webhookUrl: hook.url });
    const subscriber = await told.subscriber();
    await upload({ temperature: 20.0, '7': 1e21, text: '😀\u2028/' });
    const push = await nextPush(subscriber);
    await hook.until((received) => received.length >= 1);
    const [request] = hook.received;
    if (request === undefined) throw new TypeError('nothing came');
    expect(request.body).toBe(push.text);
    expect(header(request, 'X-ACCESS-ID')).toBe(told.appId);
    expect(header(request, 'X-ACCESS-NONCE')).toMatch(/^\d{13}$/);
    expect(isSigned(told, hook.url, request)).toBe(true);
    const names = Object.keys(request.headers).map((name) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    const lower = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    expect(lower).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Moorage' });
  });

  it('SEN-32 SEN-50 are encrypted in safe mode, as the package of the demo receiver decrypts them', async () => {
    const hook = await receiver();
    const told = await application({ webhookUrl: hook.url, pushMode: 'safe' });
    await upload({ temperature: 20.5 });
    await hook.until((received) => received.length >= 1);
    const body = JSON.parse(hook.received[0]?.body ?? '');
    expect(body).not.toHaveProperty('data');
    expect(body).toMatchObject({ sn: SN, deviceType: 'temp_humi' });
    const Receiver = createRequire(import.meta.url)('wechat-crypto');
    const decrypted = new Receiver(told.appSecret, told.appKey, told.appId).decrypt(body.encryptData);
    expect(decrypted).toEqual({ message: '{"temperature":20.5}', id: told.appId });
    expect(isSigned(told, hook.url, hook.received[0] ?? { headers: {}, body: '{}' })).toBe(true);
  });

  it('are tried again with a new nonce and the same msgId, and no more once they were taken', async () => {
    const hook = await receiver();
    let answers = 0;
    hook.answer = () => (answers++ < 2 ? 500 : 200);
    const told = await application({ webhookUrl: hook.url });
    await upload({ temperature: 1 });
    await hook.until((received) => received.length >= 3);
    const nonces = hook.received.map((request) => Number(header(request, 'X-ACCESS-NONCE')));
    expect(new Set(hook.received.map(({ body }) => body)).size).toBe(1);
    expect(nonces).toEqual([...new Set(nonces)].sort((a, b) => a - b));
    expect(hook.received.every((request) => isSigned(told, hook.url, request))).toBe(true);
    await upload({ temperature: 2 });
    await hook.until((received) => received.length >= 4);
    expect(JSON.parse(hook.received[3]?.body ?? '').data).toEqual({ temperature: 2 });
  });

  it('SEN-37 of one sn wait for each other, those of another one do not', async () => {
    const hook = await receiver();
    let otherCame = false;
    hook.answer = ({ body }) => {
      otherCame ||= JSON.parse(body).sn === 'OTHER';
      return otherCame ? 200 : 500;
    };
    await application({ webhookUrl: hook.url });
    await upload({ a: 1 });
    await hook.until((received) => received.length >= 1);
    await upload({ a: 2 });
    await upload({ a: 3 }, OTHER_TOKEN);
    const seen = () => hook.received.map(({ body }) => JSON.parse(body)).map(({ sn, data }) => `${sn} ${data.a}`);
    await hook.until(() => seen().includes(`${SN} 2`));
    // The first one is tried until the other device's has come, and the second one waits for it all the time.
    expect(seen().filter((one) => one === `${SN} 1`).length).toBeGreaterThan(1);
    expect(seen().indexOf('OTHER 3')).toBeLessThan(seen().lastIndexOf(`${SN} 1`));
    expect(seen().slice(-1)).toEqual([`${SN} 2`]);
  });

  it('SEN-38 that wait survive a kill of the server', async () => {
    const hook = await receiver();
    hook.answer = () => 500;
    await application({ webhookUrl: hook.url });
    await upload({ temperature: 38 });
    await hook.until((received) => received.length >= 1);
    await server.kill();
    hook.answer = () => 200;
    await server.start();
    await api.login();
    await hook.until((received) => received.length >= 2);
    expect(hook.received[1]?.body).toBe(hook.received[0]?.body);
  });
});

describe('the open API', () => {
  it('SEN-39 takes a GET that is signed over {} or over nothing, and no other', async () => {
    const client = await application();
    for (const signedBody of ['{}', '']) {
      const answer = await client.call('GET', '/developers/device/list?page=1&count=100', { signedBody });
      expect([answer.status, answer.body.err_code]).toEqual([200, 0]);
      expect(answer.body.data.items.map(({ sn }: { sn: string }) => sn)).toEqual([SN, 'OTHER']);
    }
    const wrong = await client.call('GET', '/developers/device/list', { signedBody: 'x' });
    expect([wrong.status, wrong.text]).toEqual([400, '{"info":"Invalid signature"}']);
  });

  it('SEN-40 believes a trusted proxy that ends TLS', async () => {
    const client = await application();
    const base = 'https://iot.example.com';
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'iot.example.com' };
    const answer = await client.call('GET', '/developers/device/list', { base, headers });
    expect(answer.body.err_code).toBe(0);
    const plain = await client.call('GET', '/developers/device/list', { base });
    expect(plain.status).toBe(400);
  });

  it('SEN-42 signs the query as it was sent', async () => {
    const client = await application();
    const answer = await client.call('GET', '/developers/device/list?count=1&%70age=2&x=%2f');
    expect(answer.body.data).toMatchObject({ page: 2, count: 1, total: 2, items: [{ sn: 'OTHER' }] });
  });

  it('SEN-45 an interval reaches the device through its own dialect', async () => {
    const client = await application();
    const url = `mqtt://127.0.0.1:${server.mqttPort}`;
    const device = await mqtt.connectAsync(url, { username: TOKEN, reconnectPeriod: 0 });
    const heard = new Promise<string>((resolve) =>
      device.once('message', (_topic, payload) => resolve(String(payload))),
    );
    await device.subscribeAsync('v1/devices/me/attributes', { qos: 1 });
    const answer = await client.call('POST', '/developers/device/interval', {
      body: { sns: [SN, 'nobody'], cfg: { interval: 300 } },
    });
    expect(answer.body).toEqual({
      err_code: 0,
      data: {
        scheduleNo: expect.stringMatching(/^ED-\d{8}-\d{6}$/),
        ok: [{ sn: SN, taskId: expect.any(Number) }],
        unsupportSns: [],
        unexistSns: ['nobody'],
      },
    });
    expect(JSON.parse(await heard)).toEqual({ interval: 300 });
    await device.endAsync();
  });

  it('SEN-45 custom data reach a plain device as an RPC, also later', async () => {
    const plain = await api.createPlainDevice('plain device', 'plain-user', 'plain-password');
    await setServerAttributes(plain, { 'sensoro.sn': 'PLAIN' });
    const client = await application();
    const body = { sn: 'plain', customerData: '00010101' };
    expect((await client.call('POST', '/developers/device/data', { body })).body.err_code).toBe(0);
    const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, {
      username: 'plain-user',
      password: 'plain-password',
      reconnectPeriod: 0,
    });
    const heard = new Promise<string>((resolve) =>
      device.once('message', (_topic, payload) => resolve(String(payload))),
    );
    await device.subscribeAsync('moorage/me/rpc/request/+', { qos: 1 });
    expect(JSON.parse(await heard)).toEqual({ method: 'setAttributes', params: { customerData: '00010101' } });
    await device.endAsync();
  });

  it('SEN-47 a device has its record and its log', async () => {
    const client = await application();
    for (const a of [1, 2, 3]) await upload({ ts: 1_000 + a, values: { logged: a } });
    const log = await client.call(
      'GET',
      `/developers/device/${SN}/log?startTime=1002&endTime=1003&order=asc&count=1&page=2`,
    );
    expect(log.body.data).toMatchObject([{ sn: SN, createdTime: 1_003, data: { logged: 3 } }]);
    const record = await client.call('GET', `/developers/device/${SN.toLowerCase()}`);
    expect(record.body.data).toMatchObject({ sn: SN, deviceType: 'temp_humi', name: 'thermometer', status: 'online' });
    const refused = await client.call('GET', `/developers/device/${SN}/log?count=1001`);
    expect(refused.body.err_code).toBe(5020416);
    expect((await client.call('GET', '/developers/station/nobody')).body.err_code).toBe(5020405);
  });

  it('SEN-48 SEN-49 an old nonce is refused, and a repeated POST does its work once', async () => {
    const client = await application();
    const old = await client.call('GET', '/developers/device/list', { nonce: String(Date.now() - 16 * 60_000) });
    expect([old.status, old.text]).toEqual([400, '{"info":"Invalid nonce"}']);
    const nonce = String(Date.now());
    const request = { nonce, body: { sns: [SN], cfg: { interval: 301 } } };
    const [first, second] = [
      await client.call('POST', '/developers/device/interval', request),
      await client.call('POST', '/developers/device/interval', request),
    ];
    expect(first.body.err_code).toBe(0);
    expect(second.text).toBe(first.text);
  });

  it('answers bodies over 256 KiB with 413 and unknown paths with 404', async () => {
    const client = await application();
    const large = await client.call('POST', '/developers/device/interval', { body: { x: 'x'.repeat(262_144) } });
    expect(large.status).toBe(413);
    expect((await client.call('GET', '/developers/nothing')).status).toBe(404);
    expect((await client.call('POST', '/developers/device/list', { body: {} })).status).toBe(404);
  });
});

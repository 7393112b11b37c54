import { createHmac } from 'node:crypto';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import {
  type Body,
  createLinkDevice,
  createProduct,
  type LinkDevice,
  type LinkProduct,
} from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
let product: LinkProduct;
let number = 0;

beforeAll(async () => {
  // The second start has the ports of the first in its configuration.
  await server.start();
  await server.stop();
  await server.start();
  await api.login();
  product = await createProduct(api, 'tanks');
});
afterAll(() => server.dispose());

function newDevice(): Promise<LinkDevice> {
  number++;
  return createLinkDevice(api, product, `tank-${number}`);
}

function proof({ productKey, deviceName, deviceSecret }: LinkDevice, timestamp = String(Date.now())) {
  const clientId = 'some-client';
  const content = `clientId${clientId}deviceName${deviceName}productKey${productKey}timestamp${timestamp}`;
  const sign = createHmac('sha256', deviceSecret).update(content).digest('hex');
  return { version: 'default', clientId, signmethod: 'hmacsha256', sign, productKey, deviceName, timestamp };
}

async function call(
  method: string,
  path: string,
  body?: string | object,
  headers: Record<string, string> = {},
): Promise<Body> {
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const response = await fetch(server.baseUrl + path, {
    method,
    headers,
    ...(text === undefined ? {} : { body: text }),
  });
  expect(response.status).toBe(200);
  return response.json();
}

describe('the HTTP data channel', () => {
  it('ALI-29 stores what is posted with a token', async () => {
    const device = await newDevice();
    const { code, info } = await call('POST', '/auth', proof(device), { 'content-type': 'application/json' });
    expect([code, info.token.length <= 192]).toEqual([0, true]);
    const topic = `/topic/sys/${device.productKey}/${device.deviceName}/thing/event/property/post`;
    const octets = { password: info.token, 'content-type': 'application/octet-stream' };
    const posted = await call('POST', topic, { id: '1', params: { level: 12.5 } }, octets);
    expect(posted).toEqual({ code: 0, message: 'success', info: { messageId: expect.any(Number) } });
    expect((await api.latest(device.id)).level?.[0]?.value).toBe(12.5);
    expect(await call('POST', topic, 'no json', octets)).toMatchObject({ code: 10001 });
    const foreign = `/topic/sys/${device.productKey}/another/thing/event/property/post`;
    expect(await call('POST', foreign, '{}', octets)).toMatchObject({ code: 30001 });
  });

  it('ALI-29 missing and wrong tokens, wrong signatures and old times have their codes', async () => {
    const device = await newDevice();
    const topic = `/topic/sys/${device.productKey}/${device.deviceName}/thing/event/property/post`;
    expect(await call('POST', topic, '{}')).toMatchObject({ code: 20002 });
    const { info } = await call('POST', '/auth', proof(device));
    const wrong = info.token.replace(/.(?=\.)/, (last: string) => (last === '0' ? '1' : '0'));
    expect(await call('POST', topic, '{}', { password: wrong })).toMatchObject({ code: 20003 });
    const other = await newDevice();
    const stolen = info.token.replace(device.deviceName, other.deviceName);
    expect(await call('POST', topic, '{}', { password: stolen })).toMatchObject({ code: 20003 });
    expect(await call('POST', '/auth', { ...proof(device), sign: '00' })).toMatchObject({ code: 20000 });
    expect(await call('POST', '/auth', proof(device, '1000'))).toMatchObject({ code: 20000 });
    expect(await call('POST', '/auth', { productKey: 'x' })).toMatchObject({ code: 10001 });
  });
});

describe('bootstrap and pre-authentication', () => {
  it('ALI-28 tells host and port by POST and GET', async () => {
    const { productKey, deviceName } = await newDevice();
    const form = `productKey=${productKey}&deviceName=${deviceName}&clientId=x&resources=mqtt`;
    const there = { code: 200, data: { host: '127.0.0.1', port: server.mqttPort } };
    expect(await call('POST', '/auth/bootstrap', form)).toMatchObject(there);
    expect(await call('GET', '/auth/bootstrap/regionId/cn-shanghai')).toMatchObject(there);
  });

  it('ALI-27 gives iotId and iotToken, with which a device connects', async () => {
    const device = await newDevice();
    const { signmethod, version, ...rest } = proof(device);
    const form = (fields: object) =>
      new URLSearchParams({ ...fields, signmethod, version, resources: 'mqtt' }).toString();
    const answer = await call('POST', '/auth/devicename', form(rest));
    expect(JSON.stringify(answer).length).toBeLessThan(300);
    const { iotId, iotToken, resources } = answer.data;
    expect([iotId.length <= 64, iotToken.length <= 65]).toEqual([true, true]);
    const connect = (password: string) =>
      mqtt.connectAsync(`mqtt://${resources.mqtt.host}:${resources.mqtt.port}`, {
        clientId: 'x|securemode=-1,timestamp=1,_v=sdk-c-3.0.1|',
        username: iotId,
        password,
        reconnectPeriod: 0,
      });
    const client = await connect(iotToken);
    expect(client.connected).toBe(true);
    await client.endAsync();
    await expect(connect(iotToken.replace(/.$/, (last: string) => (last === '0' ? '1' : '0')))).rejects.toMatchObject({
      code: 4,
    });
    expect(await call('POST', '/auth/devicename', form({ ...rest, sign: '00' }))).toMatchObject({ code: 6600 });
  });
});

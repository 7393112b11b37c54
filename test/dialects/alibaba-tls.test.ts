import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import {
  type Body,
  createLinkDevice,
  createProduct,
  LinkClient,
  type LinkDevice,
  type LinkProduct,
  registerOverMqtt,
} from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { run } from '../harness/real-clients.ts';

const COMMAND = fileURLToPath(new URL('../../node_modules/.bin/moorage', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'moorage-link-tls-'));
const file = (name: string): string => join(folder, 'tls', name);

const server = new MoorageProcess({
  args: ['--cert', file('server.crt'), '--key', file('server.key')],
  env: { MOORAGE_COMBINED__PORT: '0' },
});
const api = new ApiClient(server);
const clients: LinkClient[] = [];
let product: LinkProduct;

beforeAll(async () => {
  execFileSync(COMMAND, ['cert', 'init', '--data-dir', folder, '--json', '--host', 'localhost', '--host', '127.0.0.1']);
  await server.start();
  await api.login();
  product = await createProduct(api, 'doors', { dynamicRegistration: true });
});

afterAll(async () => {
  for (const client of clients) await client.end();
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function connect(url: string, device: LinkDevice): Promise<LinkClient> {
  const client = await LinkClient.connect(url, device, { more: ',_ss=1' }, { ca: readFileSync(file('ca.crt')) });
  clients.push(client);
  return client;
}

const posts = async (client: LinkClient): Promise<number> =>
  (await client.ask('thing/event/property/post', { open: 1 })).code;

/** A POST over HTTPS to a port that serves more than that. */
function postTo(port: number, path: string, form: Record<string, string>): Promise<Body> {
  return new Promise((resolve, reject) => {
    const options = { host: 'localhost', port, path, method: 'POST', ca: readFileSync(file('ca.crt')), agent: false };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    });
    sent.on('error', reject).end(new URLSearchParams(form).toString());
  });
}

describe('TLS', () => {
  it('ALI-15 the port of plain MQTT takes TLS too', async () => {
    const device = await createLinkDevice(api, product, 'door-1');
    expect(await posts(await connect(`mqtts://localhost:${server.mqttPort}`, device))).toBe(200);
    expect(await posts(await connect(`mqtt://localhost:${server.mqttPort}`, device))).toBe(200);
  });

  it('ALI-16 one port serves MQTT over TLS, WSS and HTTPS', async () => {
    const port = server.port('combined');
    const device = await createLinkDevice(api, product, 'door-2');
    expect(await posts(await connect(`mqtts://localhost:${port}`, device))).toBe(200);
    expect(await posts(await connect(`wss://localhost:${port}/mqtt`, device))).toBe(200);
    const { productKey, deviceName } = await createLinkDevice(api, product, 'door-3', null);
    const content = `deviceName${deviceName}productKey${productKey}random1`;
    const sign = createHmac('sha256', product.productSecret).update(content).digest('hex');
    const form = { productKey, deviceName, random: '1', sign, signMethod: 'hmacsha256' };
    expect(await postTo(port, '/auth/register/device', form)).toMatchObject({ code: 200, data: { deviceName } });
  });

  it('ALI-17 a device with TLS-PSK needs no certificate, and a wrong key ends the handshake', async () => {
    const device = await createLinkDevice(api, product, 'door-4');
    const { productKey, deviceName, deviceSecret } = device;
    const pair = `${productKey}&${deviceName}`;
    const identity = `devicename|hmacsha256|${pair}|2524608000000`;
    const content = `id${pair}timestamp2524608000000`;
    const key = createHmac('sha256', deviceSecret).update(content).digest('hex').toUpperCase();
    const handshake = (secret: string, cipher: string) =>
      run(
        'openssl',
        [
          ...['s_client', '-connect', `127.0.0.1:${server.port('mqtts')}`, '-tls1_2', '-cipher', cipher],
          ...['-psk', Buffer.from(secret).toString('hex'), '-psk_identity', identity],
        ],
        { input: 'Q' },
      );
    for (const cipher of ['PSK-AES128-GCM-SHA256', 'PSK-AES128-CBC-SHA']) {
      const good = await handshake(key, cipher);
      expect(good.code, good.stderr).toBe(0);
      expect(good.stdout).toContain(`Cipher is ${cipher}`);
      const wrong = key.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      expect((await handshake(wrong, cipher)).code).not.toBe(0);
    }
    const options = {
      ciphers: 'PSK-AES128-GCM-SHA256',
      maxVersion: 'TLSv1.2' as const,
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk: Buffer.from(key), identity }),
    };
    const client = await LinkClient.connect(
      `mqtts://127.0.0.1:${server.mqttPort}`,
      device,
      { more: ',_ss=1' },
      options,
    );
    clients.push(client);
    expect(await posts(client)).toBe(200);
  });

  it('ALI-24 a device that nobody announced is made, is told its token, and logs in with it, also after kill -9', async () => {
    const url = `mqtts://localhost:${server.mqttPort}`;
    const options = { ca: readFileSync(file('ca.crt')) };
    const open = await createProduct(api, 'bells', { registrationFree: true });
    const register = (to = open, at = url) => registerOverMqtt(at, to, 'bell-01', 'regnwl', options);
    await expect(register(product)).rejects.toMatchObject({ code: 4 });
    await expect(register({ ...open, productSecret: 'wrong' })).rejects.toMatchObject({ code: 4 });
    await expect(register(open, `mqtt://localhost:${server.mqttPort}`)).rejects.toMatchObject({ code: 3 });
    const [[topic, body], again] = await Promise.all([register(), register()]);
    expect(again).toEqual([topic, body]);
    expect(topic).toBe('/ext/regnwl');
    const { productKey, deviceName, clientId, deviceToken } = body;
    expect([productKey, deviceName]).toEqual([open.productKey, 'bell-01']);
    const found = await api.call('GET', `/api/tenant/devices?deviceName=${deviceName}`);
    expect(found.body).toMatchObject({ dialect: 'alibaba', type: 'bells' });
    await server.kill();
    await server.start();
    await api.login();
    const device = { id: found.body.id.id, productKey, deviceName, deviceSecret: '' };
    const logIn = (password: string) =>
      LinkClient.connect(
        `mqtts://localhost:${server.mqttPort}`,
        device,
        {},
        {
          ...options,
          clientId: `${clientId}|authType=connwl,securemode=-2,_ss=1,ext=3,_v=sdk-c-4.2.0|`,
          password,
        },
      );
    await expect(logIn(`${deviceToken}0`)).rejects.toMatchObject({ code: 4 });
    const client = await logIn(deviceToken);
    clients.push(client);
    expect(await posts(client)).toBe(200);
    // It has connected, so whoever else knows the product's secret is told nothing of it.
    const lastConnect = `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes/SERVER_SCOPE?keys=lastConnectTime`;
    while ((await api.call('GET', lastConnect)).body.length === 0);
    await expect(
      registerOverMqtt(`mqtts://localhost:${server.mqttPort}`, open, 'bell-01', 'regnwl', options),
    ).rejects.toMatchObject({ code: 4 });
  });

  it('ALI-81 a gateway is told the secrets of the devices behind it, again until they have connected', async () => {
    const gateway = await createLinkDevice(api, product, 'gate-1', undefined, { gateway: true });
    const { productKey, deviceName } = await createLinkDevice(api, product, 'door-5', null);
    const client = await connect(`mqtts://localhost:${server.mqttPort}`, gateway);
    const register = () => client.ask('thing/sub/register', [{ productKey, deviceName }]);
    const { code, data } = await register();
    expect([code, data]).toEqual([
      200,
      [{ iotId: expect.any(String), productKey, deviceName, deviceSecret: expect.any(String) }],
    ]);
    expect((await register()).data).toEqual(data);
  });
});

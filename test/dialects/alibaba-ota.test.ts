import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import {
  createLinkDevice,
  createProduct,
  LinkClient,
  type LinkDevice,
  type LinkProduct,
} from '../harness/link-devices.ts';
import { ADMIN_EMAIL, ADMIN_PASSWORD, MoorageProcess } from '../harness/moorage-process.ts';

const byHttp = new MoorageProcess({ env: { MOORAGE_PUBLIC_HOST: '127.0.0.1' } });
const byMqtt = new MoorageProcess();
const clients: LinkClient[] = [];

interface Site {
  readonly server: MoorageProcess;
  readonly api: ApiClient;
  readonly authorization: string;
  readonly product: LinkProduct;
}
const sites = new Map<MoorageProcess, Site>();

beforeAll(async () => {
  for (const server of [byHttp, byMqtt]) {
    await server.start();
    const api = new ApiClient(server);
    const { token } = (await api.login(ADMIN_EMAIL, ADMIN_PASSWORD)).body;
    sites.set(server, { server, api, authorization: `Bearer ${token}`, product: await createProduct(api, 'pumps') });
  }
});

afterAll(async () => {
  for (const client of clients) await client.end();
  await Promise.all([byHttp.dispose(), byMqtt.dispose()]);
});

function siteOf(server: MoorageProcess): Site {
  const site = sites.get(server);
  if (site === undefined) throw new Error('not started');
  return site;
}

let number = 0;

/** A package of this version with a random file. */
async function newPackage({ server, api, authorization, product }: Site, version: string, algorithm = 'MD5') {
  number++;
  const created = await api.call('POST', '/api/otaPackage', {
    type: 'FIRMWARE',
    title: `pump ${number}`,
    version,
    deviceProfileId: { entityType: 'DEVICE_PROFILE', id: product.profileId },
    usesUrl: false,
  });
  expect(created.status, created.text).toBe(200);
  const { id } = created.body.id;
  const file = randomBytes(12_345);
  const form = new FormData();
  form.append('file', new Blob([file]), 'pump.bin');
  form.append('checksumAlgorithm', algorithm);
  const uploaded = await fetch(`${server.baseUrl}/api/otaPackage/${id}`, {
    method: 'POST',
    headers: { 'x-authorization': authorization },
    body: form,
  });
  expect(uploaded.status).toBe(200);
  return { id, version, file, md5: createHash('md5').update(file).digest('hex') };
}

async function assign({ api }: Site, deviceId: string, firmwareId: string): Promise<void> {
  const { body } = await api.call('GET', `/api/device/${deviceId}`);
  const saved = await api.call('POST', '/api/device', {
    ...body,
    firmwareId: { entityType: 'OTA_PACKAGE', id: firmwareId },
  });
  expect(saved.status, saved.text).toBe(200);
}

async function newDevice({ api, product }: Site): Promise<LinkDevice> {
  number++;
  return createLinkDevice(api, product, `pump-${number}`);
}

async function connect(server: MoorageProcess, device: LinkDevice): Promise<LinkClient> {
  const client = await LinkClient.connect(`mqtt://127.0.0.1:${server.mqttPort}`, device, { more: ',_ss=1' });
  clients.push(client);
  return client;
}

const topic = (name: string, { productKey, deviceName }: LinkDevice) =>
  `/ota/device/${name}/${productKey}/${deviceName}`;

/** Waits for a value of a series that the platform writes by itself. */
async function reaches({ api }: Site, id: string, key: string, wanted: unknown): Promise<void> {
  for (;;) {
    if ((await api.latest(id, key))[key]?.[0]?.value === wanted) return;
  }
}

describe('firmware', () => {
  it('ALI-75, ALI-78 is pushed with an address that gives the file, whole and in ranges', async () => {
    const site = siteOf(byHttp);
    const device = await newDevice(site);
    const client = await connect(byHttp, device);
    await client.send(topic('inform', device), { id: '1', params: { version: '1.0' } });
    const firmware = await newPackage(site, '2.0');
    await assign(site, device.id, firmware.id);
    const { body, payload } = await client.message(topic('upgrade', device));
    expect(payload.length).toBeLessThan(1024);
    expect(body).toMatchObject({ code: '1000', message: 'success' });
    expect(body.data).toEqual({
      size: 12_345,
      version: '2.0',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/link\/ota\//),
      md5: firmware.md5,
      sign: firmware.md5,
      signMethod: 'Md5',
      isDiff: 0,
    });
    const { pathname } = new URL(body.data.url);
    const get = (range?: string) =>
      fetch(byHttp.baseUrl + pathname, range === undefined ? {} : { headers: { range: `bytes=${range}` } });
    const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
    const whole = await get();
    expect([whole.status, whole.headers.get('content-length')]).toEqual([200, '12345']);
    expect(
      createHash('md5')
        .update(await bytesOf(whole))
        .digest('hex'),
    ).toBe(body.data.sign);
    for (const [range, from, to] of [
      ['0-99', 0, 100],
      ['10000-', 10_000, 12_345],
      ['12000-99999', 12_000, 12_345],
      ['-5', 12_340, 12_345],
    ] as const) {
      const part = await get(range);
      expect(part.status, range).toBe(206);
      expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/12345`);
      expect((await bytesOf(part)).equals(firmware.file.subarray(from, to)), range).toBe(true);
    }
    expect((await get('12345-')).status).toBe(416);
    const forged = pathname.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect((await fetch(byHttp.baseUrl + forged)).status).toBe(404);
    expect((await fetch(byHttp.baseUrl + pathname.replace(/\/\d+\//, '/9999999999/'))).status).toBe(404);
  });

  it('ALI-75 names SHA256 as libraries spell it', async () => {
    const site = siteOf(byHttp);
    const device = await newDevice(site);
    const client = await connect(byHttp, device);
    const firmware = await newPackage(site, '2.0', 'SHA256');
    await assign(site, device.id, firmware.id);
    const { body } = await client.message(topic('upgrade', device));
    const sign = createHash('sha256').update(firmware.file).digest('hex');
    expect(body.data).toMatchObject({ signMethod: 'SHA256', sign });
    expect(body.data).not.toHaveProperty('md5');
  });

  it('ALI-76 is asked for by both topics; without a task the answer is {}', async () => {
    const site = siteOf(byHttp);
    const device = await newDevice(site);
    const client = await connect(byHttp, device);
    expect(await client.ask('thing/ota/firmware/get', {})).toMatchObject({ code: 200, data: {} });
    await client.send(topic('request', device), { id: '7', params: { version: '1.0' } });
    expect((await client.message(topic('request', device))).body).toMatchObject({ id: '7', data: {} });
    const firmware = await newPackage(site, '2.0');
    await assign(site, device.id, firmware.id);
    await client.message(topic('upgrade', device));
    expect((await client.ask('thing/ota/firmware/get', {})).data).toMatchObject({ version: '2.0', md5: firmware.md5 });
    expect((await client.ask('thing/ota/firmware/get', { module: 'MCU' })).data).toEqual({});
    await client.send(topic('request', device), { id: '8', params: {} });
    expect((await client.message(topic('request', device))).body).toMatchObject({ id: '8', data: { version: '2.0' } });
  });

  it('ALI-77 is done when the device reports the version; steps below zero are failures', async () => {
    const site = siteOf(byHttp);
    const device = await newDevice(site);
    const client = await connect(byHttp, device);
    const firmware = await newPackage(site, '3.0');
    await assign(site, device.id, firmware.id);
    await client.message(topic('upgrade', device));
    await client.send(topic('progress', device), { id: '1', params: { step: '50', desc: '' } });
    await client.send(topic('progress', device), { id: '2', params: { step: -2, desc: 'cable' } });
    await reaches(site, device.id, 'fw_state', 'FAILED');
    expect((await site.api.latest(device.id)).fw_error?.[0]?.value).toBe('the download failed: cable');
    await client.send(topic('inform', device), { id: '3', params: { version: '3.0' } });
    await reaches(site, device.id, 'fw_state', 'UPDATED');
  });

  it('ALI-80 is pushed to who was away when it connects again, until it runs that version', async () => {
    const site = siteOf(byHttp);
    const device = await newDevice(site);
    const first = await connect(byHttp, device);
    await first.send(topic('inform', device), { id: '1', params: { version: '1.0' } });
    await first.quiet();
    await first.end();
    const firmware = await newPackage(site, '2.0');
    await assign(site, device.id, firmware.id);
    const shared = `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes/SHARED_SCOPE`;
    while ((await site.api.call('GET', shared)).body.length === 0);
    const second = await connect(byHttp, device);
    expect((await second.message(topic('upgrade', device))).body.data.version).toBe('2.0');
    await second.send(topic('inform', device), { id: '1', params: { version: '2.0' } });
    await reaches(site, device.id, 'fw_state', 'UPDATED');
    await second.end();
    const third = await connect(byHttp, device);
    expect((await third.ask('thing/ota/firmware/get', {})).data).toEqual({});
    expect(await third.quiet()).toEqual([]);
  });
});

describe('firmware over MQTT alone', () => {
  it('ALI-79 comes in blocks with length and checksum, asked for with a stray comma; the last one is short', async () => {
    const site = siteOf(byMqtt);
    const device = await newDevice(site);
    const client = await connect(byMqtt, device);
    const firmware = await newPackage(site, '2.0');
    await assign(site, device.id, firmware.id);
    const { data } = (await client.message(topic('upgrade', device))).body;
    expect(data).toMatchObject({ dProtocol: 'mqtt', streamId: expect.any(Number), streamFileId: 1 });
    const parts: Buffer[] = [];
    for (let offset = 0; offset < data.size; offset += parts.at(-1)?.length ?? 0) {
      // As C 4.x does, the last block is asked for with what is left.
      const size = Math.min(5120, data.size - offset);
      await client.send(
        `${client.system}thing/file/download`,
        `{"id":"${offset}","version":"1.0","params":{"fileToken":"default","fileInfo":{"streamId":${data.streamId},"fileId":1,},"fileBlock":{"size":${size},"offset":${offset}}}}`,
        0,
      );
      const { payload } = await client.message(`${client.system}thing/file/download_reply`);
      const length = payload.readUInt16BE(0);
      const header = JSON.parse(payload.subarray(2, 2 + length).toString());
      const block = payload.subarray(2 + length, payload.length - 2);
      expect(header).toEqual({
        id: String(offset),
        code: 200,
        msg: 'success',
        data: { fileToken: 'default', fileLength: 12_345, bSize: size, bOffset: offset },
      });
      expect(payload.readUInt16LE(payload.length - 2)).toBe(crc(block));
      parts.push(Buffer.from(block));
    }
    expect(parts.map((part) => part.length)).toEqual([5120, 5120, 2105]);
    expect(Buffer.concat(parts).equals(firmware.file)).toBe(true);
  });
});

/** CRC-16/ARC by its definition: reflected input and output, polynomial 0x8005. */
function crc(bytes: Uint8Array): number {
  const reflect = (value: number, bits: number): number =>
    Number.parseInt(value.toString(2).padStart(bits, '0').split('').reverse().join(''), 2);
  let register = 0;
  for (const byte of bytes) {
    register ^= reflect(byte, 8) << 8;
    for (let bit = 0; bit < 8; bit++)
      register = (register & 0x8000) === 0 ? register << 1 : ((register << 1) ^ 0x8005) & 0xffff;
    register &= 0xffff;
  }
  return reflect(register, 16);
}

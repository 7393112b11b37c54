import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { ADMIN_EMAIL, ADMIN_PASSWORD, MoorageProcess } from '../harness/moorage-process.ts';
import { COAP, run } from '../harness/real-clients.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
let number = 0;
let authorization = '';

beforeAll(async () => {
  await server.start();
  authorization = `Bearer ${(await api.login(ADMIN_EMAIL, ADMIN_PASSWORD)).body.token}`;
});
afterAll(() => server.dispose());

interface Package {
  readonly id: string;
  readonly title: string;
  readonly version: string;
  readonly file: Buffer;
  readonly profileId: string;
}

async function profile(name: string): Promise<{ id: string; body: object }> {
  const answer = await api.call('POST', '/api/deviceProfile', {
    name,
    type: 'DEFAULT',
    transportType: 'DEFAULT',
    profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
  });
  expect(answer.status, answer.text).toBe(200);
  return { id: answer.body.id.id, body: answer.body };
}

async function upload(id: string, file: Buffer, algorithm: string, checksum = ''): Promise<Response> {
  const form = new FormData();
  form.append('file', new Blob([file]), 'firmware.bin');
  form.append('checksumAlgorithm', algorithm);
  if (checksum !== '') form.append('checksum', checksum);
  return await fetch(`${server.baseUrl}/api/otaPackage/${id}`, {
    method: 'POST',
    headers: { 'x-authorization': authorization },
    body: form,
  });
}

async function createPackage(profileId: string, fields: object): Promise<string> {
  const answer = await api.call('POST', '/api/otaPackage', {
    type: 'FIRMWARE',
    deviceProfileId: { entityType: 'DEVICE_PROFILE', id: profileId },
    usesUrl: false,
    ...fields,
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.id.id;
}

/** A profile with one package of `size` bytes. */
async function newPackage(
  size: number,
  type: 'FIRMWARE' | 'SOFTWARE' = 'FIRMWARE',
  file: Buffer = randomBytes(size),
): Promise<Package> {
  number++;
  const { id: profileId } = await profile(`ota ${number}`);
  const title = `title ${number}`;
  const id = await createPackage(profileId, { type, title, version: '1.0', tag: 'tag' });
  const response = await upload(id, file, 'SHA256', createHash('sha256').update(file).digest('hex'));
  expect(response.status, await response.text()).toBe(200);
  return { id, title, version: '1.0', file, profileId };
}

async function newDevice(profileId: string, assign: object = {}): Promise<{ id: string; token: string; body: object }> {
  number++;
  const token = `OTATOKEN${String(number).padStart(12, '0')}`;
  const answer = await api.call('POST', `/api/device?accessToken=${token}`, {
    name: `ota ${number}`,
    deviceProfileId: { entityType: 'DEVICE_PROFILE', id: profileId },
    ...assign,
  });
  expect(answer.status, answer.text).toBe(200);
  return { id: answer.body.id.id, token, body: answer.body };
}

const reference = (id: string) => ({ entityType: 'OTA_PACKAGE', id });

async function shared(id: string): Promise<Record<string, unknown>> {
  const answer = await api.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SHARED_SCOPE`);
  return Object.fromEntries(answer.body.map((entry: { key: string; value: unknown }) => [entry.key, entry.value]));
}

async function until<T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (fits(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Downloads in chunks as an SDK does, until an empty one comes. */
async function download(device: ThingsboardDevice, size: number, requestId = 1, prefix = 'v2/fw'): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let chunk = 0; ; chunk++) {
    device.send(`${prefix}/request/${requestId}/chunk/${chunk}`, String(size));
    const { payload } = await device.message(`${prefix}/response/${requestId}/chunk/${chunk}`);
    if (payload.length === 0) return Buffer.concat(parts);
    parts.push(payload);
  }
}

describe('assignment', () => {
  it('TB-78, TB-85 writes the telemetry and one push with every key; taking it back pushes what is deleted', async () => {
    const firmware = await newPackage(1_000);
    const { id, token, body } = await newDevice(firmware.profileId);
    const device = await ThingsboardDevice.connect(server, token);
    await device.subscribe(1, 'v1/devices/me/attributes');
    const assigned = await api.call('POST', '/api/device', { ...body, firmwareId: reference(firmware.id) });
    expect(assigned.status, assigned.text).toBe(200);
    let push = await device.message();
    while ('deleted' in push.body) push = await device.message();
    expect(push.body).toEqual({
      fw_title: firmware.title,
      fw_version: '1.0',
      fw_tag: 'tag',
      fw_size: 1_000,
      fw_checksum: createHash('sha256').update(firmware.file).digest('hex'),
      fw_checksum_algorithm: 'SHA256',
    });
    const latest = await until(
      () => api.latest(id),
      (values) => values.fw_state?.[0]?.value === 'INITIATED',
    );
    expect(latest.target_fw_title?.[0]?.value).toBe(firmware.title);
    expect(latest.target_fw_version?.[0]?.value).toBe('1.0');
    expect(latest.target_fw_tag?.[0]?.value).toBe('tag');
    expect(latest.target_fw_ts?.[0]?.value).toBeTypeOf('number');
    const history = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=fw_state&startTs=0&endTs=${Date.now() + 60_000}&orderBy=ASC`,
    );
    expect(history.body.fw_state.map((point: { value: string }) => point.value)).toEqual(['QUEUED', 'INITIATED']);
    const taken = await api.call('POST', '/api/device', { ...assigned.body, firmwareId: null });
    expect(taken.status, taken.text).toBe(200);
    const deleted = (await device.message()).body.deleted;
    expect(deleted).toEqual(expect.arrayContaining(['fw_title', 'fw_version', 'fw_size', 'fw_checksum']));
    expect(await shared(id)).toEqual({});
    device.close();
  });

  it('TB-79 the package of the device beats that of its profile, whose changes do not touch such devices', async () => {
    const general = await newPackage(100);
    const own = await createPackage(general.profileId, { title: 'own', version: '9' });
    expect((await upload(own, randomBytes(50), 'MD5')).status).toBe(200);
    const special = await newDevice(general.profileId, { firmwareId: reference(own) });
    const usual = await newDevice(general.profileId);
    const profileBody = (await api.call('GET', `/api/deviceProfile/${general.profileId}`)).body;
    const saved = await api.call('POST', '/api/deviceProfile', { ...profileBody, firmwareId: reference(general.id) });
    expect(saved.status, saved.text).toBe(200);
    await until(
      () => shared(usual.id),
      (values) => values.fw_title === general.title,
    );
    expect(
      (
        await until(
          () => shared(special.id),
          (values) => values.fw_title !== undefined,
        )
      ).fw_title,
    ).toBe('own');
    const added = await newDevice(general.profileId);
    await until(
      () => shared(added.id),
      (values) => values.fw_title === general.title,
    );
  });

  it('TB-87 a package elsewhere sets fw_url and refuses chunks with FAILURE', async () => {
    const { id: profileId } = await profile('ota elsewhere');
    const id = await createPackage(profileId, {
      title: 'elsewhere',
      version: '1',
      url: 'https://example.org/fw.bin',
      usesUrl: true,
    });
    const { id: deviceId, token } = await newDevice(profileId, { firmwareId: reference(id) });
    await until(
      () => shared(deviceId),
      (values) => values.fw_url === 'https://example.org/fw.bin',
    );
    const device = await ThingsboardDevice.connect(server, token);
    device.send('v2/fw/request/1/chunk/0', '100');
    expect(await device.message('v2/fw/error')).toMatchObject({ text: 'FAILURE' });
    device.close();
  });
});

describe('download over MQTT', () => {
  it('TB-80 chunks concatenate to the file, the last one is short, the one after it is empty', async () => {
    const firmware = await newPackage(10_000);
    const { token } = await newDevice(firmware.profileId, { firmwareId: reference(firmware.id) });
    const device = await ThingsboardDevice.connect(server, token);
    expect((await download(device, 4_096)).equals(firmware.file)).toBe(true);
    expect((await download(device, 5_000, 2)).equals(firmware.file)).toBe(true);
    device.close();
  });

  it('TB-81 an empty payload and 0 give the whole file, also above 64 KiB', async () => {
    const firmware = await newPackage(300_000);
    const { token } = await newDevice(firmware.profileId, { firmwareId: reference(firmware.id) });
    const device = await ThingsboardDevice.connect(server, token);
    for (const [requestId, payload] of [
      [1, ''],
      [2, '0'],
    ] as const) {
      device.send(`v2/fw/request/${requestId}/chunk/0`, payload);
      const message = await device.message(`v2/fw/response/${requestId}/chunk/0`);
      expect(Buffer.from(message.payload).equals(firmware.file)).toBe(true);
    }
    device.send('v2/fw/request/3/chunk/0', '65537');
    expect((await device.message('v2/fw/error')).text).toBe('PAYLOAD_TOO_LARGE');
    expect(await device.quiet()).toEqual([]);
    device.close();
  });

  it('TB-82 with a refused subscription and with none at all', async () => {
    const firmware = await newPackage(5_000);
    const { token } = await newDevice(firmware.profileId, { firmwareId: reference(firmware.id) });
    const device = await ThingsboardDevice.connect(server, token);
    expect((await download(device, 4_096)).equals(firmware.file)).toBe(true);
    expect(await device.subscribe(0, 'v2/fw/response/+')).toEqual([0x80]);
    expect((await download(device, 1_024, 7)).equals(firmware.file)).toBe(true);
    device.close();
  });

  it('TB-83 nothing assigned: NOT_FOUND on v2/fw/error, for software on the same topic', async () => {
    const { id } = await profile('ota nothing');
    const { token } = await newDevice(id);
    const device = await ThingsboardDevice.connect(server, token);
    device.send('v2/fw/request/1/chunk/0', '100');
    expect((await device.message('v2/fw/error')).text).toBe('NOT_FOUND');
    device.send('v2/sw/request/1/chunk/0', '100');
    expect((await device.message('v2/fw/error')).text).toBe('NOT_FOUND');
    device.close();
  });

  it('TB-80 software comes by its own topics', async () => {
    const software = await newPackage(3_000, 'SOFTWARE');
    const { token } = await newDevice(software.profileId, { softwareId: reference(software.id) });
    const device = await ThingsboardDevice.connect(server, token);
    expect((await download(device, 1_000, 1, 'v2/sw')).equals(software.file)).toBe(true);
    device.close();
  });
});

describe('packages', () => {
  it('TB-84 all seven checksum algorithms', async () => {
    const { id: profileId } = await profile('ota checksums');
    const file = Buffer.from('123456789');
    const expected: Record<string, string> = {
      MD5: createHash('md5').update(file).digest('hex'),
      SHA256: createHash('sha256').update(file).digest('hex'),
      SHA384: createHash('sha384').update(file).digest('hex'),
      SHA512: createHash('sha512').update(file).digest('hex'),
      CRC32: '2639f4cb',
    };
    for (const algorithm of ['MD5', 'SHA256', 'SHA384', 'SHA512', 'CRC32', 'MURMUR3_32', 'MURMUR3_128']) {
      const id = await createPackage(profileId, { title: algorithm, version: '1' });
      const response = await upload(id, file, algorithm.toLowerCase());
      const body = (await response.json()) as { checksumAlgorithm: string; checksum: string };
      expect(response.status, algorithm).toBe(200);
      expect(body.checksumAlgorithm).toBe(algorithm);
      expect(body.checksum).toMatch(/^[0-9a-f]+$/);
      if (algorithm in expected) expect(body.checksum).toBe(expected[algorithm]);
      const again = await upload(
        await createPackage(profileId, { title: algorithm, version: '2' }),
        file,
        algorithm,
        body.checksum,
      );
      expect(again.status).toBe(200);
    }
    const wrong = await upload(await createPackage(profileId, { title: 'wrong', version: '1' }), file, 'MD5', '00');
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain('Wrong otaPackage file!');
  });

  it('TB-86 over HTTP: 200, 400 for another version, 404 unassigned; chunks equal the file; software likewise', async () => {
    for (const [type, path, member] of [
      ['FIRMWARE', 'firmware', 'firmwareId'],
      ['SOFTWARE', 'software', 'softwareId'],
    ] as const) {
      const ota = await newPackage(10_000, type);
      const { token } = await newDevice(ota.profileId, { [member]: reference(ota.id) });
      const get = (query: string) => fetch(`${server.baseUrl}/api/v1/${token}/${path}?${query}`);
      const named = `title=${encodeURIComponent(ota.title)}&version=1.0`;
      const whole = await get(named);
      expect(whole.status).toBe(200);
      expect(whole.headers.get('content-disposition')).toContain('firmware.bin');
      expect(Buffer.from(await whole.arrayBuffer()).equals(ota.file)).toBe(true);
      const parts: Buffer[] = [];
      for (let chunk = 0; chunk < 4; chunk++) {
        const part = await get(`${named}&size=4096&chunk=${chunk}`);
        expect(part.status).toBe(200);
        parts.push(Buffer.from(await part.arrayBuffer()));
      }
      expect(parts.map((part) => part.length)).toEqual([4_096, 4_096, 1_808, 0]);
      expect(Buffer.concat(parts).equals(ota.file)).toBe(true);
      expect((await get(`title=${encodeURIComponent(ota.title)}&version=2.0`)).status).toBe(400);
      expect((await get('')).status).toBe(400);
      const bare = await newDevice((await profile(`ota bare ${path}`)).id);
      expect((await fetch(`${server.baseUrl}/api/v1/${bare.token}/${path}?${named}`)).status).toBe(404);
      expect((await fetch(`${server.baseUrl}/api/v1/NOSUCHTOKEN/${path}?${named}`)).status).toBe(401);
    }
  });

  it('TB-102 CoAP downloads the file block by block', async () => {
    // The client prints text.
    const firmware = await newPackage(5_000, 'FIRMWARE', Buffer.from(randomBytes(2_500).toString('hex')));
    const { token } = await newDevice(firmware.profileId, { firmwareId: reference(firmware.id) });
    const url = `coap://127.0.0.1:${server.port('coap')}/fw/${token}`;
    const result = await run(COAP, ['get', url, '--block2', '5', '--quiet']);
    expect(result.stdout.trimEnd()).toBe(firmware.file.toString());
  });

  it('a package survives kill -9 and is still what devices get', async () => {
    const firmware = await newPackage(20_000);
    const { token } = await newDevice(firmware.profileId, { firmwareId: reference(firmware.id) });
    await server.kill();
    await server.start();
    authorization = `Bearer ${(await api.login()).body.token}`;
    const device = await ThingsboardDevice.connect(server, token);
    expect((await download(device, 16_384)).equals(firmware.file)).toBe(true);
    device.close();
    expect((await api.call('DELETE', `/api/otaPackage/${firmware.id}`)).status).toBe(400);
  });
});

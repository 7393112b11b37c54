import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { NAMED_SCHEMAS, OtaPackageInfo } from '@moorage/api-types';
import { type DeviceProfile, OtaPackages, SharedBlobs } from '@moorage/core';
import {
  FakeCrypto,
  MemoryBlobStore,
  MemoryRepositories,
  sampleDevice,
  sampleProfile,
  sampleTenant,
} from '@moorage/testkit';
import { Compile } from 'typebox/compile';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addUser, type FakeState, newState, TENANT_ID } from '../testing/fake-state.ts';
import { fakePlatform, openTestServer, type TestServer } from '../testing/test-server.ts';

const MAX_BYTES = 20_000_000;
const BOUNDARY = 'form-boundary';
const infoSchema = Compile(NAMED_SCHEMAS, OtaPackageInfo);
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

let t: TestServer;
let state: FakeState;
let blobs: MemoryBlobStore;
let repositories: MemoryRepositories;
let profile: DeviceProfile;

beforeEach(async () => {
  repositories = new MemoryRepositories();
  profile = sampleProfile(TENANT_ID);
  await repositories.commit([
    { kind: 'putTenant', record: sampleTenant({ id: TENANT_ID }) },
    { kind: 'putProfile', record: profile, expectedVersion: null },
  ]);
  blobs = new MemoryBlobStore();
  const tails = new Map<string, Promise<unknown>>();
  state = newState();
  const ota = new OtaPackages({
    repositories,
    blobs,
    readers: new SharedBlobs(blobs),
    crypto: new FakeCrypto(),
    clock: { now: () => state.now },
    locks: {
      run: (key, task) => {
        const next = (tails.get(key) ?? Promise.resolve()).then(task);
        tails.set(key, next);
        return next;
      },
    },
    maxBytes: MAX_BYTES,
    report: () => undefined,
  });
  t = await openTestServer({ platform: { ...fakePlatform(state), ota } });
});
afterEach(async () => {
  await t.server.close();
  expect(blobs).toMatchObject({ openReaders: 0, openWriters: 0 });
});

const refusal = (status: number, message: unknown, errorCode = 31) => ({
  status,
  message,
  errorCode,
  timestamp: expect.any(Number),
});

async function create(title: string, parts: object = {}): Promise<string> {
  const body = { title, version: '1.0', type: 'FIRMWARE', deviceProfileId: { id: profile.id }, ...parts };
  const answer = await t.call('POST', '/api/otaPackage', body);
  expect(answer.statusCode).toBe(200);
  return answer.json().id.id;
}

type Part = readonly [name: string, value: string | Buffer, fileName?: string];

function form(parts: readonly Part[], end = `--${BOUNDARY}--\r\n`): Buffer {
  const pieces = parts.flatMap(([name, value, fileName]) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: image/x-firmware`;
    return [`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`, value, '\r\n'];
  });
  return Buffer.concat([...pieces, end].map((piece) => Buffer.from(piece)));
}

const send = (id: string, payload: Buffer, query = '', type = `multipart/form-data; boundary=${BOUNDARY}`) =>
  t.send({
    method: 'POST',
    url: `/api/otaPackage/${id}${query}`,
    headers: { 'x-authorization': `Bearer ${t.token}`, 'content-type': type },
    payload,
  });

describe('ota packages', () => {
  it('TBS-74 are created without data, and have it after the upload', async () => {
    const body = {
      title: 'blink',
      version: '1.0',
      type: 'FIRMWARE',
      deviceProfileId: { id: profile.id },
      usesUrl: false,
    };
    const made = (await t.call('POST', '/api/otaPackage', body)).json();
    expect(infoSchema.Errors(made)).toEqual([]);
    expect(made).toMatchObject({ hasData: false, name: 'blink', url: null, checksum: null, externalId: null });
    const answer = await send(
      made.id.id,
      form([
        ['checksumAlgorithm', 'SHA256'],
        ['file', 'firmware', 'blink.bin'],
      ]),
    );
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      ...made,
      hasData: true,
      fileName: 'blink.bin',
      contentType: 'image/x-firmware',
      checksumAlgorithm: 'SHA256',
      checksum: sha256('firmware'),
      dataSize: 8,
    });
    expect((await t.call('GET', `/api/otaPackage/info/${made.id.id.toUpperCase()}`)).json()).toEqual(answer.json());
  });

  it.each([
    [
      'behind the file',
      [
        ['file', '123456789', 'f'],
        ['checksumAlgorithm', 'crc32'],
        ['checksum', '2639f4cb'],
      ],
      '',
    ],
    [
      'before the file',
      [
        ['checksum', '2639F4CB'],
        ['checksumAlgorithm', 'CRC32'],
        ['file', '123456789', 'f'],
      ],
      '',
    ],
    ['in the query', [['file', '123456789', 'f']], '?checksumAlgorithm=CRC32&checksum=2639f4cb'],
    [
      'over those in the query',
      [
        ['file', '123456789', 'f'],
        ['checksumAlgorithm', 'CRC32'],
      ],
      '?checksumAlgorithm=MD5',
    ],
  ] satisfies [string, Part[], string][])('TBS-75 take the text fields %s', async (_where, parts, query) => {
    const id = await create('blink');
    expect((await send(id, form(parts), query)).json()).toMatchObject({
      checksum: '2639f4cb',
      checksumAlgorithm: 'CRC32',
      dataSize: 9,
    });
  });

  it('TBS-76 are refused with a wrong checksum, a second file, and a title and version that are taken', async () => {
    const id = await create('blink');
    const wrong = form([
      ['file', 'data', 'f'],
      ['checksumAlgorithm', 'MD5'],
      ['checksum', '00'],
    ]);
    expect((await send(id, wrong)).json()).toEqual(refusal(400, 'Wrong otaPackage file!'));
    const right = form([
      ['file', 'data', 'f'],
      ['checksumAlgorithm', 'MD5'],
      ['checksum', ''],
    ]);
    expect((await send(id, right)).statusCode).toBe(200);
    expect((await send(id, right)).json()).toEqual(refusal(400, expect.any(String)));
    const again = await t.call('POST', '/api/otaPackage', { title: 'blink', version: '1.0', type: 'FIRMWARE' });
    expect(again.json()).toEqual(refusal(400, 'OtaPackage with such title and version already exists!'));
    expect(await blobs.list()).toHaveLength(1);
  });

  it('TBS-79 are downloaded as they were uploaded, under their name', async () => {
    const bytes = randomBytes(1_000_003);
    const id = await create('blink');
    await send(
      id,
      form([
        ['checksumAlgorithm', 'MURMUR3_128'],
        ['file', bytes, 'blink-1.0.bin'],
      ]),
    );
    const answer = await t.call('GET', `/api/otaPackage/${id}/download`);
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload.equals(bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'image/x-firmware',
      'content-length': '1000003',
      'content-disposition': 'attachment;filename=blink-1.0.bin',
      'x-filename': 'blink-1.0.bin',
    });
    const whole = await t.call('GET', `/api/otaPackage/${id}`);
    expect(whole.headers['content-type']).toBe('application/json; charset=utf-8');
    const { data, ...info } = whole.json();
    expect(Buffer.from(data, 'base64').equals(bytes)).toBe(true);
    expect(info).toEqual((await t.call('GET', `/api/otaPackage/info/${id}`)).json());
  });

  it('have names of files that no header suffers from', async () => {
    const id = await create('blink');
    await send(
      id,
      form([
        ['checksumAlgorithm', 'MD5'],
        ['file', 'x', "固件 (1)';x.bin"],
      ]),
    );
    const { headers } = await t.call('GET', `/api/otaPackage/${id}/download`);
    expect(headers['x-filename']).toBe("%E5%9B%BA%E4%BB%B6%20(1)'%3Bx.bin");
    expect(headers['content-disposition']).toBe("attachment;filename*=UTF-8''%E5%9B%BA%E4%BB%B6%20%281%29%27%3Bx.bin");
  });

  it('by address have data at once, and no file to download', async () => {
    const id = await create('far', { usesUrl: true, url: 'https://example.org/f.bin', tag: '' });
    expect((await t.call('GET', `/api/otaPackage/${id}`)).json()).toMatchObject({
      hasData: true,
      tag: null,
      data: null,
    });
    expect((await t.call('GET', `/api/otaPackage/${id}/download`)).json()).toEqual(refusal(400, expect.any(String)));
    const none = { title: 'x', version: '1', type: 'FIRMWARE', usesUrl: true };
    expect((await t.call('POST', '/api/otaPackage', none)).statusCode).toBe(400);
  });

  it('are listed, whole and for a profile', async () => {
    await create('empty');
    await create('far', { usesUrl: true, url: 'http://x' });
    await create('soft', { usesUrl: true, url: 'http://x', type: 'SOFTWARE' });
    const names = async (path: string): Promise<string[]> =>
      (await t.call('GET', `${path}?pageSize=10&page=0&sortProperty=title`)).json().data.map(nameOf);
    expect(await names('/api/otaPackages')).toEqual(['empty', 'far', 'soft']);
    expect(await names(`/api/otaPackages/${profile.id}/firmware`)).toEqual(['far']);
    expect(await names(`/api/otaPackages/${profile.id}/SOFTWARE`)).toEqual(['soft']);
    const unknown = await t.call('GET', `/api/otaPackages/${profile.id}/HARDWARE?pageSize=1&page=0`);
    expect(unknown.json()).toEqual(refusal(400, 'Unknown type of package: HARDWARE'));
    expect((await t.call('GET', '/api/otaPackages')).statusCode).toBe(400);
  });

  it('count the devices without a package of their own', async () => {
    const own = await create('far', { usesUrl: true, url: 'http://x' });
    const devices = [null, null, own].map((firmwareId) => sampleDevice(profile, { firmwareId }));
    await repositories.commit(devices.map((record) => ({ kind: 'putDevice', record, expectedVersion: null })));
    const count = (type: string) => t.call('GET', `/api/devices/count/${type}/${profile.id}`);
    expect((await count('FIRMWARE')).json()).toBe(2);
    expect((await count('software')).json()).toBe(3);
    expect((await count('OTHER')).statusCode).toBe(400);
    const unknown = await t.call('GET', `/api/devices/count/FIRMWARE/${own}`);
    expect(unknown.json()).toEqual(refusal(404, expect.any(String), 32));
  });

  it('TBS-80 are not deleted while a profile has them', async () => {
    const id = await create('far', { usesUrl: true, url: 'http://x' });
    const used = { ...profile, firmwareId: id, version: 2 };
    await repositories.commit([{ kind: 'putProfile', record: used, expectedVersion: 1 }]);
    expect((await t.call('DELETE', `/api/otaPackage/${id}`)).json()).toEqual(refusal(400, expect.any(String)));
    const free = { ...used, firmwareId: null, version: 3 };
    await repositories.commit([{ kind: 'putProfile', record: free, expectedVersion: 2 }]);
    expect((await t.call('DELETE', `/api/otaPackage/${id}`)).statusCode).toBe(200);
    expect((await t.call('GET', `/api/otaPackage/info/${id}`)).statusCode).toBe(404);
  });

  it('are for administrators of the tenant only, and 404 where there are none', async () => {
    const id = await create('blink');
    addUser(state, 'system@example.org', 'password', 'SYS_ADMIN');
    const { token } = (await t.login('system@example.org', 'password')).json();
    const headers = { 'x-authorization': `Bearer ${token}` };
    expect((await t.send({ url: `/api/otaPackage/info/${id}`, headers })).statusCode).toBe(403);
    expect((await t.send({ url: `/api/otaPackage/info/${id}` })).statusCode).toBe(401);
    expect((await send(id.replace(/^.{8}/, '00000000'), form([['file', 'x', 'f']]))).statusCode).toBe(404);
  });
});

describe('an upload that is', () => {
  const field: Part = ['checksumAlgorithm', 'MD5'];

  it.each([
    ['cut off', (whole: Buffer) => whole.subarray(0, whole.length - 30)],
    ['cut off in a header', (whole: Buffer) => whole.subarray(0, 60)],
    ['no form', () => Buffer.from('nonsense')],
    ['empty', () => Buffer.alloc(0)],
  ])('%s is refused with 400', async (_title, change) => {
    const id = await create('blink');
    const whole = form([field, ['file', 'data', 'f']]);
    expect((await send(id, change(whole))).json()).toEqual(refusal(400, expect.any(String)));
    expect(await blobs.list()).toEqual([]);
  });

  it.each([
    ['without a file', [field]],
    ['with two files', [['file', 'a', 'a'], ['file', 'b', 'b'], field]],
    [
      'with too many fields',
      [...Array.from({ length: 20 }, (_, n): Part => [`f${n}`, 'x']), ['file', 'a', 'a'], field],
    ],
    [
      'with a field that is too long',
      [
        ['checksumAlgorithm', 'x'.repeat(2000)],
        ['file', 'a', 'a'],
      ],
    ],
    ['with a field of the prototype', [['__proto__', 'x'], ['file', 'a', 'a'], field]],
  ] satisfies [string, Part[]][])('%s is refused with 400', async (_title, parts) => {
    const id = await create('blink');
    expect((await send(id, form(parts))).json()).toEqual(refusal(400, expect.any(String)));
    expect(await blobs.list()).toEqual([]);
  });

  it('of another content type is refused with 415', async () => {
    const id = await create('blink');
    expect((await send(id, Buffer.from('{}'), '', 'application/json')).statusCode).toBe(415);
    expect((await send(id, Buffer.from('x'), '', 'text/plain')).statusCode).toBe(415);
    expect((await send(id, Buffer.from('x'), '', 'multipart/form-data')).statusCode).toBe(400);
  });

  it('larger than other bodies is taken, and over its own limit refused with 413 as it arrives', async () => {
    const id = await create('blink');
    const port = await t.server.listen('127.0.0.1', 0);
    const put = (size: number) =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        const body = form([field, ['file', Buffer.alloc(size, 1), 'f']]);
        const headers = {
          'x-authorization': `Bearer ${t.token}`,
          'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
        };
        const sent = request({ port, method: 'POST', path: `/api/otaPackage/${id}`, headers }, (answer) => {
          let text = '';
          answer.on('data', (chunk) => {
            text += chunk;
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        });
        sent.on('error', reject);
        sent.end(body);
      });
    const large = await put(MAX_BYTES + 1);
    expect(large.status).toBe(413);
    expect(JSON.parse(large.body)).toEqual(refusal(413, `The file is larger than ${MAX_BYTES} bytes!`));
    expect(await blobs.list()).toEqual([]);
    expect((await put(MAX_BYTES)).status).toBe(200);
  });
});

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

import { createHash } from 'node:crypto';
import {
  FakeCrypto,
  MemoryBlobStore,
  MemoryRepositories,
  SteppedClock,
  sampleProfile,
  sampleTenant,
  succeeded,
} from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { type DeviceProfile, type EntityId, NULL_ID } from '../model/entities.ts';
import type { Caller, PageQuery } from '../platform.ts';
import { EntityLocks } from '../registry/entity-locks.ts';
import { OtaPackages } from './package-service.ts';
import { SharedBlobs } from './shared-blobs.ts';
import { packageInput, upload } from './test-packages.ts';

const SHA256 = { checksumAlgorithm: 'SHA256' };
const query: PageQuery = { pageSize: 10, page: 0, textSearch: null, sortProperty: 'title', sortOrder: 'ASC' };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const bad = (message: string) => ({ ok: false, code: 'badRequest', message });

/** Packages on stores in memory, with one tenant and one profile. */
class TestPackages {
  readonly repositories = new MemoryRepositories();
  readonly blobs = new MemoryBlobStore();
  readonly readers = new SharedBlobs(this.blobs);
  readonly crypto = new FakeCrypto();
  readonly clock = new SteppedClock();
  readonly locks = new EntityLocks();
  readonly reports: unknown[] = [];
  readonly profile: DeviceProfile;
  readonly admin: Caller;
  readonly service: OtaPackages;

  private constructor(tenantId: EntityId, maxBytes: number) {
    this.profile = sampleProfile(tenantId);
    this.admin = { userId: this.crypto.uuid(), authority: 'TENANT_ADMIN', tenantId, customerId: NULL_ID };
    const { repositories, blobs, readers, crypto, clock, locks } = this;
    const report = (error: unknown): void => void this.reports.push(error);
    this.service = new OtaPackages({ repositories, blobs, readers, crypto, clock, locks, maxBytes, report });
  }

  static async open(maxBytes = 1_000_000): Promise<TestPackages> {
    const tenant = sampleTenant();
    const made = new TestPackages(tenant.id, maxBytes);
    await made.repositories.commit([
      { kind: 'putTenant', record: tenant },
      { kind: 'putProfile', record: made.profile, expectedVersion: null },
    ]);
    return made;
  }
}

let t: TestPackages;
beforeEach(async () => {
  t = await TestPackages.open();
});

const create = async (title: string, parts = {}) =>
  succeeded(await t.service.save(t.admin, packageInput(title, parts)));

async function bytesOf(id: string): Promise<string> {
  const download = succeeded(await t.service.download(t.admin, id));
  const bytes = await download.read(0, download.size);
  download.close();
  return new TextDecoder().decode(bytes);
}

describe('a package', () => {
  it('TBS-74 has no data at first, and size, checksum and data after its upload', async () => {
    const made = await create('blink', { deviceProfileId: t.profile.id, tag: 'blink 1.0' });
    expect(made).toMatchObject({ hasData: false, checksum: null, dataSize: null, tenantId: t.admin.tenantId });
    const stored = succeeded(await t.service.upload(t.admin, made.id, upload(['first ', 'second'], SHA256)));
    expect(stored).toMatchObject({
      hasData: true,
      dataSize: 12,
      checksum: sha256('first second'),
      checksumAlgorithm: 'SHA256',
      fileName: 'blink.bin',
      contentType: 'application/x-firmware',
    });
    expect(succeeded(await t.service.get(t.admin, made.id))).toEqual(stored);
    expect(await bytesOf(made.id)).toBe('first second');
    expect(t.blobs).toMatchObject({ openReaders: 0, openWriters: 0 });
  });

  it('TBS-76 is refused with a wrong checksum, a second file, or a title and version that are taken', async () => {
    const { id } = await create('blink');
    const wrong = upload(['data'], { ...SHA256, checksum: sha256('other') });
    expect(await t.service.upload(t.admin, id, wrong)).toEqual(bad('Wrong otaPackage file!'));
    expect(await t.blobs.list()).toEqual([]);
    const right = upload(['data'], { ...SHA256, checksum: sha256('data').toUpperCase() });
    expect((await t.service.upload(t.admin, id, right)).ok).toBe(true);
    expect(await t.service.upload(t.admin, id, upload(['more'], SHA256))).toMatchObject({ code: 'badRequest' });
    expect(await t.blobs.list()).toHaveLength(1);
    expect(await t.service.save(t.admin, packageInput('blink', { type: 'SOFTWARE' }))).toEqual(
      bad('OtaPackage with such title and version already exists!'),
    );
    expect((await t.service.save(t.admin, packageInput('blink', { version: '1.1' }))).ok).toBe(true);
    const elsewhere = { ...t.admin, tenantId: (await TestPackages.open()).admin.tenantId };
    expect((await t.service.save(elsewhere, packageInput('blink'))).ok).toBe(true);
  });

  it('is checked as well when the algorithm is named behind the file, or another one than before it', async () => {
    const { id } = await create('late');
    const wrong = upload(['data'], { ...SHA256, checksum: sha256('other') }, {});
    expect(await t.service.upload(t.admin, id, wrong)).toEqual(bad('Wrong otaPackage file!'));
    expect(await t.blobs.list()).toEqual([]);
    const claims = { checksumAlgorithm: 'crc32', checksum: '2639f4cb' };
    const stored = succeeded(await t.service.upload(t.admin, id, upload(['12345', '6789'], claims, SHA256)));
    expect(stored).toMatchObject({ checksumAlgorithm: 'CRC32', checksum: '2639f4cb' });
    expect(t.blobs).toMatchObject({ openReaders: 0, openWriters: 0 });
  });

  it('needs the name of an algorithm that exists, and a file that is not empty', async () => {
    const { id } = await create('blink');
    const none = 'OtaPackage checksum algorithm should be specified!';
    expect(await t.service.upload(t.admin, id, upload(['data']))).toEqual(bad(none));
    expect(await t.service.upload(t.admin, id, upload(['data'], { checksumAlgorithm: 'SHA1' }))).toMatchObject({
      message: 'Unknown checksum algorithm: SHA1!',
    });
    expect(await t.service.upload(t.admin, id, upload([], SHA256))).toMatchObject({ code: 'badRequest' });
    expect(await t.blobs.list()).toEqual([]);
    expect(t.blobs.openWriters).toBe(0);
  });

  it('is cut off at the limit, and by a sender that breaks off', async () => {
    t = await TestPackages.open(10);
    const { id } = await create('blink');
    const large = upload(['12345', '67890', 'x'], SHA256);
    expect(await t.service.upload(t.admin, id, large)).toMatchObject({ code: 'limitExceeded' });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3);
      throw new RangeError('gone');
    }
    const gone = t.service.upload(t.admin, id, { ...upload([], SHA256), data: broken() });
    await expect(gone).rejects.toThrow('gone');
    expect(await t.blobs.list()).toEqual([]);
    expect(t.blobs.openWriters).toBe(0);
    expect((await t.service.upload(t.admin, id, upload(['12345', '67890'], SHA256))).ok).toBe(true);
  });

  it('says so when the store has no room, and keeps nothing', async () => {
    const { id } = await create('blink');
    t.blobs.troubles.push('full');
    expect(await t.service.upload(t.admin, id, upload(['data'], SHA256))).toMatchObject({ code: 'storageFull' });
    t.repositories.troubles.push('full');
    expect(await t.service.upload(t.admin, id, upload(['data'], SHA256))).toMatchObject({ code: 'storageFull' });
    expect(await t.blobs.list()).toEqual([]);
    expect(succeeded(await t.service.get(t.admin, id)).hasData).toBe(false);
  });

  it('keeps the file of a record that may have been stored, and cleans up what no record has', async () => {
    const { id } = await create('blink');
    t.repositories.troubles.push('failed');
    expect(await t.service.upload(t.admin, id, upload(['data'], SHA256))).toMatchObject({ code: 'storageFailed' });
    expect(await t.blobs.list()).toHaveLength(1);
    succeeded(await t.service.upload(t.admin, id, upload(['data'], SHA256)));
    expect(await t.service.cleanUp()).toBe(1);
    expect(await bytesOf(id)).toBe('data');
  });

  it('gets one of two files that arrive at once', async () => {
    const { id } = await create('blink');
    const both = await Promise.all(['one', 'two'].map((text) => t.service.upload(t.admin, id, upload([text], SHA256))));
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await t.blobs.list()).toHaveLength(1);
  });

  it('by address has data at once, keeps what is known of it, and takes no file', async () => {
    const url = 'https://example.org/blink.bin';
    const made = await create('far', { url, dataSize: 7, checksum: 'AABBCCDD', checksumAlgorithm: 'crc32' });
    expect(made).toMatchObject({ url, hasData: true, dataSize: 7, checksum: 'aabbccdd', checksumAlgorithm: 'CRC32' });
    expect(await t.service.upload(t.admin, made.id, upload(['x'], SHA256))).toMatchObject({ code: 'badRequest' });
    expect(await t.service.download(t.admin, made.id)).toMatchObject({ code: 'badRequest' });
    expect(await t.service.save(t.admin, packageInput('b', { url: ' ' }))).toMatchObject({ code: 'badRequest' });
    const half = packageInput('b', { url, checksum: 'aabbccdd' });
    expect(await t.service.save(t.admin, half)).toMatchObject({ code: 'badRequest' });
  });

  it.each([
    ['title', { title: 'x' }],
    ['version', { version: 'x' }],
    ['type', { type: 'SOFTWARE' as const }],
    ['tag', { tag: 'x' }],
    ['deviceProfileId', { deviceProfileId: NULL_ID }],
    ['url', { url: 'http://x' }],
  ])('does not change its %s any more', async (member, change) => {
    const { id } = await create('blink');
    const update = packageInput('blink', { id, ...change });
    expect(await t.service.save(t.admin, update)).toEqual(bad(`Updating otaPackage ${member} is prohibited!`));
  });

  it('changes its additional information', async () => {
    const { id } = await create('blink');
    const update = packageInput('blink', { id, additionalInfo: { description: 'stable' } });
    expect(succeeded(await t.service.save(t.admin, update)).additionalInfo).toEqual({ description: 'stable' });
  });

  it.each([
    [{ title: ' ' }],
    [{ title: 'x'.repeat(256) }],
    [{ version: '' }],
    [{ tag: '<script>' }],
    [{ url: 'http://x\r\ny' }],
    [{ deviceProfileId: NULL_ID }],
    [{ url: 'http://x', dataSize: -1 }],
  ])('is not made from %j', async (parts) => {
    expect(await t.service.save(t.admin, packageInput('blink', parts))).toMatchObject({ code: 'badRequest' });
  });

  it('TBS-80 is not deleted while a profile refers to it, and leaves no file when it is', async () => {
    const { id } = await create('blink');
    succeeded(await t.service.upload(t.admin, id, upload(['data'], SHA256)));
    const used = { ...t.profile, firmwareId: id, version: 2 };
    await t.repositories.commit([{ kind: 'putProfile', record: used, expectedVersion: 1 }]);
    expect(await t.service.remove(t.admin, id)).toMatchObject({ code: 'badRequest' });
    await t.repositories.commit([
      { kind: 'putProfile', record: { ...used, firmwareId: null, version: 3 }, expectedVersion: 2 },
    ]);
    expect(await t.service.remove(t.admin, id)).toEqual({ ok: true, value: null });
    expect(await t.blobs.list()).toEqual([]);
    expect(await t.service.get(t.admin, id)).toMatchObject({ code: 'notFound' });
  });

  it('is deleted also when its file cannot be removed, which is reported', async () => {
    const { id } = await create('blink');
    succeeded(await t.service.upload(t.admin, id, upload(['data'], SHA256)));
    t.blobs.remove = () => Promise.reject(new RangeError('disk'));
    expect((await t.service.remove(t.admin, id)).ok).toBe(true);
    expect(t.reports).toHaveLength(1);
  });
});

describe('packages', () => {
  it('are listed by page, search and profile', async () => {
    const own = await create('own', { deviceProfileId: t.profile.id, url: 'http://x' });
    const any = await create('any', { url: 'http://x' });
    await create('empty', { deviceProfileId: t.profile.id });
    await create('soft', { deviceProfileId: t.profile.id, url: 'http://x', type: 'SOFTWARE' });
    const all = succeeded(await t.service.list(t.admin, query));
    expect(all.data.map(({ title }) => title)).toEqual(['any', 'empty', 'own', 'soft']);
    expect(succeeded(await t.service.list(t.admin, { ...query, textSearch: 'OW' })).totalElements).toBe(1);
    const fit = succeeded(await t.service.listForProfile(t.admin, t.profile.id, 'FIRMWARE', query));
    expect(fit.data).toEqual([any, own]);
    expect(await t.service.list(t.admin, { ...query, sortProperty: 'blobId' })).toMatchObject({ code: 'badRequest' });
  });

  it('are nobody else’s', async () => {
    const { id } = await create('blink');
    const other: Caller = { ...t.admin, tenantId: (await TestPackages.open()).admin.tenantId };
    const customer: Caller = { ...t.admin, authority: 'CUSTOMER_USER', customerId: t.crypto.uuid() };
    const system: Caller = { ...t.admin, authority: 'SYS_ADMIN', tenantId: NULL_ID };
    for (const caller of [other, system]) {
      expect(await t.service.get(caller, id)).toMatchObject({ code: 'permissionDenied' });
      expect(await t.service.remove(caller, id)).toMatchObject({ code: 'permissionDenied' });
      expect(await t.service.upload(caller, id, upload(['x'], SHA256))).toMatchObject({ code: 'permissionDenied' });
      expect(await t.service.save(caller, packageInput('blink', { id }))).toMatchObject({ code: 'permissionDenied' });
    }
    expect((await t.service.get(customer, id)).ok).toBe(true);
    expect(await t.service.save(customer, packageInput('x'))).toMatchObject({ code: 'permissionDenied' });
    expect(await t.service.countDevices(system, 'FIRMWARE', t.profile.id)).toMatchObject({ code: 'permissionDenied' });
    expect(await t.service.countDevices(t.admin, 'FIRMWARE', t.profile.id)).toEqual({ ok: true, value: 0 });
    expect(await t.service.countDevices(other, 'FIRMWARE', t.profile.id)).toMatchObject({ code: 'permissionDenied' });
  });

  it('have file names and content types that may stand in a header', async () => {
    const cases: [string, string, string, string][] = [
      ['C:\\tmp\\fw.bin', 'image/x; boundary=1', 'fw.bin', 'image/x'],
      ['../../etc/passwd', 'nonsense', 'passwd', 'application/octet-stream'],
      ['a\r\nb.bin', 'text/plain\r\nx: y', 'ab.bin', 'application/octet-stream'],
      ['..', '', 'firmware.bin', 'application/octet-stream'],
    ];
    for (const [index, [fileName, contentType, name, type]] of cases.entries()) {
      const { id } = await create(`p${index}`);
      const stored = await t.service.upload(t.admin, id, { ...upload(['x'], SHA256), fileName, contentType });
      expect(succeeded(stored)).toMatchObject({ fileName: name, contentType: type });
    }
  });
});

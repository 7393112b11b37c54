import { createHash } from 'node:crypto';
import {
  deviceInput,
  FakeTime,
  MemoryBlobStore,
  MemoryRepositories,
  openTestRegistry,
  profileInput,
  succeeded,
} from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../errors.ts';
import type { Device, DeviceProfile, EntityId, JsonObject } from '../../model/entities.ts';
import type { OtaPackage } from '../../model/ota.ts';
import type { DeviceInput, ProfileInput } from '../../platform.ts';
import { DeviceDownloads } from '../device-downloads.ts';
import type { OtaPackageInput } from '../ota-service.ts';
import { OtaPackages } from '../package-service.ts';
import { SharedBlobs } from '../shared-blobs.ts';
import { packageInput, upload } from '../test-packages.ts';
import { DeviceRollout } from './device-rollout.ts';
import { DEVICE_WORK } from './device-work.ts';
import { FakeValues } from './test-values.ts';

const TOKEN = { accessToken: null };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A registry with packages and the work on devices, all in memory. */
async function open() {
  const repositories = new MemoryRepositories();
  const registry = await openTestRegistry({ repositories });
  const { admin, crypto, clock, locks } = registry;
  const values = new FakeValues();
  const time = new FakeTime();
  const reports: unknown[] = [];
  const blobs = new MemoryBlobStore();
  const readers = new SharedBlobs(blobs);
  const report = (error: unknown): void => void reports.push(error);
  const ota = new OtaPackages({ repositories, blobs, readers, crypto, clock, locks, maxBytes: 1000, report });
  const downloads = new DeviceDownloads({ repositories, readers });
  registry.addListener(downloads);
  const newRollout = () => new DeviceRollout({ repositories, values, clock, scheduler: time, report, parallel: 4 });
  let rollout = newRollout();
  let removeListener = registry.addListener(rollout);

  return {
    ...registry,
    repositories,
    values,
    time,
    reports,
    ota,
    downloads,
    blobs,
    settled: () => rollout.settled(),
    start: () => rollout.start(),
    /** The work is left alone from now on, as by a crash. */
    async stop() {
      removeListener();
      await rollout.close();
    },
    async restart() {
      rollout = newRollout();
      removeListener = registry.addListener(rollout);
      rollout.start();
      await rollout.settled();
    },
    async workLeft(): Promise<number> {
      const query = { tenantId: null, conditions: [], textSearch: null, sort: 'id', descending: false };
      return (await repositories.documents(DEVICE_WORK, { ...query, offset: 0, limit: 1 })).total;
    },
    async file(title: string, parts: Partial<OtaPackageInput> = {}): Promise<OtaPackage> {
      const { id } = succeeded(await ota.save(admin, packageInput(title, parts)));
      return succeeded(await ota.upload(admin, id, upload([title], { checksumAlgorithm: 'SHA256' })));
    },
    async url(title: string, parts: Partial<OtaPackageInput> = {}): Promise<OtaPackage> {
      return succeeded(await ota.save(admin, packageInput(title, { url: `http://x/${title}`, ...parts })));
    },
    async device(name: string, parts: Partial<DeviceInput> = {}): Promise<Device> {
      return succeeded(await registry.devices.save(admin, deviceInput(name, parts), TOKEN));
    },
    async profile(name: string, parts: Partial<ProfileInput> = {}): Promise<DeviceProfile> {
      return succeeded(await registry.profiles.save(admin, profileInput(name, parts)));
    },
  };
}

const refusal = (message: string) => ({ ok: false, code: 'badRequest', message });
const reporting = (limits: JsonObject): JsonObject => ({ moorage: { reporting: limits } });

let t: Awaited<ReturnType<typeof open>>;
beforeEach(async () => {
  t = await open();
  t.start();
});

/** What a device is told of a file, in order. */
function told(entity: OtaPackage, at: number, prefix = 'fw_'): string[] {
  const tag = entity.tag === null ? '' : ` target_${prefix}tag=${entity.tag}@${at}`;
  const attributes = {
    [`${prefix}title`]: entity.title,
    [`${prefix}version`]: entity.version,
    ...(entity.tag === null ? {} : { [`${prefix}tag`]: entity.tag }),
    [`${prefix}size`]: entity.title.length,
    [`${prefix}checksum_algorithm`]: 'SHA256',
    [`${prefix}checksum`]: sha256(entity.title),
  };
  return [
    `telemetry target_${prefix}title=${entity.title}@${at} target_${prefix}version=1.0@${at}${tag} ` +
      `target_${prefix}ts=${at}@${at} ${prefix}state=QUEUED@${at} ${prefix}state=INITIATED@${at + 1}`,
    `update ${JSON.stringify(attributes)}`,
  ];
}

describe('a package on a device', () => {
  it('TB-78 is told by target telemetry, QUEUED, INITIATED, and the shared attributes in one update', async () => {
    const blink = await t.file('blink', { tag: 'stable' });
    const device = await t.device('T1');
    const { version, ...rest } = device;
    await t.device('T1', { id: device.id, firmwareId: blink.id });
    await t.settled();
    expect(t.values.takeLog(device.id)).toEqual(told(blink, t.clock.now() - 1));
    expect(succeeded(await t.devices.get(t.admin, device.id))).toEqual({ ...rest, firmwareId: blink.id, version: 2 });
    expect(await t.workLeft()).toBe(0);
  });

  it('software has its own keys', async () => {
    const app = await t.file('app', { type: 'SOFTWARE' });
    const device = await t.device('T1', { softwareId: app.id });
    await t.settled();
    expect(t.values.takeLog(device.id)).toEqual(told(app, t.clock.now() - 1, 'sw_'));
  });

  it('TB-85 is taken back by one list of deleted keys', async () => {
    const blink = await t.file('blink', { tag: 'stable' });
    const device = await t.device('T1', { firmwareId: blink.id });
    await t.settled();
    t.values.takeLog(device.id);
    await t.device('T1', { id: device.id, firmwareId: null });
    await t.settled();
    const keys = ['fw_title', 'fw_version', 'fw_tag', 'fw_size', 'fw_checksum_algorithm', 'fw_checksum'];
    expect(t.values.takeLog(device.id)).toEqual([`deleted ${JSON.stringify(keys)}`]);
    expect(t.values.shared(device.id)).toEqual({});
  });

  it('by address replaces what a file had: deletions first, then one update', async () => {
    const device = await t.device('T1', { firmwareId: (await t.file('blink', { tag: 'stable' })).id });
    await t.settled();
    t.values.takeLog(device.id);
    await t.device('T1', { id: device.id, firmwareId: (await t.url('far', { dataSize: 7 })).id });
    await t.settled();
    expect(t.values.takeLog(device.id).slice(1)).toEqual([
      'deleted ["fw_tag","fw_checksum","fw_checksum_algorithm"]',
      'update {"fw_title":"far","fw_version":"1.0","fw_size":7,"fw_url":"http://x/far"}',
    ]);
    expect(await t.downloads.open(device.id, 'FIRMWARE')).toBe('elsewhere');
  });

  it('stays when a save leaves it out, and nothing is told again', async () => {
    const blink = await t.file('blink');
    const device = await t.device('T1', { firmwareId: blink.id });
    await t.settled();
    t.values.takeLog(device.id);
    const saved = await t.device('T1', { id: device.id, label: 'x' });
    await t.settled();
    expect(saved.firmwareId).toBe(blink.id);
    expect(t.values.takeLog(device.id)).toEqual([]);
  });

  it('must exist, be of the type, have data and be for the profile', async () => {
    const profile = await t.profile('P');
    const other = await t.profile('Q');
    const save = (firmwareId: EntityId) =>
      t.devices.save(t.admin, deviceInput('T1', { deviceProfileId: profile.id, firmwareId }), TOKEN);
    expect(await save(t.crypto.uuid())).toEqual(refusal("Can't assign non-existent firmware!"));
    const app = await t.url('app', { type: 'SOFTWARE' });
    expect(await save(app.id)).toEqual(refusal("Can't assign firmware with type: SOFTWARE!"));
    const empty = succeeded(await t.ota.save(t.admin, packageInput('empty')));
    expect(await save(empty.id)).toEqual(refusal("Can't assign firmware with empty data!"));
    const foreign = await t.url('foreign', { deviceProfileId: other.id });
    expect(await save(foreign.id)).toEqual(refusal("Can't assign firmware with different deviceProfile!"));
    const onProfile = profileInput('P', { id: profile.id, firmwareId: foreign.id });
    expect(await t.profiles.save(t.admin, onProfile)).toEqual(
      refusal("Can't assign firmware with different deviceProfile!"),
    );
    const own = await t.url('own', { deviceProfileId: profile.id });
    const device = succeeded(await save(own.id));
    const moved = deviceInput('T1', { id: device.id, deviceProfileId: other.id });
    expect(await t.devices.save(t.admin, moved, TOKEN)).toMatchObject({ code: 'badRequest' });
    const elsewhere = await open();
    const theirs = await elsewhere.url('theirs');
    expect(await save(theirs.id)).toEqual(refusal("Can't assign non-existent firmware!"));
  });

  it('TBS-80 is not deleted while it is being assigned', async () => {
    const blink = await t.file('blink');
    let removal: Promise<Result<null>> | null = null;
    const commit = t.repositories.commit.bind(t.repositories);
    t.repositories.commit = async (changes) => {
      if (changes.some(({ kind }) => kind === 'putCredentials')) {
        removal = t.ota.remove(t.admin, blink.id);
        for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
      }
      return commit(changes);
    };
    const device = await t.device('T1', { firmwareId: blink.id });
    expect(await removal).toMatchObject({ code: 'badRequest' });
    expect(device.firmwareId).toBe(blink.id);
    await t.settled();
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: 'blink' });
  });
});

describe('a package on a profile', () => {
  it('TB-79 TBS-77 TBS-78 goes to devices without their own, and comes back when that is removed', async () => {
    const [a, b, own] = [await t.file('a'), await t.file('b'), await t.file('own')];
    const profile = await t.profile('P', { firmwareId: a.id });
    const plain = await t.device('plain', { deviceProfileId: profile.id });
    const special = await t.device('special', { deviceProfileId: profile.id, firmwareId: own.id });
    const foreign = await t.device('foreign');
    await t.settled();
    const at = t.clock.now() - 1;
    expect(t.values.takeLog(plain.id)).toEqual(told(a, at));
    expect(t.values.takeLog(special.id)).toEqual(told(own, at));
    await t.profile('P', { id: profile.id, firmwareId: b.id });
    await t.settled();
    expect(t.values.takeLog(plain.id)).toEqual(told(b, at));
    expect(t.values.takeLog(special.id)).toEqual([]);
    await t.device('special', { id: special.id, firmwareId: null });
    await t.settled();
    expect(t.values.takeLog(special.id)).toEqual(told(b, at));
    await t.profile('P', { id: profile.id, firmwareId: null });
    await t.settled();
    expect(t.values.shared(plain.id)).toEqual({});
    expect(t.values.shared(special.id)).toEqual({});
    expect(t.values.takeLog(foreign.id)).toEqual([]);
  });

  it('goes to a device that moves there, and leaves one that moves away', async () => {
    const profile = await t.profile('P', { firmwareId: (await t.file('a')).id });
    const device = await t.device('T1');
    await t.device('T1', { id: device.id, deviceProfileId: profile.id });
    await t.settled();
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: 'a' });
    await t.device('T1', { id: device.id, type: 'default' });
    await t.settled();
    expect(t.values.shared(device.id)).toEqual({});
  });

  it('reaches a device that is saved while the profile is', async () => {
    const a = await t.file('a');
    const profile = await t.profile('P');
    const commit = t.repositories.commit.bind(t.repositories);
    t.repositories.commit = async (changes) => {
      if (changes.some(({ kind }) => kind === 'putCredentials')) {
        t.repositories.commit = commit;
        await t.profile('P', { id: profile.id, firmwareId: a.id });
        await t.settled();
      }
      return commit(changes);
    };
    const device = await t.device('late', { deviceProfileId: profile.id });
    await t.settled();
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: 'a' });
  });

  it('goes to many devices in slices, a few at a time, and goes on after a restart', async () => {
    const profile = await t.profile('P');
    const devices: Device[] = [];
    for (let n = 0; n < 450; n += 1) devices.push(await t.device(`d${n}`, { deviceProfileId: profile.id }));
    devices.sort((a, b) => (a.id < b.id ? -1 : 1));
    // The store breaks in the second slice.
    const a = await t.file('a');
    let telemetry = 0;
    const save = t.values.saveTelemetry.bind(t.values);
    t.values.saveTelemetry = async (device, points) => {
      telemetry += 1;
      return telemetry > 300 ? 'failed' : save(device, points);
    };
    await t.profile('P', { id: profile.id, firmwareId: a.id });
    await t.settled();
    expect(t.reports).toHaveLength(1);
    await t.stop();
    const toldBefore = new Set(t.values.log.map(({ deviceId }) => deviceId));
    expect(toldBefore.size).toBe(300);
    expect(t.values.mostAtOnce).toBeLessThanOrEqual(4);
    expect(await t.workLeft()).toBe(1);
    t.values.saveTelemetry = save;
    t.values.log.length = 0;
    await t.restart();
    expect(await t.workLeft()).toBe(0);
    for (const { id } of devices) expect(t.values.shared(id)).toMatchObject({ fw_title: 'a' });
    const toldTwice = t.values.log.filter(({ deviceId }) => toldBefore.has(deviceId));
    expect(toldTwice).toEqual([]);
  });

  it('saved several times at once leaves the last one everywhere', async () => {
    const profile = await t.profile('P');
    const device = await t.device('T1', { deviceProfileId: profile.id });
    const files = [await t.file('a'), await t.file('b'), await t.file('c')];
    await Promise.all(files.map(({ id }) => t.profile('P', { id: profile.id, firmwareId: id })));
    await t.settled();
    const stored = succeeded(await t.profiles.get(t.admin, profile.id));
    const last = files.find(({ id }) => id === stored.firmwareId);
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: last?.title });
    expect(await t.workLeft()).toBe(0);
  });
});

describe('work on devices', () => {
  it('is done after a restart when nobody did it before', async () => {
    const blink = await t.file('blink');
    await t.stop();
    const device = await t.device('T1', { firmwareId: blink.id });
    expect(t.values.takeLog(device.id)).toEqual([]);
    expect(await t.workLeft()).toBe(1);
    await t.restart();
    expect(t.values.takeLog(device.id)).toEqual(told(blink, t.clock.now() - 1));
    expect(await t.workLeft()).toBe(0);
  });

  it('on a profile that was saved again is done once', async () => {
    const profile = await t.profile('P');
    const device = await t.device('T1', { deviceProfileId: profile.id });
    const files = [await t.file('a'), await t.file('b'), await t.file('c')];
    await t.stop();
    for (const { id } of files) await t.profile('P', { id: profile.id, firmwareId: id });
    let slices = 0;
    const deviceIds = t.repositories.deviceIds.bind(t.repositories);
    t.repositories.deviceIds = (query) => {
      slices += 1;
      return deviceIds(query);
    };
    expect(await t.workLeft()).toBe(3);
    await t.restart();
    expect(slices).toBe(1);
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: 'c' });
    expect(await t.workLeft()).toBe(0);
  });

  it('is not put down when the save itself is refused', async () => {
    const blink = await t.file('blink');
    t.repositories.troubles.push('full');
    expect(await t.devices.save(t.admin, deviceInput('T1', { firmwareId: blink.id }), TOKEN)).toMatchObject({
      code: 'storageFull',
    });
    expect(await t.workLeft()).toBe(0);
  });

  it('waits longer and longer while the store is full, and is done when there is room', async () => {
    const blink = await t.file('blink');
    t.values.troubles.push('full', 'stored', 'full');
    const device = await t.device('T1', { firmwareId: blink.id });
    await t.settled();
    expect(await t.workLeft()).toBe(1);
    expect(t.time.timers).toBe(1);
    t.time.advance(1000);
    await t.settled();
    expect(t.values.shared(device.id)).toEqual({});
    t.time.advance(1999);
    await t.settled();
    expect(await t.workLeft()).toBe(1);
    t.time.advance(1);
    await t.settled();
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: 'blink' });
    expect(await t.workLeft()).toBe(0);
    expect(t.reports).toHaveLength(2);
    expect(t.time.timers).toBe(0);
  });

  it('goes on when a device refuses its telemetry, and forgets one that is gone', async () => {
    const blink = await t.file('blink');
    t.values.troubles.push('refused');
    const device = await t.device('T1', { firmwareId: blink.id });
    await t.settled();
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: 'blink' });
    await t.stop();
    const gone = await t.device('T2', { firmwareId: blink.id });
    succeeded(await t.devices.remove(t.admin, gone.id));
    await t.restart();
    expect(t.values.takeLog(gone.id)).toEqual([]);
    expect(await t.workLeft()).toBe(0);
  });

  it('leaves no timer behind when it is closed while it waits', async () => {
    t.values.troubles.push('failed');
    await t.device('T1', { firmwareId: (await t.file('blink')).id });
    await t.settled();
    expect(t.time.timers).toBe(1);
    await t.stop();
    expect(t.time.timers).toBe(0);
  });
});

describe('reporting limits of a profile', () => {
  const limits = { temperature: { min: -5, max: 40.5, delta: 0.5, fastMs: 1000, slowMs: 60_000 } };

  it('are a shared attribute of each of its devices, from the save on', async () => {
    const profile = await t.profile('P');
    const device = await t.device('T1', { deviceProfileId: profile.id });
    await t.profile('P', { id: profile.id, profileData: reporting(limits) });
    const later = await t.device('T2', { deviceProfileId: profile.id });
    await t.settled();
    const text = JSON.stringify(limits);
    const update = `update ${JSON.stringify({ moorage_reporting: text })}`;
    expect(t.values.takeLog(device.id)).toEqual([update]);
    expect(t.values.takeLog(later.id)).toEqual([update]);
    await t.profile('P', { id: profile.id });
    await t.profile('P', { id: profile.id, description: 'unchanged' });
    await t.settled();
    expect(t.values.log).toEqual([]);
    await t.device('T2', { id: later.id, type: 'default' });
    await t.profile('P', { id: profile.id, profileData: reporting({}) });
    await t.settled();
    expect(t.values.takeLog(device.id)).toEqual(['deleted ["moorage_reporting"]']);
    expect(t.values.takeLog(later.id)).toEqual(['deleted ["moorage_reporting"]']);
  });

  it('reach a device that has a package of its own', async () => {
    const profile = await t.profile('P');
    const device = await t.device('T1', { deviceProfileId: profile.id, firmwareId: (await t.file('own')).id });
    await t.profile('P', { id: profile.id, firmwareId: (await t.file('a')).id, profileData: reporting(limits) });
    await t.settled();
    expect(t.values.shared(device.id)).toMatchObject({ fw_title: 'own', moorage_reporting: JSON.stringify(limits) });
  });

  it('are refused by name', async () => {
    const save = (data: JsonObject) => t.profiles.save(t.admin, profileInput('P', { profileData: data }));
    const field = 'Validation error: profileData.moorage.reporting';
    expect(await save(reporting({ t: { min: 'x' } }))).toEqual(refusal(`${field}.t.min must be a number`));
    expect(await save(reporting({ t: 5 }))).toEqual(refusal(`${field}.t must be an object`));
  });
});

describe('downloads of devices', () => {
  it('follow every change at once, and share one open file', async () => {
    const [a, b] = [await t.file('aaaa'), await t.file('b')];
    const profile = await t.profile('P', { firmwareId: a.id });
    const device = await t.device('T1', { deviceProfileId: profile.id });
    let opened = 0;
    const openBlob = t.blobs.open.bind(t.blobs);
    t.blobs.open = (id) => {
      opened += 1;
      return openBlob(id);
    };
    const many = await Promise.all(Array.from({ length: 100 }, () => t.downloads.open(device.id, 'FIRMWARE')));
    expect(opened).toBe(1);
    for (const download of many) {
      if (typeof download === 'string') throw new TypeError(download);
      expect(new TextDecoder().decode(await download.read(1, 10))).toBe('aaa');
      download.close();
      download.close();
      await expect(download.read(0, 1)).rejects.toThrow('closed');
    }
    expect(t.blobs.openReaders).toBe(0);
    const title = async (): Promise<string> => {
      const download = await t.downloads.open(device.id, 'FIRMWARE');
      if (typeof download === 'string') return download;
      download.close();
      return download.title;
    };
    await t.profile('P', { id: profile.id, firmwareId: b.id });
    expect(await title()).toBe('b');
    await t.device('T1', { id: device.id, firmwareId: a.id });
    expect(await title()).toBe('aaaa');
    await t.device('T1', { id: device.id, firmwareId: null, type: 'default' });
    expect(await title()).toBe('notFound');
    expect(await t.downloads.open(device.id, 'SOFTWARE')).toBe('notFound');
    succeeded(await t.devices.remove(t.admin, device.id));
    expect(await title()).toBe('notFound');
    expect(t.blobs.openReaders).toBe(0);
  });

  it('read the registry once for many at a time', async () => {
    const device = await t.device('T1', { firmwareId: (await t.file('a')).id });
    let reads = 0;
    const read = t.repositories.device.bind(t.repositories);
    t.repositories.device = (id) => {
      reads += 1;
      return read(id);
    };
    const all = await Promise.all(Array.from({ length: 50 }, () => t.downloads.open(device.id, 'FIRMWARE')));
    for (const one of all) if (typeof one !== 'string') one.close();
    const again = await t.downloads.open(device.id, 'FIRMWARE');
    if (typeof again !== 'string') again.close();
    expect(reads).toBe(1);
  });
});

import {
  callerOf,
  credentialsInput,
  deviceInput,
  MemoryRepositories,
  openTestRegistry,
  sampleProfile,
  sampleTenant,
  succeeded,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';

const NO_TOKEN = { accessToken: null };

/** A registry whose repositories also have a second tenant. */
async function withOtherTenant() {
  const repositories = new MemoryRepositories();
  const tenant = sampleTenant();
  const profile = sampleProfile(tenant.id, { isDefault: true });
  await repositories.commit([
    { kind: 'putTenant', record: tenant },
    { kind: 'putProfile', record: profile, expectedVersion: null },
  ]);
  const t = await openTestRegistry({ repositories });
  return { ...t, otherAdmin: callerOf('TENANT_ADMIN', tenant.id), otherProfile: profile };
}

describe('saving devices', () => {
  it('TBS-19 TBS-31 creates a device from a name alone, on the default profile, with a token, of no customer', async () => {
    const t = await openTestRegistry();
    const device = succeeded(await t.devices.save(t.admin, deviceInput('T1'), NO_TOKEN));
    const profile = succeeded(await t.profiles.defaultProfile(t.admin));
    expect(device).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      createdTime: t.clock.now(),
      tenantId: t.admin.tenantId,
      customerId: NULL_ID,
      name: 'T1',
      label: null,
      deviceProfileId: profile.id,
      type: 'default',
      dialect: 'thingsboard',
      deviceData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
      firmwareId: null,
      softwareId: null,
      additionalInfo: null,
      version: 1,
    });
    expect(succeeded(await t.devices.get(t.admin, device.id))).toEqual(device);
    expect(succeeded(await t.devices.credentials(t.admin, device.id))).toMatchObject({
      deviceId: device.id,
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
      credentialsValue: null,
      version: 1,
    });
  });

  it('TBS-20 takes the access token given', async () => {
    const t = await openTestRegistry();
    const device = succeeded(await t.devices.save(t.admin, deviceInput('T1'), { accessToken: 'MY_TOKEN' }));
    expect(succeeded(await t.devices.credentials(t.admin, device.id)).credentialsId).toBe('MY_TOKEN');
    expect(t.credentials.byUsername('MY_TOKEN')?.credentials[0]?.device).toBe(t.deviceRef(device.id));
  });

  it('TBS-22 refuses a name that the tenant has already, at creation and at update', async () => {
    const t = await withOtherTenant();
    succeeded(await t.devices.save(t.admin, deviceInput('T1'), NO_TOKEN));
    const second = succeeded(await t.devices.save(t.admin, deviceInput('T2'), { accessToken: 'second' }));
    const refusal = { ok: false, code: 'badRequest', message: 'Device with such name already exists!' };
    expect(await t.devices.save(t.admin, deviceInput('T1'), { accessToken: 'free' })).toEqual(refusal);
    expect(await t.devices.save(t.admin, deviceInput('T1', { id: second.id }), NO_TOKEN)).toEqual(refusal);
    expect(t.credentials.byUsername('free')).toBeUndefined();
    expect((await t.devices.save(t.otherAdmin, deviceInput('T1'), { accessToken: 'free' })).ok).toBe(true);
    expect(t.deviceRefByName(t.admin.tenantId, 'T2')?.id).toBe(second.id);
  });

  it('TBS-23 makes the profile of an unknown type and takes the one of a known type', async () => {
    const t = await openTestRegistry();
    const first = succeeded(await t.devices.save(t.admin, deviceInput('A', { type: 'meter' }), NO_TOKEN));
    const second = succeeded(await t.devices.save(t.admin, deviceInput('B', { type: 'meter' }), NO_TOKEN));
    expect(first.type).toBe('meter');
    expect(second.deviceProfileId).toBe(first.deviceProfileId);
    expect(succeeded(await t.profiles.get(t.admin, first.deviceProfileId))).toMatchObject({
      name: 'meter',
      isDefault: false,
      transportType: 'DEFAULT',
    });
    expect(succeeded(await t.devices.types(t.admin))).toEqual(['meter']);
  });

  it('makes the profile of an unknown type once when many devices ask for it at the same time', async () => {
    const t = await openTestRegistry();
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        t.devices.save(t.admin, deviceInput(`D${index}`, { type: 'new' }), NO_TOKEN),
      ),
    );
    const profiles = new Set(results.map((result) => succeeded(result).deviceProfileId));
    expect(profiles.size).toBe(1);
  });

  it('fills in the type of a profile given by id, which wins over a type', async () => {
    const t = await withOtherTenant();
    const made = succeeded(await t.devices.save(t.admin, deviceInput('A', { type: 'meter' }), NO_TOKEN));
    const input = deviceInput('B', { deviceProfileId: made.deviceProfileId, type: 'other' });
    expect(succeeded(await t.devices.save(t.admin, input, NO_TOKEN)).type).toBe('meter');
    for (const deviceProfileId of [NULL_ID, t.otherProfile.id]) {
      expect(await t.devices.save(t.admin, deviceInput('C', { deviceProfileId }), NO_TOKEN)).toMatchObject({
        code: 'badRequest',
        message: 'Device is referencing to non existing device profile!',
      });
    }
  });

  it('TBS-24 refuses a stale version and overwrites without one', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('T1'), NO_TOKEN));
    const save = (label: string, version: number | null) =>
      t.devices.save(t.admin, deviceInput('T1', { id, label, version }), NO_TOKEN);
    expect(succeeded(await save('a', 1)).version).toBe(2);
    expect(await save('b', 1)).toMatchObject({ code: 'versionConflict' });
    expect(await save('b', 3)).toMatchObject({ code: 'versionConflict' });
    expect(succeeded(await save('c', null))).toMatchObject({ version: 3, label: 'c' });
  });

  it('lets concurrent saves without version all succeed, and of those with one version exactly one', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('T1'), NO_TOKEN));
    const saves = (version: number | null) =>
      Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          t.devices.save(t.admin, deviceInput(`N${index}`, { id, version }), NO_TOKEN),
        ),
      );
    expect((await saves(null)).every((result) => result.ok)).toBe(true);
    const stored = succeeded(await t.devices.get(t.admin, id));
    expect(stored.version).toBe(7);
    expect(t.deviceRef(id)?.name).toBe(stored.name);
    expect((await saves(7)).filter((result) => result.ok)).toHaveLength(1);
  });

  it('keeps profile and device data of an update that does not name them, and replaces the rest', async () => {
    const t = await openTestRegistry();
    const info = { gateway: true };
    const input = deviceInput('A', { type: 'meter', label: 'l', deviceData: { x: 1 }, additionalInfo: info });
    const { id } = succeeded(await t.devices.save(t.admin, input, NO_TOKEN));
    expect(t.deviceRef(id)?.gateway).toBe(true);
    expect(succeeded(await t.devices.save(t.admin, deviceInput('A2', { id }), NO_TOKEN))).toMatchObject({
      name: 'A2',
      type: 'meter',
      label: null,
      deviceData: { x: 1 },
      additionalInfo: null,
    });
    expect(t.deviceRef(id)).toMatchObject({ name: 'A2', gateway: false });
    expect(t.deviceRefByName(t.admin.tenantId, 'A')).toBeUndefined();
    expect(t.changed.map((device) => device.name)).toEqual(['A2']);
  });

  it('does not tell connections of a change that they cannot see', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('A'), NO_TOKEN));
    succeeded(await t.devices.save(t.admin, deviceInput('A', { id, label: 'new' }), NO_TOKEN));
    expect(t.changed).toEqual([]);
  });

  it('refuses missing, over-long and marked-up names, labels and types', async () => {
    const t = await openTestRegistry();
    for (const input of [
      deviceInput(''),
      deviceInput('n'.repeat(256)),
      deviceInput('<b>x</b>'),
      deviceInput('x', { label: '<script>' }),
      deviceInput('x', { type: '<i>' }),
    ]) {
      expect(await t.devices.save(t.admin, input, NO_TOKEN)).toMatchObject({ code: 'badRequest' });
    }
  });

  it('answers an update of an unknown device with its id', async () => {
    const t = await openTestRegistry();
    expect(await t.devices.save(t.admin, deviceInput('x', { id: NULL_ID }), NO_TOKEN)).toEqual({
      ok: false,
      code: 'notFound',
      message: `Device with id [${NULL_ID}] is not found`,
    });
  });

  it('TBS-36 creates device and credentials together or not at all', async () => {
    const t = await openTestRegistry();
    const plain = credentialsInput('PLAIN', { credentialsId: 'user' });
    expect(succeeded(await t.devices.saveWithCredentials(t.admin, deviceInput('P'), plain)).dialect).toBe('plain');
    expect((await t.devices.saveWithCredentials(t.admin, deviceInput('Q'), plain)).ok).toBe(false);
    expect((await t.devices.byName(t.admin, 'Q')).ok).toBe(false);
    const token = credentialsInput('ACCESS_TOKEN', { credentialsId: 'tok' });
    expect((await t.devices.saveWithCredentials(t.admin, deviceInput('P'), token)).ok).toBe(false);
    expect(t.credentials.byUsername('tok')).toBeUndefined();
  });

  it('updates device and credentials together', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('A'), { accessToken: 'old' }));
    const token = credentialsInput('ACCESS_TOKEN', { credentialsId: 'new' });
    succeeded(await t.devices.saveWithCredentials(t.admin, deviceInput('B', { id }), token));
    expect(t.credentials.byUsername('old')).toBeUndefined();
    expect(t.credentials.byUsername('new')?.credentials[0]?.device?.name).toBe('B');
    expect(t.revoked).toEqual([`credentialsChanged ${id}`]);
  });

  it.each([
    ['full', 'storageFull'],
    ['failed', 'storageFailed'],
  ] as const)('answers a store that is %s with %s, and frees the name again', async (outcome, code) => {
    const repositories = new MemoryRepositories();
    const t = await openTestRegistry({ repositories });
    repositories.troubles.push(outcome);
    expect(await t.devices.save(t.admin, deviceInput('A'), { accessToken: 'x' })).toMatchObject({ code });
    expect((await t.devices.save(t.admin, deviceInput('A'), { accessToken: 'x' })).ok).toBe(true);
  });
});

describe('reading devices', () => {
  it('TBS-25 does not find an unknown id', async () => {
    const t = await openTestRegistry();
    const refusal = { ok: false, code: 'notFound', message: "Requested item wasn't found!" };
    expect(await t.devices.get(t.admin, NULL_ID)).toEqual(refusal);
    expect(await t.devices.info(t.admin, NULL_ID)).toEqual(refusal);
    expect(await t.devices.byName(t.admin, 'nobody')).toEqual(refusal);
    expect(await t.devices.credentials(t.admin, NULL_ID)).toEqual(refusal);
  });

  it('TBS-30 adds profile name and activity to a device', async () => {
    const t = await openTestRegistry({ isActive: () => true });
    const device = succeeded(await t.devices.save(t.admin, deviceInput('A', { type: 'meter' }), NO_TOKEN));
    expect(succeeded(await t.devices.info(t.admin, device.id))).toEqual({
      ...device,
      customerTitle: null,
      customerIsPublic: false,
      deviceProfileName: 'meter',
      active: true,
    });
  });

  it('gives devices in the order of the ids asked for and leaves out what may not be seen', async () => {
    const t = await withOtherTenant();
    const [a, b] = await Promise.all(
      ['A', 'B'].map(async (name) => succeeded(await t.devices.save(t.admin, deviceInput(name), NO_TOKEN)).id),
    );
    const foreign = succeeded(await t.devices.save(t.otherAdmin, deviceInput('X'), NO_TOKEN)).id;
    const ids = [b ?? '', foreign, NULL_ID, a ?? '', b ?? ''];
    const found = succeeded(await t.devices.byIds(t.admin, ids));
    expect(found.map((device) => device.name)).toEqual(['B', 'A']);
    expect(await t.devices.byIds(t.admin, Array(10_001).fill(NULL_ID))).toMatchObject({ code: 'badRequest' });
  });

  it('keeps tenants apart, whatever is asked', async () => {
    const t = await withOtherTenant();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('A'), NO_TOKEN));
    const { otherAdmin } = t;
    const denied = { ok: false, code: 'permissionDenied' };
    expect(await t.devices.get(otherAdmin, id)).toMatchObject(denied);
    expect(await t.devices.credentials(otherAdmin, id)).toMatchObject(denied);
    expect(await t.devices.save(otherAdmin, deviceInput('B', { id }), NO_TOKEN)).toMatchObject(denied);
    expect(await t.devices.saveCredentials(otherAdmin, id, credentialsInput('ACCESS_TOKEN'))).toMatchObject(denied);
    expect(await t.devices.remove(otherAdmin, id)).toMatchObject(denied);
    expect(await t.devices.byName(otherAdmin, 'A')).toMatchObject({ code: 'notFound' });
    expect(t.deviceData(otherAdmin, id)).toMatchObject(denied);
    expect(t.deviceRefByName(otherAdmin.tenantId, 'A')).toBeUndefined();
  });

  it('keeps the system administrator out of devices', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('A'), NO_TOKEN));
    const caller = callerOf('SYS_ADMIN', NULL_ID);
    expect(await t.devices.get(caller, id)).toMatchObject({ code: 'permissionDenied' });
    expect(await t.devices.types(caller)).toMatchObject({ code: 'permissionDenied' });
    expect(await t.devices.save(caller, deviceInput('B'), NO_TOKEN)).toMatchObject({ code: 'permissionDenied' });
    expect(t.deviceData(caller, id)).toMatchObject({ code: 'permissionDenied' });
  });

  it('gives the data of a device from memory to those who may use it', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('A'), NO_TOKEN));
    expect(t.deviceData(t.admin, id)).toEqual({ ok: true, value: t.deviceRef(id) });
    expect(t.deviceData(t.admin, NULL_ID)).toMatchObject({ code: 'notFound' });
  });
});

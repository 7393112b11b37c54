import { callerOf, deviceInput, listQuery, openTestRegistry, profileInput, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';

const NO_TOKEN = { accessToken: null };

describe('device profiles', () => {
  it('TBS-38 save a minimal body and read it back with defaults', async () => {
    const t = await openTestRegistry();
    const body = {
      transportType: 'DEFAULT',
      profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
    };
    const saved = succeeded(await t.profiles.save(t.admin, profileInput('P', body)));
    expect(saved).toMatchObject({
      name: 'P',
      isDefault: false,
      transportType: 'DEFAULT',
      provisionType: 'DISABLED',
      version: 1,
      profileData: { provisionConfiguration: { type: 'DISABLED' }, alarms: null },
    });
    expect(succeeded(await t.profiles.get(t.admin, saved.id))).toEqual(saved);
  });

  it('TBS-39 have one default, which moves', async () => {
    const t = await openTestRegistry();
    const first = succeeded(await t.profiles.defaultProfile(t.admin));
    expect(first).toMatchObject({ name: 'default', isDefault: true });
    const { id } = succeeded(await t.profiles.save(t.admin, profileInput('P')));
    expect(succeeded(await t.profiles.makeDefault(t.admin, id)).isDefault).toBe(true);
    expect(succeeded(await t.profiles.defaultProfile(t.admin)).id).toBe(id);
    expect(succeeded(await t.profiles.get(t.admin, first.id)).isDefault).toBe(false);
    expect(succeeded(await t.devices.save(t.admin, deviceInput('D'), NO_TOKEN)).type).toBe('P');
    await Promise.all([t.profiles.makeDefault(t.admin, first.id), t.profiles.makeDefault(t.admin, id)]);
    const { data } = succeeded(await t.profiles.list(t.admin, listQuery()));
    expect(data.filter((profile) => profile.isDefault)).toHaveLength(1);
  });

  it('TBS-40 are not deleted while in use or default', async () => {
    const t = await openTestRegistry();
    const device = succeeded(await t.devices.save(t.admin, deviceInput('D', { type: 'used' }), NO_TOKEN));
    expect(await t.profiles.remove(t.admin, device.deviceProfileId)).toMatchObject({
      code: 'badRequest',
      message: 'The device profile referenced by the devices cannot be deleted!',
    });
    const byDefault = succeeded(await t.profiles.defaultProfile(t.admin));
    expect(await t.profiles.remove(t.admin, byDefault.id)).toMatchObject({
      code: 'badRequest',
      message: 'Deletion of Default Device Profile is prohibited!',
    });
    succeeded(await t.devices.remove(t.admin, device.id));
    expect((await t.profiles.remove(t.admin, device.deviceProfileId)).ok).toBe(true);
    expect(await t.profiles.remove(t.admin, device.deviceProfileId)).toMatchObject({ code: 'notFound' });
  });

  it('refuse a name that the tenant has, bad names and bad topics', async () => {
    const t = await openTestRegistry();
    expect(await t.profiles.save(t.admin, profileInput('default'))).toMatchObject({
      code: 'badRequest',
      message: 'Device profile with such name already exists!',
    });
    for (const input of [
      profileInput(''),
      profileInput('<b>'),
      profileInput('P', { description: '<script>' }),
      profileInput('P', { description: 'x'.repeat(10_001) }),
      profileInput('P', { transportType: 'X' }),
      profileInput('P', {
        transportType: 'MQTT',
        profileData: { transportConfiguration: { deviceTelemetryTopic: 'a#b' } },
      }),
    ]) {
      expect(await t.profiles.save(t.admin, input)).toMatchObject({ code: 'badRequest' });
    }
    expect((await t.profiles.save(t.admin, profileInput('P', { description: 'two\nlines' }))).ok).toBe(true);
  });

  it('keep what an update leaves out, and refuse a stale version', async () => {
    const t = await openTestRegistry();
    const input = profileInput('P', { transportType: 'MQTT', profileData: { own: 1 } });
    const { id } = succeeded(await t.profiles.save(t.admin, input));
    expect(succeeded(await t.profiles.save(t.admin, profileInput('Q', { id, version: 1 })))).toMatchObject({
      name: 'Q',
      transportType: 'MQTT',
      profileData: { own: 1 },
      version: 2,
    });
    expect(await t.profiles.save(t.admin, profileInput('Q', { id, version: 1 }))).toMatchObject({
      code: 'versionConflict',
    });
    expect(await t.profiles.save(t.admin, profileInput('Q', { id: NULL_ID }))).toMatchObject({
      code: 'notFound',
      message: `Device profile with id [${NULL_ID}] is not found`,
    });
  });

  it('give the devices of a changed profile their new settings, and tell their connections', async () => {
    const t = await openTestRegistry();
    const [mine, other] = await Promise.all(
      ['meter', 'other'].map(async (type) =>
        succeeded(await t.devices.save(t.admin, deviceInput(type, { type }), { accessToken: `${type} token` })),
      ),
    );
    const id = mine?.deviceProfileId ?? '';
    const before = t.deviceRef(other?.id ?? '');
    succeeded(
      await t.profiles.save(t.admin, profileInput('meter', { id, profileData: { moorage: { castStrings: false } } })),
    );
    const ref = t.deviceRef(mine?.id ?? '');
    expect(ref?.settings.castStrings).toBe(false);
    expect(t.credentials.byUsername('meter token')?.credentials[0]?.device).toBe(ref);
    expect(t.changed).toEqual([ref]);
    expect(t.deviceRef(other?.id ?? '')).toBe(before);
    succeeded(await t.profiles.save(t.admin, profileInput('meter 2', { id })));
    expect(t.changed).toHaveLength(1);
    expect(succeeded(await t.devices.get(t.admin, mine?.id ?? '')).type).toBe('meter 2');
    const late = succeeded(await t.devices.save(t.admin, deviceInput('late', { deviceProfileId: id }), NO_TOKEN));
    expect(t.deviceRef(late.id)?.settings).toBe(ref?.settings);
  });

  it('are read by customer users and kept from others', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.profiles.defaultProfile(t.admin));
    const user = callerOf('CUSTOMER_USER', t.admin.tenantId, 'customer');
    expect((await t.profiles.get(user, id)).ok).toBe(true);
    expect(await t.profiles.save(user, profileInput('x'))).toMatchObject({ code: 'permissionDenied' });
    expect(await t.profiles.makeDefault(user, id)).toMatchObject({ code: 'permissionDenied' });
    const stranger = callerOf('TENANT_ADMIN', NULL_ID);
    expect(await t.profiles.get(stranger, id)).toMatchObject({ code: 'permissionDenied' });
    expect(await t.profiles.defaultProfile(stranger)).toMatchObject({ code: 'notFound' });
    expect(await t.profiles.get(t.admin, NULL_ID)).toMatchObject({ message: "Requested item wasn't found!" });
  });
});

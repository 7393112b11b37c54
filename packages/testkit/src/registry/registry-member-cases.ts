import { randomUUID } from 'node:crypto';
import type { Change, DeviceIdQuery, StoredUser, UserRecordQuery } from '@moorage/core';
import { expect, it } from 'vitest';
import type { Scene } from './describe-repositories.ts';
import { sampleDevice, sampleProfile, sampleUser } from './sample-records.ts';

/** Users, packages and provisioning keys of the contract suite. */
export function registryMemberCases(newScene: () => Promise<Scene>): void {
  const userQuery = (scene: Scene, parts: Partial<UserRecordQuery>): UserRecordQuery => {
    const query = { customerId: null, authority: null, offset: 0, limit: 100, textSearch: null } as const;
    return { tenantId: scene.tenant.id, ...query, sort: 'email', descending: false, ...parts };
  };
  const enterUsers = async (scene: Scene, parts: readonly Partial<StoredUser>[]): Promise<StoredUser[]> => {
    const records = parts.map((part) => sampleUser(scene.tenant.id, part));
    const changes = records.map((record): Change => ({ kind: 'putUser', record, expectedVersion: null }));
    expect(await scene.repositories.commit(changes)).toBe('done');
    return records;
  };

  it('lists users by tenant, customer and authority, with search, order and total', async () => {
    const scene = await newScene();
    const customerId = randomUUID();
    const mark = randomUUID();
    const users = await enterUsers(scene, [
      { email: `b-${mark}@x`, firstName: 'Özil', lastName: 'zu', authority: 'CUSTOMER_USER', customerId },
      { email: `a-${mark}@x`, firstName: 'ann', lastName: null, authority: 'CUSTOMER_USER', customerId },
      { email: `c-${mark}@x`, firstName: 'Bob', lastName: 'ÖL 100%' },
    ]);
    const [b, a, c] = users.map(({ email }) => email);
    const emails = async (parts: Partial<UserRecordQuery>) =>
      (await scene.repositories.users(userQuery(scene, parts))).records.map(({ email }) => email);
    expect(await scene.repositories.users(userQuery(scene, { limit: 1, offset: 1 }))).toEqual({
      records: [users[0]],
      total: 3,
    });
    expect(await emails({ descending: true })).toEqual([c, b, a]);
    expect(await emails({ sort: 'firstName' })).toEqual([a, c, b]);
    expect(await emails({ sort: 'lastName' })).toEqual([a, b, c]);
    expect(await emails({ customerId })).toEqual([a, b]);
    expect(await emails({ authority: 'TENANT_ADMIN' })).toEqual([c]);
    expect(await emails({ customerId, authority: 'TENANT_ADMIN' })).toEqual([]);
    expect(await emails({ textSearch: 'ö' })).toEqual([b, c]);
    expect(await emails({ textSearch: `A-${mark.toUpperCase()}` })).toEqual([a]);
    expect(await emails({ textSearch: '%' })).toEqual([c]);
    expect(await emails({ tenantId: randomUUID() })).toEqual([]);
    expect(await emails({ tenantId: null, textSearch: mark })).toEqual([a, b, c]);
  });

  it('deletes a user of the expected version, or whatever is there, and frees its e-mail', async () => {
    const scene = await newScene();
    const { repositories } = scene;
    const [user] = await enterUsers(scene, [{}]);
    const remove = (expectedVersion: number | null) =>
      repositories.commit([{ kind: 'deleteUser', id: user?.id ?? '', expectedVersion }]);
    expect(await remove(2)).toEqual({ kind: 'version', change: 0 });
    expect(await remove(1)).toBe('done');
    expect(await repositories.user(user?.id ?? '')).toBeNull();
    expect(await remove(1)).toEqual({ kind: 'version', change: 0 });
    expect(await remove(null)).toBe('done');
    await enterUsers(scene, [{ email: user?.email ?? '' }]);
  });

  it('keeps the packages of devices and profiles, and knows which are in use', async () => {
    const { repositories, tenant, profile } = await newScene();
    const ids = Array.from({ length: 4 }, () => randomUUID()) as [string, string, string, string];
    const device = sampleDevice(profile, { firmwareId: ids[0], softwareId: ids[1] });
    const other = sampleProfile(tenant.id, { firmwareId: ids[2], softwareId: ids[3] });
    await repositories.commit([
      { kind: 'putDevice', record: device, expectedVersion: null },
      { kind: 'putProfile', record: other, expectedVersion: null },
    ]);
    expect(await repositories.device(device.id)).toMatchObject({ firmwareId: ids[0], softwareId: ids[1] });
    expect(await repositories.profile(other.id)).toEqual(other);
    const used = () => Promise.all([...ids, randomUUID()].map((id) => repositories.packageInUse(id)));
    expect(await used()).toEqual([true, true, true, true, false]);
    await repositories.commit([
      { kind: 'putDevice', record: { ...device, firmwareId: null, version: 2 }, expectedVersion: 1 },
      { kind: 'putProfile', record: { ...other, softwareId: null, version: 2 }, expectedVersion: 1 },
    ]);
    expect(await used()).toEqual([false, true, true, false, false]);
    await repositories.commit([{ kind: 'deleteDevice', id: device.id, expectedVersion: 2, time: 1 }]);
    await repositories.commit([{ kind: 'deleteProfile', id: other.id, expectedVersion: 2 }]);
    expect(await used()).toEqual([false, false, false, false, false]);
  });

  it('gives the ids of devices in slices, narrowed to profile, customer and missing package, with their number', async () => {
    const { repositories, tenant, profile } = await newScene();
    const other = sampleProfile(tenant.id);
    const elsewhere = await newScene();
    const customerId = randomUUID();
    const packageId = randomUUID();
    const devices = Array.from({ length: 24 }, (_, index) =>
      sampleDevice(index % 2 === 0 ? profile : other, {
        ...(index % 3 === 0 ? { customerId } : {}),
        firmwareId: index % 4 < 2 ? packageId : null,
        softwareId: index % 8 < 4 ? packageId : null,
      }),
    );
    const foreign = sampleDevice(elsewhere.profile, { customerId });
    const changes = [...devices, foreign].map(
      (record): Change => ({ kind: 'putDevice', record, expectedVersion: null }),
    );
    expect(await repositories.commit([{ kind: 'putProfile', record: other, expectedVersion: null }, ...changes])).toBe(
      'done',
    );
    for (const profileId of [null, profile.id, other.id, randomUUID()]) {
      for (const customer of [null, customerId, devices[1]?.customerId ?? '']) {
        for (const withoutPackage of [null, 'FIRMWARE', 'SOFTWARE'] as const) {
          const narrowing: Omit<DeviceIdQuery, 'after' | 'limit'> = {
            tenantId: tenant.id,
            profileId,
            customerId: customer,
            withoutPackage,
          };
          const expected = devices
            .filter((device) => profileId === null || device.deviceProfileId === profileId)
            .filter((device) => customer === null || device.customerId === customer)
            .filter((device) => withoutPackage !== 'FIRMWARE' || device.firmwareId === null)
            .filter((device) => withoutPackage !== 'SOFTWARE' || device.softwareId === null)
            .map((device) => device.id)
            .sort();
          const first = await repositories.deviceIds({ ...narrowing, after: null, limit: 3 });
          const rest = await repositories.deviceIds({ ...narrowing, after: first.at(-1) ?? null, limit: 100 });
          expect([...first, ...(first.length < 3 ? [] : rest)]).toEqual(expected);
          expect(await repositories.deviceCount(narrowing)).toBe(expected.length);
        }
      }
    }
  });

  it('finds a profile by its provisioning key, which is unique on the server', async () => {
    const { repositories, tenant } = await newScene();
    const elsewhere = await newScene();
    const key = randomUUID();
    const record = sampleProfile(tenant.id, { provisionDeviceKey: key });
    const put = (profile: typeof record, expectedVersion: number | null = null) =>
      repositories.commit([{ kind: 'putProfile', record: profile, expectedVersion }]);
    expect(await put(record)).toBe('done');
    expect(await repositories.profileByProvisionKey(key)).toEqual(record);
    expect(await repositories.profileByProvisionKey(randomUUID())).toBeNull();
    const same = sampleProfile(elsewhere.tenant.id, { provisionDeviceKey: key });
    expect(await put(same)).toEqual({ kind: 'unique', member: 'provisionDeviceKey', change: 0 });
    expect(await put({ ...record, description: 'new', version: 2 }, 1)).toBe('done');
    expect(await put({ ...record, provisionDeviceKey: null, version: 3 }, 2)).toBe('done');
    expect(await repositories.profileByProvisionKey(key)).toBeNull();
    expect(await put(same)).toBe('done');
    expect(await put({ ...record, provisionDeviceKey: key, version: 4 }, 3)).toMatchObject({ kind: 'unique' });
  });
}

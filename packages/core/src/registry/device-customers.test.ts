import {
  callerOf,
  credentialsInput,
  deviceInput,
  listQuery,
  MemoryRepositories,
  openTestRegistry,
  putToken,
  sampleCredentials,
  sampleDevice,
  sampleProfile,
  sampleTenant,
  succeeded,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

/** Two devices of one tenant, of which the first belongs to a customer. */
async function scene() {
  const repositories = new MemoryRepositories();
  const tenant = sampleTenant({ name: 'default' });
  const profile = sampleProfile(tenant.id, { isDefault: true });
  const customerId = '00000000-0000-4000-8000-00000000000c';
  const mine = sampleDevice(profile, { name: 'mine', customerId });
  const other = sampleDevice(profile, { name: 'other' });
  await repositories.commit([
    { kind: 'putTenant', record: tenant },
    { kind: 'putProfile', record: profile, expectedVersion: null },
    { kind: 'putDevice', record: mine, expectedVersion: null },
    { kind: 'putDevice', record: other, expectedVersion: null },
    putToken(sampleCredentials(mine.id)),
    putToken(sampleCredentials(other.id)),
  ]);
  const t = await openTestRegistry({ repositories });
  return { ...t, user: callerOf('CUSTOMER_USER', tenant.id, customerId), mine: mine.id, other: other.id };
}

describe('a customer user', () => {
  it('TBS-43 sees only the devices of its customer, in lists and by id', async () => {
    const { devices, user, mine, other, deviceData } = await scene();
    expect(succeeded(await devices.list(user, listQuery())).data.map((device) => device.id)).toEqual([mine]);
    expect(succeeded(await devices.byIds(user, [other, mine])).map((device) => device.id)).toEqual([mine]);
    expect((await devices.get(user, mine)).ok).toBe(true);
    expect(await devices.get(user, other)).toMatchObject({ code: 'permissionDenied' });
    expect((await devices.byName(user, 'mine')).ok).toBe(true);
    expect(await devices.byName(user, 'other')).toMatchObject({ code: 'notFound' });
    expect(deviceData(user, mine).ok).toBe(true);
    expect(deviceData(user, other)).toMatchObject({ code: 'permissionDenied' });
  });

  it('reads the credentials of its devices and changes their names', async () => {
    const { devices, user, mine } = await scene();
    expect((await devices.credentials(user, mine)).ok).toBe(true);
    expect((await devices.save(user, deviceInput('renamed', { id: mine }), { accessToken: null })).ok).toBe(true);
  });

  it('TBS-14 deletes and creates nothing, and changes no credentials', async () => {
    const { devices, user, mine } = await scene();
    const denied = { code: 'permissionDenied' };
    expect(await devices.remove(user, mine)).toMatchObject(denied);
    expect(await devices.save(user, deviceInput('new'), { accessToken: null })).toMatchObject(denied);
    expect(await devices.saveCredentials(user, mine, credentialsInput('ACCESS_TOKEN'))).toMatchObject(denied);
    const both = devices.saveWithCredentials(user, deviceInput('mine', { id: mine }), credentialsInput('ACCESS_TOKEN'));
    expect(await both).toMatchObject(denied);
    const newType = deviceInput('mine', { id: mine, type: 'unheard of' });
    expect(await devices.save(user, newType, { accessToken: null })).toMatchObject(denied);
  });
});

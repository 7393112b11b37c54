import { deviceInput, listQuery, openTestRegistry, succeeded, type TestRegistry } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { DeviceListQuery } from '../platform.ts';

async function withDevices(count: number): Promise<TestRegistry> {
  const t = await openTestRegistry();
  for (let index = 0; index < count; index += 1) {
    const input = deviceInput(`Device ${String(index).padStart(2, '0')}`, {
      label: index % 5 === 0 ? `Roof ${index}` : null,
      type: index % 2 === 0 ? 'even' : null,
    });
    succeeded(await t.devices.save(t.admin, input, { accessToken: null }));
  }
  return t;
}

const page = async (t: TestRegistry, parts: Partial<DeviceListQuery>) =>
  succeeded(await t.devices.list(t.admin, listQuery(parts)));

describe('lists of devices', () => {
  it('TBS-26 have 3 pages of 10 for 25 devices, and totals beyond the last one', async () => {
    const t = await withDevices(25);
    const pages = await Promise.all([0, 1, 2, 3].map((number) => page(t, { page: number })));
    expect(pages.map(({ data }) => data.length)).toEqual([10, 10, 5, 0]);
    expect(pages.map(({ hasNext }) => hasNext)).toEqual([true, true, false, false]);
    for (const { totalPages, totalElements } of pages) expect([totalPages, totalElements]).toEqual([3, 25]);
  });

  it('TBS-27 are searched by name and by label in any case', async () => {
    const t = await withDevices(12);
    expect((await page(t, { textSearch: 'DEVICE 0' })).totalElements).toBe(10);
    expect((await page(t, { textSearch: 'rOOf' })).data.map(({ label }) => label)).toHaveLength(3);
    expect((await page(t, { textSearch: '' })).totalElements).toBe(12);
    expect((await page(t, { textSearch: 'none' })).totalPages).toBe(0);
  });

  it('TBS-28 are sorted by a listed member, and refuse others', async () => {
    const t = await withDevices(12);
    const names = (await page(t, { sortProperty: 'name', sortOrder: 'DESC', pageSize: 3 })).data.map(
      ({ name }) => name,
    );
    expect(names).toEqual(['Device 11', 'Device 10', 'Device 09']);
    for (const sortProperty of ['password', 'constructor', '__proto__', 'name; DROP TABLE device']) {
      expect(await t.devices.list(t.admin, listQuery({ sortProperty }))).toMatchObject({ code: 'badRequest' });
    }
  });

  it('TBS-28 refuse pages without size and negative pages', async () => {
    const t = await openTestRegistry();
    for (const parts of [{ pageSize: 0 }, { pageSize: -1 }, { page: -1 }, { pageSize: 1.5 }, { page: 1e15 }]) {
      expect(await t.devices.list(t.admin, listQuery(parts))).toMatchObject({ code: 'badRequest' });
    }
  });

  it('narrow to a type, which beats the profile id; an unknown type has none', async () => {
    const t = await withDevices(5);
    const byDefault = succeeded(await t.profiles.defaultProfile(t.admin)).id;
    expect((await page(t, { type: 'even' })).totalElements).toBe(3);
    expect((await page(t, { deviceProfileId: byDefault })).totalElements).toBe(2);
    expect((await page(t, { type: 'even', deviceProfileId: byDefault })).totalElements).toBe(3);
    expect(await page(t, { type: 'unknown' })).toEqual({ data: [], totalPages: 0, totalElements: 0, hasNext: false });
  });

  it('TBS-29 find one device by its exact name', async () => {
    const t = await withDevices(2);
    expect(succeeded(await t.devices.byName(t.admin, 'Device 01')).name).toBe('Device 01');
    expect((await t.devices.byName(t.admin, 'device 01')).ok).toBe(false);
  });

  it('cut huge pages to 10,000 and count in pages of that size', async () => {
    const t = await withDevices(1);
    expect(await page(t, { pageSize: 2_147_483_647 })).toMatchObject({
      totalPages: 1,
      totalElements: 1,
      hasNext: false,
    });
  });
});

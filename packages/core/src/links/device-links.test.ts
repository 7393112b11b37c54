import { callerOf, listQuery, MemoryRepositories, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { Json } from '../model/entities.ts';
import { DEVICE_LINKS } from './link-collection.ts';
import { MAX_LINKS_OF_TENANT } from './link-rules.ts';
import { linkInput, openTestLinks, type TestLinks } from './testing/test-links.ts';

const FOREIGN = '00000000-0000-4000-8000-0000000000bb';
const UNKNOWN = '00000000-0000-4000-8000-0000000000ff';

async function scene() {
  const t = await openTestLinks();
  const [a, b] = [await t.device('A'), await t.device('B')];
  return { t, a, b, admin: t.registry.admin };
}

async function storedLinks({ registry }: TestLinks): Promise<number> {
  const window = { offset: 0, limit: 0, textSearch: null, sort: 'id', descending: false };
  const found = await registry.repositories.documents(DEVICE_LINKS, { ...window, tenantId: null, conditions: [] });
  return found.total;
}

describe('DeviceLinks', () => {
  it('creates, reads, lists, updates and deletes links', async () => {
    const { t, a, b, admin } = await scene();
    const one = await t.link({ name: 'one', from: [a, 'k'], to: b, method: 'm', map: { true: 1 } });
    expect(one).toMatchObject({ name: 'one', enabled: true, map: { true: 1 }, version: 1, lastOutcome: null });
    expect(succeeded(await t.links.get(admin, one.id))).toEqual(one);
    const two = await t.link({ name: 'two', from: [b, 'k'], to: a, attribute: 'x', enabled: false });
    const list = succeeded(await t.links.list(admin, listQuery({ sortProperty: 'name', sortOrder: 'DESC' })));
    expect([list.totalElements, list.data.map(({ name }) => name)]).toEqual([2, ['two', 'one']]);
    expect(succeeded(await t.links.list(admin, listQuery({ textSearch: 'ON' }))).data).toEqual([one]);
    const changed = await t.link({ id: two.id, name: 'zwei', from: [a, 'k'], to: b, method: 'm' });
    expect(changed).toMatchObject({ id: two.id, createdTime: two.createdTime, name: 'zwei', version: 2 });
    expect(changed.target).toEqual({ deviceId: b, method: 'm', attribute: null });
    succeeded(await t.links.remove(admin, two.id));
    expect(await t.links.get(admin, two.id)).toMatchObject({ code: 'notFound' });
    expect(await t.links.remove(admin, two.id)).toMatchObject({ code: 'notFound' });
    await t.report(a, { k: true });
    expect(t.called()).toEqual(['B m 1']);
  });

  it('refuses a save that carries an older version, and an update of what is not there', async () => {
    const { t, a, b, admin } = await scene();
    const link = await t.link({ from: [a, 'k'], to: b, method: 'm' });
    await t.link({ id: link.id, from: [a, 'k'], to: b, method: 'm', version: 1 });
    const input = linkInput({ id: link.id, from: [a, 'k'], to: b, method: 'm', version: 1 });
    expect(await t.links.save(admin, input)).toMatchObject({ code: 'versionConflict' });
    expect(await t.links.save(admin, { ...input, id: UNKNOWN })).toMatchObject({ code: 'notFound' });
  });

  it('is for administrators of the tenant that the links belong to', async () => {
    const { t, a, b, admin } = await scene();
    const link = await t.link({ from: [a, 'k'], to: b, method: 'm' });
    const customer = callerOf('CUSTOMER_USER', admin.tenantId, UNKNOWN);
    const others = [customer, callerOf('SYS_ADMIN', admin.tenantId), callerOf('TENANT_ADMIN', FOREIGN)];
    for (const caller of others) {
      const denied = { code: 'permissionDenied' };
      expect(await t.links.get(caller, link.id)).toMatchObject(denied);
      expect(await t.links.remove(caller, link.id)).toMatchObject(denied);
      const update = linkInput({ id: link.id, from: [a, 'k'], to: b, method: 'm' });
      expect(await t.links.save(caller, update)).toMatchObject(denied);
    }
    expect(await t.links.list(customer, listQuery())).toMatchObject({ code: 'permissionDenied' });
    const foreign = callerOf('TENANT_ADMIN', FOREIGN);
    expect(succeeded(await t.links.list(foreign, listQuery())).data).toEqual([]);
    // The devices of others look like none.
    const input = linkInput({ from: [a, 'k'], to: b, method: 'm' });
    expect(await t.links.save(foreign, input)).toMatchObject({ code: 'notFound' });
  });

  it('refuses what no link can be', async () => {
    const { t, a, b, admin } = await scene();
    const tooMany: Record<string, Json> = {};
    for (let i = 0; i <= 100; i++) tooMany[i] = i;
    const { '0': _, ...hundred } = tooMany;
    const base = { from: [a, 'k'] as const, to: b, method: 'm' };
    const bad = [
      { ...base, name: ' ' },
      { ...base, name: '<b>x</b>' },
      { ...base, from: [a, ''] as const },
      { ...base, from: [a, 'k'.repeat(256)] as const },
      { from: [a, 'k'] as const, to: b },
      { ...base, attribute: 'x' },
      { ...base, method: ' ' },
      { ...base, method: 'm'.repeat(256) },
      { from: [a, 'k'] as const, to: b, attribute: '\0' },
      { ...base, map: tooMany },
      { ...base, map: { x: 'y'.repeat(16_384) } },
      { from: [a, 'k'] as const, to: b, attribute: 'x', map: { on: null } },
    ];
    for (const parts of bad) {
      expect(await t.links.save(admin, linkInput(parts)), JSON.stringify(parts)).toMatchObject({ code: 'badRequest' });
    }
    for (const parts of [
      { ...base, to: UNKNOWN },
      { ...base, from: [UNKNOWN, 'k'] as const },
    ]) {
      expect(await t.links.save(admin, linkInput(parts))).toMatchObject({
        code: 'notFound',
        message: `Device with id [${UNKNOWN}] is not found`,
      });
    }
    expect((await t.links.save(admin, linkInput({ ...base, map: hundred }))).ok).toBe(true);
    expect(await storedLinks(t)).toBe(1);
  });

  it('allows a tenant 10,000 links', async () => {
    const { t, a, b, admin } = await scene();
    const link = await t.link({ from: [a, 'k'], to: b, method: 'm' });
    for (let i = 1; i < MAX_LINKS_OF_TENANT; i++) t.index.put({ ...link, id: `link ${i}` });
    const refused = await t.links.save(admin, linkInput({ from: [a, 'k'], to: b, method: 'm' }));
    expect(refused).toMatchObject({ code: 'limitExceeded' });
    t.index.remove('link 1');
    expect((await t.links.save(admin, linkInput({ from: [a, 'k'], to: b, method: 'm' }))).ok).toBe(true);
  });

  it('deletes the links of a deleted device, whichever end it was', async () => {
    const { t, a, b, admin } = await scene();
    const c = await t.device('C');
    await t.link({ from: [a, 'k'], to: b, method: 'm' });
    await t.link({ from: [b, 'k'], to: c, method: 'm' });
    const stays = await t.link({ from: [a, 'k'], to: c, method: 'm' });
    succeeded(await t.registry.devices.remove(admin, b));
    await t.report(a, { k: 1 });
    expect(t.called()).toEqual(['C m 1']);
    await t.links.settled();
    expect(succeeded(await t.links.list(admin, listQuery())).data.map(({ id }) => id)).toEqual([stays.id]);
    expect([t.engine.wants(b), t.faults]).toEqual([false, []]);
  });

  it('keeps links across a restart, without those whose devices were deleted meanwhile', async () => {
    const repositories = new MemoryRepositories();
    const first = await openTestLinks({ repositories });
    const [a, b, c] = [await first.device('A'), await first.device('B'), await first.device('C')];
    await first.link({ from: [a, 'k'], to: b, method: 'm', map: { x: { y: [1] } } });
    await first.link({ from: [a, 'k'], to: c, method: 'm' });
    // The server stops before the links of the device are gone.
    first.links.revoked = () => {};
    succeeded(await first.registry.devices.remove(first.registry.admin, c));
    expect(await storedLinks(first)).toBe(2);
    const second = await openTestLinks({ repositories });
    expect([second.index.size, await storedLinks(second)]).toEqual([1, 1]);
    second.devices.listening.add(b);
    await second.report(a, { k: 'x' });
    expect(second.called()).toEqual(['B m {"y":[1]}']);
  });

  it('forgets the links of a removed tenant', async () => {
    const { t, a, b, admin } = await scene();
    await t.link({ from: [a, 'k'], to: b, method: 'm' });
    await t.links.removeOf(FOREIGN);
    expect(t.index.countOf(admin.tenantId)).toBe(1);
    await t.links.removeOf(admin.tenantId);
    expect([t.index.countOf(admin.tenantId), t.index.size, t.engine.wants(a)]).toEqual([0, 0, false]);
  });
});

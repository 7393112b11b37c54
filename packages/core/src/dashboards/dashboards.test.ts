import { callerOf, listQuery, MemoryRepositories, openTestRegistry, sampleUser, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import { DASHBOARD_ASSIGNMENTS, DASHBOARD_CONTENTS, DASHBOARDS } from './dashboard-collections.ts';
import { releaseCustomer } from './release-customer.ts';
import { dashboardInput as input, STRANGER, sceneOn } from './test-scene.ts';

const page = { ...listQuery(), sortProperty: 'title', mobile: false };
const UNKNOWN = '00000000-0000-4000-8000-000000000001';
const CONFIGURATION = '{ "widgets": {"a": 1.50}, "n": 12345678901234567890, "n": null }';

async function openScene(repositories = new MemoryRepositories()) {
  return sceneOn(await openTestRegistry({ repositories }), repositories);
}

type Scene = Awaited<ReturnType<typeof openScene>>;
const create = async (s: Scene, title: string, parts: Parameters<typeof input>[1] = {}) =>
  succeeded(await s.dashboards.save(s.admin, input(title, parts))).id;
const titles = (found: { readonly data: readonly { readonly title: string }[] }) =>
  found.data.map(({ title }) => title);
const customersOf = async (s: Scene, id: string, caller = s.admin) =>
  succeeded(await s.dashboards.info(caller, id)).assignedCustomers.map(({ title }) => title);

describe('dashboards', () => {
  it('give their configuration back as the text it was saved as', async () => {
    const s = await openScene();
    const saved = succeeded(await s.dashboards.save(s.admin, input('Harbour', { configuration: CONFIGURATION })));
    expect(saved).toMatchObject({ title: 'Harbour', configuration: CONFIGURATION, version: 1, assignedCustomers: [] });
    expect(succeeded(await s.dashboards.get(s.admin, saved.id))).toEqual(saved);
    const { configuration: _, ...info } = saved;
    expect(succeeded(await s.dashboards.info(s.admin, saved.id))).toEqual(info);
  });

  it('keep it when a save leaves it out, and lose it to null', async () => {
    const s = await openScene();
    const id = await create(s, 'Harbour', { configuration: CONFIGURATION });
    const save = async (parts: Parameters<typeof input>[1]) =>
      succeeded(await s.dashboards.save(s.admin, input('Port', { id, ...parts })));
    expect(await save({})).toMatchObject({ title: 'Port', configuration: CONFIGURATION, version: 2 });
    expect(await save({ configuration: null })).toMatchObject({ configuration: null, version: 3 });
  });

  it('are updated under their version', async () => {
    const s = await openScene();
    const id = await create(s, 'Harbour');
    const save = (version: number | null) => s.dashboards.save(s.admin, input('Port', { id, version }));
    expect(await save(7)).toMatchObject({ code: 'versionConflict' });
    expect(succeeded(await save(1)).version).toBe(2);
    expect(await save(1)).toMatchObject({ code: 'versionConflict' });
    expect(succeeded(await save(null)).version).toBe(3);
    const both = await Promise.all([save(3), save(3)]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('are listed by part of the title and in its order', async () => {
    const s = await openScene();
    for (const title of ['pier', 'Dock', 'Harbour']) await create(s, title);
    const list = async (parts: object) => titles(succeeded(await s.dashboards.list(s.admin, { ...page, ...parts })));
    expect(await list({})).toEqual(['Dock', 'Harbour', 'pier']);
    expect(await list({ textSearch: 'R' })).toEqual(['Harbour', 'pier']);
    expect(await list({ sortOrder: 'DESC', pageSize: 2 })).toEqual(['pier', 'Harbour']);
    expect(await s.dashboards.list(s.admin, { ...page, sortProperty: 'image' })).toMatchObject({ code: 'badRequest' });
  });

  it('read no configuration for a list', async () => {
    const s = await openScene();
    await create(s, 'Harbour', { configuration: CONFIGURATION, image: 'x'.repeat(3000) });
    const { records } = await s.repositories.documents(DASHBOARDS, {
      ...{ tenantId: null, conditions: [], textSearch: null, sort: 'id', descending: false, offset: 0, limit: 10 },
    });
    expect(records.map(({ body }) => Object.keys(body).sort())).toEqual([
      ['image', 'mobile', 'mobileHide', 'mobileOrder', 'mobileRank', 'title'],
    ]);
    expect(records[0]?.body.image).toBeNull();
  });

  it('carry a small picture everywhere and a large one with the whole', async () => {
    const s = await openScene();
    const small = await create(s, 'a', { image: 'small' });
    const large = await create(s, 'b', { image: 'x'.repeat(3000) });
    expect(succeeded(await s.dashboards.info(s.admin, small)).image).toBe('small');
    expect(succeeded(await s.dashboards.info(s.admin, large)).image).toBeNull();
    expect(succeeded(await s.dashboards.get(s.admin, large)).image).toHaveLength(3000);
  });

  it('for mobile use come in their order, those without one last', async () => {
    const s = await openScene();
    await create(s, 'third');
    await create(s, 'second', { mobileOrder: 2 });
    await create(s, 'hidden', { mobileHide: true, mobileOrder: 0 });
    await create(s, 'first', { mobileOrder: 1 });
    const mobile = { ...page, sortProperty: null, mobile: true };
    expect(titles(succeeded(await s.dashboards.list(s.admin, mobile)))).toEqual(['first', 'second', 'third']);
    const customer = await s.customer('Yard');
    const { data } = succeeded(await s.dashboards.list(s.admin, page));
    for (const { id } of data) await s.dashboards.changeCustomers(s.admin, id, 'add', [customer.id]);
    const theirs = await s.dashboards.ofCustomer(customer.user, customer.id, mobile);
    expect(titles(succeeded(theirs))).toEqual(['first', 'second', 'third']);
  });

  it('are refused without a title, with markup, and over the bounds', async () => {
    const s = await openScene();
    for (const parts of [
      { title: ' ' },
      { title: 'a<b>' },
      { title: 'x'.repeat(256) },
      { image: 'x'.repeat(1_048_577) },
      { configuration: 'x'.repeat(16_777_217) },
    ]) {
      expect(await s.dashboards.save(s.admin, input('x', parts))).toMatchObject({ code: 'badRequest' });
    }
    expect(await s.dashboards.save(s.admin, input('x', { id: UNKNOWN }))).toMatchObject({ code: 'notFound' });
  });

  it('are deleted whole', async () => {
    const s = await openScene();
    const customer = await s.customer('Yard');
    const id = await create(s, 'Harbour', { configuration: '{}' });
    await s.dashboards.changeCustomers(s.admin, id, 'add', [customer.id]);
    const relation = { type: 'Contains', typeGroup: 'COMMON', additionalInfo: null };
    const ends = { from: { entityType: 'DASHBOARD', id }, to: { entityType: 'CUSTOMER', id: customer.id } };
    succeeded(await s.relations.save(s.admin, { ...relation, ...ends }));
    expect(await s.dashboards.remove(s.admin, id)).toEqual({ ok: true, value: null });
    expect(await s.dashboards.get(s.admin, id)).toMatchObject({ code: 'notFound' });
    expect(await s.repositories.document(DASHBOARD_CONTENTS, id)).toBeNull();
    expect(succeeded(await s.dashboards.ofCustomer(s.admin, customer.id, page)).totalElements).toBe(0);
    const query = { end: 'to', entity: ends.to, type: null, typeGroup: 'COMMON' } as const;
    expect(succeeded(await s.relations.list(s.admin, query))).toEqual([]);
  });

  it('leave everything as it was when the store is full', async () => {
    const s = await openScene();
    const id = await create(s, 'Harbour', { configuration: '{}' });
    s.repositories.troubles.push('full');
    expect(await s.dashboards.save(s.admin, input('Port', { id }))).toMatchObject({ code: 'storageFull' });
    expect(succeeded(await s.dashboards.get(s.admin, id))).toMatchObject({ title: 'Harbour', version: 1 });
  });
});

describe('customers of a dashboard', () => {
  it('TBS-45 are both shown when it is assigned to two', async () => {
    const s = await openScene();
    const [yard, dock] = [await s.customer('Yard'), await s.customer('Dock')];
    const id = await create(s, 'Harbour');
    await s.dashboards.changeCustomers(s.admin, id, 'add', [yard.id]);
    const { assignedCustomers } = succeeded(await s.dashboards.changeCustomers(s.admin, id, 'add', [dock.id, yard.id]));
    expect(assignedCustomers).toEqual([
      { customerId: dock.id, title: 'Dock', isPublic: false },
      { customerId: yard.id, title: 'Yard', isPublic: false },
    ]);
    const [listed] = succeeded(await s.dashboards.list(s.admin, page)).data;
    expect(listed?.assignedCustomers).toEqual(assignedCustomers);
  });

  it('are set, added and removed', async () => {
    const s = await openScene();
    const [a, b, c] = [await s.customer('a'), await s.customer('b'), await s.customer('c')];
    const id = await create(s, 'Harbour');
    const change = async (kind: 'add' | 'remove' | 'set', ...ids: string[]) => {
      succeeded(await s.dashboards.changeCustomers(s.admin, id, kind, ids));
      return customersOf(s, id);
    };
    expect(await change('set', a.id, b.id)).toEqual(['a', 'b']);
    expect(await change('set', b.id, c.id)).toEqual(['b', 'c']);
    expect(await change('add', a.id)).toEqual(['a', 'b', 'c']);
    expect(await change('remove', b.id, UNKNOWN)).toEqual(['a', 'c']);
    expect(await change('set')).toEqual([]);
    const unknown = await s.dashboards.changeCustomers(s.admin, id, 'set', [a.id, UNKNOWN]);
    expect(unknown).toMatchObject({ code: 'notFound' });
    expect(await customersOf(s, id)).toEqual([]);
    const many = Array.from({ length: 10_001 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
    expect(await s.dashboards.changeCustomers(s.admin, id, 'set', many)).toMatchObject({ code: 'limitExceeded' });
  });

  it('find it by its new title, and are named by their own new one', async () => {
    const s = await openScene();
    const yard = await s.customer('Yard');
    const id = await create(s, 'Harbour');
    await s.dashboards.changeCustomers(s.admin, id, 'add', [yard.id]);
    await s.dashboards.save(s.admin, input('Port', { id }));
    const search = (textSearch: string) => s.dashboards.ofCustomer(yard.user, yard.id, { ...page, textSearch });
    expect(titles(succeeded(await search('por')))).toEqual(['Port']);
    expect(titles(succeeded(await search('harb')))).toEqual([]);
    const current = succeeded(await s.customers.get(s.admin, yard.id));
    await s.customers.save(s.admin, { ...current, title: 'Quay' });
    expect(await customersOf(s, id)).toEqual(['Quay']);
  });

  it('see their own dashboards and no other customer', async () => {
    const s = await openScene();
    const [yard, dock] = [await s.customer('Yard'), await s.customer('Dock')];
    const [mine, other] = [await create(s, 'mine'), await create(s, 'other')];
    await s.dashboards.changeCustomers(s.admin, mine, 'set', [yard.id, dock.id]);
    await s.dashboards.changeCustomers(s.admin, other, 'set', [dock.id]);
    const denied = { code: 'permissionDenied' };
    expect(await customersOf(s, mine, yard.user)).toEqual(['Yard']);
    expect((await s.dashboards.get(yard.user, mine)).ok).toBe(true);
    expect(await s.dashboards.get(yard.user, other)).toMatchObject(denied);
    expect(await s.dashboards.ofCustomer(yard.user, dock.id, page)).toMatchObject(denied);
    expect(await s.dashboards.list(yard.user, page)).toMatchObject(denied);
    expect(await s.dashboards.save(yard.user, input('x', { id: mine }))).toMatchObject(denied);
    expect(await s.dashboards.remove(yard.user, mine)).toMatchObject(denied);
    expect(await s.dashboards.changeCustomers(yard.user, mine, 'remove', [dock.id])).toMatchObject(denied);
    expect(await s.dashboards.changePublic(yard.user, mine, 'add')).toMatchObject(denied);
    for (const caller of [STRANGER, callerOf('SYS_ADMIN', NULL_ID)]) {
      expect(await s.dashboards.get(caller, mine)).toMatchObject(denied);
      expect((await s.dashboards.remove(caller, mine)).ok).toBe(false);
    }
    const theirs = succeeded(await s.dashboards.ofCustomer(yard.user, yard.id, page));
    expect(theirs.data.map(({ id, assignedCustomers }) => [id, assignedCustomers.length])).toEqual([[mine, 1]]);
  });

  it('include the public one', async () => {
    const s = await openScene();
    const id = await create(s, 'Harbour');
    const open = succeeded(await s.dashboards.changePublic(s.admin, id, 'add'));
    expect(open.assignedCustomers).toMatchObject([{ title: 'Public', isPublic: true }]);
    expect(succeeded(await s.dashboards.changePublic(s.admin, id, 'remove')).assignedCustomers).toEqual([]);
  });

  it('that are deleted are not shown, and are forgotten with their assets', async () => {
    const s = await openScene();
    const yard = await s.customer('Yard');
    const id = await create(s, 'Harbour');
    await s.dashboards.changeCustomers(s.admin, id, 'add', [yard.id]);
    succeeded(await s.customers.remove(s.admin, yard.id));
    expect(await customersOf(s, id)).toEqual([]);
    expect(await releaseCustomer(s.repositories, yard.id)).toBe('stored');
    const left = { tenantId: null, conditions: [], textSearch: null, sort: 'id', descending: false };
    const { total } = await s.repositories.documents(DASHBOARD_ASSIGNMENTS, { ...left, offset: 0, limit: 1 });
    expect(total).toBe(0);
  });

  it('are not lost to an assignment that comes at the same moment as a rename', async () => {
    const s = await openScene();
    const [yard, dock] = [await s.customer('Yard'), await s.customer('Dock')];
    const id = await create(s, 'Harbour');
    await Promise.all([
      s.dashboards.changeCustomers(s.admin, id, 'add', [yard.id]),
      s.dashboards.save(s.admin, input('Port', { id })),
      s.dashboards.changeCustomers(s.admin, id, 'add', [dock.id]),
    ]);
    expect(await customersOf(s, id)).toEqual(['Dock', 'Yard']);
    for (const { id: customerId } of [yard, dock]) {
      const found = await s.dashboards.ofCustomer(s.admin, customerId, { ...page, textSearch: 'port' });
      expect(succeeded(found).totalElements).toBe(1);
    }
  });
});

describe('the home dashboard', () => {
  it("is the user's, else that of its customer, if it may be seen", async () => {
    const s = await openScene();
    const yard = await s.customer('Yard');
    const [own, shared] = [await create(s, 'own'), await create(s, 'shared')];
    const additionalInfo = { homeDashboardId: own.toUpperCase(), homeDashboardHideToolbar: false };
    const user = sampleUser(s.admin.tenantId, { customerId: yard.id, authority: 'CUSTOMER_USER', additionalInfo });
    await s.repositories.commit([{ kind: 'putUser', record: user, expectedVersion: null }]);
    const caller = { ...yard.user, userId: user.id };
    const home = async () => succeeded(await s.dashboards.home(caller));
    expect(await home()).toBeNull();
    const current = succeeded(await s.customers.get(s.admin, yard.id));
    await s.customers.save(s.admin, { ...current, additionalInfo: { homeDashboardId: shared } });
    expect(await home()).toBeNull();
    await s.dashboards.changeCustomers(s.admin, shared, 'add', [yard.id]);
    expect(await home()).toEqual({ dashboardId: shared, hideToolbar: true });
    await s.dashboards.changeCustomers(s.admin, own, 'add', [yard.id]);
    expect(await home()).toEqual({ dashboardId: own, hideToolbar: false });
    expect(succeeded(await s.dashboards.home(s.admin))).toBeNull();
  });
});

import { callerOf, listQuery, MemoryRepositories, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { releaseCustomer } from '../dashboards/release-customer.ts';
import { assetInput as input, STRANGER, sceneOn } from '../dashboards/test-scene.ts';
import { NULL_ID } from '../model/entities.ts';
import { ASSETS } from './asset-collections.ts';

const page = { ...listQuery(), sortProperty: 'name', assetProfileId: null };
const UNKNOWN = '00000000-0000-4000-8000-000000000001';
const denied = { code: 'permissionDenied' };

async function openScene(repositories = new MemoryRepositories()) {
  return sceneOn(await openTestRegistry({ repositories }), repositories);
}

type Scene = Awaited<ReturnType<typeof openScene>>;
const create = async (s: Scene, name: string, parts: Parameters<typeof input>[1] = {}) =>
  succeeded(await s.assets.save(s.admin, input(name, parts)));
const names = (found: { readonly data: readonly { readonly name: string }[] }) => found.data.map(({ name }) => name);

describe('assets', () => {
  it('are saved, read by id and name, and updated under their version', async () => {
    const s = await openScene();
    const saved = await create(s, 'Hall', { label: 'North', additionalInfo: { note: 1 } });
    expect(saved).toMatchObject({ name: 'Hall', type: 'default', label: 'North', customerId: NULL_ID, version: 1 });
    expect(succeeded(await s.assets.get(s.admin, saved.id))).toEqual(saved);
    expect(succeeded(await s.assets.byName(s.admin, 'Hall'))).toEqual(saved);
    expect(await s.assets.byName(s.admin, 'hall')).toMatchObject({ code: 'notFound' });
    const update = (version: number | null) => s.assets.save(s.admin, input('Shed', { id: saved.id, version }));
    expect(succeeded(await update(1))).toMatchObject({ name: 'Shed', label: null, version: 2 });
    expect(await update(1)).toMatchObject({ code: 'versionConflict' });
    expect(succeeded(await update(null)).version).toBe(3);
    expect(await s.assets.save(s.admin, input('x', { id: UNKNOWN }))).toMatchObject({ code: 'notFound' });
  });

  it('have names that are unique in the tenant', async () => {
    const s = await openScene();
    await create(s, 'Hall');
    const shed = await create(s, 'Shed');
    const duplicate = { code: 'badRequest', message: 'Asset with such name already exists!' };
    expect(await s.assets.save(s.admin, input('Hall'))).toMatchObject(duplicate);
    expect(await s.assets.save(s.admin, input('Hall', { id: shed.id }))).toMatchObject(duplicate);
    for (const name of ['', ' ', 'a<b>', 'x'.repeat(256)]) {
      expect(await s.assets.save(s.admin, input(name)), name).toMatchObject({ code: 'badRequest' });
    }
    const both = await Promise.all([1, 2].map(() => s.assets.save(s.admin, input('Twice'))));
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('find or make the profile of their type', async () => {
    const s = await openScene();
    const many = await Promise.all(['a', 'b', 'c'].map((name) => create(s, name, { type: 'building' })));
    expect(new Set(many.map(({ assetProfileId }) => assetProfileId)).size).toBe(1);
    const byId = await create(s, 'd', { assetProfileId: many[0]?.assetProfileId ?? '' });
    expect(byId.type).toBe('building');
    const kept = succeeded(await s.assets.save(s.admin, input('e', { id: byId.id })));
    expect(kept.type).toBe('building');
    expect(await s.assets.save(s.admin, input('f', { assetProfileId: UNKNOWN }))).toMatchObject({ code: 'badRequest' });
  });

  it('are listed by part of name or label, by type, and in any order', async () => {
    const s = await openScene();
    await create(s, 'b', { type: 'zoo' });
    await create(s, 'a', { type: 'yard', label: 'South' });
    await create(s, 'c', { type: 'yard' });
    const list = async (parts: object) => names(succeeded(await s.assets.list(s.admin, { ...page, ...parts })));
    expect(await list({})).toEqual(['a', 'b', 'c']);
    expect(await list({ textSearch: 'SOU' })).toEqual(['a']);
    expect(await list({ type: 'yard' })).toEqual(['a', 'c']);
    expect(await list({ type: 'none' })).toEqual([]);
    const [, zoo] = succeeded(await s.assets.profiles.list(s.admin, page)).data;
    expect(zoo?.name).toBe('zoo');
    expect(await list({ assetProfileId: zoo?.id })).toEqual(['b']);
    expect(await s.assets.list(s.admin, { ...page, sortProperty: 'x' })).toMatchObject({ code: 'badRequest' });
    const types = async (parts: object) => {
      const found = succeeded(await s.assets.list(s.admin, { ...page, sortProperty: 'type', ...parts }));
      return [found.data.map(({ type }) => type), found.totalElements];
    };
    expect(await types({})).toEqual([['yard', 'yard', 'zoo'], 3]);
    expect(await types({ pageSize: 2, page: 1 })).toEqual([['zoo'], 3]);
    expect(await types({ sortOrder: 'DESC', pageSize: 2 })).toEqual([['zoo', 'yard'], 3]);
    expect(await types({ pageSize: 1, page: 1 })).toEqual([['yard'], 3]);
  });

  it('are found by ids in the order asked', async () => {
    const s = await openScene();
    const [a, b] = [await create(s, 'a'), await create(s, 'b')];
    const found = succeeded(await s.assets.byIds(s.admin, [b.id, UNKNOWN, a.id, b.id]));
    expect(found).toEqual([b, a]);
    expect(succeeded(await s.assets.byIds(STRANGER, [a.id]))).toEqual([]);
  });

  it('are given to customers and taken back; twice is refused', async () => {
    const s = await openScene();
    const yard = await s.customer('Yard');
    const { id } = await create(s, 'Hall');
    expect(succeeded(await s.assets.assign(s.admin, yard.id, id))).toMatchObject({ customerId: yard.id, version: 2 });
    const infos = succeeded(await s.assets.infosOfCustomer(s.admin, yard.id, page));
    expect(infos.data).toMatchObject([{ customerTitle: 'Yard', customerIsPublic: false, type: 'default' }]);
    expect(succeeded(await s.assets.unassign(s.admin, id)).customerId).toBe(NULL_ID);
    const twice = { code: 'badRequest', message: "Asset isn't assigned to any customer!" };
    expect(await s.assets.unassign(s.admin, id)).toMatchObject(twice);
    expect(await s.assets.assign(s.admin, UNKNOWN, id)).toMatchObject({ code: 'notFound' });
    expect(await s.assets.assign(s.admin, yard.id, UNKNOWN)).toMatchObject({ code: 'notFound' });
    await s.assets.assignToPublic(s.admin, id);
    expect(succeeded(await s.assets.info(s.admin, id))).toMatchObject({
      customerTitle: 'Public',
      customerIsPublic: true,
    });
  });

  it('are seen by the users of their customer only', async () => {
    const s = await openScene();
    const [yard, dock] = [await s.customer('Yard'), await s.customer('Dock')];
    const [mine, other] = [await create(s, 'mine', { type: 'a' }), await create(s, 'other', { type: 'b' })];
    await s.assets.assign(s.admin, yard.id, mine.id);
    await s.assets.assign(s.admin, dock.id, other.id);
    expect(names(succeeded(await s.assets.list(yard.user, page)))).toEqual(['mine']);
    expect(names(succeeded(await s.assets.ofCustomer(yard.user, yard.id, page)))).toEqual(['mine']);
    expect(await s.assets.ofCustomer(yard.user, dock.id, page)).toMatchObject(denied);
    expect(await s.assets.get(yard.user, other.id)).toMatchObject(denied);
    expect(await s.assets.byName(yard.user, 'other')).toMatchObject({ code: 'notFound' });
    expect(succeeded(await s.assets.byIds(yard.user, [mine.id, other.id]))).toHaveLength(1);
    expect(succeeded(await s.assets.types(yard.user))).toEqual(['a']);
    expect(succeeded(await s.assets.types(s.admin))).toEqual(['a', 'b']);
    expect((await s.assets.data(yard.user, mine.id)).ok).toBe(true);
    expect(await s.assets.data(yard.user, other.id)).toMatchObject(denied);
    expect(await s.assets.remove(yard.user, mine.id)).toMatchObject(denied);
    expect(await s.assets.assign(yard.user, yard.id, other.id)).toMatchObject(denied);
    expect(await s.assets.unassign(yard.user, mine.id)).toMatchObject(denied);
    expect(await s.assets.save(yard.user, input('new'))).toMatchObject(denied);
    const theirs = await s.assets.save(yard.user, input('mine', { id: mine.id, label: 'x' }));
    expect(succeeded(theirs)).toMatchObject({ label: 'x', customerId: yard.id });
    const newType = await s.assets.save(yard.user, input('mine', { id: mine.id, type: 'new' }));
    expect(newType).toMatchObject(denied);
    for (const caller of [STRANGER, callerOf('SYS_ADMIN', NULL_ID)]) {
      expect(await s.assets.get(caller, mine.id)).toMatchObject(denied);
    }
  });

  it('are deleted at once; their data goes behind them, at the next start if need be', async () => {
    const repositories = new MemoryRepositories();
    const s = await openScene(repositories);
    const { id } = await create(s, 'Hall');
    s.dataOutcomes.push('failed');
    expect(await s.assets.remove(s.admin, id)).toEqual({ ok: true, value: null });
    expect(await s.assets.get(s.admin, id)).toMatchObject({ code: 'notFound' });
    await s.assets.settled();
    expect(succeeded(await s.assets.list(s.admin, page)).totalElements).toBe(0);
    expect((await create(s, 'Hall')).version).toBe(1);
    expect(await repositories.document(ASSETS, id)).not.toBeNull();
    const next = await openScene(repositories);
    await next.assets.finishRemovals();
    expect(next.removedData).toEqual([id]);
    expect(await repositories.document(ASSETS, id)).toBeNull();
    next.dataOutcomes.push('failed', 'failed');
    await next.assets.remove(next.admin, (await next.assets.byName(next.admin, 'Hall').then(succeeded)).id);
    await next.assets.finishRemovals();
    expect(next.removedData).toHaveLength(3);
  });

  it('are free again when their customer is released', async () => {
    const s = await openScene();
    const yard = await s.customer('Yard');
    const hall = await create(s, 'Hall');
    await s.assets.assign(s.admin, yard.id, hall.id);
    expect(await releaseCustomer(s.repositories, yard.id)).toBe('stored');
    expect(succeeded(await s.assets.get(s.admin, hall.id)).customerId).toBe(NULL_ID);
  });
});

describe('asset profiles', () => {
  it('have a default one, made at first use', async () => {
    const s = await openScene();
    const [first, second] = await Promise.all([
      s.assets.profiles.defaultProfile(s.admin),
      s.assets.profiles.defaultProfile(s.admin),
    ]);
    expect(succeeded(first)).toMatchObject({ name: 'default', isDefault: true });
    expect(succeeded(second).id).toBe(succeeded(first).id);
    expect((await create(s, 'Hall')).assetProfileId).toBe(succeeded(first).id);
  });

  it('are saved under their version, with unique names, and rename the type of their assets', async () => {
    const s = await openScene();
    const save = (name: string, parts: object = {}) =>
      s.assets.profiles.save(s.admin, { id: null, name, description: null, version: null, ...parts });
    const { id } = succeeded(await save('building', { description: 'walls\nand roof' }));
    const hall = await create(s, 'Hall', { type: 'building' });
    expect(await save('building')).toMatchObject({ message: 'Asset profile with such name already exists!' });
    expect(succeeded(await save('house', { id, version: 1 }))).toMatchObject({ name: 'house', version: 2 });
    expect(await save('x', { id, version: 1 })).toMatchObject({ code: 'versionConflict' });
    expect(succeeded(await s.assets.get(s.admin, hall.id)).type).toBe('house');
    expect(await save(' ')).toMatchObject({ code: 'badRequest' });
    expect(await save('x', { description: 'y'.repeat(10_001) })).toMatchObject({ code: 'badRequest' });
  });

  it('are deleted unless an asset has them or they are the default', async () => {
    const s = await openScene();
    const hall = await create(s, 'Hall', { type: 'building' });
    const { profiles } = s.assets;
    const id = hall.assetProfileId;
    expect(await profiles.remove(s.admin, id)).toMatchObject({
      code: 'badRequest',
      message: 'The asset profile referenced by the assets cannot be deleted!',
    });
    const former = succeeded(await profiles.defaultProfile(s.admin));
    expect(await profiles.remove(s.admin, former.id)).toMatchObject({ code: 'badRequest' });
    expect(succeeded(await profiles.makeDefault(s.admin, id)).isDefault).toBe(true);
    expect(succeeded(await profiles.get(s.admin, former.id)).isDefault).toBe(false);
    expect(succeeded(await profiles.remove(s.admin, former.id))).toBeNull();
    await s.assets.remove(s.admin, hall.id);
    expect(await profiles.remove(s.admin, id)).toMatchObject({ code: 'badRequest' });
    expect(succeeded(await profiles.defaultProfile(s.admin)).id).toBe(id);
  });

  it('are not deleted while an asset gets them', async () => {
    const s = await openScene();
    const { id } = succeeded(
      await s.assets.profiles.save(s.admin, { id: null, name: 'building', description: null, version: null }),
    );
    const [saved, removed] = await Promise.all([
      s.assets.save(s.admin, input('Hall', { assetProfileId: id })),
      s.assets.profiles.remove(s.admin, id),
    ]);
    expect([saved.ok, removed.ok].filter(Boolean)).toHaveLength(1);
  });

  it('are changed by administrators of their tenant', async () => {
    const s = await openScene();
    const yard = await s.customer('Yard');
    const { id } = succeeded(await s.assets.profiles.defaultProfile(yard.user));
    expect((await s.assets.profiles.get(yard.user, id)).ok).toBe(true);
    const save = { id, name: 'x', description: null, version: null };
    for (const caller of [yard.user, STRANGER]) {
      expect(await s.assets.profiles.save(caller, save)).toMatchObject(denied);
      expect(await s.assets.profiles.makeDefault(caller, id)).toMatchObject(denied);
      expect(await s.assets.profiles.remove(caller, id)).toMatchObject(denied);
    }
  });
});

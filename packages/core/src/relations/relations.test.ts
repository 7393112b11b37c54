import { callerOf, deviceInput, MemoryRepositories, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { assetInput, STRANGER, sceneOn } from '../dashboards/test-scene.ts';
import { NULL_ID } from '../model/entities.ts';
import type { EntityRef, Relation, RelationQuery } from './relation-service.ts';
import { removeRelations } from './relations.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000001';
const denied = { code: 'permissionDenied' };

async function openScene(repositories = new MemoryRepositories()) {
  return sceneOn(await openTestRegistry({ repositories }), repositories);
}

const contains = (from: EntityRef, to: EntityRef, parts: Partial<Relation> = {}): Relation => ({
  from,
  to,
  type: 'Contains',
  typeGroup: 'COMMON',
  additionalInfo: null,
  ...parts,
});
const query = (end: 'from' | 'to', entity: EntityRef, parts: Partial<RelationQuery> = {}): RelationQuery => ({
  end,
  entity,
  type: null,
  typeGroup: 'COMMON',
  ...parts,
});

/** A hall with two devices; a customer has the hall and the first device. */
async function scene() {
  const s = await openScene();
  const ref = (entityType: string, { id }: { readonly id: string }): EntityRef => ({ entityType, id });
  const device = async (name: string) =>
    ref('DEVICE', succeeded(await s.devices.save(s.admin, deviceInput(name), { accessToken: null })));
  const hall = ref('ASSET', succeeded(await s.assets.save(s.admin, assetInput('Hall'))));
  const [pump, lamp] = [await device('pump'), await device('lamp')];
  const yard = await s.customer('Yard');
  succeeded(await s.assets.assign(s.admin, yard.id, hall.id));
  succeeded(await s.customers.assignDevice(s.admin, yard.id, pump.id));
  const save = async (relation: Relation) => succeeded(await s.relations.save(s.admin, relation));
  const list = async (wanted: RelationQuery, caller = s.admin) => succeeded(await s.relations.list(caller, wanted));
  return { ...s, hall, pump, lamp, yard, save, list };
}

describe('relations', () => {
  it('TBS-44 are created, listed by from and by to, and deleted', async () => {
    const s = await scene();
    const relation = contains(s.hall, s.pump, { additionalInfo: { note: 1 } });
    await s.save(relation);
    await s.save(contains(s.hall, s.lamp));
    const byFrom = await s.list(query('from', s.hall));
    expect(byFrom).toHaveLength(2);
    expect(byFrom).toContainEqual(relation);
    expect(await s.list(query('to', s.pump))).toEqual([relation]);
    expect(await s.list(query('to', s.hall))).toEqual([]);
    expect(succeeded(await s.relations.get(s.admin, relation))).toEqual(relation);
    expect(await s.relations.remove(s.admin, relation)).toEqual({ ok: true, value: null });
    expect(await s.relations.remove(s.admin, relation)).toMatchObject({ code: 'notFound' });
    expect(await s.relations.get(s.admin, relation)).toMatchObject({ code: 'notFound' });
    expect(await s.list(query('to', s.pump))).toEqual([]);
  });

  it('are told apart by type and group, and replaced by one of the same', async () => {
    const s = await scene();
    const first = await s.save(contains(s.hall, s.pump));
    const second = await s.save(contains(s.hall, s.pump, { type: 'Manages' }));
    const third = await s.save(contains(s.hall, s.pump, { typeGroup: 'DASHBOARD' }));
    const changed = await s.save({ ...first, additionalInfo: { note: 2 } });
    const common = await s.list(query('from', s.hall));
    expect(common).toHaveLength(2);
    expect(common).toEqual(expect.arrayContaining([changed, second]));
    expect(await s.list(query('from', s.hall, { type: 'Manages' }))).toEqual([second]);
    expect(await s.list(query('from', s.hall, { typeGroup: 'DASHBOARD' }))).toEqual([third]);
    const both = await Promise.all([1, 2].map(() => s.relations.save(s.admin, contains(s.hall, s.lamp))));
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(await s.list(query('to', s.lamp))).toHaveLength(1);
  });

  it('carry the names of both ends', async () => {
    const s = await scene();
    const dashboard = succeeded(
      await s.dashboards.save(s.admin, {
        ...{ id: null, title: 'Plan', image: null, mobileHide: false, mobileOrder: null, version: null },
      }),
    );
    const ends: readonly (readonly [EntityRef, string])[] = [
      [s.pump, 'pump'],
      [{ entityType: 'CUSTOMER', id: s.yard.id }, 'Yard'],
      [{ entityType: 'DASHBOARD', id: dashboard.id }, 'Plan'],
      [{ entityType: 'TENANT', id: s.admin.tenantId }, 'default'],
    ];
    for (const [end] of ends) await s.save(contains(s.hall, end));
    const infos = succeeded(await s.relations.listInfos(s.admin, query('from', s.hall)));
    expect(infos.map(({ fromName, to, toName }) => [fromName, to.id, toName]).sort()).toEqual(
      ends.map(([{ id }, name]) => ['Hall', id, name]).sort(),
    );
  });

  it('need two ends that exist and that the caller may change', async () => {
    const s = await scene();
    const missing = { entityType: 'DEVICE', id: UNKNOWN };
    expect(await s.relations.save(s.admin, contains(s.hall, missing))).toMatchObject({ code: 'notFound' });
    const wrongType = { entityType: 'ASSET', id: s.pump.id };
    expect(await s.relations.save(s.admin, contains(s.hall, wrongType))).toMatchObject({ code: 'notFound' });
    expect(await s.relations.list(s.admin, query('from', missing))).toMatchObject({ code: 'notFound' });
    for (const caller of [STRANGER, callerOf('SYS_ADMIN', NULL_ID)]) {
      expect(await s.relations.save(caller, contains(s.hall, s.pump))).toMatchObject(denied);
      expect(await s.relations.list(caller, query('from', s.hall))).toMatchObject(denied);
    }
    const edge = { entityType: 'EDGE', id: UNKNOWN };
    expect(await s.relations.save(s.admin, contains(s.hall, edge))).toMatchObject({ code: 'notImplemented' });
    const nonsense = { entityType: '__proto__', id: UNKNOWN };
    expect(await s.relations.save(s.admin, contains(s.hall, nonsense))).toMatchObject({ code: 'badRequest' });
    for (const parts of [{ type: ' ' }, { type: 'x'.repeat(256) }, { typeGroup: 'OTHER' }]) {
      expect(await s.relations.save(s.admin, contains(s.hall, s.pump, parts))).toMatchObject({ code: 'badRequest' });
    }
  });

  it('show a customer only those between what it sees', async () => {
    const s = await scene();
    const { user } = s.yard;
    await s.save(contains(s.hall, s.lamp));
    expect(await s.relations.save(user, contains(s.hall, s.lamp))).toMatchObject(denied);
    const own = succeeded(await s.relations.save(user, contains(s.hall, s.pump)));
    expect(await s.list(query('from', s.hall), user)).toEqual([own]);
    expect(succeeded(await s.relations.listInfos(user, query('from', s.hall)))).toHaveLength(1);
    expect(await s.relations.get(user, contains(s.hall, s.lamp))).toMatchObject(denied);
    expect(await s.relations.remove(user, contains(s.hall, s.lamp))).toMatchObject(denied);
    succeeded(await s.relations.removeAll(user, s.hall));
    expect(await s.list(query('from', s.hall))).toEqual([contains(s.hall, s.lamp)]);
  });

  it('of an entity are deleted together, in both directions', async () => {
    const s = await scene();
    await s.save(contains(s.hall, s.pump));
    await s.save(contains(s.lamp, s.hall));
    const other = await s.save(contains(s.lamp, s.pump));
    const group = await s.save(contains(s.hall, s.pump, { typeGroup: 'EDGE' }));
    succeeded(await s.relations.removeAll(s.admin, s.hall));
    expect(await s.list(query('to', s.pump))).toEqual([other]);
    expect(await s.list(query('to', s.hall))).toEqual([]);
    expect(await s.list(query('from', s.hall, { typeGroup: 'EDGE' }))).toEqual([group]);
  });

  it('go with their asset, and with their device when its data is removed', async () => {
    const s = await scene();
    await s.save(contains(s.hall, s.pump));
    await s.save(contains(s.lamp, s.pump));
    succeeded(await s.assets.remove(s.admin, s.hall.id));
    expect(await s.list(query('to', s.pump))).toHaveLength(1);
    succeeded(await s.devices.remove(s.admin, s.lamp.id));
    expect(await removeRelations(s.repositories, s.lamp.id)).toBe('stored');
    expect(await s.list(query('to', s.pump))).toEqual([]);
    s.repositories.troubles.push('full');
    expect(await removeRelations(s.repositories, s.lamp.id)).toBe('stored');
  });

  it('do not show a customer that is gone, and go with an asset profile', async () => {
    const s = await scene();
    await s.save(contains(s.pump, { entityType: 'CUSTOMER', id: s.yard.id }));
    const { id } = succeeded(
      await s.assets.profiles.save(s.admin, { id: null, name: 'building', description: null, version: null }),
    );
    await s.save(contains(s.pump, { entityType: 'ASSET_PROFILE', id }));
    const kept = await s.save(contains(s.pump, s.lamp));
    expect(await s.list(query('from', s.pump))).toHaveLength(3);
    succeeded(await s.customers.remove(s.admin, s.yard.id));
    succeeded(await s.assets.profiles.remove(s.admin, id));
    expect(await s.list(query('from', s.pump))).toEqual([kept]);
  });

  it('are not left behind when an end is deleted while they are saved', async () => {
    const s = await scene();
    const commit = s.repositories.commit.bind(s.repositories);
    s.repositories.commit = async (changes) => {
      s.repositories.commit = commit;
      succeeded(await s.devices.remove(s.admin, s.lamp.id));
      await removeRelations(s.repositories, s.lamp.id);
      return commit(changes);
    };
    expect(await s.relations.save(s.admin, contains(s.hall, s.lamp))).toMatchObject({ code: 'notFound' });
    expect(await s.list(query('from', s.hall))).toEqual([]);
  });

  it('are bounded for each entity and direction', async () => {
    const s = await scene();
    const read = s.repositories.documents.bind(s.repositories);
    s.repositories.documents = async (collection, wanted) => {
      const counted = wanted.conditions.some(({ member }) => member === 'toId');
      return counted ? { records: [], total: 10_000 } : read(collection, wanted);
    };
    expect(await s.relations.save(s.admin, contains(s.hall, s.pump))).toMatchObject({ code: 'limitExceeded' });
    s.repositories.documents = read;
    expect(await s.list(query('from', s.hall))).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';
import type { Change, DeviceRecordQuery, DeviceSort, StoredDevice } from '@moorage/core';
import { expect, it } from 'vitest';
import type { Scene } from './describe-repositories.ts';
import { putToken, sampleApplication, sampleCredentials, sampleDevice, sampleProfile } from './sample-records.ts';

function query(scene: Scene, parts: Partial<DeviceRecordQuery>): DeviceRecordQuery {
  return {
    tenantId: scene.tenant.id,
    customerId: null,
    profileId: null,
    offset: 0,
    limit: 100,
    textSearch: null,
    sort: 'id',
    descending: false,
    ...parts,
  };
}

async function enter(scene: Scene, records: readonly StoredDevice[]): Promise<void> {
  const changes = records.map((record): Change => ({ kind: 'putDevice', record, expectedVersion: null }));
  expect(await scene.repositories.commit(changes)).toBe('done');
}

async function named(scene: Scene, names: readonly string[], labels: readonly (string | null)[] = []): Promise<void> {
  await enter(
    scene,
    names.map((name, index) => sampleDevice(scene.profile, { name, label: labels[index] ?? null })),
  );
}

/** Paging, search and sorting of the contract suite. */
export function listCases(newScene: () => Promise<Scene>): void {
  const names = async (scene: Scene, parts: Partial<DeviceRecordQuery>) =>
    (await scene.repositories.devices(query(scene, parts))).records.map((device) => device.name);

  it('TBS-26 pages by id with the total of all matches', async () => {
    const scene = await newScene();
    await named(
      scene,
      Array.from({ length: 25 }, (_, index) => `d${index}`),
    );
    const pages = await Promise.all(
      [0, 10, 20, 30].map((offset) => scene.repositories.devices(query(scene, { offset, limit: 10 }))),
    );
    expect(pages.map((page) => page.records.length)).toEqual([10, 10, 5, 0]);
    expect(pages.map((page) => page.total)).toEqual([25, 25, 25, 25]);
    const ids = pages.flatMap((page) => page.records.map((device) => device.id));
    expect(new Set(ids).size).toBe(25);
    expect(ids).toEqual([...ids].sort());
  });

  it('TBS-27 searches a part of the name or label in any case, in any script', async () => {
    const scene = await newScene();
    await named(scene, ['Pump-A', 'pump-b', 'Ventil', 'ÄRGER Über', 'Датчик'], [null, 'Roof', 'PUMP room', null, null]);
    const search = async (textSearch: string) => (await names(scene, { textSearch, sort: 'name' })).sort();
    expect(await search('PUMP')).toEqual(['Pump-A', 'Ventil', 'pump-b']);
    expect(await search('ärger ÜB')).toEqual(['ÄRGER Über']);
    expect(await search('дАТЧ')).toEqual(['Датчик']);
    expect(await search('roof')).toEqual(['pump-b']);
    expect(await search('nothing')).toEqual([]);
  });

  it('takes percent, underscore, backslash and quotes in a search literally', async () => {
    const scene = await newScene();
    await named(scene, ['100%', '100x', 'a_b', 'axb', 'back\\slash', "it's", 'star*']);
    const search = (textSearch: string) => names(scene, { textSearch });
    expect(await search('%')).toEqual(['100%']);
    expect(await search('a_b')).toEqual(['a_b']);
    expect(await search('\\')).toEqual(['back\\slash']);
    expect(await search("'")).toEqual(["it's"]);
    expect(await search('*')).toEqual(['star*']);
  });

  it('does not find text that runs from the name into the label', async () => {
    const scene = await newScene();
    await named(scene, ['ab'], ['cd']);
    expect(await names(scene, { textSearch: 'bc' })).toEqual([]);
  });

  it('TBS-28 sorts by every listed member, both ways, equal rows by id', async () => {
    const scene = await newScene();
    const later = sampleProfile(scene.tenant.id, { name: 'zz' });
    await scene.repositories.commit([{ kind: 'putProfile', record: later, expectedVersion: null }]);
    await enter(scene, [
      sampleDevice(scene.profile, { id: '00000000-0000-4000-8000-000000000003', name: 'b', createdTime: 3 }),
      sampleDevice(later, { id: '00000000-0000-4000-8000-000000000001', name: 'C', label: 'x', createdTime: 1 }),
      sampleDevice(scene.profile, {
        id: '00000000-0000-4000-8000-000000000002',
        name: 'a',
        label: 'X',
        createdTime: 2,
      }),
      sampleDevice(scene.profile, { id: '00000000-0000-4000-8000-000000000004', name: '\u{1f600}', createdTime: 2 }),
      sampleDevice(scene.profile, { id: '00000000-0000-4000-8000-000000000005', name: '\u{ff21}', createdTime: 2 }),
    ]);
    const order = async (sort: DeviceSort, descending = false) => (await names(scene, { sort, descending })).join('');
    expect(await order('id')).toBe('Cab\u{1f600}\u{ff21}');
    expect(await order('name')).toBe('abC\u{ff21}\u{1f600}');
    expect(await order('name', true)).toBe('\u{1f600}\u{ff21}Cba');
    expect(await order('createdTime')).toBe('Ca\u{1f600}\u{ff21}b');
    expect(await order('createdTime', true)).toBe('b\u{ff21}\u{1f600}aC');
    expect(await order('label')).toBe('b\u{1f600}\u{ff21}Ca');
    expect(await order('type', true)).toBe('C\u{ff21}\u{1f600}ba');
    await scene.repositories.commit(
      [1, 2, 3, 4, 5].map((digit) => ({
        kind: 'deleteDevice',
        id: `00000000-0000-4000-8000-00000000000${digit}`,
        expectedVersion: 1,
        time: 1,
      })),
    );
  });

  it('pages a search in its order without gaps or repetitions', async () => {
    const scene = await newScene();
    await named(
      scene,
      Array.from({ length: 40 }, (_, index) => `${index % 2 === 0 ? 'even' : 'odd'} ${String(index).padStart(2, '0')}`),
    );
    const found: string[] = [];
    for (let offset = 0; offset < 25; offset += 7) {
      found.push(...(await names(scene, { textSearch: 'EVEN', sort: 'name', offset, limit: 7 })));
    }
    expect(found).toEqual(Array.from({ length: 20 }, (_, index) => `even ${String(index * 2).padStart(2, '0')}`));
  });

  it('narrows devices to a customer and to a profile, and lists the types in use', async () => {
    const scene = await newScene();
    const second = sampleProfile(scene.tenant.id, { name: 'second' });
    const unused = sampleProfile(scene.tenant.id, { name: 'unused' });
    await scene.repositories.commit(
      [second, unused].map((record) => ({ kind: 'putProfile', record, expectedVersion: null })),
    );
    const customerId = randomUUID();
    await enter(scene, [
      sampleDevice(scene.profile, { name: 'mine', customerId }),
      sampleDevice(second, { name: 'also mine', customerId }),
      sampleDevice(second, { name: 'not mine' }),
    ]);
    expect((await names(scene, { customerId })).sort()).toEqual(['also mine', 'mine']);
    expect((await names(scene, { profileId: second.id })).sort()).toEqual(['also mine', 'not mine']);
    expect(await names(scene, { profileId: second.id, customerId })).toEqual(['also mine']);
    expect(await names(scene, { customerId, textSearch: 'ALSO' })).toEqual(['also mine']);
    expect(await scene.repositories.deviceTypes(scene.tenant.id, null)).toEqual([scene.profile.name, 'second']);
    expect(await scene.repositories.deviceTypes(scene.tenant.id, customerId)).toEqual([scene.profile.name, 'second']);
    expect(await scene.repositories.deviceTypes(scene.tenant.id, randomUUID())).toEqual([]);
  });

  it('never lists another tenant', async () => {
    const scene = await newScene();
    const other = await newScene();
    await named(scene, ['here']);
    await named(other, ['there']);
    expect(await names(scene, {})).toEqual(['here']);
    const everywhere = await scene.repositories.devices(query(scene, { tenantId: null, textSearch: 'here' }));
    expect(everywhere.records.map((device) => device.name)).toEqual(expect.arrayContaining(['here', 'there']));
  });

  it('lists profiles and applications with search, sorting and total', async () => {
    const scene = await newScene();
    const { tenant, repositories } = scene;
    const profiles = ['Alpha Q', 'beta q', 'Gamma Q'].map((name) => sampleProfile(tenant.id, { name }));
    const applications = ['One', 'two Q', 'Three q'].map((name) => sampleApplication(tenant.id, { name }));
    await repositories.commit([
      ...profiles.map((record): Change => ({ kind: 'putProfile', record, expectedVersion: null })),
      ...applications.map((record): Change => ({ kind: 'putApplication', record, expectedVersion: null, names: [] })),
    ]);
    const list = { tenantId: tenant.id, offset: 0, limit: 2, textSearch: 'Q', sort: 'name', descending: true } as const;
    const found = await repositories.profiles(list);
    expect(found).toMatchObject({ total: 3, records: [{ name: 'Gamma Q' }, { name: 'beta q' }] });
    const others = await repositories.applications(list);
    expect(others).toMatchObject({ total: 2, records: [{ name: 'two Q' }, { name: 'Three q' }] });
  });

  it('gives the fleet in slices, ascending by id, with what CONNECT needs', async () => {
    const scene = await newScene();
    const sealed = sampleDevice(scene.profile, { additionalInfo: { gateway: true } });
    const token = sampleDevice(scene.profile, { additionalInfo: { gateway: 'true' } });
    const bare = sampleDevice(scene.profile);
    await enter(scene, [sealed, token, bare]);
    const basic = sampleCredentials(sealed.id, {
      credentialsType: 'MQTT_BASIC',
      credentialsValue: 'sealed text',
      sealed: true,
      clientId: 'c',
    });
    await scene.repositories.commit([
      putToken(basic),
      putToken(sampleCredentials(token.id, { credentialsValue: 'pem' })),
    ]);
    const rows = [];
    let after: string | null = null;
    for (;;) {
      const slice = await scene.repositories.fleet(after, 2);
      rows.push(...slice);
      after = slice.at(-1)?.deviceId ?? null;
      if (after === null) break;
    }
    const ids = rows.map((row) => row.deviceId);
    expect(ids).toEqual([...ids].sort());
    const mine = new Map(rows.filter((row) => row.tenantId === scene.tenant.id).map((row) => [row.deviceId, row]));
    expect(mine.get(sealed.id)).toEqual({
      deviceId: sealed.id,
      tenantId: scene.tenant.id,
      customerId: sealed.customerId,
      name: sealed.name,
      profileId: scene.profile.id,
      gateway: true,
      credentialsType: 'MQTT_BASIC',
      credentialsId: basic.credentialsId,
      username: basic.username,
      clientId: 'c',
      sealedValue: 'sealed text',
    });
    expect(mine.get(token.id)).toMatchObject({ credentialsType: 'ACCESS_TOKEN', sealedValue: null, gateway: false });
    expect(mine.get(bare.id)).toMatchObject({
      credentialsType: null,
      credentialsId: null,
      username: null,
      sealedValue: null,
    });
  });
}

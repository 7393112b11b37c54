import { randomUUID } from 'node:crypto';
import {
  type Change,
  type CommitOutcome,
  type DocumentCollection,
  type DocumentCondition,
  type DocumentQuery,
  type JsonObject,
  NULL_ID,
  type Repositories,
  type StoredDocument,
} from '@moorage/core';
import { expect, it } from 'vitest';
import type { Scene } from './describe-repositories.ts';

const THINGS: DocumentCollection = {
  name: 'contract_things',
  filters: ['owner', 'rank', 'open'],
  sorts: ['title', 'rank'],
  search: ['title', 'note'],
  unique: [
    { scope: 'tenant', members: ['title', 'kind'] },
    { scope: 'server', members: ['serial'] },
  ],
};

/** A document of a tenant. */
export function sampleDocument(
  tenantId: string,
  body: JsonObject,
  parts: Partial<StoredDocument> = {},
): StoredDocument {
  return { id: randomUUID(), tenantId, createdTime: 1_700_000_000_000, version: 1, body, ...parts };
}

/** The change that creates a document, or changes the one of this version. */
export function putDocument(
  collection: DocumentCollection,
  record: StoredDocument,
  expectedVersion: number | null = null,
): Change {
  return { kind: 'putDocument', collection, record, expectedVersion };
}

/** All documents of a tenant by id, unless told otherwise. */
export function documentQuery(tenantId: string | null, parts: Partial<DocumentQuery> = {}): DocumentQuery {
  const query = { conditions: [], textSearch: null, sort: 'id', descending: false, offset: 0, limit: 1000 };
  return { tenantId, ...query, ...parts };
}

async function enter(
  repositories: Repositories,
  records: readonly StoredDocument[],
  collection = THINGS,
): Promise<CommitOutcome> {
  return repositories.commit(records.map((record) => putDocument(collection, record)));
}

/** Documents of the contract suite. */
export function documentCases(newScene: () => Promise<Scene>): void {
  /** Titles of what a query finds. */
  const titles = async ({ repositories, tenant }: Scene, parts: Partial<DocumentQuery>): Promise<unknown[]> =>
    (await repositories.documents(THINGS, documentQuery(tenant.id, parts))).records.map(({ body }) => body.title);
  const found = (scene: Scene, ...conditions: DocumentCondition[]) => titles(scene, { conditions, sort: 'title' });

  it('reads back a document with every value of its body as it was', async () => {
    const { repositories, tenant } = await newScene();
    const body: JsonObject = JSON.parse(
      '{"title":"a\\u0000b","lone":"\\ud800","__proto__":{"x":1},"":[null,true,1.5e300,{"ü":"😀"}],"rank":-1}',
    );
    const record = sampleDocument(tenant.id, body, { createdTime: 17, version: 5 });
    expect(await enter(repositories, [record])).toBe('done');
    const stored = await repositories.document(THINGS, record.id);
    expect(stored).toEqual(record);
    expect(Object.hasOwn(stored?.body ?? {}, '__proto__')).toBe(true);
    expect(await repositories.document({ ...THINGS, name: 'contract_others' }, record.id)).toBeNull();
    expect(await repositories.document(THINGS, randomUUID())).toBeNull();
  });

  it('answers nothing for a collection that was never written', async () => {
    const { repositories, tenant } = await newScene();
    const untouched = { ...THINGS, name: 'contract_untouched' };
    expect(await repositories.document(untouched, randomUUID())).toBeNull();
    const all = documentQuery(tenant.id, { textSearch: 'x', sort: 'title' });
    expect(await repositories.documents(untouched, all)).toEqual({ records: [], total: 0 });
  });

  it('refuses to create a document that exists and to change another version', async () => {
    const { repositories, tenant } = await newScene();
    const record = sampleDocument(tenant.id, { title: 'one' });
    const next = { ...record, version: 2, body: { title: 'two' } };
    expect(await repositories.commit([putDocument(THINGS, next, 1)])).toEqual({ kind: 'version', change: 0 });
    expect(await enter(repositories, [record])).toBe('done');
    expect(await enter(repositories, [sampleDocument(tenant.id, {}), record])).toEqual({ kind: 'exists', change: 1 });
    expect(await repositories.commit([putDocument(THINGS, next, 2)])).toEqual({ kind: 'version', change: 0 });
    expect(await repositories.commit([putDocument(THINGS, next, 1)])).toBe('done');
    expect(await repositories.document(THINGS, record.id)).toEqual(next);
    expect((await repositories.documents(THINGS, documentQuery(tenant.id))).total).toBe(1);
  });

  it('deletes a document of the expected version, or whatever is there', async () => {
    const { repositories, tenant } = await newScene();
    const record = sampleDocument(tenant.id, {});
    await enter(repositories, [record]);
    const remove = (expectedVersion: number | null) =>
      repositories.commit([{ kind: 'deleteDocument', collection: THINGS, id: record.id, expectedVersion }]);
    expect(await remove(2)).toEqual({ kind: 'version', change: 0 });
    expect(await remove(1)).toBe('done');
    expect(await repositories.document(THINGS, record.id)).toBeNull();
    expect(await remove(1)).toEqual({ kind: 'version', change: 0 });
    expect(await remove(null)).toBe('done');
    await enter(repositories, [record]);
    expect(await remove(null)).toBe('done');
    expect(await repositories.document(THINGS, record.id)).toBeNull();
  });

  it('keeps the members of a unique group unique in their scope, compared exactly', async () => {
    const first = await newScene();
    const second = await newScene();
    const { repositories } = first;
    const serial = randomUUID();
    const record = sampleDocument(first.tenant.id, { title: 'Pump', kind: 'A', serial });
    expect(await enter(repositories, [record])).toBe('done');
    const refusal = (body: JsonObject, tenantId = first.tenant.id) =>
      enter(repositories, [sampleDocument(tenantId, body)]);
    const sameTitle = { kind: 'uniqueDocument', members: ['title', 'kind'], change: 0 };
    const sameSerial = { kind: 'uniqueDocument', members: ['serial'], change: 0 };
    expect(await refusal({ title: 'Pump', kind: 'A' })).toEqual(sameTitle);
    expect(await refusal({ title: 'Pump', kind: 'A', serial })).toEqual(sameTitle);
    expect(await refusal({ title: 'Pump', kind: 'A' }, second.tenant.id)).toBe('done');
    expect(await refusal({ serial }, second.tenant.id)).toEqual(sameSerial);
    expect(await refusal({ title: 'pump', kind: 'A' })).toBe('done');
    expect(await refusal({ title: 'Pump', kind: 1 })).toBe('done');
    expect(await refusal({ title: 'Pump', kind: true })).toBe('done');
    expect(await refusal({ title: 'Pump', kind: '1' })).toBe('done');
    expect(await refusal({ title: 'Pump', kind: 1 })).toEqual(sameTitle);
  });

  it('lets records that lack a member of a unique group be many', async () => {
    const { repositories, tenant } = await newScene();
    const bodies: JsonObject[] = [{ title: 'x' }, { title: 'x', kind: null }, { title: 'x', kind: ['a'] }, {}, {}];
    expect(
      await enter(
        repositories,
        bodies.map((body) => sampleDocument(tenant.id, body)),
      ),
    ).toBe('done');
  });

  it('frees unique values with the change or the end of their record, inside one commit as well', async () => {
    const { repositories, tenant } = await newScene();
    const one = sampleDocument(tenant.id, { title: 'a', kind: 'k' });
    const two = sampleDocument(tenant.id, { title: 'b', kind: 'k' });
    await enter(repositories, [one, two]);
    const swap = [
      putDocument(THINGS, { ...one, version: 2, body: { title: 'c', kind: 'k' } }, 1),
      putDocument(THINGS, { ...two, version: 2, body: { title: 'a', kind: 'k' } }, 1),
    ];
    expect(await repositories.commit([...swap].reverse())).toMatchObject({ kind: 'uniqueDocument', change: 0 });
    expect(await repositories.commit(swap)).toBe('done');
    expect(await repositories.commit([putDocument(THINGS, { ...two, version: 3, body: two.body }, 2)])).toBe('done');
    const three = putDocument(THINGS, sampleDocument(tenant.id, two.body));
    expect(await repositories.commit([three])).toMatchObject({ kind: 'uniqueDocument' });
    const remove: Change = { kind: 'deleteDocument', collection: THINGS, id: two.id, expectedVersion: 3 };
    expect(await repositories.commit([remove, three])).toBe('done');
  });

  it('applies documents and other changes of a commit together or not at all', async () => {
    const { repositories, tenant } = await newScene();
    const record = sampleDocument(tenant.id, { title: 'with others' });
    const refused = await repositories.commit([
      putDocument(THINGS, record),
      { kind: 'putSetting', key: record.id, value: 'x' },
      { kind: 'deleteDocument', collection: THINGS, id: randomUUID(), expectedVersion: 1 },
    ]);
    expect(refused).toEqual({ kind: 'version', change: 2 });
    expect(await repositories.document(THINGS, record.id)).toBeNull();
    expect(await repositories.setting(record.id)).toBeNull();
    await enter(repositories, [record]);
    const undone = await repositories.commit([
      { kind: 'deleteDocuments', collection: THINGS, tenantId: tenant.id, conditions: [], limit: 10 },
      { kind: 'putTenant', record: tenant },
    ]);
    expect(undone).toEqual({ kind: 'exists', change: 1 });
    expect(await repositories.document(THINGS, record.id)).toEqual(record);
  });

  it('settles concurrent commits of one unique value one by one', async () => {
    const { repositories, tenant } = await newScene();
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        enter(repositories, [sampleDocument(tenant.id, { title: `t${index % 8}`, kind: 'k' })]),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(8);
    expect((await repositories.documents(THINGS, documentQuery(tenant.id))).total).toBe(8);
  });

  it('finds documents by conditions; a value equals none of another type, and absent ones never match', async () => {
    const scene = await newScene();
    const bodies: JsonObject[] = [
      { title: 'a', owner: '1', rank: 1, open: true },
      { title: 'b', owner: 'x', rank: 2.5, open: false },
      { title: 'c', owner: 'X', rank: -3, open: 1 },
      { title: 'd', owner: null, rank: '2' },
      { title: 'e', owner: 1, rank: true, open: 'true' },
    ];
    const records = bodies.map((body, index) => sampleDocument(scene.tenant.id, body, { createdTime: 10 * index }));
    expect(await enter(scene.repositories, records)).toBe('done');
    expect(await found(scene, { member: 'owner', is: '=', value: 'x' })).toEqual(['b']);
    expect(await found(scene, { member: 'owner', is: '=', value: '1' })).toEqual(['a']);
    expect(await found(scene, { member: 'owner', is: '=', value: 1 })).toEqual(['e']);
    expect(await found(scene, { member: 'open', is: '=', value: true })).toEqual(['a']);
    expect(await found(scene, { member: 'open', is: '=', value: 1 })).toEqual(['c']);
    expect(await found(scene, { member: 'owner', is: 'in', value: ['X', 1, 'absent'] })).toEqual(['c', 'e']);
    expect(await found(scene, { member: 'owner', is: 'in', value: [] })).toEqual([]);
    expect(await found(scene, { member: 'rank', is: '<', value: 2.5 })).toEqual(['a', 'c']);
    expect(await found(scene, { member: 'rank', is: '<=', value: 2.5 })).toEqual(['a', 'b', 'c']);
    expect(await found(scene, { member: 'rank', is: '>', value: -3 })).toEqual(['a', 'b']);
    expect(await found(scene, { member: 'rank', is: '>=', value: -3 })).toEqual(['a', 'b', 'c']);
    expect(await found(scene, { member: 'rank', is: '>', value: '1' })).toEqual(['d']);
    expect(await found(scene, { member: 'owner', is: '<', value: 'x' })).toEqual(['a', 'c']);
    expect(await found(scene, { member: 'open', is: '>', value: false })).toEqual(['a']);
    expect(await found(scene, { member: 'createdTime', is: '>=', value: 30 })).toEqual(['d', 'e']);
    expect(await found(scene, { member: 'createdTime', is: 'in', value: [0, 40, '10', true] })).toEqual(['a', 'e']);
    expect(await found(scene, { member: 'createdTime', is: '=', value: '10' })).toEqual([]);
    const both = [
      { member: 'createdTime', is: '<', value: 30 },
      { member: 'rank', is: '>', value: 0 },
    ] as const;
    expect(await found(scene, ...both)).toEqual(['a', 'b']);
  });

  it('compares numbers exactly, also the largest and the smallest', async () => {
    const scene = await newScene();
    const numbers = [5e-324, 0.1 + 0.2, 0.3, 2 ** 53 + 2, -(2 ** 63), 1e21, Number.MAX_VALUE, 0, 8.98846567431158e307];
    await enter(
      scene.repositories,
      numbers.map((rank, index) => sampleDocument(scene.tenant.id, { title: `${index}`, rank })),
    );
    for (const [index, value] of numbers.entries()) {
      expect(await found(scene, { member: 'rank', is: '=', value })).toEqual([`${index}`]);
    }
    expect(await found(scene, { member: 'rank', is: '=', value: -0 })).toEqual(['7']);
    expect(await titles(scene, { sort: 'rank' })).toEqual(['4', '7', '0', '2', '1', '3', '5', '8', '6']);
  });

  it('sorts text in lower case by code point, and absent before numbers, Booleans and text; equal ones by id', async () => {
    const scene = await newScene();
    const ranks = [undefined, null, 2, 10, false, true, 'B', 'a', '10', '\u{ff21}', '\u{1f600}', 'b'];
    const bodies = ranks.map((rank, index) => ({ title: `${index}`, ...(rank === undefined ? {} : { rank }) }));
    await enter(
      scene.repositories,
      bodies.map((body, index) =>
        sampleDocument(scene.tenant.id, body, { id: `00000000-0000-4000-8000-0000000000${index + 10}` }),
      ),
    );
    const order = ['0', '1', '2', '3', '4', '5', '8', '7', '6', '11', '9', '10'];
    expect(await titles(scene, { sort: 'rank' })).toEqual(order);
    expect(await titles(scene, { sort: 'rank', descending: true })).toEqual([...order].reverse());
    await scene.repositories.commit([
      { kind: 'deleteDocuments', collection: THINGS, tenantId: scene.tenant.id, conditions: [], limit: 100 },
    ]);
  });

  it('pages in every order with the total of all matches', async () => {
    const scene = await newScene();
    const records = Array.from({ length: 25 }, (_, index) =>
      sampleDocument(scene.tenant.id, { title: `t${index % 4}`, rank: index % 3 }, { createdTime: index % 5 }),
    );
    await enter(scene.repositories, records);
    const conditions = [{ member: 'rank', is: '=', value: 1 }] as const;
    for (const sort of ['id', 'createdTime', 'title', 'rank']) {
      for (const descending of [false, true]) {
        const whole = await scene.repositories.documents(THINGS, documentQuery(scene.tenant.id, { sort, descending }));
        const pages = await Promise.all(
          [0, 10, 20, 30].map((offset) =>
            scene.repositories.documents(
              THINGS,
              documentQuery(scene.tenant.id, { sort, descending, offset, limit: 10 }),
            ),
          ),
        );
        expect(pages.map((page) => page.total)).toEqual([25, 25, 25, 25]);
        expect(pages.flatMap((page) => page.records)).toEqual(whole.records);
      }
    }
    const counted = await scene.repositories.documents(
      THINGS,
      documentQuery(scene.tenant.id, { conditions, limit: 0 }),
    );
    expect(counted).toEqual({ records: [], total: 8 });
  });

  it('searches a part of the searched members in any case and script, without wildcards', async () => {
    const scene = await newScene();
    const bodies: JsonObject[] = [
      { title: 'Pump 3', note: 'ROOF' },
      { title: 'ÄRGER', note: '100%' },
      { title: 'a_b', note: 'Датчик' },
      { title: 'axb', note: 'nul\u0000Behind' },
      { title: 3, note: ['roof'], other: 'roof' },
    ];
    await enter(
      scene.repositories,
      bodies.map((body) => sampleDocument(scene.tenant.id, body)),
    );
    const search = async (textSearch: string) => (await titles(scene, { textSearch, sort: 'title' })).map(String);
    expect(await search('roof')).toEqual(['Pump 3']);
    expect(await search('ärg')).toEqual(['ÄRGER']);
    expect(await search('дАТ')).toEqual(['a_b']);
    expect(await search('%')).toEqual(['ÄRGER']);
    expect(await search('_')).toEqual(['a_b']);
    expect(await search('3')).toEqual(['Pump 3']);
    expect(await search('\u0000bEH')).toEqual(['axb']);
    expect(await search('')).toHaveLength(5);
    expect(await search('p 3r')).toEqual([]);
  });

  it('keeps tenants and collections apart unless all tenants are asked for', async () => {
    const first = await newScene();
    const second = await newScene();
    const { repositories } = first;
    const alone = { ...THINGS, name: 'contract_alone' };
    const records = [first.tenant.id, second.tenant.id, NULL_ID].map((tenantId, index) =>
      sampleDocument(tenantId, { title: 'same', kind: 'same', owner: 'o' }, { createdTime: index }),
    );
    expect(await enter(repositories, records, alone)).toBe('done');
    const conditions = [{ member: 'owner', is: '=', value: 'o' }] as const;
    const ids = async (tenantId: string | null, parts: Partial<DocumentQuery> = {}) =>
      (await repositories.documents(alone, documentQuery(tenantId, { sort: 'createdTime', ...parts }))).records.map(
        ({ id }) => id,
      );
    expect(await ids(second.tenant.id)).toEqual([records[1]?.id]);
    expect(await ids(second.tenant.id, { conditions })).toEqual([records[1]?.id]);
    expect(await ids(NULL_ID, { textSearch: 'SAME' })).toEqual([records[2]?.id]);
    expect(await ids(null)).toEqual(records.map(({ id }) => id));
    expect(await ids(null, { conditions, descending: true })).toEqual(records.map(({ id }) => id).reverse());
    expect((await ids(null, { sort: 'id' })).sort()).toEqual(records.map(({ id }) => id).sort());
    expect(await titles(first, {})).toEqual([]);
  });

  it('deletes many in slices, the oldest first, only those that meet all conditions', async () => {
    const first = await newScene();
    const second = await newScene();
    const { repositories } = first;
    const collection = { ...THINGS, name: 'contract_slices' };
    const records = Array.from({ length: 12 }, (_, index) =>
      sampleDocument(
        index % 2 === 0 ? first.tenant.id : second.tenant.id,
        { title: `${index}`, rank: index },
        { createdTime: 100 - index },
      ),
    );
    await enter(repositories, records, collection);
    const remove = (tenantId: string | null, limit: number, ...conditions: DocumentCondition[]) =>
      repositories.commit([{ kind: 'deleteDocuments', collection, tenantId, conditions, limit }]);
    const left = async () =>
      (await repositories.documents(collection, documentQuery(null, { sort: 'createdTime', descending: true }))).records
        .map(({ body }) => body.title)
        .join(' ');
    expect(await remove(first.tenant.id, 2, { member: 'rank', is: '<', value: 9 })).toBe('done');
    expect(await left()).toBe('0 1 2 3 4 5 7 9 10 11');
    expect(await remove(null, 3, { member: 'rank', is: '>=', value: 3 })).toBe('done');
    expect(await left()).toBe('0 1 2 3 4 5 7');
    expect(await remove(null, 1, { member: 'createdTime', is: '<=', value: 97 })).toBe('done');
    expect(await left()).toBe('0 1 2 3 4 5');
    expect(
      await remove(null, 9, { member: 'rank', is: 'in', value: [0, 1, 4] }, { member: 'rank', is: '>', value: 0 }),
    ).toBe('done');
    expect(await left()).toBe('0 2 3 5');
    expect(await remove(null, 0)).toBe('done');
    expect(await left()).toBe('0 2 3 5');
    expect(await remove(null, 100)).toBe('done');
    expect(await left()).toBe('');
  });

  it('rejects what is not declared, instead of looking at every document', async () => {
    const { repositories, tenant } = await newScene();
    const ask = (parts: Partial<DocumentQuery>) => repositories.documents(THINGS, documentQuery(tenant.id, parts));
    const condition = (member: string, is: DocumentCondition['is'], value: DocumentCondition['value']) =>
      ask({ conditions: [{ member, is, value }] });
    const wrong: (() => Promise<unknown>)[] = [
      () => condition('title', '=', 'x'),
      () => condition("owner') OR 1 --", '=', 'x'),
      () => condition('owner', 'in', 'x'),
      () => condition('owner', '=', ['x']),
      () => condition('rank', '<', Number.NaN),
      () =>
        condition(
          'owner',
          'in',
          Array.from({ length: 1001 }, (_, index) => index),
        ),
      () => ask({ sort: 'owner' }),
      () => ask({ sort: '__proto__' }),
      () => ask({ offset: -1 }),
      () => ask({ limit: 0.5 }),
      () =>
        repositories.commit([
          {
            kind: 'deleteDocuments',
            collection: THINGS,
            tenantId: null,
            conditions: [{ member: 'note', is: '=', value: '' }],
            limit: 1,
          },
        ]),
    ];
    for (const mistake of wrong) await expect(mistake()).rejects.toThrow(TypeError);
  });

  it('rejects declarations with names that cannot be taken, or that contradict another one', async () => {
    const { repositories, tenant } = await newScene();
    const wrong: Partial<DocumentCollection>[] = [
      { name: "x'; --" },
      { name: '' },
      { name: 'Upper' },
      { filters: ['a.b'] },
      { filters: ['id'] },
      { filters: ['one', 'One'] },
      { sorts: ["x')"] },
      { search: ['createdTime'] },
      { unique: [{ scope: 'tenant', members: [] }] },
      { unique: [{ scope: 'server', members: ['"'] }] },
    ];
    for (const parts of wrong) {
      const collection = { ...THINGS, name: 'contract_wrong', ...parts };
      await expect(repositories.documents(collection, documentQuery(tenant.id))).rejects.toThrow(TypeError);
      await expect(repositories.document(collection, tenant.id)).rejects.toThrow(TypeError);
      await expect(enter(repositories, [sampleDocument(tenant.id, {})], collection)).rejects.toThrow(TypeError);
    }
    await repositories.document(THINGS, tenant.id);
    await expect(repositories.document({ ...THINGS, filters: [] }, tenant.id)).rejects.toThrow(TypeError);
  });
}

import { callerOf, deviceInput, FakeTime, MemoryTelemetryStore, openTestRegistry, succeeded } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { success } from '../errors.ts';
import type { Caller } from '../platform.ts';
import { ValueKind } from '../values/value.ts';
import { EntityQueries } from './entity-queries.ts';
import { deviceSource, type EntityRecord, type EntitySource } from './entity-source.ts';
import type { EntityKey, EntityQuery, KeyFilter } from './query.ts';

const ALL: EntityQuery['filter'] = { type: 'entityType', entityType: 'DEVICE', subTypes: [], nameFilter: null };
const NAME: EntityKey = { type: 'ENTITY_FIELD', key: 'name' };
const SERVER_A: EntityKey = { type: 'SERVER_ATTRIBUTE', key: 'a' };

function query(more: Partial<EntityQuery> = {}): EntityQuery {
  return {
    filter: ALL,
    keyFilters: [],
    operation: 'AND',
    pageSize: 10,
    page: 0,
    textSearch: null,
    sort: null,
    values: [NAME],
    ...more,
  };
}

const above = (value: number): KeyFilter => ({
  key: SERVER_A,
  predicate: { type: 'NUMERIC', operation: 'GREATER', operand: { constant: value, dynamic: null } },
});

async function open() {
  const registry = await openTestRegistry();
  const store = new MemoryTelemetryStore();
  const asked: string[] = [];
  const devices = deviceSource(registry.devices);
  const source: EntitySource = {
    entityType: 'DEVICE',
    list: (caller, one) => {
      asked.push(`list ${one.pageSize}`);
      return devices.list(caller, one);
    },
    byIds: (caller, ids) => devices.byIds(caller, ids),
  };
  const queries = new EntityQueries({
    sources: [source],
    telemetry: store,
    attributes: store,
    owners: { customerTitle: async () => 'Yard', tenantName: async () => 'Tenant' },
    scheduler: { endOfTurn: (task) => void queueMicrotask(task) },
  });
  const ids: string[] = [];
  for (const [index, name] of ['Meter 1', 'Meter 2', 'Valve 1', 'Meter 3'].entries()) {
    const input = deviceInput(name, {
      type: name.startsWith('Meter') ? 'meter' : 'valve',
      label: index === 0 ? 'Roof' : null,
    });
    const { id } = succeeded(await registry.devices.save(registry.admin, input, { accessToken: null }));
    ids.push(id);
    const attribute = { kind: ValueKind.Long, value: (index + 1) * 10, lastUpdateTs: 5 };
    await store.save([{ owner: id, scope: 'SERVER', key: 'a', attribute }]);
  }
  const names = async (more: Partial<EntityQuery>, caller: Caller = registry.admin): Promise<unknown[]> => {
    const page = succeeded(await queries.find(caller, query({ values: [NAME], ...more })));
    return page.data.map(({ latest }) => latest.get('ENTITY_FIELD')?.get('name')?.text).sort();
  };
  return { registry, store, queries, ids, names, asked };
}

let t: Awaited<ReturnType<typeof open>>;
beforeEach(async () => {
  t = await open();
});

describe('entity queries', () => {
  it('find by type, name, id and list of ids', async () => {
    expect(await t.names({})).toHaveLength(4);
    const ofType = (subTypes: string[], nameFilter: string | null = null) =>
      t.names({ filter: { ...ALL, subTypes, nameFilter } });
    expect(await ofType(['meter'])).toEqual(['Meter 1', 'Meter 2', 'Meter 3']);
    expect(await ofType(['meter', 'valve', 'none'])).toHaveLength(4);
    expect(await ofType(['meter'], '%2')).toEqual(['Meter 2']);
    expect(await ofType([], 'VAL')).toEqual(['Valve 1']);
    const entity = { entityType: 'DEVICE', id: t.ids[2] ?? '' };
    expect(await t.names({ filter: { type: 'singleEntity', entity } })).toEqual(['Valve 1']);
    const list = (ids: string[], entityType = 'DEVICE') => t.names({ filter: { type: 'entityList', entityType, ids } });
    expect(await list([...t.ids.slice(0, 2), '11111111-2222-4333-8444-555555555555'])).toEqual(['Meter 1', 'Meter 2']);
    expect(await list(t.ids, 'ASSET')).toEqual([]);
    expect(await t.names({ textSearch: 'roof' })).toEqual(['Meter 1']);
    expect(await t.names({ textSearch: '1', filter: { ...ALL, subTypes: [], nameFilter: 'm' } })).toEqual(['Meter 1']);
  });

  it('leave paging and sorting by fields to the registry: a page costs a page', async () => {
    const sort = { key: NAME, descending: true };
    const page = succeeded(await t.queries.find(t.registry.admin, query({ pageSize: 3, page: 1, sort })));
    expect(page).toMatchObject({ totalPages: 2, totalElements: 4, hasNext: false });
    expect(page.data.map(({ entity }) => entity.id)).toEqual([t.ids[0]]);
    expect(succeeded(await t.queries.count(t.registry.admin, query()))).toBe(4);
    expect(t.asked).toEqual(['list 3', 'list 1']);
  });

  it('filter and sort by values, and page what is left', async () => {
    const sort = { key: SERVER_A, descending: true };
    const found = succeeded(
      await t.queries.find(t.registry.admin, query({ keyFilters: [above(15)], sort, pageSize: 2 })),
    );
    expect(found).toMatchObject({ totalPages: 2, totalElements: 3, hasNext: true });
    expect(found.data.map(({ entity }) => entity.id)).toEqual([t.ids[3], t.ids[2]]);
    const isMeter: KeyFilter = {
      key: { type: 'ENTITY_FIELD', key: 'type' },
      predicate: {
        type: 'STRING',
        operation: 'EQUAL',
        operand: { constant: 'valve', dynamic: null },
        ignoreCase: false,
      },
    };
    expect(await t.names({ keyFilters: [above(35), isMeter] })).toEqual([]);
    expect(await t.names({ keyFilters: [above(35), isMeter], operation: 'OR' })).toEqual(['Meter 3', 'Valve 1']);
  });

  it('show fields, series and attributes of every scope; missing ones are empty', async () => {
    const [id = ''] = t.ids;
    const [series = 0] = (await t.store.intern(id, ['t'])) as readonly number[];
    await t.store.append({
      count: 1,
      series: Int32Array.of(series),
      ts: Float64Array.of(7),
      kind: Uint8Array.of(ValueKind.Double),
      num: Float64Array.of(22.5),
      other: [],
    });
    const attribute = { kind: ValueKind.String, value: 'new', lastUpdateTs: 6 };
    await t.store.save([{ owner: id, scope: 'CLIENT', key: 'a', attribute }]);
    const keys: EntityKey[] = [
      ...['type', 'label', 'displayName', 'createdTime', 'entityType', 'ownerName', 'ownerType', 'email'].map(
        (key): EntityKey => ({ type: 'ENTITY_FIELD', key }),
      ),
      { type: 'TIME_SERIES', key: 't' },
      { type: 'ATTRIBUTE', key: 'a' },
      SERVER_A,
      { type: 'SHARED_ATTRIBUTE', key: 'a' },
    ];
    const [data] = succeeded(await t.queries.latest(t.registry.admin, [{ entityType: 'DEVICE', id }], keys));
    const shown = Object.fromEntries(
      Array.from(data?.latest ?? [], ([type, values]) => [
        type,
        Object.fromEntries(Array.from(values, ([key, entry]) => [key, [entry.ts, entry.text]])),
      ]),
    );
    const created = t.registry.clock.time;
    expect(shown).toEqual({
      ENTITY_FIELD: {
        type: [created, 'meter'],
        label: [created, 'Roof'],
        displayName: [created, 'Roof'],
        createdTime: [created, String(created)],
        entityType: [created, 'DEVICE'],
        ownerName: [created, 'Tenant'],
        ownerType: [created, 'TENANT'],
        email: [0, ''],
      },
      TIME_SERIES: { t: [7, '22.5'] },
      ATTRIBUTE: { a: [6, 'new'] },
      SERVER_ATTRIBUTE: { a: [5, '10'] },
      SHARED_ATTRIBUTE: { a: [0, ''] },
    });
  });

  it('name the keys in use', async () => {
    await t.store.intern(t.ids[1] ?? '', ['t', 'u']);
    const wanted = { timeseries: true, attributes: true, scope: null };
    expect(succeeded(await t.queries.keys(t.registry.admin, query(), wanted))).toEqual({
      entityTypes: ['DEVICE'],
      timeseries: ['t', 'u'],
      attributes: ['a'],
    });
  });

  it('TBS-43 show a customer user the devices of its customer only, however it asks', async () => {
    const customer = '11111111-2222-4333-8444-555555555555';
    const user = callerOf('CUSTOMER_USER', t.registry.defaultTenant.id, customer);
    const device = await t.registry.repositories.device(t.ids[1] ?? '');
    if (device === null) throw new TypeError('no device');
    const { type: _type, dialect: _dialect, ...stored } = device;
    const record = { ...stored, customerId: customer, version: device.version + 1 };
    expect(await t.registry.repositories.commit([{ kind: 'putDevice', record, expectedVersion: device.version }])).toBe(
      'done',
    );
    for (const more of [
      {},
      { keyFilters: [above(0)] },
      { filter: { ...ALL, subTypes: [], nameFilter: '%' } },
      { filter: { type: 'entityList', entityType: 'DEVICE', ids: t.ids } },
    ] as const) {
      expect(await t.names(more, user)).toEqual(['Meter 2']);
    }
    const single = { type: 'singleEntity', entity: { entityType: 'DEVICE', id: t.ids[0] ?? '' } } as const;
    expect(await t.names({ filter: single }, user)).toEqual([]);
    expect(succeeded(await t.queries.count(user, query()))).toBe(1);
    expect(
      succeeded(
        await t.queries.latest(
          user,
          t.ids.map((id) => ({ entityType: 'DEVICE', id })),
          [NAME],
        ),
      ),
    ).toHaveLength(1);
    expect(await t.queries.find(callerOf('SYS_ADMIN', t.registry.defaultTenant.id), query())).toMatchObject({
      code: 'permissionDenied',
    });
  });

  it.each([
    [{ pageSize: 0 }, /Page size/],
    [{ page: -1 }, /Page size/],
    [{ values: new Array(201).fill(NAME) }, /More than 200 keys/],
    [{ pageSize: 10_000, values: new Array(51).fill(NAME) }, /More than 500000 values/],
    [{ keyFilters: new Array(201).fill(above(1)) }, /More than 200/],
    [
      { filter: { type: 'entityList', entityType: 'DEVICE', ids: new Array(10_001).fill('x') } },
      /more than 10000 entities/,
    ],
  ] as const)('refuse what costs too much: %#', async (more, message) => {
    const answer = await t.queries.find(t.registry.admin, query(more));
    expect(answer).toMatchObject({ code: 'badRequest', message: expect.stringMatching(message) });
  });
});

describe('a tenant with very many devices', () => {
  const record = (index: number): EntityRecord => ({
    entityType: 'DEVICE',
    id: `d${String(index).padStart(6, '0')}`,
    createdTime: index,
    tenantId: 't',
    customerId: 'c',
    name: `Device ${index}`,
    type: 'default',
    label: null,
    additionalInfo: null,
  });

  function openLarge(count: number) {
    const time = new FakeTime();
    const all = Array.from({ length: count }, (_, index) => record(index));
    let listed = 0;
    const source: EntitySource = {
      entityType: 'DEVICE',
      async list(_caller, { page, pageSize, textSearch }) {
        const found = textSearch === null ? all : all.filter(({ name }) => name.toLowerCase().includes(textSearch));
        const data = found.slice(page * pageSize, (page + 1) * pageSize);
        listed += data.length;
        const hasNext = (page + 1) * pageSize < found.length;
        return success({ data, totalPages: Math.ceil(found.length / pageSize), totalElements: found.length, hasNext });
      },
      byIds: async () => success([]),
    };
    const store = new MemoryTelemetryStore();
    const queries = new EntityQueries({
      sources: [source],
      telemetry: store,
      attributes: store,
      owners: { customerTitle: async () => null, tenantName: async () => null },
      scheduler: time,
    });
    return { time, queries, listed: () => listed };
  }
  const admin = callerOf('TENANT_ADMIN', 't');

  it('is paged without looking at more than the page, and told where it is too large', async () => {
    const { queries, listed } = openLarge(100_000);
    const page = succeeded(await queries.find(admin, query({ page: 50 })));
    expect(page).toMatchObject({ totalElements: 100_000, hasNext: true });
    expect(listed()).toBe(10);
    const refusal = await queries.find(admin, query({ keyFilters: [above(1)] }));
    expect(refusal).toMatchObject({ code: 'badRequest', message: expect.stringContaining('more than 10000 entities') });
    expect(listed()).toBe(1010);
  });

  it('is looked through in slices, two queries at a time', async () => {
    const { queries, time } = openLarge(2000);
    let turns = 0;
    const running = Array.from({ length: 3 }, () => queries.count(admin, query({ keyFilters: [above(1)] })));
    const done = Promise.all(running).then((answers) => answers.map((answer) => succeeded(answer)));
    let finished = false;
    void done.then(() => {
      finished = true;
    });
    while (!finished && turns < 10_000) {
      turns += 1;
      time.endTurn();
      await Promise.resolve();
    }
    expect(await done).toEqual([0, 0, 0]);
    expect(turns).toBeGreaterThan(20);
  });

  it('is refused to more queries than can wait', async () => {
    const { queries } = openLarge(1);
    const all = Array.from({ length: 110 }, () => queries.count(admin, query({ keyFilters: [above(1)] })));
    const early = await Promise.race([
      Promise.all(all.slice(102)),
      new Promise((resolve) => setImmediate(resolve, 'late')),
    ]);
    expect(early).toEqual(new Array(8).fill(expect.objectContaining({ code: 'tooManyRequests' })));
  });
});

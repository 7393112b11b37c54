import { FakeTime, MemoryTelemetryStore, openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, openLiveServer } from '../websocket/testing/live-server.ts';
import type { WebSocketOptions } from '../websocket/web-socket-options.ts';

async function openServer(options: WebSocketOptions = {}): Promise<LiveServer> {
  const registry = await openTestRegistry();
  return openLiveServer({ time: new FakeTime(), registry, store: new MemoryTelemetryStore() }, options);
}

let t: LiveServer;
const ids: string[] = [];

beforeAll(async () => {
  t = await openServer();
  for (const [index, name] of ['Pump 1', 'Pump 2', 'Valve 1'].entries()) {
    const id = await t.device(name, name.startsWith('Pump') ? 'pump' : 'valve');
    await t.store(id, 1000, { t: index * 10, state: index === 1 ? 'on' : 'off' });
    await t.storeAttributes(id, 'SERVER', { active: index > 0, floor: String(index) });
    ids.push(id);
  }
});
afterAll(() => t.close());

const all = { type: 'entityType', entityType: 'DEVICE' };
const pageLink = {
  pageSize: 10,
  page: 0,
  sortOrder: { key: { type: 'ENTITY_FIELD', key: 'name' }, direction: 'ASC' },
};
const find = (body: object) => t.call('POST', '/api/entitiesQuery/find', body);
const names = async (body: object): Promise<string[]> => {
  const answer = await find({
    entityFilter: all,
    pageLink,
    entityFields: [{ type: 'ENTITY_FIELD', key: 'name' }],
    ...body,
  });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer
    .json()
    .data.map((one: { latest: { ENTITY_FIELD: { name: { value: string } } } }) => one.latest.ENTITY_FIELD.name.value);
};

describe('POST /api/entitiesQuery', () => {
  it('finds by every kind of filter', async () => {
    const [id] = ids;
    for (const [entityFilter, expected] of [
      [all, ['Pump 1', 'Pump 2', 'Valve 1']],
      [{ type: 'singleEntity', singleEntity: { entityType: 'DEVICE', id } }, ['Pump 1']],
      [{ type: 'entityList', entityType: 'DEVICE', entityList: ids.slice(1) }, ['Pump 2', 'Valve 1']],
      [{ type: 'entityName', entityType: 'DEVICE', entityNameFilter: 'pump' }, ['Pump 1', 'Pump 2']],
      [{ type: 'deviceType', deviceTypes: ['pump', 'valve'], deviceNameFilter: '%1' }, ['Pump 1', 'Valve 1']],
      [{ type: 'deviceType', deviceType: 'valve', deviceNameFilter: '' }, ['Valve 1']],
      [{ type: 'assetType', assetTypes: ['building'], assetNameFilter: '' }, []],
    ] as const) {
      expect(await names({ entityFilter }), JSON.stringify(entityFilter)).toEqual(expected);
    }
  });

  it('compares texts, booleans and several values', async () => {
    const filter = (type: string, key: string, predicate: object) => ({
      key: { type, key },
      valueType: 'STRING',
      predicate,
    });
    const value = (defaultValue: unknown, userValue: unknown = null) => ({
      defaultValue,
      userValue,
      dynamicValue: null,
    });
    const on = filter('TIME_SERIES', 'state', {
      type: 'STRING',
      operation: 'EQUAL',
      value: value('ON'),
      ignoreCase: true,
    });
    const active = filter('SERVER_ATTRIBUTE', 'active', { type: 'BOOLEAN', operation: 'EQUAL', value: value(true) });
    const floor = filter('ATTRIBUTE', 'floor', { type: 'STRING', operation: 'IN', value: value('x', '0, 2') });
    const range = filter('TIME_SERIES', 't', {
      type: 'COMPLEX',
      operation: 'OR',
      predicates: [
        { type: 'NUMERIC', operation: 'LESS', value: value(5) },
        { type: 'NUMERIC', operation: 'GREATER', value: value('15') },
      ],
    });
    expect(await names({ keyFilters: [on] })).toEqual(['Pump 2']);
    expect(await names({ keyFilters: [active] })).toEqual(['Pump 2', 'Valve 1']);
    expect(await names({ keyFilters: [floor] })).toEqual(['Pump 1', 'Valve 1']);
    expect(await names({ keyFilters: [range] })).toEqual(['Pump 1', 'Valve 1']);
    expect(await names({ keyFilters: [range, active] })).toEqual(['Valve 1']);
    expect(await names({ keyFilters: [on, range], keyFiltersOperation: 'OR' })).toEqual([
      'Pump 1',
      'Pump 2',
      'Valve 1',
    ]);
  });

  it('sorts by a value', async () => {
    const sortOrder = { key: { type: 'TIME_SERIES', key: 't' }, direction: 'DESC' };
    expect(await names({ pageLink: { ...pageLink, sortOrder } })).toEqual(['Valve 1', 'Pump 2', 'Pump 1']);
  });

  it('gives the page in the shape of ThingsBoard', async () => {
    const latestValues = [
      { type: 'TIME_SERIES', key: 't' },
      { type: 'SERVER_ATTRIBUTE', key: 'none' },
    ];
    const answer = await find({ entityFilter: all, pageLink: { ...pageLink, pageSize: 1 }, latestValues });
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.json()).toEqual({
      data: [
        {
          entityId: { entityType: 'DEVICE', id: ids[0] },
          latest: { TIME_SERIES: { t: { ts: 1000, value: '0' } }, SERVER_ATTRIBUTE: { none: { ts: 0, value: '' } } },
          timeseries: {},
          aggLatest: {},
        },
      ],
      totalPages: 3,
      totalElements: 3,
      hasNext: true,
    });
  });

  it('counts, and names the keys in use', async () => {
    expect((await t.call('POST', '/api/entitiesQuery/count', { entityFilter: all })).json()).toBe(3);
    const keys = (query: string) =>
      t.call('POST', `/api/entitiesQuery/find/keys${query}`, { entityFilter: all, pageLink });
    expect((await keys('?timeseries=true&attributes=true')).json()).toEqual({
      entityTypes: ['DEVICE'],
      timeseries: ['state', 't'],
      attribute: ['active', 'floor'],
    });
    expect((await keys('?timeseries=false&scope=SHARED_SCOPE')).json()).toMatchObject({
      timeseries: [],
      attribute: [],
    });
    expect((await keys('?scope=MY')).json()).toMatchObject({
      status: 400,
      errorCode: 31,
      message: 'Invalid scope: MY',
    });
  });

  it('TBS-43 shows a customer user the devices of its customer only', async () => {
    const yard = await t.customer('Yard');
    await t.assign(ids[1] ?? '', yard.id);
    const ask = (path: string, body: object) =>
      t.send({ method: 'POST', url: path, headers: { 'x-authorization': `Bearer ${yard.token}` }, payload: body });
    const ownerName = [{ type: 'ENTITY_FIELD', key: 'ownerName' }];
    const page = await ask('/api/entitiesQuery/find', { entityFilter: all, pageLink, entityFields: ownerName });
    expect(page.json()).toMatchObject({
      totalElements: 1,
      data: [{ entityId: { id: ids[1] }, latest: { ENTITY_FIELD: { ownerName: { value: 'Yard' } } } }],
    });
    expect((await ask('/api/entitiesQuery/count', { entityFilter: all })).json()).toBe(1);
    const foreign = { type: 'singleEntity', singleEntity: { entityType: 'DEVICE', id: ids[0] } };
    expect((await ask('/api/entitiesQuery/find', { entityFilter: foreign, pageLink })).json().data).toEqual([]);
    await t.unassign(ids[1] ?? '');
    expect((await ask('/api/entitiesQuery/count', { entityFilter: all })).json()).toBe(0);
  });

  const filter = (predicate: unknown, key: object = { type: 'TIME_SERIES', key: 't' }) => ({
    entityFilter: all,
    pageLink,
    keyFilters: [{ key, predicate }],
  });
  it.each([
    [{ pageLink }, /entityFilter/],
    [{ entityFilter: { type: 'edgeType' }, pageLink }, /edgeType are not offered/],
    [{ entityFilter: { type: 'singleEntity', singleEntity: { id: 'x' } }, pageLink }, /Invalid UUID string: x/],
    [{ entityFilter: all, pageLink: { pageSize: 0, page: 0 } }, /Page size/],
    [{ entityFilter: all, pageLink: { pageSize: 1, page: 0, sortOrder: { key: { key: 'x' } } } }, /Keys of type none/],
    [filter(null), /no predicate/],
    [filter({ type: 'NUMERIC', operation: 'NEAR', value: { defaultValue: 1 } }), /Unknown predicate NUMERIC NEAR/],
    [filter({ type: 'NUMERIC', operation: 'LESS', value: { defaultValue: 'a' } }), /no number/],
    [filter({ type: 'BOOLEAN', operation: 'EQUAL', value: { defaultValue: 'a' } }), /not true or false/],
    [filter({ type: 'COMPLEX', operation: 'AND', predicates: [] }), /no predicates/],
    [filter({ type: 'STRING', operation: 'EQUAL', value: { defaultValue: { toString: 1 } } }), /no text/],
    [filter({ type: 'STRING', operation: 'IN', value: { defaultValue: ['a', {}] } }), /no text/],
    [
      filter({ type: 'STRING', operation: 'EQUAL', value: { dynamicValue: { sourceAttribute: 'x' } } }),
      /not offered yet/,
    ],
    [filter({ type: 'STRING', operation: 'EQUAL', value: null }), /no value/],
    [
      filter({ type: 'STRING', operation: 'EQUAL', value: { defaultValue: '' } }, { type: 'ALARM_FIELD', key: 'x' }),
      /ALARM_FIELD/,
    ],
  ])('refuses %# with 400/31 and a sentence', async (body, message) => {
    const answer = (await find(body)).json();
    expect(answer).toMatchObject({ status: 400, errorCode: 31, message: expect.stringMatching(message) });
  });
});

describe('maxPoints', () => {
  it('thins a range to so many points that keep its peaks, in the order asked for', async () => {
    const id = await t.device('Chart');
    for (let at = 0; at < 300; at++) await t.store(id, at, { t: at === 123 ? 99 : 0, s: 'text' });
    const read = async (query: string) =>
      (
        await t.call(
          'GET',
          `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=t,s&startTs=0&endTs=1000${query}`,
        )
      ).json();
    const { t: shown, s } = await read('&maxPoints=20');
    expect([shown.length, s.length]).toEqual([20, 20]);
    expect([shown[0].ts, shown.at(-1).ts]).toEqual([299, 0]);
    expect(shown).toContainEqual({ ts: 123, value: '99' });
    expect((await read('&maxPoints=20&orderBy=ASC')).t[0].ts).toBe(0);
    expect((await read('&maxPoints=20&limit=10')).t).toHaveLength(10);
    expect((await read('')).t).toHaveLength(100);
    expect((await read('&maxPoints=500')).t).toHaveLength(300);
    const url = `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=t&startTs=0&endTs=9&maxPoints=2`;
    expect((await t.call('GET', url)).statusCode).toBe(400);
  });
});

import { FakeTime, MemoryTelemetryStore, openTestRegistry } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LiveServer, openLiveServer } from './testing/live-server.ts';
import type { WebSocketOptions } from './web-socket-options.ts';

async function openServer(options: WebSocketOptions = {}): Promise<LiveServer> {
  const registry = await openTestRegistry();
  return openLiveServer({ time: new FakeTime(), registry, store: new MemoryTelemetryStore() }, options);
}

let t: LiveServer;
let device: string;

beforeEach(async () => {
  t = await openServer();
  device = await t.device('T1', 'meter');
});
afterEach(() => t.close());

const NOW = 1_700_000_000_000;
const timeSeries = (key: string) => ({ type: 'TIME_SERIES', key });
const query = (more: object = {}) => ({
  entityFilter: { type: 'deviceType', deviceTypes: ['meter'], deviceNameFilter: '' },
  pageLink: { pageSize: 10, page: 0, textSearch: null, dynamic: true },
  entityFields: [{ type: 'ENTITY_FIELD', key: 'name' }],
  latestValues: [timeSeries('t')],
  keyFilters: null,
  ...more,
});
const command = (more: object) => ({ cmds: [{ type: 'ENTITY_DATA', cmdId: 1, ...more }] });
const entityId = () => ({ entityType: 'DEVICE', id: device });

describe('ENTITY_DATA', () => {
  it('TBS-91 gives a page first, then updates of what changed; the same cmdId replaces; unsubscribing stops', async () => {
    await t.store(device, NOW, { t: 22.5, u: 1 });
    const client = await t.connect();
    expect(await client.ask(command({ query: query() }))).toEqual({
      cmdId: 1,
      errorCode: 0,
      errorMsg: null,
      data: {
        data: [
          {
            entityId: entityId(),
            latest: {
              ENTITY_FIELD: { name: { ts: NOW, value: 'T1' } },
              TIME_SERIES: { t: { ts: NOW, value: '22.5' } },
            },
            timeseries: {},
            aggLatest: {},
          },
        ],
        totalPages: 1,
        totalElements: 1,
        hasNext: false,
      },
      update: null,
      allowedEntities: 10_000,
      cmdUpdateType: 'ENTITY_DATA',
    });
    await t.store(device, NOW + 1, { t: 1 });
    expect(await client.rest()).toEqual([]);

    const update = (latest: object | null, timeseries: object | null = null) => ({
      cmdId: 1,
      errorCode: 0,
      errorMsg: null,
      data: null,
      update: [{ entityId: entityId(), latest, timeseries, aggLatest: null }],
      allowedEntities: 10_000,
      cmdUpdateType: 'ENTITY_DATA',
    });
    // The value that the client has not seen yet comes with the command.
    expect(await client.ask(command({ latestCmd: { keys: [timeSeries('t')] } }))).toEqual(
      update({ TIME_SERIES: { t: { ts: NOW + 1, value: '1' } } }),
    );
    await t.store(device, NOW + 2, { t: 2, u: 2 });
    expect(await client.next()).toEqual(update({ TIME_SERIES: { t: { ts: NOW + 2, value: '2' } } }));

    expect(await client.ask(command({ latestCmd: { keys: [timeSeries('u')] } }))).toEqual(
      update({ TIME_SERIES: { u: { ts: NOW + 2, value: '2' } } }),
    );
    await t.store(device, NOW + 3, { t: 3 });
    expect(await client.rest()).toEqual([]);

    client.send({ entityDataUnsubscribeCmds: [{ cmdId: 1 }] });
    expect(await client.rest()).toEqual([]);
    await t.store(device, NOW + 4, { u: 4 });
    expect(await client.rest()).toEqual([]);
    expect(t.hub.counters().watches).toBe(0);
  });

  it('drops values that are older than, or the same as, the last one sent', async () => {
    const client = await t.connect();
    await client.ask(command({ query: query(), latestCmd: { keys: [timeSeries('t')] } }));
    for (const [ts, value] of [
      [NOW, 1],
      [NOW, 1],
      [NOW - 5, 2],
      [NOW, 3],
    ] as const) {
      await t.store(device, ts, { t: value });
    }
    const values = (await client.rest()).flatMap(({ update }) => JSON.stringify(update).match(/"value":"\d"/g));
    expect(values).toEqual(['"value":"1"', '"value":"3"']);
  });

  it('follows attributes by scope and over all scopes, also their removal', async () => {
    const keys = ['ATTRIBUTE', 'SERVER_ATTRIBUTE', 'SHARED_ATTRIBUTE'].map((type) => ({ type, key: 'a' }));
    const client = await t.connect();
    const first = await client.ask(command({ query: query({ latestValues: [] }), latestCmd: { keys } }));
    const none = { a: { ts: 0, value: '' } };
    expect(first.data).toMatchObject({
      data: [{ latest: { ATTRIBUTE: none, SERVER_ATTRIBUTE: none, SHARED_ATTRIBUTE: none } }],
    });
    await t.storeAttributes(device, 'SERVER', { a: 'x', b: 1 });
    const told = { a: { ts: NOW, value: 'x' } };
    expect((await client.next()).update).toMatchObject([{ latest: { ATTRIBUTE: told, SERVER_ATTRIBUTE: told } }]);
    await t.removeAttributes(device, 'SERVER', ['a']);
    expect((await client.next()).update).toMatchObject([{ latest: { ATTRIBUTE: none, SERVER_ATTRIBUTE: none } }]);
  });

  it('gives series of a window and goes on with live points; history comes once', async () => {
    for (let at = 0; at < 3; at++) await t.store(device, NOW + at, { t: at });
    const client = await t.connect();
    const window = { startTs: NOW, timeWindow: 10, limit: 2, fetchLatestPreviousPoint: false };
    const first = await client.ask(command({ query: query(), tsCmd: { keys: ['t', 'none'], ...window } }));
    const points = (...values: number[]) => values.map((at) => ({ ts: NOW + at, value: String(at) }));
    expect(first.data).toMatchObject({ data: [{ timeseries: { t: points(2, 1), none: [] } }] });
    await t.store(device, NOW + 3, { t: 3 });
    expect((await client.next()).update).toEqual([
      { entityId: entityId(), latest: null, timeseries: { t: points(3) }, aggLatest: null },
    ]);
    const history = { keys: ['t'], startTs: NOW + 1, endTs: NOW + 3, fetchLatestPreviousPoint: true };
    expect((await client.ask(command({ historyCmd: history }))).update).toEqual([
      { entityId: entityId(), latest: null, timeseries: { t: points(2, 1, 0) }, aggLatest: null },
    ]);
    await t.store(device, NOW + 4, { t: 4 });
    expect(await client.rest()).toEqual([]);
  });

  it('gives one value over a time and over the one before', async () => {
    for (let at = 0; at < 4; at++) await t.store(device, NOW + at, { t: at });
    const client = await t.connect();
    const previous = { previousStartTs: NOW, previousEndTs: NOW + 2 };
    const keys = [
      { id: 7, key: 't', agg: 'SUM', ...previous },
      { id: 8, key: 't', agg: 'AVG', ...previous, previousValueOnly: true },
      { id: 9, key: 'none', agg: 'MAX' },
    ];
    const answer = await client.ask(
      command({ query: query(), aggHistoryCmd: { keys, startTs: NOW + 2, endTs: NOW + 4 } }),
    );
    expect(answer.data).toMatchObject({
      data: [
        {
          aggLatest: {
            7: { current: { ts: NOW + 3, value: '5' }, previous: { ts: NOW + 1, value: '1' } },
            8: { current: null, previous: { ts: NOW + 1, value: '0.5' } },
            9: { current: { ts: 0, value: '' }, previous: null },
          },
        },
      ],
    });
  });

  it('shows a value that was on its way into the store when the command came', async () => {
    const client = await t.connect();
    await client.ask(command({ query: query(), latestCmd: { keys: [timeSeries('t')] } }));
    t.silence.on = true;
    await t.store(device, NOW, { t: 5 });
    t.silence.on = false;
    t.time.advance(500);
    expect((await client.next()).update).toMatchObject([{ latest: { TIME_SERIES: { t: { ts: NOW, value: '5' } } } }]);
  });

  it('TBS-92 finds devices by a numeric key filter, and by REST the same', async () => {
    const others = await Promise.all([t.device('T2', 'meter'), t.device('T3', 'meter'), t.device('V1', 'valve')]);
    for (const [index, id] of [device, ...others].entries()) await t.store(id, NOW, { t: 10 * (index + 1) });
    const predicate = { type: 'NUMERIC', operation: 'GREATER', value: { defaultValue: 15, dynamicValue: null } };
    const filtered = query({
      keyFilters: [{ key: timeSeries('t'), valueType: 'NUMERIC', predicate }],
      pageLink: { pageSize: 10, page: 0, sortOrder: { key: timeSeries('t'), direction: 'DESC' } },
    });
    const client = await t.connect();
    const { data } = await client.ask(command({ query: filtered }));
    expect(data).toMatchObject({
      totalElements: 2,
      data: [{ entityId: { id: others[1] } }, { entityId: { id: others[0] } }],
    });
    const rest = await t.call('POST', '/api/entitiesQuery/find', filtered);
    expect(rest.json()).toEqual(data);
    expect((await t.call('POST', '/api/entitiesQuery/count', filtered)).body).toBe('2');
  });

  it('keeps its entities and follows nothing after a command that was refused', async () => {
    const client = await t.connect();
    await client.ask(command({ query: query(), latestCmd: { keys: [timeSeries('t')] } }));
    const history = { keys: ['t'], startTs: 5, endTs: 4 };
    const refused = await client.ask(command({ latestCmd: { keys: [timeSeries('t')] }, historyCmd: history }));
    expect(refused).toMatchObject({ subscriptionId: 1, errorCode: 2 });
    expect(t.hub.counters().watches).toBe(0);
    await t.store(device, NOW, { t: 1 });
    const again = await client.ask(command({ latestCmd: { keys: [timeSeries('t')] } }));
    expect(again.update).toMatchObject([{ latest: { TIME_SERIES: { t: { ts: NOW, value: '1' } } } }]);
  });

  it.each([
    [{}, 'Query is empty!'],
    [{ latestCmd: { keys: [] } }, 'Query is empty!'],
    [{ query: {} }, 'entityFilter is missing'],
    [
      { query: { entityFilter: { type: 'relationsQuery' }, pageLink: {} } },
      'Entity filters of type relationsQuery are not offered',
    ],
    [{ query: { entityFilter: { type: 'entityType' } } }, 'pageLink is missing'],
    [
      { query: { entityFilter: { type: 'entityType' }, pageLink: { pageSize: 0 } } },
      expect.stringContaining('Page size'),
    ],
    [{ latestCmd: { keys: [{ type: 'ALARM_FIELD', key: 'x' }] } }, 'Keys of type ALARM_FIELD are not offered'],
    [{ aggTsCmd: { keys: [] } }, 'aggTsCmd is not offered by this server yet'],
  ])('answers %j with error 2 and stays open', async (more, errorMsg) => {
    const client = await t.connect();
    expect(await client.ask(command(more))).toEqual({ subscriptionId: 1, errorCode: 2, errorMsg });
    expect(await client.rest()).toEqual([]);
  });

  it('TBS-94 shows a customer user nothing of foreign devices, and nothing more of one that was taken away', async () => {
    const yard = await t.customer('Yard');
    const own = await t.device('T2', 'meter');
    await t.assign(own, yard.id);
    const client = await t.connect(`/api/ws?token=${yard.token}`);
    const single = { type: 'singleEntity', singleEntity: entityId() };
    const foreign = await client.ask(
      command({ query: query({ entityFilter: single }), latestCmd: { keys: [timeSeries('t')] } }),
    );
    expect(foreign.data).toEqual({ data: [], totalPages: 0, totalElements: 0, hasNext: false });
    const all = await client.ask({
      cmds: [{ type: 'ENTITY_DATA', cmdId: 2, query: query(), latestCmd: { keys: [timeSeries('t')] } }],
    });
    expect(all.data).toMatchObject({ totalElements: 1, data: [{ entityId: { id: own } }] });
    await t.store(device, NOW, { t: 1 });
    expect(await client.rest()).toEqual([]);
    await t.store(own, NOW, { t: 1 });
    expect(await client.next()).toMatchObject({ cmdId: 2 });
    await t.unassign(own);
    await t.store(own, NOW + 1, { t: 2 });
    expect(await client.rest()).toEqual([]);
    expect(t.hub.counters().watches).toBe(0);
  });
});

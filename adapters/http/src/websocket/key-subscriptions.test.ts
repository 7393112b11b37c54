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
  device = await t.device();
});
afterEach(() => t.close());

const NOW = 1_700_000_000_000;
const ts = (more: object = {}) => ({ entityType: 'DEVICE', entityId: device, cmdId: 10, keys: 't', ...more });

describe('TIMESERIES', () => {
  it('TBS-83 gives the current value first and then each new one, in the older form', async () => {
    await t.store(device, NOW, { t: 22.5, other: 1 });
    const client = await t.connect(`/api/ws/plugins/telemetry?token=${t.token}`);
    const first = await client.ask({
      tsSubCmds: [ts({ scope: 'LATEST_TELEMETRY' })],
      historyCmds: [],
      attrSubCmds: null,
    });
    expect(first.data).toEqual({ t: [[NOW, '22.5']] });
    for (const value of [1, 2, 3]) {
      await t.store(device, NOW + value, { t: value });
      expect((await client.next()).data).toEqual({ t: [[NOW + value, String(value)]] });
    }
    await t.store(device, NOW + 4, { other: 2 });
    expect(await client.rest()).toEqual([]);
  });

  it('TBS-86 has exactly five members, and every kind of value as text', async () => {
    const client = await t.connect();
    client.send({ cmds: [{ type: 'TIMESERIES', ...ts({ keys: '' }) }] });
    expect(await client.next()).toEqual({
      subscriptionId: 10,
      errorCode: 0,
      errorMsg: null,
      data: {},
      latestValues: {},
    });
    await t.store(device, NOW, { i: 7, d: 42.25, b: true, s: 'a "quoted" é', j: { x: [1] } });
    expect(await client.next()).toEqual({
      subscriptionId: 10,
      errorCode: 0,
      errorMsg: null,
      data: {
        i: [[NOW, '7']],
        d: [[NOW, '42.25']],
        b: [[NOW, 'true']],
        s: [[NOW, 'a "quoted" é']],
        j: [[NOW, '{"x":[1]}']],
      },
      latestValues: { i: NOW, d: NOW, b: NOW, s: NOW, j: NOW },
    });
  });

  it('TBS-87 with a time window gives history, newest first, then live points', async () => {
    for (let at = 0; at < 5; at++) await t.store(device, NOW + at * 1000, { t: at });
    const client = await t.connect();
    const window = { startTs: NOW + 1000, timeWindow: 3000 };
    const first = await client.ask({ tsSubCmds: [ts({ ...window, limit: 2 }), ts({ cmdId: 11, ...window })] });
    expect(first.data).toEqual({
      t: [
        [NOW + 3000, '3'],
        [NOW + 2000, '2'],
      ],
    });
    const all = await client.next();
    expect(all.data).toEqual({
      t: [
        [NOW + 3000, '3'],
        [NOW + 2000, '2'],
        [NOW + 1000, '1'],
      ],
    });
    expect(all.latestValues).toEqual({ t: NOW + 1000 });
    await t.store(device, NOW + 9000, { t: 9 });
    expect((await client.next()).data).toEqual({ t: [[NOW + 9000, '9']] });
  });

  it('TBS-87 aggregates the window in ascending buckets', async () => {
    for (let at = 0; at < 4; at++) await t.store(device, NOW + at * 1000, { t: at });
    const client = await t.connect();
    const answer = await client.ask({
      cmds: [{ type: 'TIMESERIES', ...ts({ startTs: NOW, timeWindow: 4000, interval: 2000, agg: 'AVG' }) }],
    });
    expect(answer.data).toEqual({
      t: [
        [NOW + 1000, '0.5'],
        [NOW + 3000, '2.5'],
      ],
    });
  });

  it('with scope LATEST_TELEMETRY leaves out what is not newer than the last value known', async () => {
    await t.store(device, NOW + 5000, { t: 5 });
    const client = await t.connect();
    await client.ask({ tsSubCmds: [ts({ scope: 'LATEST_TELEMETRY' }), ts({ cmdId: 11 })] });
    await client.next();
    await t.store(device, NOW, { t: 0 });
    const rest = await client.rest();
    expect(rest.map(({ subscriptionId, data }) => [subscriptionId, data])).toEqual([[11, { t: [[NOW, '0']] }]]);
  });

  it('shows a value that was on its way into the store when the subscription began', async () => {
    const client = await t.connect();
    await client.ask({ tsSubCmds: [ts()] });
    // As if it had been submitted before: stored, and announced to nobody.
    t.silence.on = true;
    await t.store(device, NOW, { t: 1 });
    t.silence.on = false;
    expect(await client.rest()).toEqual([]);
    t.time.advance(500);
    expect((await client.next()).data).toEqual({ t: [[NOW, '1']] });
  });

  it('puts points of one turn into one message, none left out', async () => {
    const client = await t.connect();
    await t.store(device, NOW, { t: 0 });
    await client.ask({ tsSubCmds: [ts()] });
    await Promise.all([1, 2, 3].map((value) => t.store(device, NOW + value, { t: value })));
    const told = (await client.rest()).map(({ data }) => data);
    expect(told).toEqual([{ t: [1, 2, 3].map((value) => [NOW + value, String(value)]) }]);
  });
});

describe('ATTRIBUTES', () => {
  const attributes = (more: object = {}) => ({ type: 'ATTRIBUTES', ...ts({ keys: 'a,b' }), ...more });

  it('TBS-88 follow one scope or any; a deletion arrives as [[0,""]]', async () => {
    await t.storeAttributes(device, 'SERVER', { a: 1, z: 1 });
    const client = await t.connect();
    client.send({ cmds: [attributes({ scope: 'SERVER_SCOPE' }), attributes({ cmdId: 11, scope: 'SHARED_SCOPE' })] });
    expect(await client.next()).toMatchObject({ subscriptionId: 10, data: { a: [[NOW, '1']] } });
    expect(await client.next()).toMatchObject({ subscriptionId: 11, data: {} });
    expect(await client.ask({ attrSubCmds: [attributes({ cmdId: 12, scope: '' })] })).toMatchObject({
      data: { a: [[NOW, '1']] },
    });
    await t.storeAttributes(device, 'SHARED', { b: true, z: 2 });
    const told = await client.rest();
    expect(told.map(({ subscriptionId, data }) => [subscriptionId, data])).toEqual([
      [11, { b: [[NOW, 'true']] }],
      [12, { b: [[NOW, 'true']] }],
    ]);
    await t.removeAttributes(device, 'SERVER', ['a']);
    const gone = await client.rest();
    expect(gone.map(({ subscriptionId, data, latestValues }) => [subscriptionId, data, latestValues])).toEqual([
      [10, { a: [[0, '']] }, { a: 0 }],
      [12, { a: [[0, '']] }, { a: 0 }],
    ]);
  });

  it('refuse a scope there is not', async () => {
    const client = await t.connect();
    const answer = await client.ask({ cmds: [attributes({ scope: 'MY_SCOPE' })] });
    expect(answer).toEqual({ subscriptionId: 10, errorCode: 2, errorMsg: 'Invalid scope: MY_SCOPE' });
  });
});

describe('TIMESERIES_HISTORY', () => {
  it('TBS-89 answers once and never again', async () => {
    for (let at = 0; at < 3; at++) await t.store(device, NOW + at, { t: at });
    const client = await t.connect();
    const history = { ...ts(), startTs: NOW, endTs: NOW + 2 };
    const answer = await client.ask({ historyCmds: [history] });
    expect(answer.data).toEqual({
      t: [
        [NOW + 1, '1'],
        [NOW, '0'],
      ],
    });
    await t.store(device, NOW + 1, { t: 8 });
    expect(await client.rest()).toEqual([]);
    expect(t.hub.counters().watches).toBe(0);
  });

  it.each([
    [{ keys: '' }, 'Keys are empty!'],
    [{ entityId: '' }, 'Device id is empty!'],
    [{ entityId: 'x' }, 'Invalid UUID string: x'],
    [{ agg: 'MEDIAN' }, 'Unknown aggregation: MEDIAN'],
    [{ intervalType: 'WEEK' }, 'intervalType WEEK is not offered yet'],
    [{ entityType: 'USER' }, 'Telemetry of entities of type USER is not offered by this server yet'],
    [{ startTs: 5, endTs: 4 }, expect.stringContaining('Number of intervals is too high')],
  ])('answers %j with error 2 and stays open', async (more, errorMsg) => {
    const client = await t.connect();
    expect(await client.ask({ historyCmds: [{ ...ts(), startTs: 0, endTs: 1, ...more }] })).toEqual({
      subscriptionId: 10,
      errorCode: 2,
      errorMsg,
    });
    expect(await client.rest()).toEqual([]);
  });
});

describe('values of assets', () => {
  it('are read by historyCmds and ENTITY_DATA, and are not followed', async () => {
    const { id } = (await t.call('POST', '/api/asset', { name: 'Hall' })).json();
    const saved = await t.call('POST', `/api/plugins/telemetry/ASSET/${id.id}/timeseries/ANY`, {
      ts: NOW,
      values: { t: 5 },
    });
    expect(saved.statusCode).toBe(200);
    const client = await t.connect();
    const ofAsset = ts({ entityType: 'ASSET', entityId: id.id });
    expect(await client.ask({ historyCmds: [{ ...ofAsset, startTs: NOW, endTs: NOW + 1 }] })).toMatchObject({
      errorCode: 0,
      data: { t: [[NOW, '5']] },
    });
    const keys = [{ type: 'TIME_SERIES', key: 't' }];
    const query = {
      entityFilter: { type: 'singleEntity', singleEntity: id },
      pageLink: { pageSize: 10, page: 0 },
      latestValues: keys,
    };
    const historyCmd = { keys: ['t'], startTs: NOW, endTs: NOW + 1 };
    const answer = await client.ask({ cmds: [{ type: 'ENTITY_DATA', cmdId: 2, query, historyCmd }] });
    expect(answer.data).toMatchObject({
      data: [
        {
          latest: { TIME_SERIES: { t: { ts: NOW, value: '5' } } },
          timeseries: { t: [{ ts: NOW, value: '5' }] },
        },
      ],
    });
    expect(await client.ask({ tsSubCmds: [ofAsset] })).toMatchObject({
      errorCode: 2,
      errorMsg: 'Telemetry of entities of type ASSET is not offered by this server yet',
    });
  });
});

describe('subscriptions of a session', () => {
  it('TBS-90 end one by one by cmdId, and all with an empty entityId', async () => {
    const client = await t.connect();
    for (const cmdId of [10, 11, 12]) await client.ask({ tsSubCmds: [ts({ cmdId })] });
    client.send({ tsSubCmds: [ts({ cmdId: 11, unsubscribe: true })] });
    expect(await client.rest()).toEqual([]);
    await t.store(device, NOW, { t: 1 });
    expect((await client.rest()).map(({ subscriptionId }) => subscriptionId)).toEqual([10, 12]);
    client.send({ tsSubCmds: [ts({ entityId: '', unsubscribe: true })] });
    expect(await client.rest()).toEqual([]);
    await t.store(device, NOW + 1, { t: 1 });
    expect(await client.rest()).toEqual([]);
    expect(t.hub.counters()).toMatchObject({ watches: 0, devices: 0 });
  });

  it('TBS-93 survive broken JSON and a negative cmdId', async () => {
    const client = await t.connect();
    await client.ask({ tsSubCmds: [ts()] });
    const unreadable = { subscriptionId: 1, errorCode: 2, errorMsg: 'Failed to parse the payload' };
    expect(await client.ask('{"tsSubCmds":[')).toEqual(unreadable);
    expect(await client.ask('[]')).toEqual(unreadable);
    expect(await client.ask('['.repeat(100_000))).toEqual(unreadable);
    client.socket.send(Buffer.from('{}'), { binary: true });
    expect(await client.next()).toEqual(unreadable);
    expect(await client.ask({ tsSubCmds: [ts({ cmdId: -3 })] })).toEqual({
      subscriptionId: -3,
      errorCode: 2,
      errorMsg: 'Cmd id is negative value!',
    });
    await t.store(device, NOW, { t: 1 });
    expect((await client.next()).data).toEqual({ t: [[NOW, '1']] });
  });

  it('take prototypes and unknown members for plain data', async () => {
    const client = await t.connect();
    const answer = await client.ask(
      `{"__proto__":{"cmds":[]},"constructor":1,"cmds":[{"type":"TIMESERIES","cmdId":3,"entityType":"DEVICE",` +
        `"entityId":"${device.toUpperCase()}","keys":"__proto__,constructor","__proto__":{"unsubscribe":true},"x":[]}]}`,
    );
    expect(answer).toEqual({ subscriptionId: 3, errorCode: 0, errorMsg: null, data: {}, latestValues: {} });
    await t.store(device, NOW, JSON.parse('{"__proto__":1}'));
    expect(Object.entries(Object((await client.next()).data))).toEqual([['__proto__', [[NOW, '1']]]]);
  });

  it('say which commands are not offered, and ignore the end of such', async () => {
    const client = await t.connect();
    const answer = await client.ask({ alarmDataCmds: [{ cmdId: 4 }], alarmDataUnsubscribeCmds: [{ cmdId: 4 }] });
    expect(answer).toEqual({
      subscriptionId: 4,
      errorCode: 2,
      errorMsg: 'ALARM_DATA is not offered by this server yet',
    });
    expect(await client.rest()).toEqual([]);
  });

  it('are bounded, and the same cmdId takes the place of its older self', async () => {
    const local = await openServer({ maxSubscriptions: 2 });
    const id = await local.device();
    const client = await local.connect();
    const follow = (cmdId: number) =>
      client.ask({ tsSubCmds: [{ entityType: 'DEVICE', entityId: id, cmdId, keys: 't' }] });
    for (const cmdId of [1, 2, 2]) expect((await follow(cmdId)).errorCode).toBe(0);
    expect(await follow(3)).toMatchObject({ subscriptionId: 3, errorCode: 34 });
    expect(local.hub.counters().watches).toBe(2);
    await local.close();
  });
});

describe('rights', () => {
  it('TBS-94 a customer user gets an error and no data of a foreign device, also after later writes', async () => {
    const yard = await t.customer('Yard');
    await t.store(device, NOW, { t: 1 });
    const client = await t.connect(`/api/ws?token=${yard.token}`);
    client.send({
      cmds: [
        { type: 'TIMESERIES', ...ts() },
        { type: 'ATTRIBUTES', ...ts({ cmdId: 11 }) },
        { type: 'TIMESERIES_HISTORY', ...ts({ cmdId: 12, startTs: 0, endTs: NOW * 2 }) },
      ],
    });
    for (const subscriptionId of [10, 11, 12]) {
      expect(await client.next()).toEqual({ subscriptionId, errorCode: 3, errorMsg: expect.any(String) });
    }
    await t.store(device, NOW + 1, { t: 2 });
    await t.storeAttributes(device, 'SERVER', { t: 2 });
    expect(await client.rest()).toEqual([]);
    const unknown = ts({ entityId: '11111111-2222-4333-8444-555555555555' });
    expect(await client.ask({ tsSubCmds: [unknown] })).toMatchObject({ errorCode: 3 });
  });

  it('TBS-94 a device taken from its customer stops for it, and goes on for the administrator', async () => {
    const yard = await t.customer('Yard');
    await t.assign(device, yard.id);
    const clients = [await t.connect(`/api/ws?token=${yard.token}`), await t.connect()];
    for (const client of clients) await client.ask({ tsSubCmds: [ts()] });
    await t.store(device, NOW, { t: 1 });
    for (const client of clients) expect((await client.next()).data).toEqual({ t: [[NOW, '1']] });
    await t.unassign(device);
    await t.store(device, NOW + 1, { t: 2 });
    const [customer, admin] = await Promise.all(clients.map((client) => client.rest()));
    expect(customer).toEqual([{ subscriptionId: 10, errorCode: 3, errorMsg: expect.stringContaining('permission') }]);
    expect(admin).toMatchObject([{ data: { t: [[NOW + 1, '2']] } }]);
    expect(t.hub.counters().watches).toBe(1);
  });

  it('a deleted device ends its subscriptions', async () => {
    const client = await t.connect();
    await client.ask({ tsSubCmds: [ts()] });
    expect((await t.call('DELETE', `/api/device/${device}`)).statusCode).toBe(200);
    expect(await client.next()).toMatchObject({ subscriptionId: 10, errorCode: 3 });
    expect(t.hub.counters()).toMatchObject({ watches: 0, devices: 0 });
  });
});

import { describe, expect, it } from 'vitest';
import { OpenApiClient } from '../testing/open-api-client.ts';
import { type ApplicationFields, application, device, examples, NEW_YEAR, openDialect } from '../testing/tools.ts';

const LOG = `/developers/device/${examples.sn}/log`;

function scene(configuration: NonNullable<ApplicationFields['configuration']> = {}) {
  const test = openDialect();
  const { platform } = test;
  const [thermometer, detector, gateway] = [device(1), device(2), device(3, { gateway: true })];
  platform.add(thermometer, detector, gateway, device(4, { tenantId: 'other tenant' }));
  platform.attribute(thermometer, 'SERVER', 'sensoro.sn', examples.sn);
  platform.attribute(thermometer, 'SERVER', 'sensoro.deviceType', 'temp_humi');
  platform.attribute(thermometer, 'SERVER', 'tags', '["hall"]');
  platform.attribute(detector, 'SERVER', 'sensoro.sn', 'aB01');
  platform.attribute(detector, 'SERVER', 'sensoro.deviceType', 'co');
  const touch = (...devices: readonly { readonly id: string }[]) => {
    for (const { id } of devices) test.dialect.pushes.deviceTouched?.(id);
  };
  const client = new OpenApiClient(test, application({ configuration }));
  let nonce = NEW_YEAR;
  /** Each with a nonce and time of its own. */
  const post = (path: string, body: object) => {
    nonce += 100;
    test.now = nonce;
    return client.post(`/developers/device/${path}`, body, { nonce: String(nonce) });
  };
  return { test, platform, client, thermometer, detector, gateway, touch, post };
}

const TOP = '8000000000000003';

describe('commands', () => {
  it('SEN-43 interval: sns must be texts and the interval an integer above 60', async () => {
    const { post, platform } = scene();
    const cfg = { interval: 61 };
    for (const body of [
      { cfg },
      { sns: 'x', cfg },
      { sns: [1], cfg },
      { sns: null },
      [],
      { sns: Array(1_001).fill('x'), cfg },
    ]) {
      expect((await post('interval', body)).body).toEqual({
        err_code: 5020610,
        err_msg: 'sns is required array of strings',
      });
    }
    for (const interval of [60, '300', 61.5, null, undefined, 2 ** 53]) {
      expect((await post('interval', { sns: [examples.sn], cfg: { interval } })).body).toEqual({
        err_code: 5020612,
        err_msg: 'interval is a required integer greater than 60',
      });
    }
    expect((await post('interval', { sns: [examples.sn] })).body.err_code).toBe(5020612);
    expect(platform.commands).toEqual([]);
    expect((await post('interval', { sns: [examples.sn], cfg })).body.err_code).toBe(0);
    expect(platform.commands).toEqual([['device 1', { interval: 61 }]]);
  });

  it('SEN-44 sns are sorted into ok, unsupportSns and unexistSns, each once and whatever their case', async () => {
    const { post, platform } = scene();
    const sns = [examples.sn.toLowerCase(), 'AB01', 'ab01', TOP, 'nobody', '__proto__', '8000000000000004'];
    const { body } = await post('threshold', { sns, deviceType: 'co', cfg: { coAlarmHigh: 50 } });
    expect(body).toEqual({
      err_code: 0,
      data: {
        scheduleNo: 'ED-20260101-000001',
        ok: [{ sn: 'aB01', taskId: 1 }],
        unsupportSns: [examples.sn.toLowerCase(), TOP],
        unexistSns: ['nobody', '__proto__', '8000000000000004'],
      },
    });
    expect(platform.commands).toEqual([['device 2', { coAlarmHigh: 50 }]]);
    platform.commandOutcome = 'notSupported';
    const second = await post('interval', { sns: ['AB01'], cfg: { interval: 61 } });
    expect(second.body.data).toMatchObject({ scheduleNo: 'ED-20260101-000002', ok: [], unsupportSns: ['AB01'] });
    platform.commandOutcome = 'failed';
    expect((await post('interval', { sns: ['AB01'], cfg: { interval: 61 } })).status).toBe(500);
  });

  it('threshold: takes the names of alarms, also the other two for temperature and humidity', async () => {
    const { post, platform } = scene();
    const base = { sns: [examples.sn], deviceType: 'temp_humi' };
    const cfg = { tempAlarmHigh: 30, temperatureAlarmLow: -5.5, humiAlarmHigh: 80, humidityAlarmLow: 20 };
    expect((await post('threshold', { ...base, cfg })).body.err_code).toBe(0);
    const values = { temperatureAlarmHigh: 30, temperatureAlarmLow: -5.5, humidityAlarmHigh: 80, humidityAlarmLow: 20 };
    expect(platform.commands).toEqual([['device 1', values]]);
    for (const bad of [
      undefined,
      {},
      [],
      { coAlarmHigh: '5' },
      { coAlarm: 5 },
      { 'x.AlarmHigh': 5 },
      { AlarmHigh: 1 },
      5,
    ]) {
      expect((await post('threshold', { ...base, cfg: bad })).body.err_code, JSON.stringify(bad)).toBe(5020614);
    }
    expect((await post('threshold', { ...base, deviceType: undefined, cfg })).body.err_code).toBe(5020613);
    expect((await post('threshold', { ...base, deviceType: 5, cfg })).body.err_code).toBe(5020613);
    expect((await post('threshold', { deviceType: 'co', cfg })).body.err_code).toBe(5020610);
    expect(platform.commands).toHaveLength(1);
  });

  it('SEN-46 data: customerData is an even number of hex digits, at most 512', async () => {
    const { post, platform } = scene();
    const sn = examples.sn;
    for (const customerData of ['0g', '000', '', undefined, 5, '00'.repeat(257)]) {
      expect((await post('data', { sn, customerData })).body).toEqual({
        err_code: 5020615,
        err_msg: 'customerData is a required hex string',
      });
    }
    expect((await post('data', { sn: 'nobody', customerData: '00' })).body.err_code).toBe(5020404);
    expect((await post('data', { customerData: '00' })).body.err_code).toBe(5020404);
    expect(platform.commands).toEqual([]);
    const long = '0aF9'.repeat(128);
    expect((await post('data', { schName: 'x', sn, customerData: long })).body).toEqual({
      err_code: 0,
      data: { scheduleNo: 'ED-20260101-000001' },
    });
    expect(platform.commands).toEqual([['device 1', { customerData: long }]]);
  });

  it('cdata: tells many devices, whatever the member is called', async () => {
    const { post, platform } = scene();
    const sns = [examples.sn];
    for (const body of [
      { cfg: { customerData: '01' } },
      { cfg: { cdata: '01' } },
      { cdata: '01' },
      { customerData: '01' },
    ])
      expect((await post('cdata', { sns, ...body })).body.data.ok).toHaveLength(1);
    expect((await post('cdata', { sns, cfg: { cdata: '0' }, cdata: '01' })).body.err_code).toBe(5020615);
    expect((await post('cdata', { cdata: '01' })).body.err_code).toBe(5020610);
    expect(platform.commands).toEqual(Array.from({ length: 4 }, () => ['device 1', { customerData: '01' }]));
  });

  it('numbers of a day begin anew with the day, and not where a restart would use them twice', async () => {
    const { test, client } = scene();
    const body = { sn: examples.sn, customerData: '00' };
    test.now = NEW_YEAR + 86_400_000;
    expect((await client.post('/developers/device/data', body)).body.data.scheduleNo).toBe('ED-20260102-000001');
    const late = openDialect({ now: () => NEW_YEAR + 7_200_000, firstTask: 500 });
    late.platform.add(device(1));
    const again = new OpenApiClient(late);
    const { data } = (
      await again.post(
        '/developers/device/interval',
        { sns: ['8000000000000001'], cfg: { interval: 61 } },
        {
          nonce: String(NEW_YEAR + 7_200_000),
        },
      )
    ).body;
    expect(data).toMatchObject({ scheduleNo: 'ED-20260101-007201', ok: [{ taskId: 500 }] });
  });
});

describe('devices', () => {
  it('a record has the latest readings, the place, the interval and the state', async () => {
    const { platform, client, thermometer } = scene();
    platform.active.add(thermometer.id);
    platform.point(thermometer, 'temperature', 5_000, 20.5);
    platform.point(thermometer, 'battery', 4_000, 95);
    platform.attribute(thermometer, 'SHARED', 'interval', 300);
    platform.attribute(thermometer, 'SERVER', 'longitude', 116.5);
    platform.attribute(thermometer, 'SERVER', 'latitude', 39);
    const record = {
      sn: examples.sn,
      deviceType: 'temp_humi',
      name: 'device 1',
      tags: ['hall'],
      lonlat: [116.5, 39],
      interval: 300,
      status: 'online',
      updatedTime: 5_000,
      data: { temperature: 20.5, battery: 95 },
    };
    expect((await client.get(`/developers/device/${examples.sn}`)).body).toEqual({ err_code: 0, data: record });
    platform.point(thermometer, 'lonlat', 6_000, '[1,2]');
    platform.point(thermometer, 'interval', 6_000, 60);
    expect((await client.get(`/developers/device/${examples.sn.toLowerCase()}`)).body.data).toMatchObject({
      lonlat: [1, 2],
      interval: 60,
      updatedTime: 6_000,
    });
    expect((await client.get('/developers/device/ab01')).body.data).toEqual({
      sn: 'aB01',
      deviceType: 'co',
      name: 'device 2',
      tags: [],
      lonlat: [],
      interval: null,
      status: 'offline',
      updatedTime: 0,
      data: {},
    });
  });

  it('the list has pages, its length, and only devices of the tenant and the set', async () => {
    const { client } = scene();
    const { data } = (await client.get('/developers/device/list')).body;
    expect(data.items.map(({ sn }: { sn: string }) => sn)).toEqual([examples.sn, TOP, 'aB01']);
    expect(data).toMatchObject({ total: 3, page: 1, count: 100 });
    const second = (await client.get('/developers/device/list?page=2&count=2')).body.data;
    expect(second).toMatchObject({ total: 3, page: 2, count: 2, items: [{ sn: 'aB01' }] });
    expect((await client.get('/developers/device/list?page=999999999')).body.data.items).toEqual([]);
    for (const query of ['page=0', 'page=x', 'count=0', 'count=1001', 'page=-1', 'count=1.5', 'page='])
      expect((await client.get(`/developers/device/list?${query}`)).body.err_code, query).toBe(5020416);
    const tagged = scene({ devices: { tag: 'hall' } });
    expect((await tagged.client.get('/developers/device/list')).body.data.total).toBe(1);
    const chosen = scene({ devices: [device(2).id] });
    expect((await chosen.client.get('/developers/device/list')).body.data.items).toMatchObject([{ sn: 'aB01' }]);
    expect((await chosen.client.get(`/developers/device/${examples.sn}`)).body.err_code).toBe(5020404);
    const { body } = await chosen.post('interval', { sns: [examples.sn], cfg: { interval: 61 } });
    expect(body.data.unexistSns).toEqual([examples.sn]);
  });

  it('are followed: new ones, new serial numbers, deleted ones', async () => {
    const { platform, client, thermometer, detector, touch } = scene();
    const found = async (sn: string) => (await client.get(`/developers/device/${sn}`)).body.data?.name;
    expect(await found('aB01')).toBe('device 2');
    const reads = platform.attributeReads;
    expect(await found('nobody')).toBeUndefined();
    expect(platform.attributeReads).toBe(reads);
    platform.attribute(detector, 'SERVER', 'sensoro.sn', 'NEW');
    platform.add(device(9));
    touch(detector, device(9));
    expect([await found('new'), await found('aB01'), await found('8000000000000009')]).toEqual([
      'device 2',
      undefined,
      'device 9',
    ]);
    platform.known.delete(thermometer.id);
    touch(thermometer);
    expect(await found(examples.sn)).toBeUndefined();
  });

  it('of equal serial numbers the first is found, the next when that one is gone', async () => {
    const { platform, client, thermometer, detector, touch } = scene();
    platform.attribute(detector, 'SERVER', 'sensoro.sn', examples.sn.toLowerCase());
    const found = async () => (await client.get(`/developers/device/${examples.sn}`)).body.data?.name;
    expect(await found()).toBe('device 1');
    platform.known.delete(thermometer.id);
    touch(thermometer);
    expect(await found()).toBe('device 2');
  });

  it('stations are the gateways', async () => {
    const { client, platform, gateway } = scene();
    platform.active.add(gateway.id);
    const record = { sn: TOP, name: 'device 3', type: 'station', lonlat: [], status: 'online', updatedTime: 0 };
    expect((await client.get(`/developers/station/${TOP}`)).body).toEqual({ err_code: 0, data: record });
    expect((await client.get('/developers/station/list')).body).toEqual({
      err_code: 0,
      data: { items: [record], total: 1, page: 1, count: 100 },
    });
    for (const sn of [examples.sn, 'nobody'])
      expect((await client.get(`/developers/station/${sn}`)).body).toEqual({
        err_code: 5020405,
        err_msg: 'station not found',
      });
  });
});

describe('the log', () => {
  it('SEN-47 obeys startTime, endTime, page, count and order; count=1001 is refused', async () => {
    const { platform, client, thermometer, test } = scene();
    for (let i = 0; i < 10; i++) platform.point(thermometer, 'temperature', 1_000 + i, i);
    platform.point(thermometer, 'humidity', 1_003, 50);
    const times = async (query: string) => {
      test.now += 100;
      const { data } = (await client.get(`${LOG}?${query}`)).body;
      return data.map(({ createdTime }: { createdTime: number }) => createdTime);
    };
    expect(await times('startTime=1002&endTime=1004&order=asc')).toEqual([1_002, 1_003, 1_004]);
    expect(await times('startTime=1002&endTime=1004')).toEqual([1_004, 1_003, 1_002]);
    expect(await times('startTime=0&endTime=2000&order=asc&count=3&page=2')).toEqual([1_003, 1_004, 1_005]);
    expect(await times('startTime=0&endTime=2000&order=desc&count=4&page=3')).toEqual([1_001, 1_000]);
    expect(await times('startTime=0&endTime=2000&page=11&count=1')).toEqual([]);
    const [entry] = (await client.get(`${LOG}?startTime=1003&endTime=1003`)).body.data;
    expect(entry).toEqual({
      sn: examples.sn,
      deviceType: 'temp_humi',
      createdTime: 1_003,
      msgId: expect.stringMatching(/^[0-9a-f]{24}$/),
      data: { temperature: 3, humidity: 50 },
    });
    for (const query of [
      'count=1001',
      'order=up',
      'startTime=x',
      'startTime=5&endTime=4',
      'page=0',
      'page=502&count=100',
    ])
      expect((await client.get(`${LOG}?${query}`)).body, query).toEqual({
        err_code: 5020416,
        err_msg: 'invalid query parameter',
      });
    expect((await client.get('/developers/device/nobody/log')).body.err_code).toBe(5020404);
  });

  it('is that of the last 24 hours, newest first, where nothing else is asked for', async () => {
    const { platform, client, thermometer, test } = scene();
    for (const ago of [86_400_001, 86_400_000, 5, 0]) platform.point(thermometer, 'a', test.now - ago, ago);
    const { data } = (await client.get(LOG)).body;
    expect(data.map((entry: { data: object }) => entry.data)).toEqual([{ a: 0 }, { a: 5 }, { a: 86_400_000 }]);
    expect((await client.get('/developers/device/ab01/log')).body).toEqual({ err_code: 0, data: [] });
  });

  it('of keys with very different numbers of points is complete over many stretches, in both orders', async () => {
    const { platform, client, thermometer, test } = scene();
    const keys = Array.from({ length: 40 }, (_, index) => `key${index}`);
    const expected = new Map<number, Record<string, number>>();
    for (const [index, key] of keys.entries()) {
      for (let ts = 1; ts <= 2_000; ts += index === 0 ? 1 : 37 * index) {
        platform.series.get(thermometer.id)?.get(key);
        platform.point(thermometer, key, ts, ts + index);
        expected.set(ts, { ...expected.get(ts), [key]: ts + index });
      }
    }
    for (const order of ['asc', 'desc'] as const) {
      const got = new Map<number, object>();
      const seen: number[] = [];
      for (let page = 1; page <= 3; page++) {
        test.now += 100;
        const { data } = (await client.get(`${LOG}?startTime=0&endTime=5000&order=${order}&count=900&page=${page}`))
          .body;
        for (const entry of data) {
          seen.push(entry.createdTime);
          got.set(entry.createdTime, entry.data);
        }
      }
      expect(seen).toEqual([...expected.keys()].sort((a, b) => (order === 'asc' ? a - b : b - a)));
      expect(got).toEqual(expected);
      expect(new Set(platform.histories.map(({ limit }) => limit))).toEqual(new Set([500]));
    }
    const ids = (await client.get(`${LOG}?startTime=0&endTime=5000&count=1000`)).body.data;
    expect(new Set(ids.map(({ msgId }: { msgId: string }) => msgId)).size).toBe(1_000);
  });
});

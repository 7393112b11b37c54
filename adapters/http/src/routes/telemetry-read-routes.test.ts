import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const UNKNOWN = '11111111-2222-4333-8444-555555555555';
const BARE = 'text/plain; charset=utf-8';
let t: TestServer;
let device: string;

beforeAll(async () => {
  t = await openTestServer();
  device = await t.device();
  const points = Array.from({ length: 150 }, (_, i) => ({ ts: 1000 * i, values: { n: i } }));
  await t.call('POST', `/api/plugins/telemetry/DEVICE/${device}/timeseries/ANY`, points);
  const body = '{"ts":500,"values":{"i":5,"d":42.0,"b":true,"s":"a\\"b","j":{"x":[1,2.0]},"big":9007199254740993}}';
  await t.call('POST', `/api/plugins/telemetry/DEVICE/${device}/timeseries/ANY`, body);
  const pair = [
    { ts: 0, values: { a: 1, m: 1 } },
    { ts: 1, values: { a: 2, m: 1.5 } },
    { ts: 2500, values: { a: 7 } },
  ];
  await t.call('POST', `/api/plugins/telemetry/DEVICE/${device}/timeseries/ANY`, pair);
});
afterAll(() => t.server.close());

const read = (query: string, path = 'values/timeseries') =>
  t.call('GET', `/api/plugins/telemetry/DEVICE/${device}/${path}?${query}`);

describe('latest values', () => {
  it('TBS-46 are texts by default', async () => {
    const answer = await read('keys=i,d,b,s,j,big');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.body).toBe(
      '{"i":[{"ts":500,"value":"5"}],"d":[{"ts":500,"value":"42.0"}],"b":[{"ts":500,"value":"true"}],' +
        '"s":[{"ts":500,"value":"a\\"b"}],"j":[{"ts":500,"value":"{\\"x\\":[1,2.0]}"}],' +
        '"big":[{"ts":500,"value":"9007199254740993"}]}',
    );
  });

  it('TBS-47 have their native type with useStrictDataTypes, every digit of it', async () => {
    expect((await read('keys=i,d,b,s,j,big&useStrictDataTypes=true')).body).toBe(
      '{"i":[{"ts":500,"value":5}],"d":[{"ts":500,"value":42.0}],"b":[{"ts":500,"value":true}],' +
        '"s":[{"ts":500,"value":"a\\"b"}],"j":[{"ts":500,"value":{"x":[1,2.0]}}],' +
        '"big":[{"ts":500,"value":9007199254740993}]}',
    );
  });

  it('TBS-48 of an unknown key are null, now', async () => {
    expect((await read('keys=nope')).json()).toEqual({ nope: [{ ts: t.state.now, value: null }] });
  });

  it('are those of all keys when none is named', async () => {
    const all = (await read('')).json();
    expect(Object.keys(all).sort()).toEqual(['a', 'b', 'big', 'd', 'i', 'j', 'm', 'n', 's']);
    expect((await read('keys=')).json()).toEqual(all);
    expect((await read('startTs=5')).json()).toEqual(all);
    expect((await read('endTs=5')).json()).toEqual(all);
  });

  it('take keys percent-encoded, repeated, and with a comma in them', async () => {
    expect(Object.keys((await read('keys=i%2Cd')).json())).toEqual(['i', 'd']);
    expect(Object.keys((await read('keys=i&keys=d,b')).json())).toEqual(['i', 'd', 'b']);
    expect(Object.keys((await read('key=i&key=x%2Cy&keys=b')).json())).toEqual(['i', 'x,y']);
  });

  it('survive keys that look like members of every object', async () => {
    const keys = ['__proto__', 'constructor', 'toString'];
    const answer = await read(`keys=${keys.join(',')}`);
    expect(answer.statusCode).toBe(200);
    for (const key of keys) expect(answer.body).toContain(`"${key}":[{"ts":`);
  });
});

describe('range', () => {
  it('TBS-49 includes startTs, excludes endTs, newest first, at most 100', async () => {
    const part = (await read('keys=n&startTs=10000&endTs=13000')).json();
    expect(part.n.map(({ ts }: { ts: number }) => ts)).toEqual([12000, 11000, 10000]);
    const all = (await read('keys=n&startTs=0&endTs=1000000')).json();
    expect(all.n).toHaveLength(100);
    expect(all.n[0]).toEqual({ ts: 149000, value: '149' });
  });

  it('TBS-50 with orderBy=ASC and limit gives the oldest', async () => {
    const { n } = (await read('keys=n&startTs=0&endTs=1000000&orderBy=ASC&limit=5')).json();
    expect(n.map(({ value }: { value: string }) => value)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('is empty without keys or points', async () => {
    expect((await read('startTs=0&endTs=10')).body).toBe('{}');
    expect((await read('keys=nope&startTs=0&endTs=10')).body).toBe('{}');
  });

  it('TBS-51 TBS-54 is aggregated into buckets that bear their middle, the last one cut', async () => {
    const query = 'keys=a&startTs=0&endTs=3000&interval=1000&agg=COUNT&useStrictDataTypes=true&orderBy=DESC';
    expect((await read(query)).json()).toEqual({
      a: [
        { ts: 500, value: 2 },
        { ts: 2500, value: 1 },
      ],
    });
    const cut = (await read('keys=a&startTs=0&endTs=2600&interval=1000&agg=MAX')).json();
    expect(cut.a[1]).toEqual({ ts: 2300, value: '7' });
  });

  it('TBS-52 without interval is not aggregated', async () => {
    expect((await read('keys=a&startTs=0&endTs=10&agg=AVG')).json().a).toHaveLength(2);
  });

  it('TBS-53 is refused for more than 700 buckets, in a bare sentence', async () => {
    const answer = await read('keys=a&startTs=0&endTs=702000&interval=1000&agg=AVG');
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toBe(BARE);
    expect(answer.body).toContain('Number of intervals is too high');
    expect((await read('keys=a&startTs=10&endTs=5')).statusCode).toBe(400);
  });

  it('TBS-55 prints a SUM of integers without a point and the AVG of 1 and 2 as 1.5', async () => {
    const sum = await read('keys=a,m&startTs=0&endTs=10&interval=10&agg=SUM');
    expect(sum.json()).toEqual({ a: [{ ts: 5, value: '3' }], m: [{ ts: 5, value: '2.5' }] });
    const avg = await read('keys=a&startTs=0&endTs=10&interval=10&agg=AVG&useStrictDataTypes=true');
    expect(avg.body).toBe('{"a":[{"ts":5,"value":1.5}]}');
  });

  it('is read by the history path, which needs both bounds', async () => {
    const path = 'values/timeseries/history';
    expect((await read('keys=n&startTs=0&endTs=1', path)).json()).toEqual({ n: [{ ts: 0, value: '0' }] });
    const answer = await read('keys=n&startTs=0', path);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([400, BARE]);
  });

  it.each([
    ['agg=MEDIAN', "'agg' in the query must be one of NONE, MIN, MAX, AVG, SUM, COUNT"],
    ['limit=0', "'limit' in the query must be at least 1"],
    ['limit=x', "'limit' in the query must be a whole number"],
    ['interval=-1', "'interval' in the query must be at least 0"],
    ['interval=1.5', "'interval' in the query must be a whole number"],
    ['orderBy=UP', "'orderBy' in the query must be one of ASC, DESC"],
    ['useStrictDataTypes=maybe', "'useStrictDataTypes' in the query must be true or false"],
    ['intervalType=WEEK', 'intervalType WEEK is not offered yet'],
    ['intervalType=MOON%0D%0AX-Evil:1', /is not offered yet$/],
  ])('is 400 in a bare sentence for %s', async (query, message) => {
    const answer = await read(`keys=a&startTs=0&endTs=10&${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toBe(BARE);
    expect(answer.headers).not.toHaveProperty('x-evil');
    expect(answer.body).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('takes intervalType=MILLISECONDS', async () => {
    expect((await read('keys=a&startTs=0&endTs=10&intervalType=MILLISECONDS')).statusCode).toBe(200);
  });
});

describe('the family of telemetry', () => {
  const paths = ['values/timeseries', 'keys/timeseries', 'values/attributes', 'keys/attributes/SERVER_SCOPE'];

  it.each(paths)('answers an unknown device with a bare 404 at %s', async (path) => {
    const answer = await t.call('GET', `/api/plugins/telemetry/DEVICE/${UNKNOWN}/${path}`);
    expect([answer.statusCode, answer.body]).toEqual([404, "Device with requested id wasn't found!"]);
    expect(answer.headers['content-type']).toBe(BARE);
  });

  it.each(paths)('TBS-15 is 403 for a system administrator at %s', async (path) => {
    const headers = { 'x-authorization': `Bearer ${await t.tokenOf('SYS_ADMIN')}` };
    const answer = await t.send({ url: `/api/plugins/telemetry/DEVICE/${device}/${path}`, headers });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([403, BARE]);
  });

  it('answers a malformed id and a foreign entity type with the error object', async () => {
    const id = await t.call('GET', '/api/plugins/telemetry/DEVICE/zz/values/timeseries');
    expect(id.json()).toMatchObject({ status: 400, errorCode: 31, message: 'Invalid UUID string: zz' });
    const user = await t.call('GET', `/api/plugins/telemetry/USER/${device}/values/timeseries`);
    expect(user.json()).toMatchObject({ status: 501, errorCode: 2 });
    const nonsense = await t.call('GET', `/api/plugins/telemetry/MOON/${device}/values/timeseries`);
    expect(nonsense.json()).toMatchObject({ status: 400, errorCode: 31 });
    const token = await t.send({ url: `/api/plugins/telemetry/DEVICE/${device}/values/timeseries` });
    expect(token.json()).toMatchObject({ status: 401, errorCode: 10 });
  });

  it('takes the entity type in any case', async () => {
    expect((await t.call('GET', `/api/plugins/telemetry/device/${device}/keys/timeseries`)).statusCode).toBe(200);
  });

  it('is 501 for a call of it that is not there', async () => {
    expect((await t.call('GET', '/api/plugins/telemetry/DEVICE')).json()).toMatchObject({ status: 501 });
  });
});

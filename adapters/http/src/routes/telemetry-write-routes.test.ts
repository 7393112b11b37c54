import { ValueKind } from '@moorage/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const BARE = 'text/plain; charset=utf-8';
let t: TestServer;
let device: string;

beforeEach(async () => {
  t = await openTestServer();
  device = await t.device();
});
afterEach(() => t.server.close());

const url = (path: string) => `/api/plugins/telemetry/DEVICE/${device}/${path}`;
const post = (body: string | object, path = 'timeseries/ANY') => t.call('POST', url(path), body);
const points = (key: string) => t.state.series.get(device)?.get(key);

describe('series', () => {
  it('TBS-56 are posted in each form', async () => {
    const { now } = t.state;
    for (const body of ['{"a":1}', '{"ts":5,"values":{"b":1}}', '[{"c":1},{"ts":6,"values":{"d":1}}]']) {
      const answer = await post(body);
      expect([answer.statusCode, answer.body]).toEqual([200, '']);
    }
    expect([points('a'), points('b'), points('c'), points('d')].map((list) => list?.[0]?.ts)).toEqual([now, 5, now, 6]);
  });

  it('TBS-57 become numbers where the text reads as one', async () => {
    await post('{"a":"5","b":"abc","c":12345678901234567890,"d":5.0,"e":null}');
    expect(points('a')?.[0]).toMatchObject({ kind: ValueKind.Long, value: 5 });
    expect(points('b')?.[0]).toMatchObject({ kind: ValueKind.String, value: 'abc' });
    expect(points('c')?.[0]).toMatchObject({ kind: ValueKind.String, value: '12345678901234567890' });
    expect(points('d')?.[0]).toMatchObject({ kind: ValueKind.Double, value: 5 });
    expect(points('e')).toBeUndefined();
  });

  it('keep integers beyond 2^53 whole', async () => {
    await post('{"a":9007199254740993}');
    expect(points('a')?.[0]).toMatchObject({ kind: ValueKind.Long, value: 9007199254740993n });
  });

  it('TBS-58 are posted with a time to live in seconds', async () => {
    const saved: unknown[] = [];
    const { telemetry } = t.platform;
    const save = telemetry.save.bind(telemetry);
    telemetry.save = (caller, id, points, ttlMs) => {
      saved.push(ttlMs);
      return save(caller, id, points);
    };
    for (const path of ['timeseries/ANY/60', 'timeseries/ANY/0', 'timeseries/ANY']) {
      expect((await post('{"a":1}', path)).statusCode).toBe(200);
    }
    expect(saved).toEqual([60_000, 0, 0]);
    for (const path of ['timeseries/ANY/-1', 'timeseries/ANY/1.5', 'timeseries/ANY/x']) {
      expect((await post('{"a":1}', path)).statusCode).toBe(400);
    }
    telemetry.save = save;
  });

  it('are posted with a time to live of 0 and any content type', async () => {
    expect((await post('{"a":1}', 'timeseries/ANY/0')).statusCode).toBe(200);
    expect((await post('{"a":1}', 'timeseries/ANY?scope=ANY')).statusCode).toBe(200);
    const headers = { 'x-authorization': `Bearer ${t.token}`, 'content-type': 'text/plain' };
    const answer = await t.send({ method: 'POST', url: url('timeseries/ANY'), headers, payload: '{"a":1}' });
    expect(answer.statusCode).toBe(200);
    expect((await post('{"a":1}', 'timeseries/ANY/x')).statusCode).toBe(400);
  });

  it.each([
    ['', 'Unable to parse time series payload'],
    ['{', 'Unable to parse time series payload'],
    ['nonsense', 'Unable to parse time series payload'],
    ['5', 'Unable to parse time series payload'],
    ['"a"', 'Unable to parse time series payload'],
    ['[5]', 'Unable to parse time series payload'],
    ['{"ts":"x","values":{"a":1}}', 'Unable to parse time series payload'],
    ['{"":1}', 'Unable to parse time series payload'],
    [`${'['.repeat(100_000)}`, 'Unable to parse time series payload'],
    [`{"a":${'['.repeat(40)}${']'.repeat(40)}}`, 'Unable to parse time series payload'],
    ['{}', 'No time series data found in request body!'],
    ['[]', 'No time series data found in request body!'],
    ['{"a":null}', 'No time series data found in request body!'],
  ])('TBS-59 are refused with a bare sentence for %.40s', async (body, message) => {
    const answer = await post(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toBe(BARE);
    expect(answer.body.startsWith(message)).toBe(true);
  });

  it('are refused when they are not UTF-8', async () => {
    const headers = { 'x-authorization': `Bearer ${t.token}`, 'content-type': 'application/json' };
    const payload = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    const answer = await t.send({ method: 'POST', url: url('timeseries/ANY'), headers, payload });
    expect(answer.statusCode).toBe(400);
  });

  it('may be named like members of every object', async () => {
    expect((await post('{"__proto__":1,"constructor":2}')).statusCode).toBe(200);
    expect(points('__proto__')?.[0]?.value).toBe(1);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('TBS-65 are deleted in a range, or whole', async () => {
    for (const ts of [1, 2, 3]) await post({ ts, values: { a: ts, b: ts } });
    const remove = (query: string) => t.call('DELETE', url(`timeseries/delete?${query}`));
    const answer = await remove('keys=a&startTs=2&endTs=3');
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect(points('a')?.map(({ ts }) => ts)).toEqual([1, 3]);
    await remove('keys=b&deleteAllDataForKeys=true');
    expect(points('b')).toBeUndefined();
  });

  it.each([
    ['', 'delete', null],
    ['&deleteLatest=false', 'keep', null],
    ['&rewriteLatestIfDeleted=true', 'rewrite', null],
    ['&deleteLatest=false&rewriteLatestIfDeleted=true', 'rewrite', null],
  ])('TBS-65 are deleted with %j so that the latest becomes %s', async (query, latestAfter, range) => {
    const seen: unknown[] = [];
    const { telemetry } = t.platform;
    const { remove } = telemetry;
    telemetry.remove = (caller, id, asked) => {
      seen.push(asked);
      return remove(caller, id, asked);
    };
    await t.call('DELETE', url(`timeseries/delete?keys=a,b&deleteAllDataForKeys=true${query}`));
    expect(seen).toEqual([{ keys: ['a', 'b'], range, latestAfter }]);
  });

  it.each([
    ['', 'Empty keys: []'],
    ['keys=', 'Empty keys: []'],
    ['keys=a', 'When deleteAllDataForKeys is false, startTs and endTs must both be given'],
    ['keys=a&startTs=1', 'When deleteAllDataForKeys is false, startTs and endTs must both be given'],
    ['keys=a&startTs=x&endTs=2', "'startTs' in the query must be a whole number"],
  ])('are not deleted for ?%s', async (query, message) => {
    const answer = await t.call('DELETE', url(`timeseries/delete?${query}`));
    expect([answer.statusCode, answer.body]).toEqual([400, message]);
  });

  it('TBS-66 are named once each', async () => {
    await post('[{"a":1},{"a":2,"b":1}]');
    expect((await t.call('GET', url('keys/timeseries'))).json()).toEqual(['a', 'b']);
  });
});

describe('attributes', () => {
  const forms = ['SERVER_SCOPE', 'attributes/SERVER_SCOPE'];
  const values = async (path = 'values/attributes/SERVER_SCOPE') => (await t.call('GET', url(path))).json();

  it('TBS-63 are stored alike by all three paths', async () => {
    const short = `/api/plugins/telemetry/${device}/SERVER_SCOPE`;
    for (const path of [...forms.map(url), short]) {
      const answer = await t.call('POST', path, '{"fw":"1.2.3","n":5}');
      expect([answer.statusCode, answer.body]).toEqual([200, '']);
      expect(await values()).toEqual([
        { lastUpdateTs: t.state.now, key: 'fw', value: '1.2.3' },
        { lastUpdateTs: t.state.now, key: 'n', value: 5 },
      ]);
      await t.call('DELETE', `${short}?keys=fw,n`);
      expect(await values()).toEqual([]);
    }
  });

  it('TBS-61 of the client are refused', async () => {
    for (const path of [url('CLIENT_SCOPE'), url('attributes/CLIENT_SCOPE')]) {
      const answer = await t.call('POST', path, '{"a":1}');
      expect([answer.statusCode, answer.body]).toEqual([400, 'Invalid scope: CLIENT_SCOPE']);
    }
    expect((await t.call('POST', url('MOON'), '{"a":1}')).body).toBe('Invalid scope: MOON');
    expect((await t.call('GET', url('values/attributes/MOON'))).body).toBe('Invalid scope: MOON');
    expect((await t.call('DELETE', url('MOON?keys=a'))).body).toBe('Invalid scope: MOON');
  });

  it('TBS-62 are read by keys in their native types', async () => {
    await t.call('POST', url('SHARED_SCOPE'), '{"a":1,"b":true,"c":{"x":1.0},"d":9007199254740993,"e":"x"}');
    const answer = await t.call('GET', url('values/attributes/SHARED_SCOPE?keys=a%2Cd'));
    const ts = t.state.now;
    expect(answer.body).toBe(
      `[{"lastUpdateTs":${ts},"key":"a","value":1},{"lastUpdateTs":${ts},"key":"d","value":9007199254740993}]`,
    );
    expect((await t.call('GET', url('values/attributes?keys=c'))).body).toContain('"value":{"x":1.0}');
    expect(await values('values/attributes?keys=nope')).toEqual([]);
  });

  it('of all scopes are merged', async () => {
    await t.call('POST', url('SHARED_SCOPE'), '{"a":1}');
    await t.call('POST', url('SERVER_SCOPE'), '{"a":2,"b":3}');
    expect(await values('values/attributes')).toHaveLength(3);
    expect(await values('keys/attributes')).toEqual(['a', 'b']);
    expect(await values('keys/attributes/SHARED_SCOPE')).toEqual(['a']);
  });

  it.each([
    ['', 'Invalid JSON'],
    ['{', 'Invalid JSON'],
    ['[]', 'Request is not a JSON object'],
    ['5', 'Request is not a JSON object'],
    ['{}', 'No attributes data found in request body!'],
    ['{" ":1}', 'Key cannot be blank'],
    ['{"a":null}', 'A value is null.'],
    [`{"${'k'.repeat(256)}":1}`, 'A key is blank or longer than 255 characters.'],
  ])('are refused for the body %.40s', async (body, message) => {
    const answer = await t.call('POST', url('SERVER_SCOPE'), body);
    expect([answer.statusCode, answer.body]).toEqual([400, message]);
    expect(answer.headers['content-type']).toBe(BARE);
  });

  it('TBS-64 unknown are deleted with 200, none with 400', async () => {
    expect((await t.call('DELETE', url('SERVER_SCOPE?keys=nope'))).statusCode).toBe(200);
    const answer = await t.call('DELETE', url('SERVER_SCOPE'));
    expect([answer.statusCode, answer.body]).toEqual([400, 'Empty keys: []']);
  });
});

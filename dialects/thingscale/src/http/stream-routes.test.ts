import { beforeEach, describe, expect, it } from 'vitest';
import { NOW, RestBench } from './testing/rest-bench.ts';

let bench: RestBench;
beforeEach(async () => {
  bench = new RestBench();
  await bench.account.createChannel(0, null, 'dev01');
});

const LAST = { 'X-ENDTIME': 'last' };
const MINUTE_MS = 60_000;

/** Points a minute apart, the newest at 10:00:03 in Tokyo. */
function addTemperatures(...temperatures: readonly number[]): void {
  for (const [index, temp] of temperatures.entries()) {
    bench.account.addPoint(0, NOW - (temperatures.length - 1 - index) * MINUTE_MS, { temp });
  }
}

async function temperatures(headers: Record<string, string>): Promise<number[]> {
  const { body } = await bench.get('stream/0', headers);
  return body.stream.map(({ value }: { value: { temp: number } }) => value.temp);
}

describe('the newest points', () => {
  it('TS-40 are one, as it was sent', async () => {
    bench.account.addPoint(0, NOW - 1, { value1: 1 });
    bench.account.addPoint(0, NOW, '{"z":1.0,"10":"82a4","a":[1]}');
    const answer = await bench.get('stream/0', LAST);
    expect([answer.status, answer.contentType, answer.text]).toEqual([
      200,
      'application/json',
      '{"channel":0,"channel_name":"dev01","last_update":"2026-01-05T10:00:03+0900","stream":[{"_id":' +
        '"000000000000000000000002","tag":null,"value":{"z":1.0,"10":"82a4","a":[1]},"at":"2026-01-05T10:00:03+0900"}]}',
    ]);
  });

  it('TS-40 are three with X-PAGELIMIT: 3, in the order of X-PAGESORT, whatever X-STARTTIME says', async () => {
    addTemperatures(1, 2, 3, 4, 5);
    const three = { ...LAST, 'X-PAGELIMIT': '3', 'X-STARTTIME': 'nonsense' };
    expect(await temperatures(three)).toEqual([3, 4, 5]);
    expect(await temperatures({ ...three, 'X-PAGESORT': 'asc' })).toEqual([3, 4, 5]);
    expect(await temperatures({ ...three, 'X-PAGESORT': 'DESC' })).toEqual([5, 4, 3]);
    expect(await temperatures({ ...LAST, 'X-PAGELIMIT': '0' })).toEqual([5]);
    await bench.get('stream/0', { ...LAST, 'X-PAGELIMIT': '5000' });
    expect(bench.account.largestPage).toBe(1000);
    expect((await bench.get('stream/0', { ...LAST, 'X-PAGELIMIT': 'x' })).status).toBe(400);
  });

  it('TS-13 are those of a tag where it is given', async () => {
    bench.account.addPoint(0, NOW - 1, { temp: 1 }, 'node1');
    bench.account.addPoint(0, NOW, { temp: 2 });
    expect(await temperatures({ ...LAST, 'X-TAGNAME': 'node1' })).toEqual([1]);
    expect((await bench.get('stream/0', { ...LAST, 'X-TAGNAME': 'node1' })).body.stream[0].tag).toBe('node1');
    expect(await temperatures({ ...LAST, 'X-TAGNAME': 'other' })).toEqual([]);
    expect((await bench.get('stream/0', { ...LAST, 'X-TAGNAME': 'a/b' })).status).toBe(400);
  });

  it('are none where there is none', async () => {
    expect((await bench.get('stream/0', LAST)).text).toBe(
      '{"channel":0,"channel_name":"dev01","last_update":null,"stream":[]}',
    );
    for (const id of ['1', 'x']) expect((await bench.get(`stream/${id}`, LAST)).text).toBe('{"error":"NO_CHANNEL"}');
  });
});

describe('a range', () => {
  it('TS-41 in local time selects the right points; at ends in +0900', async () => {
    addTemperatures(1, 2, 3, 4, 5);
    const range = (start: string, end: string) => temperatures({ 'X-STARTTIME': start, 'X-ENDTIME': end });
    expect(await range('2026-01-05 09:57', '2026-01-05 09:59')).toEqual([2, 3]);
    expect(await range('2026-01-05 09:57:03', '2026-01-05 09:59:03')).toEqual([2, 3, 4]);
    expect(await range('2026-01-05T00:57:04Z', '2026-01-05T00:59:02Z')).toEqual([3]);
    expect(await range('2026-01-05', '2026-01-06')).toEqual([1, 2, 3, 4, 5]);
    expect(await range('2026-01-06', '2026-01-05')).toEqual([]);
    const { body } = await bench.get('stream/0', { 'X-ENDTIME': '2026-01-05 09:57', 'X-PAGESORT': 'desc' });
    expect(body.stream).toMatchObject([{ value: { temp: 1 }, at: '2026-01-05T09:56:03+0900' }]);
  });

  it('TS-41 begins a day before its end unless it says when', async () => {
    bench.account.addPoint(0, NOW - 86_400_001, { temp: 1 });
    bench.account.addPoint(0, NOW - 86_399_000, { temp: 2 });
    expect(await temperatures({ 'X-ENDTIME': '2026-01-05 10:00:03' })).toEqual([2]);
  });

  it('TS-43 without X-ENDTIME, or with a time that is none, gives 400', async () => {
    for (const headers of [
      {},
      { 'X-STARTTIME': '2026-01-05' },
      { 'X-ENDTIME': 'now' },
      { 'X-ENDTIME': '2026-02-30' },
      { 'X-ENDTIME': '2026-01-05', 'X-STARTTIME': 'last' },
    ]) {
      const answer = await bench.get('stream/0', headers);
      expect([answer.status, answer.text]).toEqual([400, '{"error":"BAD_TIME_FORMAT"}']);
    }
  });

  it('has 10,000 points at most, also where many have the same time', async () => {
    const points = Array.from({ length: 10_000 }, (_, index) => ({
      id: `a${index.toString(16).padStart(23, '0')}`,
      tag: null,
      deviceId: null,
      value: '{"temp":1}',
      at: NOW - (index < 8_000 ? 0 : 1),
    }));
    bench.account.streams.set(0, points.toReversed());
    const range = { 'X-ENDTIME': '2026-01-05 10:00:03' };
    const { body } = await bench.get('stream/0', range);
    expect(new Set(body.stream.map(({ _id }: { _id: string }) => _id)).size).toBe(10_000);
    const sum = await bench.get('stream/0', { ...range, 'X-AGGREGATE': 'sum' });
    expect(sum.body.result).toEqual([{ _id: null, value: { temp: 10_000 } }]);
    bench.account.addPoint(0, NOW, { temp: 1 });
    for (const headers of [range, { ...range, 'X-AGGREGATE': 'sum' }]) {
      const answer = await bench.get('stream/0', headers);
      expect([answer.status, answer.body.error]).toEqual([400, 'RANGE_TOO_LARGE']);
    }
  });

  it('is no longer than an answer may be', async () => {
    const long = JSON.stringify({ text: 'x'.repeat(65_000) });
    for (let index = 0; index < 260; index++) bench.account.addPoint(0, NOW - index, long);
    for (const headers of [{ 'X-ENDTIME': '2026-01-05 10:00:03' }, { ...LAST, 'X-PAGELIMIT': '1000' }]) {
      expect((await bench.get('stream/0', headers)).text).toBe('{"error":"RANGE_TOO_LARGE"}');
    }
  });
});

describe('aggregation', () => {
  it.each([
    ['avg', { temp: 21.5, humid: 50, n: 4 }],
    ['sum', { temp: 64.5, humid: 100, n: 4 }],
    ['min', { temp: 20, humid: 40, n: 4 }],
    ['MAX', { temp: 23, humid: 60, n: 4 }],
  ])('TS-42 %s over numeric members, others left out', async (aggregation, value) => {
    bench.account.addPoint(0, NOW - 3, { temp: 20, humid: 40, name: 'a' });
    bench.account.addPoint(0, NOW - 2, { temp: 21.5, humid: '50', more: { temp: 1 } });
    bench.account.addPoint(0, NOW - 1, { temp: 23, humid: 60, on: true, n: 4, none: null });
    bench.account.addPoint(0, NOW - 1e9, { temp: 1000 });
    const headers = { 'X-ENDTIME': '2026-01-05 10:00:03', 'X-AGGREGATE': aggregation, 'X-PAGELIMIT': '1' };
    const { status, body } = await bench.get('stream/0', headers);
    expect([status, body]).toEqual([
      200,
      {
        channel: 0,
        channel_name: 'dev01',
        last_update: '2026-01-05T10:00:02+0900',
        aggr_type: aggregation.toLowerCase(),
        result: [{ _id: null, value }],
      },
    ]);
  });

  it('TS-42 up to last is up to now, from X-STARTTIME on', async () => {
    addTemperatures(1, 2, 3);
    const sum = async (headers: object) =>
      (await bench.get('stream/0', { ...LAST, 'X-AGGREGATE': 'sum', ...headers })).body.result;
    expect(await sum({})).toEqual([{ _id: null, value: { temp: 6 } }]);
    expect(await sum({ 'X-STARTTIME': '2026-01-05 09:59' })).toEqual([{ _id: null, value: { temp: 5 } }]);
    expect(await sum({ 'X-TAGNAME': 'none' })).toEqual([]);
  });

  it('that there is not gives 400', async () => {
    expect((await bench.get('stream/0', { ...LAST, 'X-AGGREGATE': 'median' })).status).toBe(400);
  });
});

describe('writing', () => {
  const write = (body: object | string, headers = {}) => bench.call('POST', 'stream/0', body, headers);
  const written = () => bench.account.streams.get(0)?.map(({ value, at, tag }) => ({ value, at, tag })) ?? [];

  it('takes one point or a list, with their times and tags', async () => {
    const answer = await write([
      { value: { temp: 1 }, at: '2026-01-05 09:00' },
      { value: 2, at: '2026-01-05T09:01:00.5+0900', tag: 'node1' },
      { value: [3], tag: null },
      { temp: 4, at: 'not a time', tag: '/' },
    ]);
    expect([answer.status, answer.text]).toEqual([201, '{"result":"OK","count":4}']);
    const now = bench.time.now();
    expect(written()).toEqual([
      { value: '{"temp":1}', at: Date.UTC(2026, 0, 5), tag: null },
      { value: '{"value1":2}', at: Date.UTC(2026, 0, 5, 0, 1, 0, 500), tag: 'node1' },
      { value: '{"value1":[3]}', at: now, tag: null },
      { value: '{"temp":4,"at":"not a time","tag":"/"}', at: now, tag: null },
    ]);
    expect((await write('{ "z": 1.0, "a": 2 }', { 'X-TAGNAME': 'node2' })).text).toBe('{"result":"OK","count":1}');
    expect(written().at(-1)).toMatchObject({ value: '{"z":1.0,"a":2}', tag: 'node2' });
  });

  it.each([
    ['', 'BAD_JSON_FORMAT'],
    ['x', 'BAD_JSON_FORMAT'],
    ['7', 'BAD_JSON_FORMAT'],
    ['[]', 'BAD_JSON_FORMAT'],
    ['[{"a":1},7]', 'BAD_JSON_FORMAT'],
    ['{"value":null}', 'BAD_JSON_FORMAT'],
    ['{"value":1,"tag":"a/b"}', 'BAD_JSON_FORMAT'],
    ['{"value":1,"tag":7}', 'BAD_JSON_FORMAT'],
    [`{"value":"${'x'.repeat(65_536)}"}`, 'BAD_JSON_FORMAT'],
    [`{"value":${'['.repeat(17)}1${']'.repeat(17)}}`, 'BAD_JSON_FORMAT'],
    [JSON.stringify(Array(1001).fill({ value: 1 })), 'BAD_JSON_FORMAT'],
    ['{"value":1,"at":"yesterday"}', 'BAD_TIME_FORMAT'],
    ['{"value":1,"at":"1969-12-31T23:59:59Z"}', 'BAD_TIME_FORMAT'],
    ['{"value":1,"at":1479463622}', 'BAD_TIME_FORMAT'],
  ])('takes nothing of %.60s', async (body, code) => {
    const answer = await write(body);
    expect([answer.status, answer.text]).toEqual([400, `{"error":"${code}"}`]);
    expect(written()).toEqual([]);
  });

  it('takes 1,000 points, and none for a channel that there is not', async () => {
    expect((await write(Array(1000).fill({ value: 1 }))).text).toBe('{"result":"OK","count":1000}');
    expect((await bench.call('POST', 'stream/1', '{"a":1}')).text).toBe('{"error":"NO_CHANNEL"}');
    expect((await write('{"a":1}', { 'X-TAGNAME': 'a/b' })).text).toBe('{"error":"BAD_JSON_FORMAT"}');
  });
});

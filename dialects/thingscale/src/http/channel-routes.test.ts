import { beforeEach, describe, expect, it } from 'vitest';
import { NOW, RestBench } from './testing/rest-bench.ts';

let bench: RestBench;
beforeEach(() => {
  bench = new RestBench();
});

const NO_CHANNEL = '{"error":"NO_CHANNEL"}';
const tagged = (name: string) => ({ 'X-TAGNAME': name });

describe('channels', () => {
  it('TS-39 are made, shown, renamed and deleted', async () => {
    expect((await bench.get('channel')).text).toBe('[]');
    const made = await bench.call('POST', 'channel/3');
    expect([made.status, made.body]).toEqual([
      201,
      [{ channel: 3, tag: null, channel_name: 'channel 3', last_update: null }],
    ]);
    const again = await bench.call('POST', 'channel/3');
    expect([again.status, again.text]).toEqual([403, '{"error":"CHANNEL_INUSE"}']);
    bench.account.addPoint(3, NOW, { a: 1 });
    const renamed = await bench.call('PUT', 'channel/3/', { channel_name: 'roof' });
    const row = { channel: 3, tag: null, channel_name: 'roof', last_update: '2026-01-05T10:00:03+0900' };
    expect([renamed.status, renamed.body]).toEqual([200, [row]]);
    expect([(await bench.get('channel/')).body, (await bench.get('channel/3')).body]).toEqual([[row], [row]]);
    const deleted = await bench.call('DELETE', 'channel/3');
    expect([deleted.status, deleted.body]).toEqual([200, [row]]);
    expect((await bench.get('channel/3')).status).toBe(404);
    expect(bench.account.streams.get(3)).toEqual([]);
  });

  it('TS-39 that there are not, or cannot be, give 404', async () => {
    for (const number of ['3', '10000', '-1', 'x', '1.5', '00003']) {
      for (const [method, body] of [
        ['GET', ''],
        ['PUT', '{"channel_name":"x"}'],
        ['DELETE', ''],
      ] as const) {
        const answer = await bench.call(method, `channel/${number}`, body);
        expect([answer.status, answer.text], `${method} ${number}`).toEqual([404, NO_CHANNEL]);
      }
      if (number === '3') continue;
      expect((await bench.call('POST', `channel/${number}`)).text, number).toBe(NO_CHANNEL);
    }
    expect((await bench.call('POST', 'channel/9999')).status).toBe(201);
    expect((await bench.call('POST', 'channel/0')).status).toBe(201);
  });

  it('TS-39 list their tags with X-WITHTAG: true', async () => {
    const made = await bench.call('POST', 'channel/3', '', tagged('node1'));
    expect([made.status, made.body[0].tag]).toEqual([201, 'node1']);
    expect((await bench.call('POST', 'channel/3', '', tagged('node1'))).text).toBe('{"error":"CHANNEL_INUSE"}');
    bench.account.addPoint(3, NOW - 60_000, { a: 1 }, 'node2');
    bench.account.addPoint(3, NOW, { a: 2 });
    const rows = (await bench.get('channel/3', { 'X-WITHTAG': 'true' })).body;
    expect(rows).toEqual([
      { channel: 3, tag: null, channel_name: 'channel 3', last_update: '2026-01-05T10:00:03+0900' },
      { channel: 3, tag: 'node1', channel_name: 'channel 3', last_update: null },
      { channel: 3, tag: 'node2', channel_name: 'channel 3', last_update: '2026-01-05T09:59:03+0900' },
    ]);
    expect((await bench.get('channel', { 'X-WITHTAG': 'TRUE' })).body).toEqual(rows);
    expect((await bench.get('channel/3', { 'X-WITHTAG': 'false' })).body).toHaveLength(1);
  });

  it('TS-39 lose one tag when it is named', async () => {
    await bench.call('POST', 'channel/3', '', tagged('node1'));
    bench.account.addPoint(3, NOW, { a: 1 }, 'node1');
    bench.account.addPoint(3, NOW, { a: 2 });
    expect((await bench.call('DELETE', 'channel/3', '', tagged('other'))).text).toBe(NO_CHANNEL);
    expect((await bench.call('DELETE', 'channel/3', '', tagged('node1'))).body[0].tag).toBe('node1');
    expect(bench.account.channel(3)?.tags).toEqual([]);
    expect(bench.account.streams.get(3)?.map(({ value }) => value)).toEqual(['{"a":2}']);
    expect((await bench.call('DELETE', 'channel/3', '', tagged('a/b'))).text).toBe('{"error":"BAD_JSON_FORMAT"}');
    expect((await bench.call('POST', 'channel/3', '', tagged('a/b'))).text).toBe('{"error":"BAD_JSON_FORMAT"}');
  });

  it.each(['', '{}', '{"channel_name":7}', '[]'])('are not renamed by %s', async (body) => {
    await bench.call('POST', 'channel/3');
    expect((await bench.call('PUT', 'channel/3', body)).text).toBe('{"error":"BAD_JSON_FORMAT"}');
  });
});

import type { CredentialLookup } from '@moorage/core';
import type { DeviceHttpRoute } from '@moorage/dialect-api';
import { credentialLookup } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { commandSender } from '../mqtt/commands.ts';
import { account, Bench } from '../testing/bench.ts';
import { thingscaleHttpRoutes } from './routes.ts';
import { RestClient } from './testing/rest-client.ts';

/** The routes on accounts whose stores are in memory. */
class Rest extends RestClient {
  readonly server: Bench;
  readonly credentials: CredentialLookup;
  readonly routes: readonly DeviceHttpRoute[];

  constructor(server: Bench) {
    super();
    this.server = server;
    const known = credentialLookup({}, {}, {}, { applications: { thingscale: server.accountList } });
    this.credentials = {
      ...server.credentials,
      applicationBySecret: (...secret) => known.applicationBySecret?.(...secret),
    };
    const side = {
      now: () => server.now(),
      monotonic: () => server.monotonic(),
      credentials: this.credentials,
      sessions: () => [],
    };
    this.routes = thingscaleHttpRoutes(server.accounts, side, commandSender(server));
  }

  get time() {
    return this.server.time;
  }

  /** A value of a device, a second after what was before. */
  async value(text: string, headers: Record<string, string> = {}): Promise<number> {
    this.time.advance(1000);
    return (await this.post(2, 'dev01', text, headers)).status;
  }

  async values(headers: Record<string, string>): Promise<unknown[]> {
    return (await this.get('stream/0', headers)).body.stream.map(({ value }: { value: unknown }) => value);
  }
}

let rest: Rest;
beforeEach(() => {
  rest = new Rest(new Bench([account({ timezone: 'Asia/Tokyo' })]));
});

const newest = (limit: number) => ({ 'X-ENDTIME': 'last', 'X-PAGELIMIT': String(limit) });

describe('on accounts in a store', () => {
  it('TS-37 a device is made by its first message and obeys what the API says of it', async () => {
    expect([await rest.value('{"temp":25}'), await rest.value('{"temp":26}')]).toEqual([201, 200]);
    const shown = (await rest.get('device/dev01')).body;
    expect(shown).toEqual([
      {
        device_id: 'dev01',
        description: 'dev01',
        enabled: true,
        mapped_ch: 0,
        device_type: '',
        location: '',
        manufacturer: '',
        activate_at: '2026-01-05T10:00:04+0900',
      },
    ]);
    await rest.call('PUT', 'device/dev01', { enabled: false });
    expect(await rest.value('1')).toBe(403);
    await rest.call('PUT', 'device/dev01', { enabled: true, mapped_ch: null });
    expect(await rest.value('1')).toBe(403);
    expect(await rest.values(newest(9))).toEqual([{ temp: 25 }, { temp: 26 }]);
    expect((await rest.call('DELETE', 'device/dev01')).status).toBe(200);
    expect((await rest.get('device/dev01')).status).toBe(404);
    expect(await rest.value('{"temp":27}')).toBe(201);
    expect((await rest.get('device/dev01')).body[0].mapped_ch).toBe(1);
  });

  it('TS-39 channels and their tags live', async () => {
    expect((await rest.call('POST', 'channel/0')).status).toBe(201);
    expect((await rest.call('POST', 'channel/0')).body).toEqual({ error: 'CHANNEL_INUSE' });
    expect((await rest.call('POST', 'channel/0', '', { 'X-TAGNAME': 'a' })).status).toBe(201);
    await rest.call('POST', 'stream/0', [{ value: 1, tag: 'b', at: '2026-01-05 09:00' }, { value: 2 }]);
    await rest.call('PUT', 'channel/0', { channel_name: 'roof' });
    const rows = (await rest.get('channel', { 'X-WITHTAG': 'true' })).body;
    expect(rows.map(({ tag, last_update }: { tag: string; last_update: string }) => [tag, last_update])).toEqual([
      [null, '2026-01-05T10:00:07+0900'],
      ['a', null],
      ['b', '2026-01-05T09:00:00+0900'],
    ]);
    await rest.call('DELETE', 'channel/0', '', { 'X-TAGNAME': 'b' });
    expect(await rest.values(newest(9))).toEqual([{ value1: 2 }]);
    expect((await rest.call('DELETE', 'channel/0')).status).toBe(200);
    expect((await rest.get('channel')).body).toEqual([]);
  });

  it('TS-40 TS-41 TS-42 points are read back: newest, range, aggregate', async () => {
    for (const value of ['{"temp":20,"s":"x"}', '{"temp":21}', '{"temp":22.5}']) await rest.value(value);
    expect(await rest.values(newest(1))).toEqual([{ temp: 22.5 }]);
    expect(await rest.values({ ...newest(2), 'X-PAGESORT': 'desc' })).toEqual([{ temp: 22.5 }, { temp: 21 }]);
    const range = { 'X-STARTTIME': '2026-01-05 10:00:04', 'X-ENDTIME': '2026-01-05 10:00:05' };
    expect(await rest.values(range)).toEqual([{ temp: 20, s: 'x' }, { temp: 21 }]);
    const sum = await rest.get('stream/0', { ...newest(1), 'X-AGGREGATE': 'sum' });
    expect(sum.body.result).toEqual([{ _id: null, value: { temp: 63.5 } }]);
  });

  it('a long range is read whole, also of several series with equal times', async () => {
    await rest.call('POST', 'channel/0');
    for (const tag of ['a', 'b', 'c']) {
      const points = Array.from({ length: 900 }, (_, index) => ({
        value: index,
        tag,
        at: new Date(Date.UTC(2026, 0, 5) + Math.floor(index / 3) * 3).toISOString(),
      }));
      expect((await rest.call('POST', 'stream/0', points)).status).toBe(201);
    }
    const { stream } = (await rest.get('stream/0', { 'X-ENDTIME': '2026-01-05 10:00' })).body;
    expect(new Set(stream.map(({ _id }: { _id: string }) => _id)).size).toBe(2700);
  });

  it('TS-44 TS-45 an event fires once on each change to matched', async () => {
    await rest.value('{"data":[{"value":9}]}');
    const rule = {
      mapped_ch: 0,
      source: 'data:value',
      operator: '<=',
      threshold: '8',
      post_url: 'https://example.com',
    };
    expect((await rest.call('POST', 'event', rule)).body).toEqual({ event_id: 1 });
    for (const value of [9, 7, 6, 9]) await rest.value(`{"data":[{"value":${value}}]}`);
    expect(rest.server.webhooks).toHaveLength(1);
    rest.time.advance(10_000);
    await rest.value('{"data":[{"value":8}]}');
    expect(rest.server.webhooks.map(({ body }) => JSON.parse(Buffer.from(body).toString()).value)).toEqual([7, 8]);
    await rest.call('PUT', 'event/1', { enabled: false });
    expect((await rest.get('event/1')).body[0].enabled).toBe(false);
    expect((await rest.call('DELETE', 'event/1')).status).toBe(200);
  });

  it('TS-35 a command goes to the topic of its device', async () => {
    await rest.value('1');
    expect((await rest.call('POST', 'publish/dev01', '{"payload":"door=open","qos":1}')).status).toBe(200);
    expect((await rest.call('POST', 'publish/dev02', '{"payload":"x"}')).status).toBe(404);
    expect(rest.server.published).toMatchObject([{ text: 'door=open', qos: 1 }]);
    expect(rest.server.published[0]?.topicName).toMatch(/\/dev01\/subscribe$/);
  });

  it('TS-16 bytes are decoded besides where the device says so', async () => {
    await rest.value('1');
    await rest.call('PUT', 'device/dev01', { decodeMsgpack: true });
    const bytes = Uint8Array.of(0x82, 0xa4, ...Buffer.from('temp'), 0x14, 0xa8, ...Buffer.from('humidity'), 0x32);
    await rest.post(2, 'dev01', bytes, { 'Content-Type': 'application/octet-stream' });
    const [value] = await rest.values(newest(1));
    expect(value).toMatchObject({ value1: '82a474656d7014a868756d696469747932', temp: 20, humidity: 50 });
  });
});

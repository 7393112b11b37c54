import { beforeEach, describe, expect, it } from 'vitest';
import { API_TOKEN, DEVICE_TOKEN, NOW, RestBench } from './testing/rest-bench.ts';

let bench: RestBench;
beforeEach(() => {
  bench = new RestBench();
});

const said = ({ status, text }: { status: number; text: string }) => [status, text];
const stored = () => bench.account.readings.map(({ text }) => text);

describe('the HTTP device connector', () => {
  it('TS-48 answers 201 for a new device, whose first message is stored, then 200', async () => {
    const first = await bench.post(2, 'dev03', '{"temp":25}');
    expect(first).toMatchObject({ status: 201, text: 'NEW_DEVICE_FOUND', contentType: 'text/plain' });
    expect(said(await bench.post(2, 'dev03', '{"temp":26}'))).toEqual([200, 'OK']);
    expect(bench.account.streams.get(0)?.map(({ value }) => value)).toEqual(['{"temp":25}', '{"temp":26}']);
    expect(bench.account.readings[0]).toEqual({
      deviceId: 'dev03',
      tag: null,
      value: new Map([['temp', 25]]),
      text: '{"temp":25}',
      receivedAt: NOW,
    });
  });

  it('TS-48 answers 401 without a token, with a wrong one and with that of a disabled account', async () => {
    for (const token of ['', ' ', 'wrong', 'x'.repeat(2000), 'A'.repeat(32)]) {
      const answer = await bench.post(2, 'dev03', '{}', { 'X-DEVICETOKEN': token });
      expect(said(answer), token).toEqual([401, 'AUTH_REQUIRED']);
    }
    expect(stored()).toEqual([]);
    expect(bench.refusals).toHaveLength(2);
  });

  it('TS-36 answers 401 to an API token, which is not written down', async () => {
    expect(said(await bench.post(2, 'dev03', '{}', { 'X-DEVICETOKEN': API_TOKEN }))).toEqual([401, 'AUTH_REQUIRED']);
    expect(bench.refusals).toHaveLength(1);
    expect(bench.refusals.join()).not.toContain(API_TOKEN.slice(0, 4));
  });

  it('TS-48 answers 400 where the device ID is 0, missing or none', async () => {
    for (const id of ['0', '', 'a/b', 'json', 'x'.repeat(129)]) {
      expect(said(await bench.post(2, id, '{}')), id).toEqual([400, 'DEVICE_ID_ZERO']);
    }
    expect(stored()).toEqual([]);
  });

  it('TS-48 answers 403 for a device that is not mapped, without autoMap, or disabled', async () => {
    bench.account.settings = { ...bench.account.settings, autoMap: false };
    expect(said(await bench.post(2, 'dev03', '{}'))).toEqual([201, 'NEW_DEVICE_FOUND']);
    expect(said(await bench.post(2, 'dev03', '{}'))).toEqual([403, 'NO_MAPPED_CH']);
    await bench.account.updateDevice('dev03', { enabled: false });
    expect(said(await bench.post(2, 'dev03', '{}'))).toEqual([403, 'DEVICE_DISABLED']);
    bench.account.settings = { ...bench.account.settings, maxDevices: 1 };
    expect(said(await bench.post(2, 'dev04', '{}'))).toEqual([403, 'MAX_DEVICE_REACH']);
  });

  it('TS-49 post_v1 takes pairs, post_v2 JSON with either content type', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    await bench.post(1, 'dev01', 'v=1&v2=2', form);
    await bench.post(2, 'dev01', '{"temp":25}', form);
    await bench.post(2, 'dev01', '{"temp":26}', { 'Content-Type': 'application/json' });
    await bench.post(1, 'dev01', 'a=50%&v=x', {});
    expect(stored()).toEqual(['{"value1":1,"value2":2}', '{"temp":25}', '{"temp":26}', '{"a":"50%","value1":"x"}']);
  });

  it('post_v2 takes bytes as application/octet-stream', async () => {
    await bench.post(2, 'dev01', '{}', { 'Content-Type': 'Application/Octet-Stream; x=y' });
    await bench.post(2, 'dev01', Uint8Array.of(0xff, 0x00));
    await bench.post(1, 'dev01', '{}', { 'Content-Type': 'application/octet-stream' });
    expect(stored()).toEqual(['{"value1":"7b7d"}', '{"value1":"ff00"}', '{}']);
    expect(bench.account.readings.map(({ bytes }) => bytes?.length)).toEqual([2, 2, undefined]);
  });

  it('TS-13 takes a tag, in 2.x only, as UTF-8', async () => {
    const latin = (text: string) => Buffer.from(text).toString('latin1');
    await bench.post(2, latin('温度計'), '1', { 'X-TAGNAME': latin('部屋') });
    await bench.post(2, latin('温度計'), '1', { 'X-TAGNAME': '' });
    await bench.post(1, 'dev01', 'v=1', { 'X-TAGNAME': 'node1' });
    expect(bench.account.readings.map(({ deviceId, tag }) => [deviceId, tag])).toEqual([
      ['温度計', '部屋'],
      ['温度計', null],
      ['dev01', null],
    ]);
    expect(said(await bench.post(2, 'dev01', '1', { 'X-TAGNAME': 'a/b' }))).toEqual([400, 'TOPIC_NOT_DATA']);
  });

  it('TS-50 refuses at least one of 7 messages of a device within a second, and none of another one', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 7; count++) {
      statuses.push((await bench.post(2, 'dev03', '1')).status);
      bench.time.advance(100);
    }
    expect(statuses).toEqual([201, 200, 200, 200, 200, 429, 429]);
    expect((await bench.post(2, 'dev04', '1')).status).toBe(201);
    bench.time.advance(1000);
    const later = [await bench.post(2, 'dev03', '1'), await bench.post(2, 'dev03', '1')];
    expect(later.map(said)).toEqual([
      [200, 'OK'],
      [429, 'TOO_MANY_REQUESTS'],
    ]);
    expect(bench.account.readings.filter(({ deviceId }) => deviceId === 'dev03')).toHaveLength(6);
  });

  it('answers for what it cannot read or store', async () => {
    expect(said(await bench.post(2, 'dev01', 'null'))).toEqual([400, 'EMPTY_PAYLOAD']);
    expect(said(await bench.post(2, 'dev01', '['.repeat(99)))).toEqual([400, 'PAYLOAD_TOO_DEEP']);
    bench.account.store = 'full';
    expect((await bench.post(2, 'dev01', '1')).status).toBe(503);
    bench.account.store = 'failed';
    expect((await bench.post(2, 'dev01', '1')).status).toBe(500);
    for (const route of bench.routes.filter(({ path }) => path.startsWith('/post_v'))) {
      expect([route.bodyLimit, route.tooLarge(route.bodyLimit).status]).toEqual([65_536, 413]);
    }
  });

  it('is found with and without a final slash, and takes a token in lower case', async () => {
    for (const path of ['/post_v1', '/post_v1/', '/post_v2', '/post_v2/']) {
      const headers = { 'x-devicetoken': DEVICE_TOKEN.toLowerCase(), 'x-DeviceId': path.length.toString() };
      expect((await bench.send('POST', path, headers, 'v=1')).status, path).toBeLessThan(202);
    }
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { API_TOKEN, DEVICE_TOKEN, RestBench } from './testing/rest-bench.ts';

let bench: RestBench;
beforeEach(() => {
  bench = new RestBench();
});

const DEV01 = {
  device_id: 'dev01',
  description: 'dev01',
  enabled: true,
  mapped_ch: 0,
  device_type: '',
  location: '',
  manufacturer: '',
  activate_at: '2026-01-05T10:00:04+0900',
};

describe('the token', () => {
  it('TS-36 missing, wrong, of a disabled account or the device token: 401 on every path of the API', async () => {
    const paths = bench.routes.filter(({ path }) => /^\/v[12]\//.test(path));
    expect(paths).toHaveLength(2 * 24);
    const guesses = [undefined, 'wrong', DEVICE_TOKEN, 'B'.repeat(32)];
    for (const { method, path } of paths) {
      for (const token of guesses) {
        const headers: Record<string, string> = token === undefined ? {} : { 'X-APITOKEN': token };
        const answer = await bench.send(method, path.replace(':id', '1'), headers, '{}');
        expect([answer.status, answer.text], `${method} ${path} ${token}`).toEqual([401, '{"error":"AUTH_REQUIRED"}']);
        expect(answer.contentType).toBe('application/json');
      }
    }
    expect(bench.account.devices()).toEqual([]);
    // The missing one is no guess, and that of the disabled account is right.
    expect(bench.refusals).toHaveLength(2 * paths.length);
  });

  it('is taken in any case, and with the header in any case', async () => {
    expect((await bench.send('GET', '/v2/device/', { 'x-ApiToken': API_TOKEN.toLowerCase() })).text).toBe('[]');
  });

  it('TS-50 allows 20 calls a second: of 25 at least one gives 429', async () => {
    const answers = [];
    for (let count = 0; count < 25; count++) {
      answers.push(await bench.send('GET', '/v2/device', { 'X-APITOKEN': API_TOKEN }));
      bench.time.advance(39);
    }
    expect(answers.map(({ status }) => status)).toEqual([...Array(20).fill(200), ...Array(5).fill(429)]);
    expect(answers[24]?.text).toBe('{"error":"TOO_MANY_REQUESTS"}');
    bench.time.advance(100);
    expect((await bench.send('GET', '/v2/device', { 'X-APITOKEN': API_TOKEN })).status).toBe(200);
  });
});

describe('devices', () => {
  it('TS-37 are made, shown, changed and deleted', async () => {
    expect(await bench.get('device')).toMatchObject({ status: 200, text: '[]' });
    expect(await bench.call('POST', 'device/dev01')).toMatchObject({ status: 201 });
    expect(await bench.call('POST', 'device/dev01')).toMatchObject({ status: 403, text: '{"error":"DEVICE_INUSE"}' });
    const shown = await bench.get('device/dev01');
    expect([shown.status, shown.body]).toEqual([200, [{ ...DEV01, activate_at: expect.any(String) }]]);
    expect(Object.keys(shown.body[0])).toEqual(Object.keys(DEV01));
    expect((await bench.get('device/')).body).toHaveLength(1);
    const changed = await bench.call('PUT', 'device/dev01', { enabled: false, location: 'roof', more: 1 });
    expect([changed.status, changed.body]).toEqual([
      200,
      [{ ...DEV01, activate_at: expect.any(String), enabled: false, location: 'roof' }],
    ]);
    const stored = await bench.post(2, 'dev01', '{"a":1}');
    expect([stored.status, stored.text, bench.account.streams.size]).toEqual([403, 'DEVICE_DISABLED', 0]);
    expect(await bench.call('DELETE', 'device/dev01/')).toMatchObject({ status: 200, body: [{ device_id: 'dev01' }] });
    for (const [method, body] of [
      ['GET', ''],
      ['PUT', '{}'],
      ['DELETE', ''],
    ] as const) {
      const answer = await bench.call(method, 'device/dev01', body);
      expect([answer.status, answer.text], method).toEqual([404, '{"error":"NO_DEVICE"}']);
    }
  });

  it('are shown in the zone of the account', async () => {
    const made = await bench.call('POST', 'device/dev01');
    expect(made.body).toEqual([DEV01]);
  });

  it('TS-38 are as many as the account may have', async () => {
    bench.account.settings = { ...bench.account.settings, maxDevices: 1 };
    await bench.call('POST', 'device/dev01');
    const second = await bench.call('POST', 'device/dev02');
    expect([second.status, second.text]).toEqual([403, '{"error":"MAX_DEVICE_REACH"}']);
  });

  it('show their state', async () => {
    await bench.call('POST', 'device/dev01');
    bench.account.setState('dev01', { health: 'OK' });
    expect((await bench.get('device/dev01')).body[0].state).toEqual({ health: 'OK' });
  });

  it('TS-16 have the option to decode MessagePack', async () => {
    await bench.call('POST', 'device/dev01');
    const changed = await bench.call('PUT', 'device/dev01', { decodeMsgpack: true });
    expect([changed.body[0].decodeMsgpack, bench.account.device('dev01')?.decodeMsgpack]).toEqual([true, true]);
  });

  it('are mapped to a channel that there is, or to none', async () => {
    await bench.call('POST', 'device/dev01');
    expect((await bench.call('PUT', 'device/dev01', { mapped_ch: 7 })).text).toBe('{"error":"NO_CHANNEL"}');
    expect((await bench.call('PUT', 'device/dev01', { mapped_ch: null })).body[0].mapped_ch).toBeNull();
    expect((await bench.call('PUT', 'device/dev01', { mapped_ch: 0 })).body[0].mapped_ch).toBe(0);
  });

  it('have IDs that stand in the path as they may stand in a topic', async () => {
    const made = await bench.call('POST', 'device/%E6%B8%A9%20x');
    expect(made.body[0].device_id).toBe('温 x');
    for (const id of ['0', 'json', 'a%2Fb', '%2B', 'x'.repeat(129)]) {
      expect((await bench.call('POST', `device/${id}`)).text, id).toBe('{"error":"BAD_JSON_FORMAT"}');
    }
  });

  it.each([
    '',
    'x',
    '[]',
    '"x"',
    '{"enabled":1}',
    '{"description":7}',
    '{"mapped_ch":"0"}',
    '{"mapped_ch":-1}',
    '{"mapped_ch":0.5}',
    `{"location":"${'x'.repeat(1025)}"}`,
    `{"a":${'['.repeat(99)}`,
  ])('are not changed by %s', async (body) => {
    await bench.call('POST', 'device/dev01');
    const answer = await bench.call('PUT', 'device/dev01', body);
    expect([answer.status, answer.text]).toEqual([400, '{"error":"BAD_JSON_FORMAT"}']);
  });

  it.each([
    ['full', 503, 'STORAGE_FULL'],
    ['failed', 500, 'STORAGE_FAILED'],
  ] as const)('are not said to be changed when the store is %s', async (store, status, code) => {
    await bench.call('POST', 'device/dev01');
    bench.account.store = store;
    for (const [method, path] of [
      ['POST', 'device/dev02'],
      ['PUT', 'device/dev01'],
      ['DELETE', 'device/dev01'],
      ['POST', 'channel/5'],
      ['DELETE', 'channel/0'],
      ['PUT', 'user'],
      ['POST', 'stream/0'],
    ] as const) {
      const answer = await bench.call(method, path, '{}');
      expect([answer.status, answer.text], `${method} ${path}`).toEqual([status, `{"error":"${code}"}`]);
    }
  });

  it('take bodies of 64 KiB, in bulk 1 MiB', () => {
    const limits = new Set(bench.routes.map(({ method, path, bodyLimit }) => `${method} ${path} ${bodyLimit}`));
    expect(limits).toContain('PUT /v2/device/:id 65536');
    expect(limits).toContain('POST /v2/stream/:id 1048576');
    const { route } = bench.find('PUT', '/v2/device/x');
    expect(route.tooLarge(65_536)).toMatchObject({ status: 413, body: '{"error":"BODY_TOO_LARGE"}' });
  });
});

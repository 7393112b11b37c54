import { ValueKind } from '@moorage/core';
import type { DeviceHttpAnswer, DeviceRequest } from '@moorage/dialect-api';
import { FakeTime } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEVICE, FakeDesk, fakePackage, TOKEN } from './device-api/testing/fake-desk.ts';
import { createHttpRoutes } from './http-routes.ts';

const routes = createHttpRoutes();
let time: FakeTime;
let desk: FakeDesk;
/** What a client that goes away sets off. */
let goAway: () => void;

beforeEach(() => {
  time = new FakeTime();
  desk = new FakeDesk(time);
});

function call(method: string, url: string, body: string | Uint8Array = ''): Promise<DeviceHttpAnswer> {
  const [path = '', query = ''] = url.split('?');
  const levels = path.split('/');
  const candidates = routes.filter((one) => {
    const pattern = one.path.split('/');
    const isMatch = pattern.every((level, index) => level.startsWith(':') || level === levels[index]);
    return one.method === method && pattern.length === levels.length && isMatch;
  });
  const route = candidates.find((one) => one.path === path) ?? candidates[0];
  if (route === undefined) throw new TypeError(`no route for ${url}`);
  const names = route.path.split('/').map((level, index): [string, string] => [level.slice(1), levels[index] ?? '']);
  const tasks: (() => void)[] = [];
  goAway = () => {
    for (const task of tasks) task();
  };
  const request: DeviceRequest = {
    parameters: Object.fromEntries(names.filter((_, index) => route.path.split('/')[index]?.startsWith(':'))),
    query: [...new URLSearchParams(query)],
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    remoteAddress: '192.0.2.1',
    onGone: (task) => void tasks.push(task),
  };
  return route.handle(request, desk);
}

const device = (method: string, path: string, body?: string | Uint8Array) =>
  call(method, `/api/v1/${TOKEN}/${path}`, body);
const attribute = (scope: 'CLIENT' | 'SHARED', key: string, value: number) => ({
  scope,
  key,
  kind: ValueKind.Long,
  value,
  lastUpdateTs: 1,
});
const EMPTY = { contentType: null, body: null };
const INVALID_UTF8 = new Uint8Array([0x7b, 0xff, 0x7d]);

describe('the token in the path', () => {
  const requests: readonly (readonly [string, string])[] = [
    ['POST', 'telemetry'],
    ['POST', 'attributes'],
    ['GET', 'attributes'],
    ['GET', 'attributes/updates'],
    ['GET', 'rpc'],
    ['POST', 'rpc/1'],
    ['POST', 'rpc'],
    ['POST', 'claim'],
    ['GET', 'firmware'],
    ['GET', 'software'],
  ];

  it.each(requests)('TB-97 that is unknown is answered with 401 and no body: %s %s', async (method, path) => {
    expect(await call(method, `/api/v1/unknown/${path}`, '{}')).toEqual({ status: 401, ...EMPTY });
    expect(desk.refusals).toEqual([{ address: '192.0.2.1', name: 'unknown' }]);
    expect(desk.submitted).toEqual([]);
  });

  it.each(['a plain name', 'a basic name', ''])(
    'is an access token of this dialect and nothing else: %s',
    async (name) => {
      expect((await call('POST', `/api/v1/${name}/telemetry`, '{}')).status).toBe(401);
      expect(desk.refusals).toHaveLength(1);
    },
  );

  it('is enough whatever transport the profile is bound to', async () => {
    const settings = { ...DEVICE.settings, transportType: 'COAP' };
    desk.addDevice('bound', { ...DEVICE, settings });
    expect((await call('POST', '/api/v1/bound/telemetry', '{}')).status).toBe(200);
  });
});

describe('what a device posts', () => {
  it('TB-97 is answered with 200 and no body: telemetry, attributes, claim, RPC answer', async () => {
    expect(await device('POST', 'telemetry', '{temperature:25}')).toEqual({ status: 200, ...EMPTY });
    expect(await device('POST', 'attributes', '{"a":1}')).toEqual({ status: 200, ...EMPTY });
    expect(await device('POST', 'claim', '{"secretKey":"s","durationMs":60000}')).toEqual({ status: 200, ...EMPTY });
    expect(await device('POST', 'claim')).toEqual({ status: 200, ...EMPTY });
    expect(await device('POST', 'rpc/7', '{"ok":true}')).toEqual({ status: 200, ...EMPTY });
    const [telemetry, attributes, ...others] = desk.submitted.flat();
    expect(telemetry).toMatchObject({ kind: 'telemetry', points: { keys: ['temperature'], values: [25] } });
    expect(attributes).toMatchObject({ kind: 'attributes', scope: 'CLIENT', values: { keys: ['a'] } });
    expect(others).toEqual([
      { kind: 'claim', secretKey: 's', durationMs: 60_000 },
      { kind: 'claim', secretKey: '', durationMs: null },
      { kind: 'rpcResponse', id: '7', payload: '{"ok":true}' },
    ]);
  });

  it('may be empty telemetry, as the Python SDK tests its connection', async () => {
    expect((await device('POST', 'telemetry', '{}')).status).toBe(200);
    expect(desk.submitted).toEqual([[]]);
  });

  it.each([
    ['telemetry', 'x y'],
    ['telemetry', ''],
    ['telemetry', INVALID_UTF8],
    ['attributes', '[]'],
    ['attributes', '"x"'],
    ['claim', '[1]'],
    ['claim', '{"durationMs":"soon"}'],
    ['rpc', '{"method":"m"}'],
    ['rpc', '{"params":1}'],
    ['rpc', 'x'],
    ['rpc/1x', '{}'],
    ['rpc/1', INVALID_UTF8],
  ])('is answered with 400 where it cannot be read: %s', async (path, body) => {
    expect((await device('POST', path, body)).status).toBe(400);
    expect(desk.submitted).toEqual([]);
    expect(desk.calls).toEqual([]);
  });

  it.each([
    ['full', 507],
    ['failed', 500],
    ['throttled', 429],
  ] as const)('is answered by how the store ended: %s', async (outcome, status) => {
    desk.outcome = outcome;
    expect(await device('POST', 'telemetry', '{"a":1}')).toEqual({ status, ...EMPTY });
    expect((await device('GET', 'attributes')).status).toBe(status);
    expect((await device('GET', 'rpc')).status).toBe(status);
    expect((await device('GET', 'firmware?title=t&version=v')).status).toBe(status);
    expect(desk.listeners.size).toBe(0);
  });

  it('may be longer than a message of MQTT, up to 100,000 values', async () => {
    const values = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index])));
    expect((await device('POST', 'telemetry', values(100_000))).status).toBe(200);
    expect((await device('POST', 'telemetry', values(100_001))).status).toBe(413);
  });

  it('TB-99 is limited to 65,536 bytes on rpc paths and to 52,428,800 elsewhere, with a JSON string', () => {
    const limits = Object.fromEntries(routes.map(({ method, path, bodyLimit }) => [`${method} ${path}`, bodyLimit]));
    expect(limits['POST /api/v1/:token/rpc']).toBe(65_536);
    expect(limits['POST /api/v1/:token/rpc/:id']).toBe(65_536);
    expect(limits['POST /api/v1/:token/telemetry']).toBe(52_428_800);
    const answer = routes[0]?.tooLarge(65_536);
    expect(answer?.status).toBe(413);
    expect(JSON.parse(String(answer?.body))).toContain('65536');
  });
});

describe('GET attributes', () => {
  beforeEach(() => {
    desk.client = [attribute('CLIENT', 'c', 1), attribute('CLIENT', 'd', 2)];
    desk.shared = [attribute('SHARED', 's', 3), attribute('SHARED', 't', 4)];
  });

  it.each([
    ['', '{"client":{"c":1,"d":2},"shared":{"s":3,"t":4}}'],
    ['?clientKeys=&sharedKeys=', '{"client":{"c":1,"d":2},"shared":{"s":3,"t":4}}'],
    ['?client_keys=c', '{"client":{"c":1,"d":2},"shared":{"s":3,"t":4}}'],
    ['?clientKeys=d,x', '{"client":{"d":2}}'],
    ['?sharedKeys=s&sharedKeys=t,', '{"shared":{"s":3,"t":4}}'],
    ['?clientKeys=c&sharedKeys=s', '{"client":{"c":1},"shared":{"s":3}}'],
    ['?clientKeys=nothing', '{}'],
  ])('answers the query "%s"', async (query, body) => {
    expect(await device('GET', `attributes${query}`)).toEqual({ status: 200, contentType: 'application/json', body });
  });

  it('refuses more than 1,000 keys', async () => {
    const keys = Array.from({ length: 1001 }, (_, index) => `k${index}`).join(',');
    expect((await device('GET', `attributes?clientKeys=${keys}`)).status).toBe(400);
  });
});

describe('long polls', () => {
  /** Resolves once somebody listens. */
  const heard = () => new Promise<void>((resolve) => (desk.heard = resolve));
  const rpc = (id: string) => ({ kind: 'rpc', id, method: 'set', params: '{"on":true}' }) as const;
  const values = new Map([['a', { kind: ValueKind.Long, value: 1 }]]);

  it('TB-98 give one RPC with its number, and one only', async () => {
    const listening = heard();
    const answer = device('GET', 'rpc?timeout=5000');
    await listening;
    expect(desk.command({ kind: 'sharedAttributes', values, deleted: null })).toBe(false);
    expect(desk.command(rpc('41'))).toBe(true);
    expect(desk.command(rpc('42'))).toBe(false);
    expect(await answer).toEqual({
      status: 200,
      contentType: 'application/json',
      body: '{"id":41,"method":"set","params":{"on":true}}',
    });
    await Promise.resolve();
    expect(desk.deliveries).toEqual([true]);
    expect(desk.listeners.size).toBe(0);
    expect(time.timers).toBe(0);
  });

  it.each([
    [values, null, '{"a":1}'],
    [null, ['a', 'b'], '{"deleted":["a","b"]}'],
    [values, ['b'], '{"a":1,"deleted":["b"]}'],
  ])('TB-98 give one update of shared attributes', async (written, deleted, body) => {
    const listening = heard();
    const answer = device('GET', 'attributes/updates');
    await listening;
    expect(desk.command({ kind: 'sharedAttributes', values: written, deleted })).toBe(true);
    expect((await answer).body).toBe(body);
  });

  it.each([
    ['', 60_000],
    ['?timeout=0', 60_000],
    ['?timeout=', 60_000],
    ['?timeout=1500', 1500],
  ])('TB-98 end with 408 and no body after the timeout "%s"', async (query, ms) => {
    const listening = heard();
    let answered: DeviceHttpAnswer | undefined;
    const answer = device('GET', `attributes/updates${query}`).then((one) => (answered = one));
    await listening;
    time.advance(ms - 1);
    await Promise.resolve();
    expect(answered).toBeUndefined();
    time.advance(1);
    expect(await answer).toEqual({ status: 408, ...EMPTY });
    expect(desk.listeners.size).toBe(0);
    expect(desk.command(rpc('1'))).toBe(false);
  });

  it.each(['?timeout=-1', '?timeout=soon', '?timeout=1.5', '?timeout=99999999999999999'])(
    'refuse the timeout %s',
    async (query) => {
      expect((await device('GET', `rpc${query}`)).status).toBe(400);
      expect(desk.listeners.size).toBe(0);
    },
  );

  it.each([
    ['deviceDeleted', { status: 403, contentType: 'text/plain; charset=utf-8', body: 'Device was deleted!' }],
    ['credentialsChanged', { status: 401, ...EMPTY }],
    ['stopping', { status: 503, ...EMPTY }],
    ['replaced', { status: 408, ...EMPTY }],
  ] as const)('end with the device, its token, the server: %s', async (why, expected) => {
    const listening = heard();
    const answer = device('GET', 'rpc');
    await listening;
    desk.end(why);
    expect(await answer).toEqual(expected);
    expect(time.timers).toBe(0);
  });

  it('stop listening when the client goes away', async () => {
    const listening = heard();
    const answer = device('GET', 'rpc');
    await listening;
    goAway();
    await answer;
    expect(desk.listeners.size).toBe(0);
    expect(desk.command(rpc('1'))).toBe(false);
    expect(time.timers).toBe(0);
  });

  it('leave an RPC whose identifier is no number to others', async () => {
    const listening = heard();
    const answer = device('GET', 'rpc');
    await listening;
    expect(desk.command(rpc('x'))).toBe(false);
    goAway();
    await answer;
  });

  it('take a command that comes while they begin to listen', async () => {
    desk.heard = () => desk.command(rpc('5'));
    expect((await device('GET', 'rpc')).body).toContain('"id":5');
    expect(desk.listeners.size).toBe(0);
  });
});

describe('RPC from the device', () => {
  it('is answered with what the server says', async () => {
    const answer = await device('POST', 'rpc', '{"method":"getTime","params":{"a":[1, 2]}}');
    expect(answer).toEqual({ status: 200, contentType: 'application/json', body: '{"called":"getTime"}' });
    expect(desk.calls).toEqual([{ method: 'getTime', params: '{"a":[1,2]}' }]);
  });

  it('takes params that are null', async () => {
    expect((await device('POST', 'rpc', '{"method":"getTime","params":null}')).status).toBe(200);
    expect(desk.calls).toEqual([{ method: 'getTime', params: 'null' }]);
  });
});

describe('packages', () => {
  async function bytesOf({ body }: DeviceHttpAnswer): Promise<Uint8Array> {
    if (body === null || typeof body === 'string') throw new TypeError('no bytes');
    if (body instanceof Uint8Array) return body;
    const bytes = await body.read(0, body.length);
    body.close();
    return bytes;
  }

  it.each([
    ['firmware', 'FIRMWARE'],
    ['software', 'SOFTWARE'],
  ] as const)('TB-86 %s: the whole file, and its chunks joined, are the file', async (path, type) => {
    const fake = fakePackage(10_000);
    desk.packages[type] = fake;
    const whole = await device('GET', `${path}?title=blinker&version=1.0`);
    expect(whole.status).toBe(200);
    expect(whole.contentType).toBe('application/x-firmware');
    expect(whole.headers).toEqual({
      'content-disposition': 'attachment;filename=blinker-1.0.bin',
      'x-filename': 'blinker-1.0.bin',
    });
    expect(Buffer.from(await bytesOf(whole)).equals(fake.file)).toBe(true);
    const chunks: Uint8Array[] = [];
    for (let chunk = 0; chunk < 4; chunk++) {
      const answer = await device('GET', `${path}?title=blinker&version=1.0&size=4096&chunk=${chunk}`);
      expect(answer.status).toBe(200);
      chunks.push(await bytesOf(answer));
    }
    expect(chunks.map(({ length }) => length)).toEqual([4096, 4096, 1808, 0]);
    expect(Buffer.concat(chunks).equals(fake.file)).toBe(true);
    expect(fake.closed).toBe(5);
  });

  it('TB-86 are answered with 400 for another title or version, or none, and the file is closed', async () => {
    const fake = fakePackage(10);
    desk.packages.FIRMWARE = fake;
    for (const query of [
      'title=blinker&version=2',
      'title=x&version=1.0',
      'title=blinker',
      '',
      'title=a&version=b&size=x',
    ]) {
      expect((await device('GET', `firmware?${query}`)).status).toBe(400);
    }
    expect(fake.closed).toBe(2);
  });

  it.each(['notFound', 'elsewhere'] as const)(
    'TB-86 are answered with 404 where there is none: %s',
    async (outcome) => {
      desk.packages.SOFTWARE = outcome;
      expect(await device('GET', 'software?title=t&version=v')).toEqual({ status: 404, ...EMPTY });
    },
  );

  it.each([
    ['a b.bin', 'attachment;filename="a b.bin";filename*=UTF-8\'\'a%20b.bin', 'a b.bin'],
    ['Köln".bin', 'attachment;filename="K_ln_.bin";filename*=UTF-8\'\'K%C3%B6ln%22.bin', 'K_ln_.bin'],
    [
      'a\r\nSet-Cookie: x',
      'attachment;filename="a__Set-Cookie: x";filename*=UTF-8\'\'a%0D%0ASet-Cookie%3A%20x',
      'a__Set-Cookie: x',
    ],
    ['\ud800', 'attachment;filename="_";filename*=UTF-8\'\'%EF%BF%BD', '_'],
  ])('are never let into a header as they are: %j', async (fileName, disposition, plain) => {
    desk.packages.FIRMWARE = fakePackage(1, { fileName, contentType: 'text/x\r\nevil: 1' });
    const { headers, contentType } = await device('GET', 'firmware?title=blinker&version=1.0');
    expect(headers).toEqual({ 'content-disposition': disposition, 'x-filename': plain });
    expect(contentType).toBe('application/octet-stream');
  });
});

describe('provisioning', () => {
  const request = '{"provisionDeviceKey":"k","provisionDeviceSecret":"s","deviceName":"d","token":null}';

  it.each([
    [
      { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'new' },
      '{"credentialsValue":"new","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}',
    ],
    [{ status: 'NOT_FOUND' }, '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}'],
    [{ status: 'FAILURE', reason: 'taken' }, '{"errorMsg":"Failed to provision device!","status":"FAILURE"}'],
  ] as const)('TB-76 is answered with 200 for every status: $status', async (outcome, body) => {
    desk.provisioning = outcome;
    expect(await call('POST', '/api/v1/provision', request)).toEqual({
      status: 200,
      contentType: 'application/json',
      body,
    });
    expect(desk.provisioned).toMatchObject([{ deviceKey: 'k', deviceSecret: 's', deviceName: 'd', token: null }]);
    expect(desk.refusals).toHaveLength(outcome.status === 'NOT_FOUND' ? 1 : 0);
  });

  it('is answered with 500 without a key, with 400 where it cannot be read, with 507 on a full disk', async () => {
    expect((await call('POST', '/api/v1/provision', '{"provisionDeviceKey":"k"}')).status).toBe(500);
    expect((await call('POST', '/api/v1/provision', 'x y')).status).toBe(400);
    desk.provisioning = 'full';
    expect((await call('POST', '/api/v1/provision', request)).status).toBe(507);
  });
});

import { ValueKind } from '@moorage/core';
import type { CoapObservation, DeviceCoapAnswer, DeviceCoapRoute, DeviceRequest } from '@moorage/dialect-api';
import { FakeTime } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { createCoapRoutes } from './coap-routes.ts';
import { DEVICE, FakeDesk, fakePackage, TOKEN } from './device-api/testing/fake-desk.ts';

let routes: readonly DeviceCoapRoute[];
let desk: FakeDesk;

beforeEach(() => {
  routes = createCoapRoutes();
  desk = new FakeDesk(new FakeTime());
});

/** As an adapter finds it: a fixed level goes before a parameter. */
function find(method: string, path: string) {
  const levels = path.split('/');
  const rank = ({ path: pattern }: DeviceCoapRoute) => pattern.replace(/[^/:]+/g, '').replaceAll('/:', '~');
  const [route] = routes
    .filter((one) => one.method === method && one.path.split('/').length === levels.length)
    .filter((one) => one.path.split('/').every((level, index) => level.startsWith(':') || level === levels[index]))
    .toSorted((a, b) => rank(a).localeCompare(rank(b)) || a.path.split(':').length - b.path.split(':').length);
  if (route === undefined) throw new TypeError(`no route for ${method} ${path}`);
  return route;
}

function requestOf(route: DeviceCoapRoute, path: string, query: string, body: string | Uint8Array): DeviceRequest {
  const levels = path.split('/');
  const parameters = route.path
    .split('/')
    .flatMap((level, index): [string, string][] =>
      level.startsWith(':') ? [[level.slice(1), levels[index] ?? '']] : [],
    );
  return {
    parameters: Object.fromEntries(parameters),
    query: [...new URLSearchParams(query)],
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    remoteAddress: '192.0.2.1',
    onGone: () => undefined,
  };
}

function call(method: string, url: string, body: string | Uint8Array = ''): Promise<DeviceCoapAnswer> {
  const [path = '', query = ''] = url.split('?');
  const route = find(method, path);
  return route.handle(requestOf(route, path, query, body), desk);
}

const post = (path: string, body: string | Uint8Array = '') => call('POST', `/api/v1/${TOKEN}/${path}`, body);
const get = (path: string) => call('GET', `/api/v1/${TOKEN}/${path}`);
const text = ({ body }: DeviceCoapAnswer) => (body instanceof Uint8Array ? Buffer.from(body).toString() : null);
const bare = (code: string) => ({ code, contentFormat: null, body: null });
const shared = (key: string, value: number) =>
  ({ scope: 'SHARED', key, kind: ValueKind.Long, value, lastUpdateTs: 1 }) as const;

class Watcher {
  readonly notified: (string | null)[] = [];
  readonly ended: string[] = [];
  arrives = true;
  result: CoapObservation | DeviceCoapAnswer | undefined;

  async open(path: string, token = TOKEN): Promise<this> {
    const url = `/api/v1/${token}/${path}`;
    const route = find('GET', url);
    this.result = await route.observe?.(
      requestOf(route, url, '', ''),
      desk,
      async (answer) => {
        this.notified.push(text(answer));
        return this.arrives;
      },
      (answer) => void this.ended.push(answer.code),
    );
    return this;
  }

  get observation(): CoapObservation {
    if (this.result === undefined || !('first' in this.result)) throw new TypeError('refused');
    return this.result;
  }
}

describe('the token in the path', () => {
  it.each([
    ['POST', '/api/v1/unknown/telemetry'],
    ['POST', '/api/v1/unknown/attributes'],
    ['GET', '/api/v1/unknown/attributes'],
    ['GET', '/api/v1/unknown/rpc'],
    ['POST', '/api/v1/unknown/rpc/1'],
    ['POST', '/api/v1/unknown/rpc'],
    ['POST', '/api/v1/unknown/claim'],
    ['GET', '/fw/unknown'],
    ['GET', '/sw/unknown'],
    ['POST', '/api/v1/a plain name/telemetry'],
    ['POST', '/api/v1/a basic name/telemetry'],
  ])('TB-101 that is unknown gives 4.01: %s %s', async (method, url) => {
    expect(await call(method, url, '{}')).toEqual(bare('4.01'));
    expect(desk.refusals).toHaveLength(1);
    expect(desk.submitted).toEqual([]);
  });

  it('TB-101 that is unknown gives 4.01 to an observer', async () => {
    for (const path of ['attributes', 'rpc']) {
      expect((await new Watcher().open(path, 'unknown')).result).toEqual(bare('4.01'));
    }
    expect(desk.listeners.size).toBe(0);
  });

  it.each([
    ['DEFAULT', '2.01'],
    ['COAP', '2.01'],
    ['MQTT', '5.00'],
    ['LWM2M', '5.00'],
  ])('of a profile that is bound to %s gives %s', async (transportType, code) => {
    desk.addDevice('bound', { ...DEVICE, settings: { ...DEVICE.settings, transportType } });
    expect((await call('POST', '/api/v1/bound/telemetry', '{}')).code).toBe(code);
  });
});

describe('what a device posts', () => {
  it('TB-100 is answered with 2.01: telemetry, attributes, claim', async () => {
    for (const [path, body] of [
      ['telemetry', '{temperature:25}'],
      ['attributes', '{"a":1}'],
      ['claim', ''],
      ['claim', '{"secretKey":"s"}'],
    ] as const) {
      expect(await post(path, body)).toEqual(bare('2.01'));
    }
    expect(desk.submitted.flat().map(({ kind }) => kind)).toEqual(['telemetry', 'attributes', 'claim', 'claim']);
  });

  it('TB-101 completes an RPC by its number', async () => {
    expect(await post('rpc/7', '{"ok":true}')).toEqual(bare('2.01'));
    expect(desk.submitted).toEqual([[{ kind: 'rpcResponse', id: '7', payload: '{"ok":true}' }]]);
  });

  it.each([
    ['telemetry', 'x y'],
    ['telemetry', ''],
    ['attributes', '[]'],
    ['claim', '7'],
    ['rpc/7', '[1]'],
    ['rpc/7', '"text"'],
    ['rpc/7', 'x'],
    ['rpc/x', '{}'],
    ['rpc', '{"method":"m"}'],
    ['rpc', 'x'],
  ])('TB-101 gives 4.00 where it cannot be read: %s %s', async (path, body) => {
    expect(await post(path, body)).toEqual(bare('4.00'));
    expect(desk.submitted).toEqual([]);
  });

  it.each([
    ['full', '5.03'],
    ['failed', '5.00'],
    ['throttled', '5.00'],
  ] as const)('is answered by how the store ended: %s', async (outcome, code) => {
    desk.outcome = outcome;
    expect(await post('telemetry', '{"a":1}')).toEqual(bare(code));
    expect(await get('attributes')).toEqual(bare(code));
    expect(await call('GET', `/fw/${TOKEN}`)).toEqual(bare(code));
    expect((await new Watcher().open('rpc')).result).toEqual(bare(code));
  });

  it('is answered with 2.05 and the reply where it is an RPC to the server', async () => {
    const answer = await post('rpc', '{"method":"getTime","params":{}}');
    expect([answer.code, answer.contentFormat, text(answer)]).toEqual(['2.05', 50, '{"called":"getTime"}']);
  });

  it.each([
    ['GET', `/api/v1/${TOKEN}/telemetry`],
    ['GET', '/api/v1'],
    ['POST', `/api/v1/${TOKEN}/nothing`],
    ['POST', `/api/v1/${TOKEN}`],
    ['GET', `/api/v1/${TOKEN}/attributes/updates`],
    ['GET', `/api/v1/${TOKEN}/rpc`],
  ])('gives 4.00 on a path that means nothing: %s %s', async (method, url) => {
    expect(await call(method, url, '{}')).toEqual(bare('4.00'));
  });
});

describe('attributes', () => {
  it('TB-100 are given with 2.05, or 4.04 where there are none', async () => {
    expect(await get('attributes')).toEqual(bare('4.04'));
    desk.shared = [shared('s', 3), shared('t', 4)];
    const all = await get('attributes');
    expect([all.code, all.contentFormat, text(all)]).toEqual(['2.05', 50, '{"shared":{"s":3,"t":4}}']);
    expect(text(await get('attributes?sharedKeys=t'))).toBe('{"shared":{"t":4}}');
    expect(await get('attributes?clientKeys=t')).toEqual(bare('4.04'));
  });

  it('TB-100 are observed: first the current ones, flat, then each change', async () => {
    desk.shared = [shared('s', 3), shared('t', 4)];
    const watcher = await new Watcher().open('attributes');
    const { first } = watcher.observation;
    expect([first.code, first.contentFormat, text(first)]).toEqual(['2.05', 50, '{"s":3,"t":4}']);
    const values = new Map([['s', { kind: ValueKind.Long, value: 9 }]]);
    expect(desk.command({ kind: 'sharedAttributes', values, deleted: null })).toBe(true);
    expect(desk.command({ kind: 'sharedAttributes', values: null, deleted: ['t'] })).toBe(true);
    expect(desk.command({ kind: 'sharedAttributes', values, deleted: ['t'] })).toBe(true);
    expect(watcher.notified).toEqual(['{"s":9}', '{"deleted":["t"]}', '{"s":9}', '{"deleted":["t"]}']);
    expect(desk.command({ kind: 'rpc', id: '1', method: 'm', params: '' })).toBe(false);
    watcher.observation.close();
    expect(desk.listeners.size).toBe(0);
    expect(desk.command({ kind: 'sharedAttributes', values, deleted: null })).toBe(false);
  });

  it('TB-100 are observed from an empty object on', async () => {
    expect(text((await new Watcher().open('attributes')).observation.first)).toBe('{}');
  });

  it('leave nothing behind when they cannot be read', async () => {
    desk.attributes = () => Promise.reject(new TypeError('disk'));
    await expect(new Watcher().open('attributes')).rejects.toThrow('disk');
    expect(desk.listeners.size).toBe(0);
  });
});

describe('RPC to the device', () => {
  it('TB-100 is observed: first 2.03 without payload, then each call with its number', async () => {
    const watcher = await new Watcher().open('rpc');
    expect(watcher.observation.first).toEqual(bare('2.03'));
    expect(desk.command({ kind: 'rpc', id: '3', method: 'set', params: '{"on":true}' })).toBe(true);
    expect(desk.command({ kind: 'rpc', id: 'x', method: 'set', params: '' })).toBe(false);
    expect(watcher.notified).toEqual(['{"id":3,"method":"set","params":{"on":true}}']);
  });

  it.each([true, false])('is delivered as its notification was acknowledged: %s', async (arrives) => {
    const watcher = await new Watcher().open('rpc');
    watcher.arrives = arrives;
    desk.command({ kind: 'rpc', id: '3', method: 'set', params: '' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(desk.deliveries).toEqual([arrives]);
  });

  it('ends the older observation of the kind with 2.02, and no other', async () => {
    const attributes = await new Watcher().open('attributes');
    const older = await new Watcher().open('rpc');
    const newer = await new Watcher().open('rpc');
    expect([older.ended, newer.ended, attributes.ended]).toEqual([['2.02'], [], []]);
    expect(desk.listeners.size).toBe(2);
    older.observation.close();
    expect(desk.command({ kind: 'rpc', id: '3', method: 'set', params: '' })).toBe(true);
    expect([older.notified.length, newer.notified.length]).toEqual([0, 1]);
    desk.addDevice('other', { ...DEVICE, id: 'other' });
    await new Watcher().open('rpc', 'other');
    expect(newer.ended).toEqual([]);
  });

  it.each([
    ['replaced', '2.02'],
    ['deviceDeleted', '4.04'],
    ['credentialsChanged', '4.01'],
    ['stopping', '5.03'],
  ] as const)('ends with the device, its token, the server: %s', async (why, code) => {
    const watcher = await new Watcher().open('rpc');
    desk.end(why);
    expect(watcher.ended).toEqual([code]);
    watcher.observation.close();
    expect(desk.command({ kind: 'rpc', id: '3', method: 'set', params: '' })).toBe(false);
  });

  it('TB-100 is cancelled with 2.02, as is the observation of attributes', () => {
    expect(find('GET', `/api/v1/${TOKEN}/rpc`).cancelled).toEqual(bare('2.02'));
    expect(find('GET', `/api/v1/${TOKEN}/attributes`).cancelled).toEqual(bare('2.02'));
  });
});

describe('packages', () => {
  it.each([
    ['fw', 'FIRMWARE'],
    ['sw', 'SOFTWARE'],
  ] as const)('are given by /%s without any parameter, or in chunks', async (path, type) => {
    const fake = fakePackage(5000);
    desk.packages[type] = fake;
    const { code, contentFormat, body } = await call('GET', `/${path}/${TOKEN}`);
    expect([code, contentFormat, body?.length]).toEqual(['2.05', 42, 5000]);
    const chunk = await call('GET', `/${path}/${TOKEN}?title=blinker&version=1.0&size=2000&chunk=2`);
    expect(chunk.body?.length).toBe(1000);
    if (chunk.body === null || chunk.body instanceof Uint8Array) throw new TypeError('not pulled');
    expect([...(await chunk.body.read(0, 2000))]).toEqual([...fake.file.subarray(4000)]);
    const past = await call('GET', `/${path}/${TOKEN}?size=2000&chunk=3`);
    expect([past.code, past.body?.length]).toEqual(['2.05', 0]);
  });

  it('give 4.00 for another title or version or a number that is none, 4.04 where there is none', async () => {
    const fake = fakePackage(5000);
    desk.packages = { FIRMWARE: fake, SOFTWARE: 'elsewhere' };
    for (const query of ['title=other', 'version=2.0', 'size=x', 'chunk=-1']) {
      expect(await call('GET', `/fw/${TOKEN}?${query}`)).toEqual(bare('4.00'));
    }
    expect(fake.closed).toBe(2);
    expect(await call('GET', `/sw/${TOKEN}`)).toEqual(bare('4.04'));
  });
});

describe('provisioning', () => {
  const request = '{"provisionDeviceKey":"k","provisionDeviceSecret":"s"}';

  it('TB-76 gives 2.01 on success and 4.00 with the same body otherwise', async () => {
    desk.provisioning = { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'new' };
    const success = await call('POST', '/api/v1/provision', request);
    expect([success.code, text(success)]).toEqual([
      '2.01',
      '{"credentialsValue":"new","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}',
    ]);
    desk.provisioning = { status: 'NOT_FOUND' };
    const unknown = await call('POST', '/api/v1/provision', request);
    expect([unknown.code, text(unknown)]).toEqual([
      '4.00',
      '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}',
    ]);
    expect(desk.refusals).toEqual([{ address: '192.0.2.1', name: 'k' }]);
    desk.provisioning = { status: 'FAILURE', reason: 'taken' };
    expect((await call('POST', '/api/v1/provision', request)).code).toBe('4.00');
    expect(await call('POST', '/api/v1/provision', '{}')).toEqual(bare('4.00'));
    expect(await call('POST', '/api/v1/provision', 'x')).toEqual(bare('4.00'));
    desk.provisioning = 'failed';
    expect(await call('POST', '/api/v1/provision', request)).toEqual(bare('5.00'));
  });
});

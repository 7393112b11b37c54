import type { DeviceDesk, DeviceHttpRoute } from '@moorage/dialect-api';
import { describe, expect, it } from 'vitest';
import { sampleRoutes } from './sample-resource.ts';

const desk: Pick<DeviceDesk, 'text'> = {
  text(bytes) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return undefined;
    }
  },
};

function routesOf(isOn: boolean) {
  const routes = sampleRoutes(isOn);
  return async (method: DeviceHttpRoute['method'], path: string, body: string | Uint8Array = '') => {
    const route = routes.find((one) => one.method === method && one.path === path);
    if (route === undefined) throw new TypeError(`no route ${method} ${path}`);
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const request = { parameters: {}, query: [], body: bytes, remoteAddress: '127.0.0.1', onGone() {} };
    const answer =
      bytes.length > route.bodyLimit
        ? route.tooLarge(route.bodyLimit)
        : await route.handle(request, desk as DeviceDesk);
    return [answer.status, answer.body];
  };
}

describe('the HTTP test resource (section 4.7)', () => {
  it('WS-47 is 404 while off, whatever is asked', async () => {
    const call = routesOf(false);
    for (const path of ['/api/sample-test', '/api/sample-test/']) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE'] as const) {
        expect(await call(method, path, 'x'.repeat(2000))).toEqual([404, null]);
        expect(await call(method, path)).toEqual([404, null]);
      }
    }
  });

  it('WS-47 tells what was written last, with and without the final slash', async () => {
    const call = routesOf(true);
    expect(await call('GET', '/api/sample-test/')).toEqual([200, '{"value":""}']);
    expect((await call('POST', '/api/sample-test', 'lat=1&lng="2"'))[0]).toBe(200);
    expect(await call('GET', '/api/sample-test/')).toEqual([200, '{"value":"lat=1&lng=\\"2\\""}']);
    expect((await call('PUT', '/api/sample-test/', 'x'.repeat(1024)))[0]).toBe(200);
    expect(await call('GET', '/api/sample-test')).toEqual([200, `{"value":"${'x'.repeat(1024)}"}`]);
    expect((await call('DELETE', '/api/sample-test'))[0]).toBe(405);
  });

  it('takes no more than 1,024 bytes and nothing that is no text', async () => {
    const call = routesOf(true);
    await call('POST', '/api/sample-test', 'kept');
    expect((await call('POST', '/api/sample-test', 'x'.repeat(1025)))[0]).toBe(413);
    expect((await call('POST', '/api/sample-test', Uint8Array.of(0xff)))[0]).toBe(400);
    expect(await call('GET', '/api/sample-test')).toEqual([200, '{"value":"kept"}']);
  });
});

import { connect } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
let port: number;

beforeAll(async () => {
  t = await openTestServer();
  port = await t.server.listen('127.0.0.1', 0);
});
afterAll(() => t.server.close());

const headers = () => ({ 'x-authorization': `Bearer ${t.token}`, 'content-type': 'application/json' });
const post = (payload: string | Buffer, url = '/api/device', more: Record<string, string> = {}) =>
  t.send({ method: 'POST', url, headers: { ...headers(), ...more }, payload });

function expectErrorObject(answer: { statusCode: number; json(): unknown }, status: number, errorCode: number): void {
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toEqual({ status, message: expect.any(String), errorCode, timestamp: t.state.now });
}

/** Sends raw bytes and gives what comes back before the connection is closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('TBS-17 an error object with exactly four members', () => {
  it.each([
    ['text that is not JSON', 'x'],
    ['half an object', '{"name":'],
    ['JSON with a tail', '{"name":"a"} x'],
    ['33 levels', `{"name":"a","additionalInfo":${'{"a":'.repeat(32)}1${'}'.repeat(33)}`],
    ['a million brackets', '['.repeat(1_000_000)],
    ['a prototype', '{"name":"a","__proto__":{"isAdmin":true}}'],
    ['a prototype in disguise', '{"name":"a","\\u005f_proto__":{"isAdmin":true}}'],
    ['a constructor', '{"name":"a","constructor":{"prototype":{"isAdmin":true}}}'],
  ])('answers %s', async (_title, body) => {
    expectErrorObject(await post(body), 400, 31);
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  });

  it('lets 32 levels through', async () => {
    const body = `{"name":"deep","additionalInfo":${'{"a":'.repeat(30)}{"b":"]}[{"}${'}'.repeat(31)}`;
    expect((await post(body)).statusCode).toBe(200);
  });

  it('answers a body over 16 MiB with 413/31, and over 64 KiB at the log-in', async () => {
    expectErrorObject(await post(Buffer.alloc(16_777_217, 0x20)), 413, 31);
    expectErrorObject(await post(Buffer.alloc(65_537, 0x20), '/api/auth/login'), 413, 31);
    expectErrorObject(await post(Buffer.alloc(65_537, 0x20), '/api/auth/token'), 413, 31);
  });

  it('refuses before reading the body when there is no token', async () => {
    const request = { method: 'POST', url: '/api/device', payload: Buffer.alloc(16_777_217, 0x20) } as const;
    expectErrorObject(await t.send({ ...request, headers: { 'content-type': 'application/json' } }), 401, 10);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
    'answers the content type %s with 415/31',
    async (type) => {
      expectErrorObject(await post('{"name":"a"}', '/api/device', { 'content-type': type }), 415, 31);
    },
  );

  it('TBS-18 answers unknown paths with 404 and known families with 501', async () => {
    expectErrorObject(await t.call('GET', '/api/nonsense'), 404, 32);
    expectErrorObject(await t.call('PUT', '/api/device'), 404, 32);
    expectErrorObject(await t.send({ url: '/nonsense' }), 404, 32);
    for (const path of [
      '/api/alarm/rules',
      '/api/alarmsQuery/find',
      '/api/v2/other',
      '/api/dashboards',
      '/api/entityViews',
      '/api/edges',
    ]) {
      expectErrorObject(await t.call('GET', path), 501, 2);
    }
    expectErrorObject(await t.call('POST', '/api/asset/bulk_import', {}), 501, 2);
    expectErrorObject(await t.send({ method: 'POST', url: '/api/noauth/oauth2Clients' }), 501, 2);
    expectErrorObject(await t.send({ url: '/api/alarm/x' }), 401, 10);
  });

  it.each([
    '/api/device/%',
    '/api/device/%E0%A4%A',
    '/api/device/%00',
    '/api/device/..%2f..%2fetc%2fpasswd',
    `/api/device/${'a'.repeat(1000)}`,
    '/api/device/11111111-2222-4333-8444-55555555555%30%30',
  ])('answers the path %.50s with 400', async (url) => {
    expectErrorObject(await t.call('GET', url), 400, 31);
  });

  it('answers a part of a path over 1,024 characters', async () => {
    const answer = await t.call('GET', `/api/device/${'a'.repeat(2000)}`);
    expect([404, 414]).toContain(answer.statusCode);
    expect(Object.keys(answer.json())).toEqual(['status', 'message', 'errorCode', 'timestamp']);
  });

  it('answers a query that is not well-formed', async () => {
    expect((await t.call('GET', '/api/tenant/device?deviceName=%E0%A4%A')).statusCode).toBe(404);
    expect((await t.call('GET', '/api/tenant/device?__proto__=x&deviceName[a]=1')).statusCode).toBe(400);
  });

  it('never lets a value into a header', async () => {
    const answer = await t.call('GET', '/api/device/a%0d%0ax-evil:1');
    expect(answer.headers).not.toHaveProperty('x-evil');
    expectErrorObject(answer, 400, 31);
  });

  it('shows nothing of a failure inside, and logs it', async () => {
    const logged: unknown[] = [];
    const silent = () => undefined;
    const logger: FastifyBaseLogger = {
      level: 'info',
      error: (entry: unknown) => logged.push(entry),
      fatal: silent,
      warn: silent,
      info: silent,
      debug: silent,
      trace: silent,
      silent,
      child: () => logger,
    };
    const local = await openTestServer({ logger });
    local.platform.devices.types = () => Promise.reject(new TypeError('secret detail'));
    const answer = await local.call('GET', '/api/device/types');
    expect(answer.json()).toMatchObject({ status: 500, errorCode: 2, message: 'General error' });
    expect(answer.body).not.toContain('secret');
    expect(logged).toHaveLength(1);
    await local.server.close();
  });
});

describe('on the wire', () => {
  it('answers bytes that are not HTTP with 400 and closes', async () => {
    const answer = await raw('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('"errorCode":31');
  });

  it('does not resolve dots of a path', async () => {
    const answer = await raw('GET /docs/../api/system/%2e%2e/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 40[14] /);
  });

  it('answers headers over the limit with 431', async () => {
    const answer = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('answers an ordinary request with the protective headers', async () => {
    const answer = await raw('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    for (const header of ['x-content-type-options: nosniff', 'x-frame-options: DENY', 'cache-control: no-store']) {
      expect(answer).toContain(header);
    }
  });

  it('is closed without waiting for idle connections', async () => {
    const local = await openTestServer();
    const localPort = await local.server.listen('127.0.0.1', 0);
    const socket = connect(localPort, '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('data', resolve));
    await local.server.close();
    await closed;
    expect(socket.destroyed).toBe(true);
  });
});

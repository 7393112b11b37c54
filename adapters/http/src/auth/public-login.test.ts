import { openTestRegistry, succeeded, type TestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
let registry: TestRegistry;
let publicId: string;
let deviceId: string;

beforeAll(async () => {
  registry = await openTestRegistry();
  t = await openTestServer({ platform: await registryPlatform(registry, fakeClaims()) });
  deviceId = await t.device('Weather');
  publicId = (await t.call('POST', `/api/customer/public/device/${deviceId}`)).json().customerId.id;
});
afterAll(() => t.server.close());

const logIn = (id: unknown) => t.send({ method: 'POST', url: '/api/auth/login/public', payload: { publicId: id } });
const as = (token: string, method: 'GET' | 'POST' | 'DELETE' | 'PUT', url: string) =>
  t.send({
    method,
    url,
    headers: { 'x-authorization': `Bearer ${token}` },
    ...(method === 'POST' ? { payload: {} } : {}),
  });
const METHODS = new Map<string, 'DELETE' | 'PUT'>([
  ['delete', 'DELETE'],
  ['put', 'PUT'],
]);
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('the public log-in', () => {
  it('gives tokens that say so, to read with and not to change', async () => {
    const { token, refreshToken } = (await logIn(publicId.toUpperCase())).json();
    expect(claimsOf(token)).toMatchObject({
      sub: publicId,
      scopes: ['CUSTOMER_USER'],
      isPublic: true,
      enabled: true,
      customerId: publicId,
      tenantId: registry.defaultTenant.id,
      userId: '13814000-1dd2-11b2-8080-808080808080',
    });
    expect(claimsOf(refreshToken)).toMatchObject({ scopes: ['REFRESH_TOKEN'], isPublic: true });
    expect((await as(token, 'GET', '/api/auth/user')).json()).toMatchObject({ email: publicId, firstName: 'Public' });
    expect((await as(token, 'GET', `/api/device/${deviceId}`)).json().name).toBe('Weather');
    const other = await t.device('Private');
    for (const url of [
      `/api/device/${other}`,
      `/api/device/${deviceId}/credentials`,
      '/api/users?pageSize=1&page=0',
      `/api/apiKeys/${publicId}?pageSize=1&page=0`,
      '/api/audit/logs?pageSize=1&page=0',
      '/api/storage',
    ]) {
      expect([403, 404], url).toContain((await as(token, 'GET', url)).statusCode);
    }
    const refresh = { method: 'POST', url: '/api/auth/token', payload: { refreshToken } } as const;
    const next = (await t.send(refresh)).json();
    expect(claimsOf(next.token)).toMatchObject({ isPublic: true, customerId: publicId });
    expect(claimsOf(next.token).exp).toBeGreaterThan(claimsOf(token).exp);
    expect((await as(next.token, 'GET', `/api/device/${deviceId}`)).statusCode).toBe(200);
  });

  it('lets nobody change anything, whatever the call', async () => {
    const { token } = (await logIn(publicId)).json();
    const { paths } = (await t.send({ url: '/openapi.json' })).json();
    const allowed = new Set([
      'login',
      'loginPublic',
      'refreshToken',
      'logout',
      'activateUser',
      'resetPassword',
      'requestResetPasswordByEmail',
    ]);
    const reading = /entitiesQuery|alarmsQuery|^\/api\/devices$/;
    let tried = 0;
    for (const [path, item] of Object.entries<Record<string, { operationId: string }>>(paths)) {
      for (const [method, { operationId }] of Object.entries(item)) {
        if (method === 'get' || method === 'head' || allowed.has(operationId) || reading.test(path)) continue;
        const url = path.replace('{entityType}', 'DEVICE').replaceAll(/\{\w+\}/g, deviceId);
        const answer = await as(token, METHODS.get(method) ?? 'POST', url);
        expect(answer.statusCode, operationId).toBe(403);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(30);
  });

  it('refuses whoever does not know a public customer', async () => {
    const ordinary = (await t.call('POST', '/api/customer', { title: 'Yard' })).json().id.id;
    for (const id of [ordinary, deviceId, 'x', '']) {
      expect((await logIn(id)).json(), id).toMatchObject({
        status: 401,
        errorCode: 10,
        message: 'Invalid username or password',
      });
    }
    expect((await logIn(5)).json()).toMatchObject({ status: 401, errorCode: 10 });
  });

  it('ends with the customer', async () => {
    const { token } = (await logIn(publicId)).json();
    succeeded(await registry.customers.remove(registry.admin, publicId));
    expect((await as(token, 'GET', '/api/auth/user')).json()).toMatchObject({ status: 401, errorCode: 10 });
    expect((await logIn(publicId)).statusCode).toBe(401);
  });
});

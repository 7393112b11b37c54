import type { AuditEntry } from '@moorage/core';
import { openTestRegistry, type TestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fakeAudit } from '../testing/fake-administration.ts';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';
import { isRecorded } from './audited-calls.ts';

const ID = '11111111-2222-4333-8444-555555555555';
/** Changing calls that are not recorded on purpose. */
const UNRECORDED = ['refreshToken', 'requestResetPasswordByEmail', 'saveTimeseries', 'saveTimeseriesWithTtl'];
/** Calls by POST that only ask. */
const ASKING = /^\/api\/(entitiesQuery|alarmsQuery)\/|^\/api\/devices$/;
const READS = [
  'getActivationLink',
  'getActivationLinkInfo',
  'getApplicationCredentials',
  'getDeviceCredentials',
  'getUserToken',
];

let t: TestServer;
let registry: TestRegistry;
const recorded: AuditEntry[] = [];

beforeAll(async () => {
  registry = await openTestRegistry();
  const platform = { ...(await registryPlatform(registry, fakeClaims())), audit: fakeAudit(recorded) };
  t = await openTestServer({ platform });
});
afterAll(() => t.server.close());
beforeEach(() => void recorded.splice(0));

const last = () => recorded.at(-1);
const post = (url: string, payload: object) => t.send({ method: 'POST', url, payload });

describe('the audit log', () => {
  it('has every call of every route that may change something, and no other one', async () => {
    const { token } = (await t.login('admin@example.org', 'correct horse')).json();
    const { paths } = (await t.send({ url: '/openapi.json' })).json();
    let walked = 0;
    for (const [path, item] of Object.entries<Record<string, { operationId: string }>>(paths)) {
      if (!path.startsWith('/api/')) continue;
      for (const [method, { operationId }] of Object.entries(item)) {
        const session =
          operationId === 'logout' ? (await t.login('admin@example.org', 'correct horse')).json() : { token };
        recorded.splice(0);
        const url = path
          .replace('{entityType}', 'DEVICE')
          .replace('{scope}', 'SERVER_SCOPE')
          .replaceAll(/\{\w+\}/g, ID);
        const changes = !['get', 'head'].includes(method) && !ASKING.test(path);
        await t.send({
          method: method === 'post' ? 'POST' : method === 'put' ? 'PUT' : method === 'delete' ? 'DELETE' : 'GET',
          url,
          headers: { 'x-authorization': `Bearer ${session.token}`, 'content-type': 'application/json' },
          ...(method === 'get' ? {} : { payload: '{}' }),
        });
        const expected = READS.includes(operationId) || (changes && !UNRECORDED.includes(operationId)) ? 1 : 0;
        expect(recorded.length, `${method} ${path}`).toBe(expected);
        walked += expected;
      }
    }
    expect(walked).toBeGreaterThan(50);
  });

  it('has calls of routes that it knows nothing of', () => {
    const call = (method: string, url: string) => ({ method, routeOptions: { url, method, schema: {} } });
    const recordedOf = (...[method, url]: Parameters<typeof call>) =>
      isRecorded(call(method, url) as Parameters<typeof isRecorded>[0]);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) expect(recordedOf(method, '/api/new/:id')).toBe(true);
    expect(recordedOf('GET', '/api/new/:id')).toBe(false);
    expect(recordedOf('POST', '/api/v1/:token/telemetry')).toBe(false);
    expect(recordedOf('POST', '/metrics')).toBe(false);
  });

  it('says who did what to which device, and how it ended', async () => {
    const device = (await t.call('POST', '/api/device?accessToken=hunter2hunter2', { name: 'Boiler' })).json();
    const user = (await t.call('GET', '/api/auth/user')).json();
    expect(recorded).toHaveLength(1);
    expect(last()).toEqual({
      ts: t.state.now,
      tenantId: registry.defaultTenant.id,
      customerId: '13814000-1dd2-11b2-8080-808080808080',
      userId: user.id.id,
      userName: 'admin@example.org',
      entityType: 'DEVICE',
      entityId: device.id.id,
      entityName: 'Boiler',
      actionType: 'ADDED',
      actionData: { operation: 'saveDevice', query: { accessToken: '***' }, body: { name: 'Boiler' } },
      failure: null,
    });
    await t.call('POST', '/api/device', { ...device, label: 'L', version: 9 });
    expect(last()).toMatchObject({ actionType: 'UPDATED', entityId: device.id.id, failure: 'Version conflict' });
    await t.call('DELETE', `/api/device/${device.id.id}`);
    expect(last()).toMatchObject({
      actionType: 'DELETED',
      entityType: 'DEVICE',
      entityId: device.id.id,
      failure: null,
    });
    await t.call('DELETE', `/api/device/${device.id.id}`);
    expect(last()?.failure).toContain('is not found');
  });

  it('names credentials, assignments, attributes and users as ThingsBoard does', async () => {
    const deviceId = await t.device('A1');
    const device = { entityType: 'DEVICE', entityId: deviceId };
    const credentials = (await t.call('GET', `/api/device/${deviceId}/credentials`)).json();
    expect(last()).toMatchObject({ ...device, actionType: 'CREDENTIALS_READ' });
    await t.call('POST', '/api/device/credentials', { ...credentials, credentialsId: 'hunter2hunter2' });
    expect(last()).toMatchObject({ ...device, actionType: 'CREDENTIALS_UPDATED', failure: null });
    const customer = (await t.call('POST', '/api/customer', { title: 'Yard' })).json();
    expect(last()).toMatchObject({
      entityType: 'CUSTOMER',
      entityId: customer.id.id,
      entityName: 'Yard',
      actionType: 'ADDED',
    });
    await t.call('POST', `/api/customer/${customer.id.id}/device/${deviceId}`);
    expect(last()).toMatchObject({ ...device, entityName: 'A1', actionType: 'ASSIGNED_TO_CUSTOMER' });
    await t.call('DELETE', `/api/customer/device/${deviceId}`);
    expect(last()).toMatchObject({ ...device, actionType: 'UNASSIGNED_FROM_CUSTOMER' });
    await t.call('POST', `/api/plugins/telemetry/DEVICE/${deviceId}/SHARED_SCOPE`, { fan: true });
    expect(last()).toMatchObject({ ...device, actionType: 'ATTRIBUTES_UPDATED' });
    expect(last()?.actionData).toMatchObject({ params: { scope: 'SHARED_SCOPE' }, body: { fan: true } });
    await t.call('DELETE', `/api/plugins/telemetry/${deviceId}/SHARED_SCOPE?keys=fan`);
    expect(last()).toMatchObject({ ...device, actionType: 'ATTRIBUTES_DELETED' });
    await t.call('POST', `/api/rpc/oneway/${deviceId}`, { method: 'on', params: {} });
    expect(last()).toMatchObject({ ...device, actionType: 'RPC_CALL' });
    expect(JSON.stringify(recorded)).not.toContain('hunter2');
  });

  it('has log-ins, failed ones, lock-outs and log-outs', async () => {
    const login = (await t.login('admin@example.org', 'correct horse')).json();
    expect(last()).toMatchObject({
      actionType: 'LOGIN',
      userName: 'admin@example.org',
      entityType: 'USER',
      failure: null,
    });
    expect(last()?.userId).toBe(last()?.entityId);
    await t.send({ method: 'POST', url: '/api/auth/logout', headers: { 'x-authorization': `Bearer ${login.token}` } });
    expect(last()).toMatchObject({ actionType: 'LOGOUT', failure: null });
    for (let guess = 0; guess < 11; guess += 1) await t.login('Nobody@example.org', 'hunter2');
    expect(recorded.at(-2)).toMatchObject({
      tenantId: null,
      userId: null,
      userName: 'Nobody@example.org',
      actionType: 'LOGIN',
      failure: 'Invalid username or password',
      actionData: { operation: 'login', clientAddress: '127.0.0.1', body: { password: '***' } },
    });
    expect(last()).toMatchObject({ actionType: 'LOCKOUT' });
    expect(JSON.stringify(recorded)).not.toContain('hunter2');
  });

  it('has people who set a password by a link', async () => {
    const { token } = (await t.login('admin@example.org', 'correct horse')).json();
    expect(token).not.toBe('');
    const user = (await t.call('POST', '/api/user', { email: 'ann@example.org', authority: 'TENANT_ADMIN' })).json();
    const link = new URL((await t.call('GET', `/api/user/${user.id.id}/activationLink`)).body);
    const activateToken = link.searchParams.get('activateToken') ?? '';
    await post('/api/noauth/activate', { activateToken, password: 'a battery staple' });
    expect(last()).toMatchObject({
      actionType: 'CREDENTIALS_UPDATED',
      userId: user.id.id,
      userName: 'ann@example.org',
    });
    await post('/api/noauth/activate', { activateToken, password: 'a battery staple' });
    expect(last()).toMatchObject({ tenantId: null, userId: null, failure: 'Invalid activation token!' });
    expect(JSON.stringify(recorded)).not.toContain(activateToken);
    expect(JSON.stringify(recorded)).not.toContain('staple');
  });

  it('shows a tenant what the system administrator does in it', async () => {
    await registry.accounts.setSystemAdministrator('root@example.org', 'correct horse');
    const { token } = (await t.login('root@example.org', 'correct horse')).json();
    const headers = { 'x-authorization': `Bearer ${token}` };
    const tenantId = { entityType: 'TENANT', id: registry.defaultTenant.id };
    const payload = { email: 'new@example.org', authority: 'TENANT_ADMIN', tenantId };
    await t.send({ method: 'POST', url: '/api/user', headers, payload });
    expect(last()).toMatchObject({ tenantId: tenantId.id, userName: 'root@example.org', actionType: 'ADDED' });
  });

  it('never fails a call, and has no unknown path and nobody without a token', async () => {
    await t.send({ method: 'POST', url: '/api/nothing', headers: { 'x-authorization': `Bearer ${t.token}` } });
    await t.send({ method: 'POST', url: '/api/device', payload: { name: 'x' } });
    expect(recorded).toEqual([]);
    const broken = await openTestServer();
    broken.platform.audit.record = () => {
      throw new TypeError('broken');
    };
    expect((await broken.call('POST', '/api/device', { name: 'x' })).statusCode).toBe(200);
    await broken.server.close();
  });
});

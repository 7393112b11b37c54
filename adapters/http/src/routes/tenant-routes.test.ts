import { openTestRegistry, type TestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const PASSWORD = 'a battery staple';

let t: TestServer;
let registry: TestRegistry;
let system: string;

beforeAll(async () => {
  registry = await openTestRegistry();
  t = await openTestServer({ platform: await registryPlatform(registry, fakeClaims()) });
  await registry.accounts.setSystemAdministrator('root@example.org', PASSWORD);
  system = (await t.login('root@example.org', PASSWORD)).json().token;
});
afterAll(() => t.server.close());

const as = (token: string, method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
  t.send({
    method,
    url,
    headers: { 'x-authorization': `Bearer ${token}` },
    ...(payload === undefined ? {} : { payload }),
  });

describe('tenants', () => {
  it('are created, listed, changed and deleted by the system administrator', async () => {
    const made = (
      await as(system, 'POST', '/api/tenant', { title: 'Acme', city: 'Kiel', additionalInfo: { a: 1 } })
    ).json();
    const empty = { state: null, address: null, address2: null, zip: null, phone: null, email: null, country: null };
    expect(made).toEqual({
      id: { entityType: 'TENANT', id: expect.any(String) },
      createdTime: expect.any(Number),
      title: 'Acme',
      name: 'Acme',
      region: null,
      tenantProfileId: null,
      ...empty,
      city: 'Kiel',
      additionalInfo: { a: 1 },
      externalId: null,
      version: 1,
    });
    const url = `/api/tenant/${made.id.id}`;
    expect((await as(system, 'GET', url)).json()).toEqual(made);
    const renamed = (await as(system, 'POST', '/api/tenant', { ...made, title: 'Acme 2', region: 'North' })).json();
    expect(renamed).toMatchObject({ title: 'Acme 2', region: 'North', version: 2 });
    const list = (await as(system, 'GET', '/api/tenants?pageSize=10&page=0&sortProperty=title&textSearch=ACME')).json();
    expect(list).toMatchObject({ totalElements: 1, data: [renamed] });
    expect((await as(system, 'POST', '/api/tenant', { title: 'Acme 2' })).json()).toMatchObject({
      status: 400,
      errorCode: 31,
      message: 'Tenant with such title already exists!',
    });
    expect((await as(system, 'DELETE', url)).body).toBe('');
    expect((await as(system, 'GET', url)).json()).toMatchObject({ status: 404, errorCode: 32 });
    await registry.finishRemovals();
    expect(await registry.repositories.tenant(made.id.id)).toBeNull();
  });

  it('TBS-15 get their administrators from the system administrator, who never sees their devices', async () => {
    const tenantId = (await as(system, 'POST', '/api/tenant', { title: 'Beta' })).json().id;
    const boss = { email: 'boss@example.org', authority: 'TENANT_ADMIN', tenantId };
    const user = (await as(system, 'POST', '/api/user', boss)).json();
    expect(user).toMatchObject({ authority: 'TENANT_ADMIN', tenantId });
    const link = new URL((await as(system, 'GET', `/api/user/${user.id.id}/activationLink`)).body);
    const activateToken = link.searchParams.get('activateToken');
    const activation = { method: 'POST', url: '/api/noauth/activate', payload: { activateToken, password: PASSWORD } };
    const { token } = (await t.send({ ...activation, method: 'POST' })).json();
    const device = (await as(token, 'POST', '/api/device', { name: 'B1' })).json();
    expect(device.tenantId).toEqual(tenantId);
    expect((await t.call('GET', `/api/device/${device.id.id}`)).statusCode).toBe(403);
    for (const url of [
      `/api/device/${device.id.id}`,
      `/api/device/${device.id.id}/credentials`,
      '/api/tenant/devices?pageSize=1&page=0',
      `/api/plugins/telemetry/DEVICE/${device.id.id}/values/timeseries`,
      `/api/user/${user.id.id}/token`,
      '/api/customers?pageSize=1&page=0',
    ]) {
      expect((await as(system, 'GET', url)).statusCode, url).toBe(403);
    }
    const admins = (await as(system, 'GET', `/api/tenant/${tenantId.id}/users?pageSize=10&page=0`)).json();
    expect(admins.data.map(({ email }: { email: string }) => email)).toEqual(['boss@example.org']);
    expect((await as(token, 'GET', `/api/tenant/${tenantId.id}`)).json().title).toBe('Beta');
    expect((await t.call('GET', `/api/tenant/${tenantId.id}`)).json()).toMatchObject({ status: 403, errorCode: 20 });
    expect((await t.call('GET', '/api/tenants?pageSize=10&page=0')).json()).toMatchObject({ errorCode: 20 });
    expect((await as(system, 'DELETE', `/api/tenant/${tenantId.id}`)).statusCode).toBe(200);
    expect((await as(token, 'GET', '/api/auth/user')).json()).toMatchObject({ status: 401, errorCode: 10 });
  });
});

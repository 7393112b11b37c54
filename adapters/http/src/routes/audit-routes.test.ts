import { AuditLog } from '@moorage/core';
import { FakeTime, openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
let deviceId: string;
let customerId: string;

beforeAll(async () => {
  const registry = await openTestRegistry();
  const { repositories, crypto } = registry;
  const time = new FakeTime();
  const audit = new AuditLog({
    repositories,
    crypto,
    clock: time,
    scheduler: time,
    soleTenantId: () => registry.defaultTenant.id,
    count: () => undefined,
    report: (error) => expect.unreachable(String(error)),
  });
  t = await openTestServer({ platform: { ...(await registryPlatform(registry, fakeClaims())), audit } });
  t.state.now += 1000;
  deviceId = await t.device('Boiler');
  t.state.now += 1000;
  customerId = (await t.call('POST', '/api/customer', { title: 'Yard' })).json().id.id;
});
afterAll(() => t.server.close());

const logs = async (path = '', query = '') =>
  (await t.call('GET', `/api/audit/logs${path}?pageSize=10&page=0${query}`)).json();
const actions = ({ data }: { data: readonly { actionType: string; entityName: string }[] }) =>
  data.map(({ actionType, entityName }) => `${actionType} ${entityName}`);

describe('audit logs', () => {
  it('have the shape of ThingsBoard, newest first', async () => {
    const page = await logs();
    expect(actions(page)).toEqual(['ADDED Yard', 'ADDED Boiler', 'LOGIN admin@example.org']);
    const [first] = page.data;
    const user = (await t.call('GET', '/api/auth/user')).json();
    expect(first).toEqual({
      id: { id: expect.any(String) },
      createdTime: t.state.now,
      tenantId: user.tenantId,
      customerId: { entityType: 'CUSTOMER', id: '13814000-1dd2-11b2-8080-808080808080' },
      entityId: { entityType: 'CUSTOMER', id: customerId },
      entityName: 'Yard',
      userId: user.id,
      userName: 'admin@example.org',
      actionType: 'ADDED',
      actionData: { operation: 'saveCustomer', body: { title: 'Yard' } },
      actionStatus: 'SUCCESS',
      actionFailureDetails: null,
    });
    expect(page).toMatchObject({ totalPages: 1, totalElements: 3, hasNext: false });
  });

  it('are narrowed by path, time, action and text, and sorted', async () => {
    const user = (await t.call('GET', '/api/auth/user')).json();
    expect(actions(await logs(`/entity/device/${deviceId}`))).toEqual(['ADDED Boiler']);
    expect(actions(await logs(`/user/${user.id.id}`))).toHaveLength(3);
    expect(actions(await logs(`/customer/${customerId}`))).toEqual([]);
    const second = t.state.now - 1000;
    expect(actions(await logs('', `&startTime=${second}&endTime=${second}`))).toEqual(['ADDED Boiler']);
    expect(actions(await logs('', '&actionTypes=login,DELETED'))).toEqual(['LOGIN admin@example.org']);
    expect(actions(await logs('', '&textSearch=BOIL'))).toEqual(['ADDED Boiler']);
    expect(actions(await logs('', '&sortProperty=createdTime&sortOrder=ASC')).at(-1)).toBe('ADDED Yard');
    expect((await t.call('GET', '/api/audit/logs?pageSize=1&page=0&sortProperty=actionStatus')).statusCode).toBe(200);
    expect((await t.call('GET', '/api/audit/logs?pageSize=1&page=0&sortProperty=x')).json().errorCode).toBe(31);
    expect((await t.call('GET', '/api/audit/logs/user/x?pageSize=1&page=0')).json().errorCode).toBe(31);
  });

  it('tell of what failed', async () => {
    await t.login('admin@example.org', 'wrong');
    expect((await logs()).data[0]).toMatchObject({
      actionType: 'LOGIN',
      actionStatus: 'FAILURE',
      actionFailureDetails: 'Invalid username or password',
      userId: null,
      userName: 'admin@example.org',
    });
  });
});

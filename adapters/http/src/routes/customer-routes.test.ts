import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const NULL_ID = '13814000-1dd2-11b2-8080-808080808080';

let t: TestServer;

beforeAll(async () => {
  t = await openTestServer({ platform: await registryPlatform(await openTestRegistry(), fakeClaims()) });
});
afterAll(() => t.server.close());

const create = async (title: string): Promise<string> =>
  (await t.call('POST', '/api/customer', { title })).json().id.id;
const get = async (path: string) => (await t.call('GET', path)).json();

describe('customers', () => {
  it('have the shape of ThingsBoard', async () => {
    const body = { title: 'Yard', city: 'Kiel', additionalInfo: { note: 1 }, unknown: true };
    const answer = await t.call('POST', '/api/customer', body);
    expect(answer.statusCode).toBe(200);
    const customer = answer.json();
    expect(customer).toEqual({
      id: { entityType: 'CUSTOMER', id: expect.any(String) },
      createdTime: expect.any(Number),
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      title: 'Yard',
      name: 'Yard',
      country: null,
      state: null,
      city: 'Kiel',
      address: null,
      address2: null,
      zip: null,
      phone: null,
      email: null,
      additionalInfo: { note: 1 },
      externalId: null,
      version: 1,
    });
    const { id } = customer.id;
    expect(await get(`/api/customer/${id}`)).toEqual(customer);
    expect(await get(`/api/customer/${id}/shortInfo`)).toEqual({ title: 'Yard', isPublic: false });
    const title = await t.call('GET', `/api/customer/${id}/title`);
    expect(title.headers['content-type']).toMatch(/^text\/plain/);
    expect(title.body).toBe('Yard');
    expect(await get('/api/tenant/customers?customerTitle=Yard')).toEqual(customer);
    const page = await get('/api/customers?pageSize=10&page=0&textSearch=yar&sortProperty=title');
    expect(page).toEqual({ data: [customer], totalPages: 1, totalElements: 1, hasNext: false });
    const updated = await t.call('POST', '/api/customer', { ...customer, title: 'Dock' });
    expect(updated.json()).toMatchObject({ title: 'Dock', version: 2 });
    expect((await t.call('POST', '/api/customer', customer)).json()).toMatchObject({ status: 409, errorCode: 35 });
  });

  it('are refused as ThingsBoard refuses them', async () => {
    await create('Twice');
    const duplicate = await t.call('POST', '/api/customer', { title: 'Twice' });
    expect(duplicate.json()).toMatchObject({
      status: 400,
      errorCode: 31,
      message: 'Customer with such title already exists!',
    });
    expect((await t.call('POST', '/api/customer', { title: 'Public' })).statusCode).toBe(400);
    expect((await t.call('POST', '/api/customer', {})).statusCode).toBe(400);
    const unknown = '11111111-2222-4333-8444-555555555555';
    expect(await get(`/api/customer/${unknown}`)).toMatchObject({ status: 404, errorCode: 32 });
    expect(await get('/api/customer/x')).toMatchObject({ status: 400, message: 'Invalid UUID string: x' });
    expect(await get('/api/tenant/customers?customerTitle=None')).toMatchObject({ status: 404 });
    const token = await t.call('GET', '/api/customer/info/x/y');
    expect(token.statusCode).toBe(501);
  });

  it('TBS-32 gain and lose devices; taking back twice gives 400', async () => {
    const [customer, device] = [await create('Owner'), await t.device('boat')];
    const assigned = await t.call('POST', `/api/customer/${customer}/device/${device}`);
    expect(assigned.json()).toMatchObject({ name: 'boat', customerId: { entityType: 'CUSTOMER', id: customer } });
    const list = async (kind: string) => (await get(`/api/customer/${customer}/${kind}?pageSize=10&page=0`)).data;
    expect(await list('devices')).toHaveLength(1);
    expect(await list('deviceInfos')).toMatchObject([{ customerTitle: 'Owner', customerIsPublic: false }]);
    const back = await t.call('DELETE', `/api/customer/device/${device}`);
    expect(back.json()).toMatchObject({ name: 'boat', customerId: { id: NULL_ID } });
    expect(await list('devices')).toEqual([]);
    const twice = await t.call('DELETE', `/api/customer/device/${device}`);
    expect(twice.json()).toMatchObject({
      status: 400,
      errorCode: 31,
      message: "Device isn't assigned to any customer!",
    });
  });

  it('include the public one, made at first use', async () => {
    const device = await t.device('lamp');
    const { customerId } = (await t.call('POST', `/api/customer/public/device/${device}`)).json();
    expect(await get(`/api/customer/${customerId.id}`)).toMatchObject({
      title: 'Public',
      additionalInfo: { isPublic: true },
    });
    expect(await get(`/api/customer/${customerId.id}/shortInfo`)).toEqual({ title: 'Public', isPublic: true });
    expect(await get(`/api/device/info/${device}`)).toMatchObject({ customerTitle: 'Public', customerIsPublic: true });
  });

  it('are deleted with an empty answer; their devices are free again', async () => {
    const [customer, device] = [await create('Leaving'), await t.device('raft')];
    await t.call('POST', `/api/customer/${customer}/device/${device}`);
    const answer = await t.call('DELETE', `/api/customer/${customer}`);
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect(await get(`/api/customer/${customer}`)).toMatchObject({ status: 404 });
    expect((await get(`/api/device/${device}`)).customerId.id).toBe(NULL_ID);
  });

  it('refuse a filter they would not apply', async () => {
    const customer = await create('Filter');
    for (const kind of ['devices', 'deviceInfos']) {
      const answer = await t.call('GET', `/api/customer/${customer}/${kind}?pageSize=1&page=0&active=true`);
      expect(answer.statusCode).toBe(501);
    }
  });
});

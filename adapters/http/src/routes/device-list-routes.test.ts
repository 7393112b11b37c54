import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;

beforeAll(async () => {
  t = await openTestServer();
  for (let i = 1; i <= 25; i++) {
    const name = `Device ${String(i).padStart(2, '0')}`;
    await t.call('POST', '/api/device', { name, label: i === 7 ? 'Cellar Pump' : null });
  }
});
afterAll(() => t.server.close());

const list = (query: string, path = '/api/tenant/devices') => t.call('GET', `${path}?${query}`);

describe('list of devices', () => {
  it('TBS-26 comes in pages', async () => {
    const pages = [0, 1, 2, 3].map(async (page) => (await list(`pageSize=10&page=${page}`)).json());
    const [first, second, third, beyond] = await Promise.all(pages);
    expect(first).toMatchObject({ totalPages: 3, totalElements: 25, hasNext: true });
    expect(first.data).toHaveLength(10);
    expect(second.hasNext).toBe(true);
    expect(third).toMatchObject({ hasNext: false });
    expect(third.data).toHaveLength(5);
    expect(beyond).toEqual({ data: [], totalPages: 3, totalElements: 25, hasNext: false });
  });

  it('TBS-27 is searched by name and label in any case', async () => {
    expect((await list('pageSize=50&page=0&textSearch=dEVICE%2001')).json().totalElements).toBe(1);
    expect((await list('pageSize=50&page=0&textSearch=cellar')).json().data[0].name).toBe('Device 07');
    expect((await list('pageSize=50&page=0&textSearch=')).json().totalElements).toBe(25);
  });

  it('TBS-28 is sorted, in any spelling of the order', async () => {
    const names = async (order: string) => {
      const answer = await list(`pageSize=2&page=0&sortProperty=name&sortOrder=${order}`);
      return answer.json().data.map(({ name }: { name: string }) => name);
    };
    expect(await names('DESC')).toEqual(['Device 25', 'Device 24']);
    expect(await names('asc')).toEqual(['Device 01', 'Device 02']);
  });

  it.each([
    ['pageSize=0&page=0', "'pageSize' in the query must be at least 1"],
    ['pageSize=-1&page=0', "'pageSize' in the query must be at least 1"],
    ['pageSize=5&page=-1', "'page' in the query must be at least 0"],
    ['page=0', "'pageSize' is missing in the query"],
    ['pageSize=5', "'page' is missing in the query"],
    ['pageSize=&page=0', "'pageSize' is missing in the query"],
    ['pageSize=abc&page=0', "'pageSize' in the query must be a whole number"],
    ['pageSize=1e2&page=0', "'pageSize' in the query must be a whole number"],
    ['pageSize=5&pageSize=6&page=0', "'pageSize' in the query must be a whole number"],
    ['pageSize=99999999999&page=0', /at most/],
    ['pageSize=5&page=0&sortOrder=UP', "'sortOrder' in the query must be one of ASC, DESC"],
    ['pageSize=5&page=0&sortProperty=__proto__', 'Unsupported sort property: __proto__'],
    ['pageSize=5&page=0&deviceProfileId=x', 'Invalid UUID string: x'],
    ['pageSize=5&page=0&textSearch=a&textSearch=b', "'textSearch' in the query must be a text"],
  ])('TBS-28 is 400/31 for ?%s', async (query, message) => {
    const answer = await list(query);
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31 });
    expect(answer.json().message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('is cut at 10,000 for a larger pageSize', async () => {
    expect((await list('pageSize=2147483647&page=0')).json().data).toHaveLength(25);
  });

  it('TBS-29 gives one device for deviceName, or 404', async () => {
    for (const path of ['/api/tenant/devices', '/api/tenant/device']) {
      const answer = (await list('deviceName=Device%2003', path)).json();
      expect(answer.name).toBe('Device 03');
      expect(answer).not.toHaveProperty('data');
      expect((await list('deviceName=None', path)).json()).toMatchObject({ status: 404, errorCode: 32 });
    }
    expect((await list('deviceName=', '/api/tenant/device')).statusCode).toBe(400);
  });

  it('TBS-30 as infos carries what lists show', async () => {
    const { data } = (await list('pageSize=1&page=0', '/api/tenant/deviceInfos')).json();
    expect(data[0]).toMatchObject({ deviceProfileName: 'default', active: false, customerTitle: null });
  });

  it('refuses a filter it would not apply', async () => {
    for (const path of ['/api/tenant/devices', '/api/tenant/deviceInfos']) {
      expect((await list('pageSize=1&page=0&active=true', path)).statusCode).toBe(501);
    }
  });

  it('by ids leaves unknown ones out', async () => {
    const [a, b] = (await list('pageSize=2&page=0')).json().data;
    const ids = `${b.id.id},11111111-2222-4333-8444-555555555555,${a.id.id.toUpperCase()}`;
    const found = (await t.call('GET', `/api/devices?deviceIds=${encodeURIComponent(ids)}`)).json();
    expect(found.map(({ name }: { name: string }) => name)).toEqual([b.name, a.name]);
    const malformed = await t.call('GET', `/api/devices?deviceIds=${a.id.id},zz`);
    expect(malformed.json().message).toBe('Invalid UUID string: zz');
    const ones = Array.from({ length: 250 }, () => a.id.id).join(',');
    expect((await t.call('GET', `/api/devices?deviceIds=${ones}`)).statusCode).toBe(200);
  });

  it('of types names the profiles in use', async () => {
    const [type] = (await t.call('GET', '/api/device/types')).json();
    expect(type).toEqual({
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      entityType: 'DEVICE',
      type: 'default',
    });
  });
});

import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entityPlatform } from '../testing/entity-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;

beforeAll(async () => {
  t = await openTestServer({ platform: await entityPlatform(await openTestRegistry()) });
});
afterAll(() => t.server.close());

const customer = async (title: string): Promise<string> =>
  (await t.call('POST', '/api/customer', { title })).json().id.id;
const create = async (title: string): Promise<string> =>
  (await t.call('POST', '/api/dashboard', { title })).json().id.id;
const get = async (path: string) => (await t.call('GET', path)).json();
const titlesOf = async (id: string): Promise<string[]> =>
  (await get(`/api/dashboard/info/${id}`)).assignedCustomers.map(({ title }: { readonly title: string }) => title);

/** As ThingsBoard exports it: the parts that conversions tend to lose. */
const CONFIGURATION =
  '{"description":"","widgets":{"f1":{"typeFullFqn":"system.cards.value_card","sizeX":5.0,"config":{"n":1e2,' +
  '"big":12345678901234567890,"text":"\\u00fc ü \\/ </script>","empty":{},"none":null,"list":[1.50,[],""]}}},' +
  '"states":{"default":{"name":"x","root":true,"layouts":{"main":{"widgets":{"f1":{"row":0}}}}}},"10":1,"2":2}';

describe('dashboards', () => {
  it('TBS-45 give the configuration back byte for byte', async () => {
    const payload = `{"title":"Plan", "configuration": ${CONFIGURATION}, "unknown":{"configuration":1}}`;
    const saved = await t.call('POST', '/api/dashboard', payload);
    expect(saved.statusCode).toBe(200);
    expect(saved.headers['content-type']).toBe('application/json; charset=utf-8');
    const whole = await t.call('GET', `/api/dashboard/${saved.json().id.id}`);
    expect(whole.body).toBe(saved.body);
    expect(whole.body.endsWith(`"configuration":${CONFIGURATION}}`)).toBe(true);
    expect(whole.json().configuration).toEqual(JSON.parse(CONFIGURATION));
  });

  it('have the shape of ThingsBoard', async () => {
    const saved = (await t.call('POST', '/api/dashboard', { title: 'Shape', configuration: { a: 1 } })).json();
    expect(saved).toEqual({
      id: { entityType: 'DASHBOARD', id: expect.any(String) },
      createdTime: expect.any(Number),
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      title: 'Shape',
      name: 'Shape',
      image: null,
      assignedCustomers: [],
      mobileHide: false,
      mobileOrder: null,
      externalId: null,
      version: 1,
      configuration: { a: 1 },
    });
    const { configuration: _, ...info } = saved;
    expect(await get(`/api/dashboard/info/${saved.id.id}`)).toEqual(info);
    const page = await get('/api/tenant/dashboards?pageSize=10&page=0&textSearch=shap&mobile=true');
    expect(page).toEqual({ data: [info], totalPages: 1, totalElements: 1, hasNext: false });
  });

  it('are updated under their version; what is left out of the configuration stays', async () => {
    const saved = (await t.call('POST', '/api/dashboard', { title: 'Old', configuration: { a: 1 } })).json();
    const { configuration: _, ...rest } = saved;
    const renamed = await t.call('POST', '/api/dashboard', { ...rest, title: 'New' });
    expect(renamed.json()).toMatchObject({ title: 'New', version: 2, configuration: { a: 1 } });
    const stale = await t.call('POST', '/api/dashboard', saved);
    expect([stale.statusCode, stale.json().errorCode]).toEqual([409, 35]);
    const emptied = await t.call('POST', '/api/dashboard', { ...rest, version: 2, configuration: null });
    expect(emptied.json()).toMatchObject({ configuration: null, version: 3 });
  });

  it('take a configuration of nearly 16 MiB and refuse a larger body', async () => {
    const payload = (size: number) => `{"title":"Large","configuration":{"text":"${'x'.repeat(size)}"}}`;
    const saved = await t.call('POST', '/api/dashboard', payload(16_000_000));
    expect(saved.statusCode).toBe(200);
    const whole = await t.call('GET', `/api/dashboard/${saved.json().id.id}`);
    expect(whole.json().configuration.text).toHaveLength(16_000_000);
    const list = await t.call('GET', '/api/tenant/dashboards?pageSize=10&page=0&textSearch=large');
    expect(list.json().totalElements).toBe(1);
    expect(list.body.length).toBeLessThan(1000);
    const refused = await t.call('POST', '/api/dashboard', payload(16_777_216));
    expect([refused.statusCode, refused.json().errorCode]).toEqual([413, 31]);
  });

  it('are refused as ThingsBoard refuses them', async () => {
    const unknown = '11111111-2222-4333-8444-555555555555';
    expect(await get(`/api/dashboard/${unknown}`)).toMatchObject({ status: 404, errorCode: 32 });
    expect(await get('/api/dashboard/x')).toMatchObject({ status: 400, message: 'Invalid UUID string: x' });
    for (const body of [{}, { title: ' ' }, { title: 'x', configuration: [1] }, '[]', '{', '"x"', '']) {
      const answer = await t.call('POST', '/api/dashboard', body);
      expect([answer.statusCode, answer.json().errorCode], JSON.stringify(body)).toEqual([400, 31]);
    }
    const deep = `{"title":"x","configuration":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`;
    expect((await t.call('POST', '/api/dashboard', deep)).statusCode).toBe(400);
    expect((await t.call('GET', '/api/dashboards')).statusCode).toBe(501);
  });

  it('are deleted with an empty answer', async () => {
    const id = await create('Gone');
    const answer = await t.call('DELETE', `/api/dashboard/${id}`);
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect((await t.call('GET', `/api/dashboard/${id}`)).statusCode).toBe(404);
  });

  it('come with the time, the limit of points, and no home', async () => {
    expect(await get('/api/dashboard/serverTime')).toBe(t.state.now);
    expect(await get('/api/dashboard/maxDatapointsLimit')).toBe(50_000);
    for (const path of ['/api/dashboard/home', '/api/dashboard/home/info']) {
      const answer = await t.call('GET', path);
      expect([answer.statusCode, answer.body], path).toEqual([200, '']);
    }
  });

  it('have a home when the user has chosen one', async () => {
    const id = await create('Home');
    const users = (await get('/api/users?pageSize=10&page=0')).data;
    const [admin] = users;
    const additionalInfo = { ...admin.additionalInfo, homeDashboardId: id, homeDashboardHideToolbar: false };
    expect((await t.call('POST', '/api/user', { ...admin, additionalInfo })).statusCode).toBe(200);
    expect(await get('/api/dashboard/home/info')).toEqual({
      dashboardId: { entityType: 'DASHBOARD', id },
      hideDashboardToolbar: false,
    });
    expect(await get('/api/dashboard/home')).toMatchObject({ title: 'Home', hideDashboardToolbar: false });
  });
});

describe('customers of a dashboard', () => {
  it('TBS-45 are both shown when it is assigned to two', async () => {
    const [yard, dock, id] = [await customer('Yard'), await customer('Dock'), await create('Assigned')];
    const first = await t.call('POST', `/api/customer/${yard}/dashboard/${id}`);
    expect(first.json().assignedCustomers).toEqual([
      { customerId: { entityType: 'CUSTOMER', id: yard }, title: 'Yard', public: false },
    ]);
    await t.call('POST', `/api/customer/${dock}/dashboard/${id}`);
    expect(await titlesOf(id)).toEqual(['Dock', 'Yard']);
    const theirs = await get(`/api/customer/${yard}/dashboards?pageSize=10&page=0`);
    expect(theirs.data.map(({ title }: { readonly title: string }) => title)).toEqual(['Assigned']);
    const back = await t.call('DELETE', `/api/customer/${dock}/dashboard/${id}`);
    expect(back.json().assignedCustomers).toHaveLength(1);
  });

  it('are replaced, added and removed in lists, and include the public one', async () => {
    const [a, b, id] = [await customer('a'), await customer('b'), await create('Lists')];
    const change = async (path: string, ids: readonly string[]) => {
      const answer = await t.call('POST', `/api/dashboard/${id}/${path}`, ids);
      expect(answer.statusCode, path).toBe(200);
      return titlesOf(id);
    };
    expect(await change('customers', [a.toUpperCase()])).toEqual(['a']);
    expect(await change('customers/add', [b])).toEqual(['a', 'b']);
    expect(await change('customers/remove', [a])).toEqual(['b']);
    expect(await change('customers', [])).toEqual([]);
    const open = await t.call('POST', `/api/customer/public/dashboard/${id}`);
    expect(open.json().assignedCustomers).toMatchObject([{ title: 'Public', public: true }]);
    const closed = await t.call('DELETE', `/api/customer/public/dashboard/${id}`);
    expect(closed.json().assignedCustomers).toEqual([]);
    expect((await t.call('POST', `/api/dashboard/${id}/customers`, ['x'])).statusCode).toBe(400);
    const unknown = ['11111111-2222-4333-8444-555555555555'];
    expect((await t.call('POST', `/api/dashboard/${id}/customers`, unknown)).statusCode).toBe(404);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_EMAIL, ADMIN_PASSWORD, MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess();
beforeAll(() => server.start());
afterAll(() => server.dispose());

/**
 * Sends as n8n's request helper does: axios with a JSON body if there is one, and no content type without. Any status of 400 or more
 * is an error there, and what comes back is parsed if it can be.
 */
// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
type Send = (method: string, path: string, query?: Record<string, unknown>, body?: object) => Promise<any>;

function sender(authorization: string): Send {
  return async (method, path, query = {}, body) => {
    const parameters = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
    const response = await fetch(`${server.baseUrl}${path}?${new URLSearchParams(parameters)}`, {
      method,
      headers: {
        'x-authorization': authorization,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? '' : JSON.parse(text);
  };
}

/** How the node signs in with each of its two kinds of credentials. */
const SIGN_IN = {
  'user name and password': async (): Promise<Send> => {
    const body = { username: ADMIN_EMAIL, password: ADMIN_PASSWORD };
    const { token } = await sender('')('POST', '/api/auth/login', {}, body);
    const send = sender(`Bearer ${token}`);
    // Absent: the node takes the server for the Community Edition.
    expect((await send('GET', '/api/system/info')).edition).toBeUndefined();
    return send;
  },
  'an API key': async (): Promise<Send> => {
    const administrator = await SIGN_IN['user name and password']();
    const { id } = await administrator('GET', '/api/auth/user');
    const key = await administrator('POST', '/api/apiKey', {}, { userId: id, description: 'n8n', enabled: true });
    return sender(`ApiKey ${key.value}`);
  },
};

const PAGE = { pageSize: 50, page: 0 };
const SORTED = { ...PAGE, textSearch: 'n8n', sortProperty: 'createdTime', sortOrder: 'DESC' };

describe.each(Object.entries(SIGN_IN))('TBS-104 the calls of the n8n node, with %s', (_kind, signIn) => {
  let send: Send;
  const ids = { device: '', customer: '' };

  beforeAll(async () => {
    send = await signIn();
    ids.customer = (await send('POST', '/api/customer', {}, { title: 'n8n customer' })).id.id;
    const device = { name: 'n8n device', type: 'default', label: 'n8n' };
    ids.device = (await send('POST', '/api/device', { accessToken: 'n8n-token' }, device)).id.id;
  });
  afterAll(async () => {
    expect(await send('DELETE', `/api/device/${ids.device}`)).toBe('');
    expect(await send('DELETE', `/api/customer/${ids.customer}`)).toBe('');
  });

  it('tests the credentials', async () => {
    expect(await send('GET', '/api/auth/user')).toMatchObject({ email: ADMIN_EMAIL });
  });

  it('device: get by id, get by name, list, create for a customer, list of the customer, delete', async () => {
    expect((await send('GET', `/api/device/${ids.device}`)).name).toBe('n8n device');
    expect((await send('GET', '/api/tenant/devices', { deviceName: 'n8n device' })).id.id).toBe(ids.device);
    expect(await send('GET', '/api/tenant/devices', { ...SORTED, type: 'default' })).toMatchObject({
      data: [{ label: 'n8n' }],
      totalElements: 1,
      hasNext: false,
    });
    const customerId = { entityType: 'CUSTOMER', id: ids.customer };
    const other = await send('POST', '/api/device', {}, { name: 'n8n other', type: 'default', customerId });
    const ofCustomer = await send('GET', `/api/customer/${ids.customer}/devices`, PAGE);
    expect(ofCustomer.data.map(({ name }: { name: string }) => name)).toEqual(['n8n other']);
    await send('DELETE', `/api/device/${other.id.id}`);
  });

  it('telemetry: save, keys, latest, range, aggregate, delete', async () => {
    const at = `/api/plugins/telemetry/DEVICE/${ids.device}`;
    expect(await send('POST', `${at}/timeseries/ANY`, {}, { ts: 1000, values: { t: 20 } })).toBe('');
    expect(await send('POST', `${at}/timeseries/ANY/0`, {}, { t: 22 })).toBe('');
    expect(await send('GET', `${at}/keys/timeseries`)).toEqual(['t']);
    const strict = await send('GET', `${at}/values/timeseries`, { keys: 't', useStrictDataTypes: true });
    expect(strict.t[0].value).toBe(22);
    const range = { keys: 't', startTs: 0, endTs: Date.now() + 60_000, orderBy: 'DESC', limit: 50 };
    const more = { interval: 0, agg: 'NONE', intervalType: 'MILLISECONDS', useStrictDataTypes: false };
    const points = await send('GET', `${at}/values/timeseries`, { ...range, ...more });
    expect(points.t.map(({ value }: { value: string }) => value)).toEqual(['22', '20']);
    const day = { ...range, endTs: 86_400_000, agg: 'AVG', interval: 86_400_000, timeZone: 'UTC' };
    expect((await send('GET', `${at}/values/timeseries`, day)).t).toEqual([{ ts: 43_200_000, value: '20.0' }]);
    const everything = { keys: 't', deleteAllDataForKeys: true, deleteLatest: true, rewriteLatestIfDeleted: false };
    expect(await send('DELETE', `${at}/timeseries/delete`, everything)).toBe('');
    expect(await send('GET', `${at}/keys/timeseries`)).toEqual([]);
  });

  it('attributes: save in both forms, read, keys of all scopes and of one, delete', async () => {
    const at = `/api/plugins/telemetry/DEVICE/${ids.device}`;
    expect(await send('POST', `${at}/attributes/SERVER_SCOPE`, {}, { floor: 3 })).toBe('');
    expect(await send('POST', `${at}/SHARED_SCOPE`, {}, { target: 21 })).toBe('');
    const values = await send('GET', `${at}/values/attributes`, { keys: 'floor,target' });
    expect(values).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: 'floor', value: 3 }),
        expect.objectContaining({ key: 'target', value: 21 }),
      ]),
    );
    expect(await send('GET', `${at}/keys/attributes`)).toEqual(expect.arrayContaining(['floor', 'target']));
    expect(await send('GET', `${at}/keys/attributes/SHARED_SCOPE`)).toEqual(['target']);
    expect(await send('DELETE', `${at}/SHARED_SCOPE`, { keys: 'target' })).toBe('');
    expect(await send('GET', `${at}/keys/attributes/SHARED_SCOPE`)).toEqual([]);
  });

  it('alarm: get, get info, of an entity, of all, highest severity, types', async () => {
    const originator = { entityType: 'DEVICE', id: ids.device };
    const alarm = await send('POST', '/api/alarm', {}, { originator, type: 'n8n hot', severity: 'MAJOR' });
    expect((await send('GET', `/api/alarm/${alarm.id.id}`)).type).toBe('n8n hot');
    expect((await send('GET', `/api/alarm/info/${alarm.id.id}`)).originatorName).toBe('n8n device');
    const query = {
      ...PAGE,
      searchStatus: 'ACTIVE',
      startTime: 0,
      endTime: Date.now() + 60_000,
      fetchOriginator: true,
    };
    expect((await send('GET', `/api/alarm/DEVICE/${ids.device}`, query)).totalElements).toBe(1);
    expect(
      (await send('GET', '/api/alarms', { ...PAGE, status: 'ACTIVE_UNACK', fetchOriginator: false })).data,
    ).toHaveLength(1);
    expect(await send('GET', `/api/alarm/highestSeverity/DEVICE/${ids.device}`)).toBe('MAJOR');
    const types = await send('GET', '/api/alarm/types', PAGE);
    expect(types.data.map(({ type }: { type: string }) => type)).toContain('n8n hot');
    expect(await send('DELETE', `/api/alarm/${alarm.id.id}`)).toBe(true);
  });

  it('customer: get by id, by title, list', async () => {
    expect((await send('GET', `/api/customer/${ids.customer}`)).title).toBe('n8n customer');
    expect((await send('GET', '/api/tenant/customers', { customerTitle: 'n8n customer' })).id.id).toBe(ids.customer);
    expect((await send('GET', '/api/customers', { ...PAGE, textSearch: 'N8N' })).totalElements).toBe(1);
  });

  it('dashboard: create by title, get, list, list of a customer, delete', async () => {
    const dashboard = await send('POST', '/api/dashboard', {}, { title: 'n8n dashboard' });
    expect((await send('GET', `/api/dashboard/${dashboard.id.id}`)).title).toBe('n8n dashboard');
    expect((await send('GET', '/api/tenant/dashboards', { ...PAGE, mobile: false })).data).toHaveLength(1);
    const ofCustomer = `/api/customer/${ids.customer}/dashboards`;
    expect((await send('GET', ofCustomer, { ...PAGE, includeCustomers: false })).data).toEqual([]);
    expect(await send('DELETE', `/api/dashboard/${dashboard.id.id}`)).toBe('');
  });
});

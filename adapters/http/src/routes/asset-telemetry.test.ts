import { openTestRegistry, succeeded, type TestRegistry } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { entityPlatform } from '../testing/entity-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let registry: TestRegistry;
let t: TestServer;
let asset: string;

beforeEach(async () => {
  registry = await openTestRegistry();
  t = await openTestServer({ platform: await entityPlatform(registry) });
  asset = (await t.call('POST', '/api/asset', { name: 'Hall' })).json().id.id;
  return () => t.server.close();
});

const at = (path: string, id = asset) => `/api/plugins/telemetry/ASSET/${id}/${path}`;
const read = async (path: string) => (await t.call('GET', at(path))).json();

/** A user of a new customer, signed in. */
async function customerUser(): Promise<{ readonly id: string; readonly token: string }> {
  const { id } = (await t.call('POST', '/api/customer', { title: 'Yard' })).json().id;
  const user = { email: 'ann@example.org', authority: 'CUSTOMER_USER', customerId: { id } };
  const { id: userId } = (await t.call('POST', '/api/user', user)).json();
  const link = succeeded(await registry.users.activationToken(registry.admin, userId.id));
  succeeded(await registry.users.activate(link, 'a battery staple'));
  return { id, token: (await t.login('ann@example.org', 'a battery staple')).json().token };
}

const as = (token: string, method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
  t.send({
    method,
    url,
    headers: { 'x-authorization': `Bearer ${token}` },
    ...(payload === undefined ? {} : { payload }),
  });

describe('telemetry and attributes of assets', () => {
  it('are written, read and deleted like those of devices', async () => {
    const points = [
      { ts: 1000, values: { power: 5, state: 'on' } },
      { ts: 2000, values: { power: 7.5 } },
    ];
    expect((await t.call('POST', at('timeseries/ANY'), points)).statusCode).toBe(200);
    expect(await read('keys/timeseries')).toEqual(['power', 'state']);
    expect(await read('values/timeseries?keys=power&useStrictDataTypes=true')).toEqual({
      power: [{ ts: 2000, value: 7.5 }],
    });
    expect(await read('values/timeseries?keys=power&startTs=0&endTs=5000&orderBy=ASC')).toEqual({
      power: [
        { ts: 1000, value: '5' },
        { ts: 2000, value: '7.5' },
      ],
    });
    const erased = await t.call('DELETE', at('timeseries/delete?keys=power&deleteAllDataForKeys=true'));
    expect(erased.statusCode).toBe(200);
    expect(await read('keys/timeseries')).toEqual(['state']);

    expect((await t.call('POST', at('SERVER_SCOPE'), { area: 120 })).statusCode).toBe(200);
    expect((await t.call('POST', at('attributes/SHARED_SCOPE'), { floor: 2 })).statusCode).toBe(200);
    expect((await t.call('POST', at('CLIENT_SCOPE'), { x: 1 })).body).toBe('Invalid scope: CLIENT_SCOPE');
    expect((await read('keys/attributes')).sort()).toEqual(['area', 'floor']);
    expect(await read('values/attributes/SERVER_SCOPE')).toMatchObject([{ key: 'area', value: 120 }]);
    expect((await t.call('DELETE', at('SERVER_SCOPE?keys=area'))).statusCode).toBe(200);
    expect(await read('keys/attributes')).toEqual(['floor']);
  });

  it('TBS-37 are gone with the asset', async () => {
    await t.call('POST', at('timeseries/ANY'), { power: 5 });
    expect((await t.call('DELETE', `/api/asset/${asset}`)).statusCode).toBe(200);
    for (const path of ['values/timeseries', 'values/attributes', 'keys/timeseries']) {
      const answer = await t.call('GET', at(path));
      expect([answer.statusCode, answer.body]).toEqual([404, "Asset with requested id wasn't found!"]);
    }
  });

  it('are found under the type of their entity alone', async () => {
    const device = await t.device();
    const wrong = await t.call('GET', at('values/timeseries', device));
    expect([wrong.statusCode, wrong.body]).toEqual([404, "Asset with requested id wasn't found!"]);
    const other = await t.call('GET', `/api/plugins/telemetry/DEVICE/${asset}/values/timeseries`);
    expect([other.statusCode, other.body]).toEqual([404, "Device with requested id wasn't found!"]);
  });

  it('TBS-43 are the customer’s whose asset it is; anybody who knows a public one reads and does not write', async () => {
    const { id, token } = await customerUser();
    const url = at('values/timeseries');
    expect((await as(token, 'GET', url)).statusCode).toBe(403);
    await t.call('POST', `/api/customer/${id}/asset/${asset}`, {});
    expect((await as(token, 'POST', at('timeseries/ANY'), { power: 1 })).statusCode).toBe(200);
    expect((await as(token, 'GET', url)).json()).toMatchObject({ power: [{ value: '1' }] });
    const { customerId } = (await t.call('POST', `/api/customer/public/asset/${asset}`, {})).json();
    const login = { method: 'POST', url: '/api/auth/login/public', payload: { publicId: customerId.id } } as const;
    const viewer = (await t.send(login)).json().token;
    expect((await as(viewer, 'GET', url)).json()).toMatchObject({ power: [{ value: '1' }] });
    expect((await as(viewer, 'POST', at('timeseries/ANY'), { power: 2 })).statusCode).toBe(403);
    expect((await as(viewer, 'POST', at('SERVER_SCOPE'), { a: 2 })).statusCode).toBe(403);
    expect((await as(token, 'GET', url)).statusCode).toBe(403);
  });
});

import type { ServerAttributes, Value } from '@moorage/core';
import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const NULL_ID = '13814000-1dd2-11b2-8080-808080808080';

let t: TestServer;
let token: string;
let customerId: string;
let open: (deviceId: string, secretKey: string) => Promise<unknown>;

/** Attributes of all devices in one map. */
function attributesInMemory(): ServerAttributes {
  const values = new Map<string, Value>();
  return {
    read: async (device, keys) =>
      new Map(
        keys.flatMap((key) => {
          const value = values.get(`${device} ${key}`);
          return value === undefined ? [] : [[key, value] as const];
        }),
      ),
    save: async (device, changed) => {
      for (const [key, value] of changed) values.set(`${device} ${key}`, value);
      return 'stored';
    },
    remove: async (device, keys) => {
      for (const key of keys) values.delete(`${device} ${key}`);
      return 'stored';
    },
  };
}

beforeAll(async () => {
  const registry = await openTestRegistry();
  const { claims, deviceClaims } = await registry.openOnboarding({ attributes: attributesInMemory() });
  t = await openTestServer({ platform: await registryPlatform(registry, claims) });
  open = async (deviceId, secretKey) => {
    const device = registry.deviceRef(deviceId);
    return device === undefined ? 'unknown' : deviceClaims.open(device, secretKey, null);
  };
  customerId = (await t.call('POST', '/api/customer', { title: 'Yard' })).json().id.id;
  const user = { email: 'ann@example.org', authority: 'CUSTOMER_USER', customerId: { id: customerId } };
  const { id } = (await t.call('POST', '/api/user', user)).json().id;
  const link = new URL((await t.call('GET', `/api/user/${id}/activationLink`)).body);
  const activateToken = link.searchParams.get('activateToken');
  const payload = { activateToken, password: 'a battery staple' };
  token = (await t.send({ method: 'POST', url: '/api/noauth/activate', payload })).json().token;
});
afterAll(() => t.server.close());

const claim = (name: string, payload?: object, method: 'POST' | 'DELETE' = 'POST') =>
  t.send({
    method,
    url: `/api/customer/device/${encodeURIComponent(name)}/claim`,
    headers: { 'x-authorization': `Bearer ${token}` },
    ...(payload === undefined ? {} : { payload }),
  });

describe('claiming', () => {
  it('TBS-41 answers SUCCESS with the device, a wrong key with 400 "FAILURE", a second claim with 400 "CLAIMED"', async () => {
    const device = await t.device('boat/1 ä');
    await open(device, 'secret');
    const wrong = await claim('boat/1 ä', { secretKey: 'wrong' });
    expect([wrong.statusCode, wrong.body]).toEqual([400, '"FAILURE"']);
    expect(wrong.headers['content-type']).toMatch(/^application\/json/);
    expect((await claim('boat/1 ä', { secretKey: 'secret' })).body).toBe('"FAILURE"');
    await open(device, 'secret');
    const right = await claim('boat/1 ä', { secretKey: 'secret' });
    expect(right.statusCode).toBe(200);
    expect(right.json()).toEqual({
      device: expect.objectContaining({ name: 'boat/1 ä', customerId: { entityType: 'CUSTOMER', id: customerId } }),
      response: 'SUCCESS',
    });
    const again = await claim('boat/1 ä', { secretKey: 'secret' });
    expect([again.statusCode, again.body]).toEqual([400, '"CLAIMED"']);
  });

  it('TBS-42 gives the device back', async () => {
    const device = await t.device('raft');
    await open(device, '');
    expect((await claim('raft')).statusCode).toBe(200);
    const back = await claim('raft', undefined, 'DELETE');
    expect([back.statusCode, back.body]).toEqual([200, '']);
    expect((await t.call('GET', `/api/device/${device}`)).json().customerId.id).toBe(NULL_ID);
  });

  it.each([undefined, {}, { secretKey: null }, { secretKey: '' }])('takes %j for the empty secret', async (body) => {
    const name = `lamp ${JSON.stringify(body)}`;
    await open(await t.device(name), '');
    expect((await claim(name, body)).json().response).toBe('SUCCESS');
  });

  it('is 404 for an unknown name, 403 for an administrator, and 400 for a body of another form', async () => {
    expect((await claim('nobody', {})).json()).toMatchObject({ status: 404, errorCode: 32 });
    await t.device('buoy');
    expect((await t.call('POST', '/api/customer/device/buoy/claim', {})).json()).toMatchObject({ errorCode: 20 });
    for (const body of [{ secretKey: 5 }, []]) {
      expect((await claim('buoy', body)).json()).toMatchObject({ status: 400, errorCode: 31 });
    }
  });
});

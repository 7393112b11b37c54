import { success } from '@moorage/core';
import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entityPlatform } from '../testing/entity-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
const written: string[] = [];

beforeAll(async () => {
  const platform = await entityPlatform(await openTestRegistry(), {
    async saveAttributes(_caller, _id, scope, values) {
      for (const [key, { value }] of values) written.push(`${scope} ${key} ${value}`);
      return success(null);
    },
    async save(_caller, _id, points) {
      points.keys.forEach((key, i) => {
        written.push(`series ${key} ${points.values[i]}`);
      });
      return success(null);
    },
  });
  t = await openTestServer({ platform });
});
afterAll(() => t.server.close());

const columns = [
  { type: 'NAME' },
  { type: 'TYPE' },
  { type: 'SERVER_ATTRIBUTE', key: 'floor' },
  { type: 'TIMESERIES', key: 'temperature' },
  { type: 'ACCESS_TOKEN' },
];
const FILE =
  'name,type,floor,temperature,token\nT1,meter,3,20.5,t-1\nT2,meter,,,t-2\n,meter,1,,\n"T3","meter",cellar,,t-3\n';
const send = (body: object) => t.call('POST', '/api/device/bulk_import', body);
const mapping = { columns, delimiter: ',', update: true, header: true };

describe('bulk import', () => {
  it('says on request what it would do, and writes nothing', async () => {
    const answer = await send({ file: FILE, mapping, dryRun: true });
    expect(answer.json()).toMatchObject({ created: 3, updated: 0, errors: 1 });
    expect((await t.call('GET', '/api/tenant/device?deviceName=T1')).statusCode).toBe(404);
    expect(written).toEqual([]);
  });

  it('TBS-81 creates three devices and names the bad line; values and tokens are set', async () => {
    const answer = await send({ file: FILE, mapping });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      created: 3,
      updated: 0,
      errors: 1,
      errorsList: ['Line 4: Device name should be specified!'],
    });
    const device = (await t.call('GET', '/api/tenant/device?deviceName=T3')).json();
    expect(device).toMatchObject({ type: 'meter' });
    const credentials = await t.call('GET', `/api/device/${device.id.id}/credentials`);
    expect(credentials.json()).toMatchObject({ credentialsType: 'ACCESS_TOKEN', credentialsId: 't-3' });
    expect(written.sort()).toEqual(['SERVER floor 3', 'SERVER floor cellar', 'series temperature 20.5']);
  });

  it('TBS-82 updates them the second time', async () => {
    const answer = await send({ file: FILE, mapping });
    expect(answer.json()).toMatchObject({ created: 0, updated: 3, errors: 1 });
  });

  it('is refused for columns that are not offered and for bodies that are none', async () => {
    for (const type of ['LWM2M_CLIENT_ENDPOINT', 'SNMP_HOST', 'ROUTING_KEY', 'SECRET']) {
      const answer = await send({ file: 'h\na', mapping: { columns: [{ type: 'NAME' }, { type }] } });
      expect([answer.statusCode, answer.json().errorCode], type).toEqual([400, 31]);
    }
    for (const body of [{}, { file: 'a' }, { file: 1, mapping }, { file: 'a', mapping: { columns: 'NAME' } }]) {
      expect((await send(body)).statusCode).toBe(400);
    }
    const large = await send({ file: 'x'.repeat(16_777_216), mapping });
    expect([large.statusCode, large.json().errorCode]).toEqual([413, 31]);
  });

  it('is not for customers', async () => {
    const { id } = (await t.call('POST', '/api/customer', { title: 'Yard' })).json().id;
    const user = { email: 'ann@example.org', authority: 'CUSTOMER_USER', customerId: { entityType: 'CUSTOMER', id } };
    const saved = (await t.call('POST', '/api/user?sendActivationMail=false', user)).json();
    const link = (await t.call('GET', `/api/user/${saved.id.id}/activationLink`)).body;
    const activateToken = link.slice(link.indexOf('activateToken=') + 14);
    const tokens = await t.send({
      method: 'POST',
      url: '/api/noauth/activate',
      payload: { activateToken, password: 'long enough for anybody 1' },
    });
    const answer = await t.send({
      method: 'POST',
      url: '/api/device/bulk_import',
      headers: { 'x-authorization': `Bearer ${tokens.json().token}` },
      payload: { file: FILE, mapping },
    });
    expect([answer.statusCode, answer.json().errorCode]).toEqual([403, 20]);
  });
});

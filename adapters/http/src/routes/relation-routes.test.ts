import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entityPlatform } from '../testing/entity-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
let asset: string;
let device: string;

beforeAll(async () => {
  t = await openTestServer({ platform: await entityPlatform(await openTestRegistry()) });
  asset = (await t.call('POST', '/api/asset', { name: 'Building 1' })).json().id.id;
  device = await t.device('Thermostat');
});
afterAll(() => t.server.close());

const get = async (path: string) => (await t.call('GET', path)).json();
const relation = () => ({
  from: { entityType: 'ASSET', id: asset },
  to: { entityType: 'DEVICE', id: device },
  type: 'Contains',
});
const key = () => `fromId=${asset}&fromType=ASSET&relationType=Contains&toId=${device}&toType=DEVICE`;

describe('relations', () => {
  it('TBS-44 are created, listed by from and by to, and deleted', async () => {
    const saved = await t.call('POST', '/api/relation', relation());
    expect([saved.statusCode, saved.body]).toEqual([200, '']);
    const expected = { ...relation(), typeGroup: 'COMMON', additionalInfo: null };
    expect(await get(`/api/relations?fromId=${asset}&fromType=ASSET`)).toEqual([expected]);
    expect(await get(`/api/relations?toId=${device}&toType=device`)).toEqual([expected]);
    expect(await get(`/api/relations?fromId=${asset}&fromType=ASSET&relationType=Manages`)).toEqual([]);
    expect(await get(`/api/relations?fromId=${asset}&fromType=ASSET&relationTypeGroup=DASHBOARD`)).toEqual([]);
    expect(await get(`/api/relations/info?toId=${device.toUpperCase()}&toType=DEVICE`)).toEqual([
      { ...expected, fromName: 'Building 1', toName: 'Thermostat' },
    ]);
    expect(await get(`/api/relation?${key()}`)).toEqual(expected);
    const deleted = await t.call('DELETE', `/api/relation?${key()}`);
    expect([deleted.statusCode, deleted.body]).toEqual([200, '']);
    expect(await get(`/api/relations?fromId=${asset}&fromType=ASSET`)).toEqual([]);
    expect((await t.call('DELETE', `/api/relation?${key()}`)).statusCode).toBe(404);
    expect((await t.call('GET', `/api/relation?${key()}`)).statusCode).toBe(404);
  });

  it('of an entity are deleted together', async () => {
    await t.call('POST', '/api/relation', relation());
    const deleted = await t.call('DELETE', `/api/relations?entityId=${device}&entityType=DEVICE`);
    expect([deleted.statusCode, deleted.body]).toEqual([200, '']);
    expect(await get(`/api/relations?fromId=${asset}&fromType=ASSET`)).toEqual([]);
  });

  it('are refused without two known ends', async () => {
    const post = async (body: object) => (await t.call('POST', '/api/relation', { ...relation(), ...body })).json();
    const unknown = { entityType: 'DEVICE', id: '11111111-2222-4333-8444-555555555555' };
    expect(await post({ to: unknown })).toMatchObject({ status: 404, errorCode: 32 });
    expect(await post({ to: { ...unknown, entityType: 'EDGE' } })).toMatchObject({ status: 501, errorCode: 2 });
    expect(await post({ to: { ...unknown, entityType: 'SHIP' } })).toMatchObject({ status: 400, errorCode: 31 });
    expect(await post({ to: { ...unknown, id: 'x' } })).toMatchObject({ message: 'Invalid UUID string: x' });
    expect(await post({ type: '' })).toMatchObject({ status: 400 });
    expect(await post({ typeGroup: 'OTHER' })).toMatchObject({ status: 400 });
    expect(await get('/api/relations')).toMatchObject({ status: 400 });
    expect(await get(`/api/relations?fromId=${asset}`)).toMatchObject({ status: 400 });
    expect(await get(`/api/relations?fromId=${asset}&fromType=ASSET&toId=${device}&toType=DEVICE`)).toMatchObject({
      status: 400,
    });
    expect((await t.call('POST', '/api/relations', {})).statusCode).toBe(501);
  });

  it('are answered by the second form of the calls', async () => {
    const expected = { ...relation(), type: 'Manages', typeGroup: 'COMMON', additionalInfo: null };
    const saved = await t.call('POST', '/api/v2/relation', { ...relation(), type: 'Manages' });
    expect([saved.statusCode, saved.json()]).toEqual([200, expected]);
    const at = `/api/v2/relation?${key().replace('Contains', 'Manages')}`;
    const deleted = await t.call('DELETE', at);
    expect([deleted.statusCode, deleted.json()]).toEqual([200, expected]);
    expect((await t.call('DELETE', at)).statusCode).toBe(404);
  });
});

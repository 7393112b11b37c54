import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entityPlatform } from '../testing/entity-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const NULL_ID = '13814000-1dd2-11b2-8080-808080808080';
const UNKNOWN = '11111111-2222-4333-8444-555555555555';

let t: TestServer;

beforeAll(async () => {
  t = await openTestServer({ platform: await entityPlatform(await openTestRegistry()) });
});
afterAll(() => t.server.close());

const get = async (path: string) => (await t.call('GET', path)).json();
const create = async (body: object) => (await t.call('POST', '/api/asset', body)).json();

describe('assets', () => {
  it('have the shape of ThingsBoard', async () => {
    const asset = await create({ name: 'Hall', type: 'building', label: 'North', unknown: 1 });
    expect(asset).toEqual({
      id: { entityType: 'ASSET', id: expect.any(String) },
      createdTime: expect.any(Number),
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      customerId: { entityType: 'CUSTOMER', id: NULL_ID },
      name: 'Hall',
      type: 'building',
      label: 'North',
      assetProfileId: { entityType: 'ASSET_PROFILE', id: expect.any(String) },
      externalId: null,
      version: 1,
      additionalInfo: null,
    });
    const { id } = asset.id;
    const info = { ...asset, customerTitle: null, customerIsPublic: false, assetProfileName: 'building' };
    expect(await get(`/api/asset/${id}`)).toEqual(asset);
    expect(await get(`/api/asset/info/${id}`)).toEqual(info);
    expect(await get('/api/tenant/assets?assetName=Hall')).toEqual(asset);
    expect(await get('/api/tenant/asset?assetName=Hall')).toEqual(asset);
    expect(await get(`/api/assets?assetIds=${UNKNOWN},${id}`)).toEqual([asset]);
    const page = { totalPages: 1, totalElements: 1, hasNext: false };
    const query = 'pageSize=10&page=0&textSearch=nor&type=building&sortProperty=type';
    expect(await get(`/api/tenant/assets?${query}`)).toEqual({ data: [asset], ...page });
    expect(await get(`/api/tenant/assetInfos?${query}`)).toEqual({ data: [info], ...page });
    expect(await get('/api/asset/types')).toEqual([
      { tenantId: asset.tenantId, entityType: 'ASSET', type: 'building' },
    ]);
    const updated = await t.call('POST', '/api/asset', { ...asset, name: 'Shed' });
    expect(updated.json()).toMatchObject({ name: 'Shed', version: 2 });
    expect((await t.call('POST', '/api/asset', asset)).json()).toMatchObject({ status: 409, errorCode: 35 });
    const gone = await t.call('DELETE', `/api/asset/${id}`);
    expect([gone.statusCode, gone.body]).toEqual([200, '']);
    expect(await get(`/api/asset/${id}`)).toMatchObject({ status: 404, errorCode: 32 });
  });

  it('are refused as ThingsBoard refuses them', async () => {
    await create({ name: 'Twice' });
    expect(await create({ name: 'Twice' })).toMatchObject({
      status: 400,
      errorCode: 31,
      message: 'Asset with such name already exists!',
    });
    expect(await create({})).toMatchObject({ status: 400 });
    expect(await get('/api/tenant/assets')).toMatchObject({ status: 400 });
    expect(await get('/api/tenant/assets?pageSize=1')).toMatchObject({ status: 400 });
    expect(await get('/api/tenant/asset?assetName=None')).toMatchObject({ status: 404 });
    expect(await get('/api/assets?assetIds=x')).toMatchObject({ message: 'Invalid UUID string: x' });
    const tooMany = Array.from({ length: 1001 }, () => UNKNOWN).join();
    expect(await get(`/api/assets?assetIds=${tooMany}`)).toMatchObject({ status: 400 });
    expect((await t.call('POST', '/api/asset/bulk_import', {})).statusCode).toBe(501);
  });

  it('are given to customers and taken back', async () => {
    const { id } = (await create({ name: 'Barn' })).id;
    const customer = (await t.call('POST', '/api/customer', { title: 'Farm' })).json().id.id;
    const assigned = await t.call('POST', `/api/customer/${customer}/asset/${id}`);
    expect(assigned.json()).toMatchObject({ name: 'Barn', customerId: { id: customer } });
    expect((await get(`/api/customer/${customer}/assets?pageSize=9&page=0`)).data).toHaveLength(1);
    expect((await get(`/api/customer/${customer}/assetInfos?pageSize=9&page=0`)).data).toMatchObject([
      { customerTitle: 'Farm' },
    ]);
    const back = await t.call('DELETE', `/api/customer/asset/${id}`);
    expect(back.json()).toMatchObject({ customerId: { id: NULL_ID } });
    expect((await t.call('DELETE', `/api/customer/asset/${id}`)).json()).toMatchObject({
      status: 400,
      message: "Asset isn't assigned to any customer!",
    });
    await t.call('POST', `/api/customer/public/asset/${id}`);
    expect(await get(`/api/asset/info/${id}`)).toMatchObject({ customerTitle: 'Public', customerIsPublic: true });
  });
});

describe('asset profiles', () => {
  it('have the shape of ThingsBoard, and a default one', async () => {
    const info = await get('/api/assetProfileInfo/default');
    expect(info).toEqual({
      id: { entityType: 'ASSET_PROFILE', id: expect.any(String) },
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      name: 'default',
      image: null,
      defaultDashboardId: null,
    });
    const saved = (await t.call('POST', '/api/assetProfile', { name: 'vehicle', description: 'wheels' })).json();
    expect(saved).toEqual({
      id: { entityType: 'ASSET_PROFILE', id: expect.any(String) },
      createdTime: expect.any(Number),
      tenantId: info.tenantId,
      name: 'vehicle',
      description: 'wheels',
      image: null,
      defaultRuleChainId: null,
      defaultDashboardId: null,
      defaultQueueName: null,
      defaultEdgeRuleChainId: null,
      externalId: null,
      version: 1,
      default: false,
    });
    const { id } = saved.id;
    expect(await get(`/api/assetProfile/${id}`)).toEqual(saved);
    expect(await get(`/api/assetProfileInfo/${id}`)).toMatchObject({ name: 'vehicle', image: null });
    expect((await get('/api/assetProfiles?pageSize=9&page=0&textSearch=VEH')).data).toEqual([saved]);
    expect((await get('/api/assetProfileInfos?pageSize=9&page=0&sortProperty=name')).data.at(-1).name).toBe('vehicle');
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
    expect(names(await get('/api/assetProfile/names'))).toContain('vehicle');
    expect(names(await get('/api/assetProfile/names?activeOnly=true'))).not.toContain('vehicle');
    const standard = await t.call('POST', `/api/assetProfile/${id}/default`);
    expect(standard.json()).toMatchObject({ default: true, version: 2 });
    expect((await t.call('DELETE', `/api/assetProfile/${id}`)).statusCode).toBe(400);
  });
});

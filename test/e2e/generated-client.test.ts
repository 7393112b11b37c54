import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_EMAIL, ADMIN_PASSWORD, MoorageProcess } from '../harness/moorage-process.ts';
import { CheckedClient } from './checked-client.ts';
import { type JsonObject, operationsOf, structureFaults } from './openapi-structure.ts';

const server = new MoorageProcess();
let document: JsonObject;

beforeAll(async () => {
  await server.start();
  document = (await (await fetch(`${server.baseUrl}/openapi.json`)).json()) as JsonObject;
});
afterAll(() => server.dispose());

const FIRST_PAGE = { pageSize: 10, page: 0 };

describe('the OpenAPI document of a running server', () => {
  it('is a valid 3.1 document in which every operation is whole', () => {
    expect(operationsOf(document).length).toBeGreaterThan(150);
    expect(structureFaults(document)).toEqual([]);
  });

  it.each([
    ['an operation without an id', (text: string) => text.replace('"operationId":"login"', '"operationId":""')],
    ['an id that is there twice', (text: string) => text.replace('"operationId":"logout"', '"operationId":"login"')],
    ['a reference to nothing', (text: string) => text.replace('schemas/TokenPair"', 'schemas/Nothing"')],
    ['a tag that is not declared', (text: string) => text.replace('"tags":["auth"]', '"tags":["nonsense"]')],
    ['an unknown type', (text: string) => text.replace('"type":"integer"', '"type":"int"')],
    ['an undeclared path parameter', (text: string) => text.replace('"/api/device/{id}"', '"/api/device/{other}"')],
    ['an older version', (text: string) => text.replace('"openapi":"3.1.0"', '"openapi":"3.0.3"')],
  ])('is looked at well enough to find %s', (_title, damage) => {
    expect(structureFaults(JSON.parse(damage(JSON.stringify(document))))).not.toEqual([]);
  });
});

describe('a client made by openapi-client-axios out of the document alone', () => {
  let client: CheckedClient;
  const ids = { device: '', profile: '', customer: '', user: '', asset: '', dashboard: '' };

  beforeAll(async () => {
    client = await CheckedClient.of(server.baseUrl);
    const { data } = await client.call('login', {}, { username: ADMIN_EMAIL, password: ADMIN_PASSWORD });
    client.authorize(`Bearer ${data.token}`);
  });

  it('signs in and learns who and where it is', async () => {
    expect((await client.call('getUser')).data).toMatchObject({ email: ADMIN_EMAIL, authority: 'TENANT_ADMIN' });
    expect((await client.call('getSystemInfo')).data.type).toBe('CE');
  });

  it('makes a profile and a device with credentials of its choice', async () => {
    const profile = await client.call('saveDeviceProfile', {}, { name: 'Generated profile' });
    ids.profile = profile.data.id.id;
    const device = await client.call(
      'saveDeviceWithCredentials',
      {},
      {
        device: { name: 'Generated device', deviceProfileId: profile.data.id },
        credentials: { credentialsType: 'ACCESS_TOKEN', credentialsId: 'generated-token' },
      },
    );
    ids.device = device.data.id.id;
    expect(device.data.type).toBe('Generated profile');
    const credentials = await client.call('getDeviceCredentials', { deviceId: ids.device });
    expect(credentials.data.credentialsId).toBe('generated-token');
    const changed = await client.call(
      'saveDeviceCredentials',
      {},
      { ...credentials.data, credentialsId: 'other-token' },
    );
    expect(changed.data.credentialsId).toBe('other-token');
    const page = await client.call('getTenantDeviceInfos', { ...FIRST_PAGE, textSearch: 'generated' });
    expect(page.data).toMatchObject({ totalElements: 1, data: [{ deviceProfileName: 'Generated profile' }] });
  });

  it('writes and reads series and attributes', async () => {
    const entity = { entityType: 'DEVICE', entityId: ids.device };
    await client.call('saveTimeseries', { ...entity, scope: 'ANY' }, { ts: 1_000, values: { temperature: 21.5 } });
    expect((await client.call('getTimeseries', { ...entity, keys: 'temperature' })).data).toEqual({
      temperature: [{ ts: 1_000, value: '21.5' }],
    });
    const range = { ...entity, keys: 'temperature', startTs: 0, endTs: 2_000, useStrictDataTypes: true };
    expect((await client.call('getTimeseriesHistory', range)).data.temperature[0].value).toBe(21.5);
    await client.call('saveDeviceAttributes', { deviceId: ids.device, scope: 'SERVER_SCOPE' }, { floor: 3 });
    const attributes = await client.call('getAttributesByScope', { ...entity, scope: 'SERVER_SCOPE', keys: 'floor' });
    expect(attributes.data).toMatchObject([{ key: 'floor', value: 3 }]);
  });

  it('leaves a command for a device that is away', async () => {
    const { deviceId } = { deviceId: ids.device };
    const sent = await client.call(
      'handleTwoWayDeviceRPCRequestV2',
      { deviceId },
      {
        method: 'reboot',
        params: { delay: 1 },
        persistent: true,
      },
    );
    const rpc = await client.call('getPersistedRpc', { id: sent.data.rpcId });
    expect(rpc.data).toMatchObject({ status: 'QUEUED', request: { body: { method: 'reboot' } } });
    const all = await client.call('getPersistedRpcByDevice', { deviceId, ...FIRST_PAGE });
    expect(all.data.totalElements).toBe(1);
    await client.call('deletePersistedRpc', { id: sent.data.rpcId });
  });

  it('makes a customer and a user, and hands the device over', async () => {
    ids.customer = (await client.call('saveCustomer', {}, { title: 'Generated customer' })).data.id.id;
    const user = await client.call(
      'saveUser',
      { sendActivationMail: false },
      {
        email: 'generated@example.org',
        authority: 'CUSTOMER_USER',
        customerId: { entityType: 'CUSTOMER', id: ids.customer },
      },
    );
    ids.user = user.data.id.id;
    expect((await client.call('getActivationLink', { id: ids.user })).data).toContain('activateToken=');
    await client.call('assignDeviceToCustomer', { customerId: ids.customer, deviceId: ids.device });
    const devices = await client.call('getCustomerDevices', { customerId: ids.customer, ...FIRST_PAGE });
    expect(devices.data.data).toMatchObject([{ name: 'Generated device' }]);
    expect(
      (await client.call('getCustomerUsers', { customerId: ids.customer, ...FIRST_PAGE })).data.totalElements,
    ).toBe(1);
  });

  it('saves a dashboard and shows it to the customer', async () => {
    const configuration = { widgets: { a: { type: 'latest' } }, states: {} };
    const saved = await client.call('saveDashboard', {}, { title: 'Generated dashboard', configuration });
    ids.dashboard = saved.data.id.id;
    await client.call('assignDashboardToCustomer', { customerId: ids.customer, dashboardId: ids.dashboard });
    const read = await client.call('getDashboard', { id: ids.dashboard });
    expect(read.data).toMatchObject({ configuration, assignedCustomers: [{ title: 'Generated customer' }] });
  });

  it('raises, acknowledges and clears an alarm', async () => {
    const originator = { entityType: 'DEVICE', id: ids.device };
    const raised = await client.call('saveAlarm', {}, { originator, type: 'Too hot', severity: 'MAJOR' });
    const { id } = raised.data.id;
    expect((await client.call('ackAlarm', { id })).data.status).toBe('ACTIVE_ACK');
    expect((await client.call('clearAlarm', { id })).data.status).toBe('CLEARED_ACK');
    const list = await client.call('getAllAlarms', { ...FIRST_PAGE, searchStatus: 'CLEARED' });
    expect(list.data.data).toMatchObject([{ type: 'Too hot' }]);
  });

  it('announces a firmware package', async () => {
    const saved = await client.call(
      'saveOtaPackageInfo',
      {},
      {
        title: 'generated',
        version: '1.0',
        type: 'FIRMWARE',
        deviceProfileId: { entityType: 'DEVICE_PROFILE', id: ids.profile },
        usesUrl: false,
      },
    );
    expect(saved.data).toMatchObject({ hasData: false, name: 'generated' });
    expect((await client.call('getOtaPackages', FIRST_PAGE)).data.totalElements).toBe(1);
    await client.call('deleteOtaPackage', { id: saved.data.id.id });
  });

  it('relates an asset to the device', async () => {
    ids.asset = (await client.call('saveAsset', {}, { name: 'Generated building', type: 'building' })).data.id.id;
    const from = { entityType: 'ASSET', id: ids.asset };
    await client.call('saveRelation', {}, { from, to: { entityType: 'DEVICE', id: ids.device }, type: 'Contains' });
    const found = await client.call('findRelationInfos', { fromId: ids.asset, fromType: 'ASSET' });
    expect(found.data).toMatchObject([{ toName: 'Generated device', typeGroup: 'COMMON' }]);
  });

  it('finds the device by a query', async () => {
    const query = {
      entityFilter: { type: 'deviceType', deviceTypes: ['Generated profile'], deviceNameFilter: '' },
      pageLink: { pageSize: 10, page: 0 },
      entityFields: [{ type: 'ENTITY_FIELD', key: 'name' }],
      latestValues: [{ type: 'TIME_SERIES', key: 'temperature' }],
    };
    const found = await client.call('findEntityDataByQuery', {}, query);
    expect(found.data.data).toMatchObject([{ latest: { TIME_SERIES: { temperature: { value: '21.5' } } } }]);
    expect((await client.call('countEntitiesByQuery', {}, { entityFilter: query.entityFilter })).data).toBe(1);
  });

  it('works with an API key as with a token, and is told in the declared form what is wrong', async () => {
    const { data: user } = await client.call('getUser');
    const key = await client.call('saveApiKey', {}, { userId: user.id, description: 'generated', enabled: true });
    const other = await CheckedClient.of(server.baseUrl);
    other.authorize(`ApiKey ${key.data.value}`);
    expect((await other.call('getDevice', { id: ids.device })).data.name).toBe('Generated device');
    const refused = await other.try('saveDevice', {}, { name: 'Generated device' });
    expect([refused.status, refused.data.errorCode]).toEqual([400, 31]);
    expect((await other.try('getTimeseriesKeys', { entityType: 'DEVICE', entityId: ids.asset })).status).toBe(404);
    await client.call('updateApiKeyDescription', { id: key.data.id.id }, 'renamed');
    expect((await client.call('getUserApiKeys', { userId: user.id.id, ...FIRST_PAGE })).data.data[0].description).toBe(
      'renamed',
    );
    await client.call('deleteApiKey', { id: key.data.id.id });
    expect((await other.try('getDevice', { id: ids.device })).status).toBe(401);
  });

  it('reads every list and every single thing there is, each as declared', async () => {
    const values: Readonly<Record<string, unknown>> = {
      ...FIRST_PAGE,
      deviceId: ids.device,
      deviceProfileId: ids.profile,
      customerId: ids.customer,
      userId: ids.user,
      entityType: 'DEVICE',
      entityId: ids.device,
      scope: 'SERVER_SCOPE',
      type: 'FIRMWARE',
      deviceName: 'Generated device',
      customerTitle: 'Generated customer',
    };
    // Streams without end, pages and files; `text/plain` and answers that need a link's token.
    const skipped = ['streamDevice', 'getOpenApi', 'checkActivateToken', 'checkResetToken'];
    const answered: string[] = [];
    for (const { path, method, operation } of operationsOf(document)) {
      const operationId = String(operation.operationId);
      if (method !== 'get' || path.includes('{id}') || skipped.includes(operationId)) continue;
      const declared = (operation.parameters ?? []) as unknown as readonly {
        name: string;
        in: string;
        required?: boolean;
      }[];
      const needed = declared.filter((one) => one.required === true || one.in === 'path');
      const parameters = Object.fromEntries(needed.map(({ name }) => [name, values[name]]));
      const answer = await client.try(operationId, parameters);
      if (answer.status === 200) answered.push(operationId);
      else expect(answer.status, operationId).toBeLessThan(500);
    }
    expect(answered.length).toBeGreaterThan(50);
  });
});

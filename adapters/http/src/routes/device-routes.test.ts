import { Device, DeviceCredentials, NAMED_SCHEMAS } from '@moorage/api-types';
import { Compile } from 'typebox/compile';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const UNKNOWN = '11111111-2222-4333-8444-555555555555';
const deviceSchema = Compile(NAMED_SCHEMAS, Device);
const credentialsSchema = Compile(NAMED_SCHEMAS, DeviceCredentials);
let t: TestServer;

beforeEach(async () => {
  t = await openTestServer();
});
afterEach(() => t.server.close());

const save = (body: object, query = '') => t.call('POST', `/api/device${query}`, body);
const credentialsOf = async (id: string) => (await t.call('GET', `/api/device/${id}/credentials`)).json();

describe('device', () => {
  it('TBS-19 is created from a name alone, on the default profile, with credentials', async () => {
    const answer = await save({ name: 'T1' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const device = answer.json();
    expect(deviceSchema.Errors(device)).toEqual([]);
    expect(device).toMatchObject({ name: 'T1', type: 'default', dialect: 'thingsboard', version: 1 });
    for (const member of ['label', 'firmwareId', 'softwareId', 'externalId', 'additionalInfo']) {
      expect(device[member]).toBeNull();
    }
    const credentials = await credentialsOf(device.id.id);
    expect(credentialsSchema.Errors(credentials)).toEqual([]);
    expect(credentials.id).toEqual({ id: expect.any(String) });
    expect(credentials.deviceId).toEqual(device.id);
  });

  it('TBS-20 takes the access token of the query', async () => {
    const id = (await save({ name: 'T1' }, '?accessToken=SECRET%2F1')).json().id.id;
    expect((await credentialsOf(id)).credentialsId).toBe('SECRET/1');
  });

  it('TBS-21 gets a token of 20 alphanumeric characters', async () => {
    expect((await credentialsOf(await t.device())).credentialsId).toMatch(/^[A-Za-z0-9]{20}$/);
  });

  it('TBS-22 TBS-35 is refused with 400/31 for a name or token in use', async () => {
    await save({ name: 'T1' }, '?accessToken=A');
    const name = await save({ name: 'T1' });
    expect(name.json()).toMatchObject({ status: 400, errorCode: 31, message: 'Device with such name already exists!' });
    const token = await save({ name: 'T2' }, '?accessToken=A');
    expect(token.json()).toMatchObject({ status: 400, errorCode: 31 });
  });

  it('TBS-23 makes the profile of an unknown type and reuses that of a known one', async () => {
    const first = (await save({ name: 'T1', type: 'meter' })).json();
    const second = (await save({ name: 'T2', type: 'meter' })).json();
    expect(first.deviceProfileId).toEqual(second.deviceProfileId);
    expect(second.type).toBe('meter');
  });

  it('TBS-24 is refused with 409/35 for a stale version only', async () => {
    const device = (await save({ name: 'T1' })).json();
    const current = (await save({ ...device, label: 'a' })).json();
    expect(current).toMatchObject({ label: 'a', version: 2 });
    const stale = await save({ ...device, label: 'b' });
    expect(stale.json()).toMatchObject({ status: 409, errorCode: 35 });
    const { version: _, ...withoutVersion } = device;
    expect((await save({ ...withoutVersion, label: 'c' })).statusCode).toBe(200);
  });

  it('TBS-25 is 404/32 for an unknown id and 400/31 for a malformed one', async () => {
    for (const path of ['/api/device/', '/api/device/info/']) {
      expect((await t.call('GET', `${path}${UNKNOWN}`)).json()).toMatchObject({ status: 404, errorCode: 32 });
      const malformed = await t.call('GET', `${path}no-uuid`);
      expect(malformed.json()).toMatchObject({ status: 400, errorCode: 31, message: 'Invalid UUID string: no-uuid' });
    }
    expect((await t.call('DELETE', `/api/device/${UNKNOWN}`)).statusCode).toBe(404);
    const update = await save({ id: { entityType: 'DEVICE', id: UNKNOWN }, name: 'x' });
    expect(update.json().message).toBe(`Device with id [${UNKNOWN}] is not found`);
  });

  it('TBS-31 without customer carries the null UUID', async () => {
    expect((await save({ name: 'T1' })).json().customerId).toEqual({
      entityType: 'CUSTOMER',
      id: '13814000-1dd2-11b2-8080-808080808080',
    });
  });

  it('TBS-30 as info carries customer, profile name and activity', async () => {
    const info = (await t.call('GET', `/api/device/info/${await t.device()}`)).json();
    expect(info).toMatchObject({
      customerTitle: null,
      customerIsPublic: false,
      deviceProfileName: 'default',
      active: false,
    });
  });

  it('TBS-14 is not deleted by a customer user: 403/20', async () => {
    const id = await t.device();
    const headers = { 'x-authorization': `Bearer ${await t.tokenOf('CUSTOMER_USER')}` };
    const answer = await t.send({ method: 'DELETE', url: `/api/device/${id}`, headers });
    expect(answer.json()).toMatchObject({
      status: 403,
      errorCode: 20,
      message: "You don't have permission to perform this operation!",
    });
  });

  it('is deleted with 200 and an empty body', async () => {
    const id = await t.device();
    const answer = await t.call('DELETE', `/api/device/${id}`);
    expect([answer.statusCode, answer.body, answer.headers['content-length']]).toEqual([200, '', '0']);
    expect((await t.call('GET', `/api/device/${id}`)).statusCode).toBe(404);
  });

  it('is found by an id in capitals', async () => {
    const id = await t.device();
    expect((await t.call('GET', `/api/device/${id.toUpperCase()}`)).statusCode).toBe(200);
  });

  it('ignores unknown members and takes ids without type', async () => {
    const profile = (await t.call('GET', '/api/deviceProfileInfo/default')).json();
    const answer = await save({
      name: 'T1',
      deviceProfileId: { id: profile.id.id },
      nonsense: { a: 1 },
      tenantId: 5,
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).not.toHaveProperty('nonsense');
  });

  it('keeps free members as they are', async () => {
    const additionalInfo = { gateway: true, deep: [{ a: null }], big: 1e300 };
    expect((await save({ name: 'T1', additionalInfo })).json().additionalInfo).toEqual(additionalInfo);
  });

  it.each([
    ['{}', "'name' is missing in the body"],
    ['{"name":5}', "'name' in the body must be a text"],
    ['{"name":null}', "'name' in the body must be a text"],
    ['{"name":" "}', 'Device name should be specified!'],
    [`{"name":"${'x'.repeat(256)}"}`, "'name' in the body must have at most 255 characters"],
    ['{"name":"a","label":{}}', "'label' in the body must be a text or null"],
    ['{"name":"a","version":"1"}', "'version' in the body must be a whole number or null"],
    ['{"name":"a","id":"x"}', /'id' in the body must be/],
    ['{"name":"a","id":{"id":"zz"}}', 'Invalid UUID string: zz'],
    ['[]', 'The body must be an object'],
    ['5', 'The body must be an object'],
    ['', 'The body must be an object'],
    ['{', 'The body is not valid JSON'],
  ])('names what is wrong with the body %s', async (body, message) => {
    const answer = await t.call('POST', '/api/device', body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errorCode).toBe(31);
    expect(answer.json().message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('refers to packages until they are left out', async () => {
    const saved = (await save({ name: 'a', firmwareId: { id: UNKNOWN } })).json();
    expect(saved).toMatchObject({ firmwareId: { entityType: 'OTA_PACKAGE', id: UNKNOWN }, softwareId: null });
    expect((await save({ name: 'a', id: saved.id })).json()).toMatchObject({ firmwareId: null, softwareId: null });
  });
});

describe('credentials', () => {
  it('TBS-33 are read back and changed in place', async () => {
    const id = await t.device();
    const credentials = await credentialsOf(id);
    const answer = await t.call('POST', '/api/device/credentials', { ...credentials, credentialsId: 'NEW' });
    expect(answer.json()).toMatchObject({ credentialsId: 'NEW', version: 2, id: credentials.id });
    expect((await credentialsOf(id)).credentialsId).toBe('NEW');
  });

  it('need a device and an id to be changed', async () => {
    const credentials = await credentialsOf(await t.device());
    for (const missing of ['deviceId', 'id']) {
      const answer = await t.call('POST', '/api/device/credentials', { ...credentials, [missing]: null });
      expect(answer.statusCode).toBe(400);
      expect(answer.json().message).toContain(missing);
    }
  });

  it('TBS-34 that the platform finds wrong are 400/31 with its words', async () => {
    const answer = await t.call('POST', '/api/device-with-credentials', {
      device: { name: 'T1' },
      credentials: { credentialsType: 'MQTT_BASIC', credentialsValue: '{}' },
    });
    const message = 'Both mqtt client id and user name are empty!';
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message });
  });

  it('TBS-36 come with the device or not at all', async () => {
    const create = (name: string, credentialsId: string) =>
      t.call('POST', '/api/device-with-credentials', {
        device: { name },
        credentials: { credentialsType: 'ACCESS_TOKEN', credentialsId },
      });
    expect((await create('T1', 'A')).json().name).toBe('T1');
    expect((await create('T2', 'A')).statusCode).toBe(400);
    expect((await t.call('GET', '/api/tenant/device?deviceName=T2')).statusCode).toBe(404);
    const none = await t.call('POST', '/api/device-with-credentials', { device: { name: 'T3' } });
    expect(none.json().message).toBe("'credentials' is missing in the body");
  });

  it('of an unknown kind are refused', async () => {
    const answer = await t.call('POST', '/api/device-with-credentials', {
      device: { name: 'T1' },
      credentials: { credentialsType: 'LWM2M_CREDENTIALS' },
    });
    expect(answer.json().message).toContain('must be one of ACCESS_TOKEN, MQTT_BASIC');
  });
});

describe('connection guide', () => {
  const guide = async (query: string, host = 'moorage.example.org:8080') => {
    const id = await t.device(`T${Math.random()}`);
    return t.send({
      url: `/api/device/${id}/connectionGuide${query}`,
      headers: { 'x-authorization': `Bearer ${t.token}`, host },
    });
  };

  it('names the host asked for, else the one of the request', async () => {
    expect((await guide('?host=10.0.0.5')).json().endpoints[0].host).toBe('10.0.0.5');
    expect((await guide('?host=fd00::5')).json().endpoints[0].host).toBe('fd00::5');
    expect((await guide('')).json().endpoints[0].host).toBe('moorage.example.org');
    expect((await guide('', '[::1]:8080')).json().endpoints[0].host).toBe('::1');
  });

  it.each(['%3Brm%20-rf', '$(id)', 'a%0Ab', '%22', '-x', 'a/b', 'a%00'])('refuses the host %s', async (host) => {
    const answer = await guide(`?host=${host}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errorCode).toBe(31);
  });

  it('never takes a command from the Host header', async () => {
    expect((await guide('', '$(id)')).json().endpoints[0].host).toBe('localhost');
  });

  it('is 501 for a dialect that is not installed', async () => {
    const local = await openTestServer({ connectionGuide: () => undefined });
    const answer = await local.call('GET', `/api/device/${await local.device()}/connectionGuide`);
    expect(answer.statusCode).toBe(501);
    await local.server.close();
  });
});

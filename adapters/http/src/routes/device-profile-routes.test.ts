import { DeviceProfile, NAMED_SCHEMAS } from '@moorage/api-types';
import { Compile } from 'typebox/compile';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const profileSchema = Compile(NAMED_SCHEMAS, DeviceProfile);
let t: TestServer;

beforeEach(async () => {
  t = await openTestServer();
});
afterEach(() => t.server.close());

const EXAMPLE = {
  name: 'Thermostat',
  type: 'DEFAULT',
  transportType: 'DEFAULT',
  profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
};

describe('device profile', () => {
  it('TBS-38 is saved from a minimal body and read back with defaults', async () => {
    const saved = (await t.call('POST', '/api/deviceProfile', EXAMPLE)).json();
    expect(profileSchema.Errors(saved)).toEqual([]);
    expect(saved).toMatchObject({ ...EXAMPLE, provisionType: 'DISABLED', default: false, image: null });
    expect((await t.call('GET', `/api/deviceProfile/${saved.id.id}`)).json()).toEqual(saved);
  });

  it('TBS-39 default is told in short and can be moved', async () => {
    const before = (await t.call('GET', '/api/deviceProfileInfo/default')).json();
    expect(before).toEqual({
      id: { entityType: 'DEVICE_PROFILE', id: expect.any(String) },
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      name: 'default',
      image: null,
      defaultDashboardId: null,
      type: 'DEFAULT',
      transportType: 'DEFAULT',
    });
    const { id } = (await t.call('POST', '/api/deviceProfile', EXAMPLE)).json();
    const moved = await t.call('POST', `/api/deviceProfile/${id.id}/default`);
    expect(moved.json()).toMatchObject({ id, default: true });
    expect((await t.call('GET', '/api/deviceProfileInfo/default')).json().id).toEqual(id);
    expect((await t.call('GET', `/api/deviceProfileInfo/${before.id.id}`)).json()).toEqual(before);
  });

  it('TBS-40 is not deleted while it is the default or in use', async () => {
    const fallback = (await t.call('GET', '/api/deviceProfileInfo/default')).json();
    const { id } = (await t.call('POST', '/api/deviceProfile', EXAMPLE)).json();
    const device = (await t.call('POST', '/api/device', { name: 'T1', type: 'Thermostat' })).json();
    for (const used of [fallback.id.id, id.id]) {
      expect((await t.call('DELETE', `/api/deviceProfile/${used}`)).json()).toMatchObject({
        status: 400,
        errorCode: 31,
      });
    }
    await t.call('DELETE', `/api/device/${device.id.id}`);
    expect((await t.call('DELETE', `/api/deviceProfile/${id.id}`)).statusCode).toBe(200);
  });

  it('is listed whole and in short', async () => {
    await t.call('POST', '/api/deviceProfile', EXAMPLE);
    const whole = (await t.call('GET', '/api/deviceProfiles?pageSize=10&page=0&sortProperty=name')).json();
    expect(whole.data.map(({ name }: { name: string }) => name)).toEqual(['Thermostat', 'default']);
    const short = (await t.call('GET', '/api/deviceProfileInfos?pageSize=10&page=0')).json();
    expect(short.totalElements).toBe(2);
    expect(short.data[0]).not.toHaveProperty('profileData');
    const filtered = await t.call('GET', '/api/deviceProfileInfos?pageSize=10&page=0&transportType=MQTT');
    expect(filtered.statusCode).toBe(501);
  });

  it('names are a known call that is not offered', async () => {
    const answer = await t.call('GET', '/api/deviceProfile/names');
    expect(answer.statusCode).toBe(501);
  });
});

import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;

beforeAll(async () => {
  t = await openTestServer({ platform: await registryPlatform(await openTestRegistry(), fakeClaims()) });
});
afterAll(() => t.server.close());

const save = async (body: object) => (await t.call('POST', '/api/deviceProfile', body)).json();

describe('profiles that provision, over HTTP', () => {
  it('take key and secret, and generate what is left out', async () => {
    const provisionType = 'ALLOW_CREATE_NEW_DEVICES';
    const profileData = { provisionConfiguration: { type: provisionType, provisionDeviceSecret: 'my secret' } };
    const given = await save({ name: 'given', provisionType, provisionDeviceKey: 'my key', profileData });
    expect(given).toMatchObject({ provisionType, provisionDeviceKey: 'my key', profileData });
    expect((await t.call('GET', `/api/deviceProfile/${given.id.id}`)).json()).toEqual(given);
    const generated = await save({ name: 'generated', provisionType });
    expect(generated.provisionDeviceKey).toMatch(/^[a-z0-9]{20}$/);
    expect(generated.profileData.provisionConfiguration.provisionDeviceSecret).toMatch(/^[a-z0-9]{20}$/);
    const renamed = await save({ ...generated, name: 'renamed' });
    expect(renamed.provisionDeviceKey).toBe(generated.provisionDeviceKey);
    expect(await save({ name: 'twice', provisionType, provisionDeviceKey: 'my key' })).toMatchObject({
      status: 400,
      errorCode: 31,
      message: 'Device profile with such provision device key already exists!',
    });
  });

  it('do not provision unless they are told to', async () => {
    const profile = await save({ name: 'plain' });
    expect(profile).toMatchObject({ provisionType: 'DISABLED', provisionDeviceKey: null });
  });

  it('refuse a pattern for names that could keep the server busy', async () => {
    const provisionType = 'X509_CERTIFICATE_CHAIN';
    const provisionConfiguration = {
      type: provisionType,
      provisionDeviceSecret: 'QUJD',
      certificateRegExPattern: '(([a-z]+)*)$',
      allowCreateNewDevicesByX509Certificate: true,
    };
    expect(await save({ name: 'chain', provisionType, profileData: { provisionConfiguration } })).toMatchObject({
      status: 400,
      message: 'Certificate regular expression pattern has nested quantifiers!',
    });
    const certificateRegExPattern = '(.*)\\.company\\.com';
    const good = { provisionConfiguration: { ...provisionConfiguration, certificateRegExPattern } };
    const saved = await save({ name: 'chain', provisionType, profileData: good });
    expect(saved.provisionDeviceKey).toMatch(/^[0-9a-f]{64}$/);
    expect(saved.profileData.provisionConfiguration).toEqual({ ...provisionConfiguration, certificateRegExPattern });
  });
});

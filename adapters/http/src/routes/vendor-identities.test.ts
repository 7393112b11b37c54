import { DeviceCredentials, NAMED_SCHEMAS } from '@moorage/api-types';
import { openTestRegistry } from '@moorage/testkit';
import { Compile } from 'typebox/compile';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;

beforeEach(async () => {
  t = await openTestServer({ platform: await registryPlatform(await openTestRegistry(), fakeClaims()) });
});
afterEach(() => t.server.close());

const application = (body: object) => t.call('POST', '/api/application', { name: 'app', ...body });
const device = (name: string, credentials: object) =>
  t.call('POST', '/api/device-with-credentials', { device: { name }, credentials });
const credentialsOf = async (id: string) => (await t.call('GET', `/api/device/${id}/credentials`)).json();

describe('applications of the vendors', () => {
  it.each([
    ['sensoro', 'appId', ['appKey', 'appSecret']],
    ['thingscale', 'userId', ['deviceToken', 'apiToken']],
    ['waveshare', null, []],
  ])(
    '%s: secrets in the answer to a creation and by the call for credentials, never in lists',
    async (dialect, name, secrets) => {
      const made = (await application({ dialect })).json();
      expect(Object.keys(made.credentials)).toEqual([...(name === null ? [] : [name]), ...secrets]);
      const { id } = made.id;
      expect((await t.call('GET', `/api/application/${id}/credentials`)).json()).toEqual(made.credentials);
      for (const answer of [
        await t.call('GET', '/api/applications?pageSize=10&page=0'),
        await t.call('GET', `/api/application/${id}`),
        await application({ ...made, name: 'renamed' }),
      ]) {
        expect(answer.statusCode).toBe(200);
        if (name !== null) expect(answer.body).toContain(made.credentials[name]);
        for (const secret of secrets) expect(answer.body).not.toContain(made.credentials[secret]);
      }
    },
  );

  it('an unknown dialect is refused with the known ones', async () => {
    for (const dialect of ['alibaba', 'thingsboard', '__proto__']) {
      expect((await application({ dialect })).json()).toMatchObject({
        status: 400,
        message: `There are no applications of the dialect ${dialect}, only of: plain, sensoro, thingscale, waveshare`,
      });
    }
  });

  it.each([
    [{ dialect: 'sensoro', credentials: { appKey: 'short' } }, 'The appKey is not 43 characters of base64'],
    [
      { dialect: 'sensoro', configuration: { webhookUrl: 'http://user@example.org' } },
      'webhookUrl has a user name or password in it',
    ],
    [{ dialect: 'thingscale', configuration: { timezone: 'here' } }, 'timezone is not the IANA name of a time zone'],
    [{ dialect: 'waveshare', configuration: { n1: 'x' } }, 'n1 is not a text of 1 to 10 digits'],
  ])('%j is refused with 400', async (body, message) => {
    expect((await application(body)).json()).toMatchObject({ status: 400, message });
  });

  it('an account with devices is not deleted', async () => {
    const { id } = (await application({ dialect: 'thingscale' })).json().id;
    const credentials = { credentialsType: 'THINGSCALE', credentialsId: 's1' };
    const made = await device('one', { ...credentials, credentialsValue: JSON.stringify({ accountId: id }) });
    expect(made.json()).toMatchObject({ dialect: 'thingscale' });
    expect((await t.call('DELETE', `/api/application/${id}`)).json()).toMatchObject({
      status: 400,
      message: 'The application cannot be deleted as long as devices belong to its account!',
    });
    expect((await t.call('DELETE', `/api/device/${made.json().id.id}`)).statusCode).toBe(200);
    expect((await t.call('DELETE', `/api/application/${id}`)).statusCode).toBe(200);
  });
});

describe('devices of the vendors', () => {
  it('WS-39 a Waveshare device is imported with its client ID and topics as burnt in', async () => {
    const value = { clientId: '19ba7e8b', pubTopic: 'Pub/1/37/19ba7e8b', subTopic: 'Sub/1/37/19ba7e8b' };
    const made = await device('ESP32', {
      credentialsType: 'WAVESHARE',
      credentialsId: '19ba7e8b',
      credentialsValue: JSON.stringify(value),
    });
    expect(made.json()).toMatchObject({ dialect: 'waveshare' });
    const credentials = await credentialsOf(made.json().id.id);
    expect(Compile(NAMED_SCHEMAS, DeviceCredentials).Errors(credentials)).toEqual([]);
    expect(credentials).toMatchObject({ credentialsType: 'WAVESHARE', credentialsId: '19ba7e8b' });
    expect(JSON.parse(credentials.credentialsValue)).toEqual(value);
    const renewed = { ...credentials, credentialsId: '82b52f8b', credentialsValue: '{}' };
    const answer = (await t.call('POST', '/api/device/credentials', renewed)).json();
    expect(answer).toMatchObject({ credentialsId: '82b52f8b', version: 2 });
    expect(JSON.parse(answer.credentialsValue).pubTopic).toMatch(/^Pub\/[0-9]+\/1\/82b52f8b$/);
  });

  it('WS-40 an import whose numbers disagree is refused with 400', async () => {
    const value = { clientId: '19ba7e8b', pubTopic: 'Pub/1/37/19ba7e8b', subTopic: 'Sub/2/37/19ba7e8b' };
    const made = await device('ESP32', { credentialsType: 'WAVESHARE', credentialsValue: JSON.stringify(value) });
    expect(made.json()).toMatchObject({
      status: 400,
      message: 'The numbers in the pubTopic and in the subTopic differ',
    });
  });

  it('a profile may be a ready-made product of Waveshare', async () => {
    const transportConfiguration = { type: 'WAVESHARE', product: 'RELAY_6CH' };
    const body = { name: 'relays', transportType: 'WAVESHARE', profileData: { transportConfiguration } };
    const made = (await t.call('POST', '/api/deviceProfile', body)).json();
    expect(made.profileData.transportConfiguration).toMatchObject({ n2: '54', downlinkMaxPacket: 256 });
    expect(made.profileData.transportConfiguration.attributes).toHaveLength(7);
  });
});

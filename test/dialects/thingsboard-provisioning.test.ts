import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { COAP, run } from '../harness/real-clients.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const folder = mkdtempSync(join(tmpdir(), 'moorage-provisioning-'));
const server = new MoorageProcess();
const api = new ApiClient(server);
const customer = new ApiClient(server);
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

interface Keys {
  readonly provisionDeviceKey: string;
  readonly provisionDeviceSecret: string;
}

async function profile(name: string, type: string): Promise<Keys> {
  number++;
  const keys = { provisionDeviceKey: `key${number}`, provisionDeviceSecret: `secret${number}` };
  const answer = await api.call('POST', '/api/deviceProfile', {
    name,
    type: 'DEFAULT',
    transportType: 'DEFAULT',
    provisionType: type,
    provisionDeviceKey: keys.provisionDeviceKey,
    profileData: {
      configuration: { type: 'DEFAULT' },
      transportConfiguration: { type: 'DEFAULT' },
      provisionConfiguration: { type, provisionDeviceSecret: keys.provisionDeviceSecret },
    },
  });
  expect(answer.status, answer.text).toBe(200);
  return keys;
}

/** Asks over MQTT on a connection of its own. */
async function provision(body: object, fields: { username?: string | null; clientId?: string } = {}) {
  const device = await ThingsboardDevice.connect(server, 'provision', 4, fields);
  device.send('/provision/request', body);
  const { body: answer } = await device.message('/provision/response');
  device.close();
  return answer;
}

async function works(token: string): Promise<boolean> {
  try {
    (await ThingsboardDevice.connect(server, token)).close();
    return true;
  } catch {
    return false;
  }
}

describe('provisioning over MQTT', () => {
  it('TB-68, TB-70, TB-74 by user name or by client id; a name is generated; the token works; no subscription needed', async () => {
    const keys = await profile('allow', 'ALLOW_CREATE_NEW_DEVICES');
    const named = await provision({ ...keys, deviceName: 'provisioned' });
    expect(named).toMatchObject({ status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN' });
    expect(await works(named.credentialsValue)).toBe(true);
    const nameless = await provision(keys, { username: null, clientId: 'provision' });
    expect(nameless.status).toBe('SUCCESS');
    const devices = await api.call('GET', '/api/tenant/devices?pageSize=10&page=0&type=allow');
    expect(devices.body.totalElements).toBe(2);
    const state = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${devices.body.data[0].id.id}/values/attributes/SERVER_SCOPE?keys=provisionState`,
    );
    expect(state.body).toMatchObject([{ value: 'provisioned' }]);
  });

  it('TB-69 only /provision/response can be subscribed; publishing elsewhere closes', async () => {
    const device = await ThingsboardDevice.connect(server, 'provision', 5);
    expect(await device.subscribe(1, '/provision/response')).toEqual([1]);
    expect(await device.subscribe(1, 'v1/devices/me/attributes')).toEqual([0x8f]);
    expect(await device.publish('v1/devices/me/telemetry', { a: 1 })).not.toBe(0);
    await device.client.untilClosed();
  });

  it('TB-71, TB-75, TB-77 wanted token, basic and certificate; nulls are absent; a gateway', async () => {
    const keys = await profile('wanted', 'ALLOW_CREATE_NEW_DEVICES');
    expect(
      await provision({ ...keys, deviceName: 'with token', token: 'WANTEDTOKEN000000001', username: null, hash: null }),
    ).toEqual({ credentialsValue: 'WANTEDTOKEN000000001', credentialsType: 'ACCESS_TOKEN', status: 'SUCCESS' });
    expect(await works('WANTEDTOKEN000000001')).toBe(true);
    const basic = await provision({
      ...keys,
      deviceName: 'with basic',
      credentialsType: 'MQTT_BASIC',
      clientId: 'basic client',
      username: 'basic user',
      password: 'basic password',
    });
    expect(basic).toEqual({
      credentialsValue: { clientId: 'basic client', userName: 'basic user', password: 'basic password' },
      credentialsType: 'MQTT_BASIC',
      status: 'SUCCESS',
    });
    const device = await ThingsboardDevice.connect(server, 'basic user', 4, {
      clientId: 'basic client',
      password: Buffer.from('basic password'),
    });
    device.close();
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=provisioned', '-keyout', join(folder, 'p.key'), '-out', join(folder, 'p.crt')],
    ]);
    const pem = readFileSync(join(folder, 'p.crt'), 'utf8');
    const certificate = await provision({
      ...keys,
      deviceName: 'with certificate',
      credentialsType: 'X509_CERTIFICATE',
      hash: pem,
    });
    expect(certificate).toMatchObject({ credentialsType: 'X509_CERTIFICATE', status: 'SUCCESS' });
    expect(certificate.credentialsValue).toBe(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''));
    expect(await provision({ ...keys, deviceName: 'a gateway', gateway: true })).toMatchObject({ status: 'SUCCESS' });
    const gateway = await api.call('GET', '/api/tenant/devices?deviceName=a%20gateway');
    expect(gateway.body.additionalInfo).toMatchObject({ gateway: true });
  });

  it('TB-72 an existing name fails; a wrong key or secret is not found', async () => {
    const keys = await profile('twice', 'ALLOW_CREATE_NEW_DEVICES');
    await api.createDevice('taken name', 'TAKENNAMETOKEN000001');
    expect(await provision({ ...keys, deviceName: 'taken name' })).toEqual({
      errorMsg: 'Failed to provision device!',
      status: 'FAILURE',
    });
    const notFound = { errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' };
    expect(await provision({ ...keys, provisionDeviceSecret: 'wrong' })).toEqual(notFound);
    expect(await provision({ ...keys, provisionDeviceKey: 'wrong' })).toEqual(notFound);
    expect(await provision({ ...keys, deviceName: '   ' })).toMatchObject({ status: 'FAILURE' });
  });

  it('TB-73 a pre-provisioned device gets its credentials once', async () => {
    const keys = await profile('checked', 'CHECK_PRE_PROVISIONED_DEVICES');
    const created = await api.call('POST', '/api/device?accessToken=PREPROVISIONED000001', {
      name: 'expected',
      type: 'checked',
    });
    expect(created.status).toBe(200);
    const answer = await provision({ ...keys, deviceName: 'expected' });
    expect(answer).toMatchObject({ status: 'SUCCESS', credentialsValue: 'PREPROVISIONED000001' });
    expect(await works('PREPROVISIONED000001')).toBe(true);
    expect(await provision({ ...keys, deviceName: 'expected' })).toMatchObject({ status: 'FAILURE' });
    expect(await provision({ ...keys, deviceName: 'unexpected' })).toMatchObject({ status: 'FAILURE' });
  });

  it('TB-76 over HTTP 200 for every status; over CoAP 2.01 or 4.00', async () => {
    const keys = await profile('http', 'ALLOW_CREATE_NEW_DEVICES');
    const post = async (body: object) => {
      const response = await fetch(`${server.baseUrl}/api/v1/provision`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { code: response.status, body: await response.json() };
    };
    expect(await post({ ...keys, deviceName: 'by http' })).toMatchObject({ code: 200, body: { status: 'SUCCESS' } });
    expect(await post({ ...keys, provisionDeviceKey: 'x' })).toMatchObject({
      code: 200,
      body: { status: 'NOT_FOUND' },
    });
    const coap = (body: object) =>
      run(COAP, ['post', `coap://127.0.0.1:${server.port('coap')}/api/v1/provision`, '-p', JSON.stringify(body)]);
    const good = await coap({ ...keys, deviceName: 'by coap' });
    expect(good.stderr).toMatch(/2\.01/);
    expect(good.stdout).toMatch(/"status":"SUCCESS"/);
    const bad = await coap({ ...keys, provisionDeviceSecret: 'x' });
    expect(bad.stdout + bad.stderr).toMatch(/4\.00/);
  });

  it('a device that lost the answer gets the same credentials again within the window (section 6.5, choice)', async () => {
    const keys = await profile('again', 'ALLOW_CREATE_NEW_DEVICES');
    const first = await provision({ ...keys, deviceName: 'lost the answer' });
    const second = await provision({ ...keys, deviceName: 'lost the answer' });
    expect(second).toEqual(first);
    expect(await works(first.credentialsValue)).toBe(true);
    expect(await provision({ ...keys, deviceName: 'lost the answer' })).toMatchObject({ status: 'FAILURE' });
  });
});

describe('claiming', () => {
  beforeAll(async () => {
    const created = await api.call('POST', '/api/customer', { title: 'Claimers' });
    expect(created.status, created.text).toBe(200);
    const user = await api.call('POST', '/api/user?sendActivationMail=false', {
      email: 'claimer@example.org',
      authority: 'CUSTOMER_USER',
      customerId: created.body.id,
    });
    expect(user.status, user.text).toBe(200);
    const link = await api.call('GET', `/api/user/${user.body.id.id}/activationLink`);
    const activateToken = new URL(link.text).searchParams.get('activateToken');
    const activated = await api.call('POST', '/api/noauth/activate', { activateToken, password: 'a long password 1' });
    expect(activated.status, activated.text).toBe(200);
    expect((await customer.login('claimer@example.org', 'a long password 1')).status).toBe(200);
  });

  const claim = (name: string, body?: object) =>
    customer.call('POST', `/api/customer/device/${encodeURIComponent(name)}/claim`, body);

  it('TB-62, TB-63, TB-66 secret and duration, the wrong secret, claimed already, given back', async () => {
    await api.createDevice('claimed', 'CLAIMTOKEN0000000001');
    const device = await ThingsboardDevice.connect(server, 'CLAIMTOKEN0000000001', 5);
    expect(await device.publish('v1/devices/me/claim', { secretKey: 'value', durationMs: 60_000 })).toBe(0);
    expect(await claim('claimed', { secretKey: 'wrong' })).toMatchObject({ status: 400, text: '"FAILURE"' });
    // The wrong secret closed the window.
    expect(await claim('claimed', { secretKey: 'value' })).toMatchObject({ status: 400, text: '"FAILURE"' });
    expect(await device.publish('v1/devices/me/claim', { secretKey: 'value', durationMs: 60_000 })).toBe(0);
    const success = await claim('claimed', { secretKey: 'value' });
    expect(success).toMatchObject({ status: 200, body: { response: 'SUCCESS', device: { name: 'claimed' } } });
    expect(await claim('claimed', { secretKey: 'value' })).toMatchObject({ status: 400, text: '"CLAIMED"' });
    expect((await claim('no such device')).status).toBe(404);
    const list = await customer.call(
      'GET',
      `/api/customer/${success.body.device.customerId.id}/devices?pageSize=10&page=0`,
    );
    expect(list.body.data.map((found: { name: string }) => found.name)).toEqual(['claimed']);
    expect((await api.call('DELETE', '/api/customer/device/claimed/claim')).status).toBe(200);
    expect((await customer.call('GET', `/api/device/${success.body.device.id.id}`)).status).not.toBe(200);
    device.close();
  });

  it('TB-64, TB-65 an empty payload means no secret; after the window the claim fails; kill -9 keeps the window', async () => {
    await api.createDevice('without secret', 'CLAIMTOKEN0000000002');
    await api.createDevice('too late', 'CLAIMTOKEN0000000003');
    const device = await ThingsboardDevice.connect(server, 'CLAIMTOKEN0000000002');
    expect(await device.publish('v1/devices/me/claim', '')).toBe(0);
    const late = await ThingsboardDevice.connect(server, 'CLAIMTOKEN0000000003');
    expect(await late.publish('v1/devices/me/claim', { durationMs: 1 })).toBe(0);
    await server.kill();
    await server.start();
    await api.login();
    await customer.login('claimer@example.org', 'a long password 1');
    expect(await claim('without secret')).toMatchObject({ status: 200, body: { response: 'SUCCESS' } });
    expect(await claim('too late')).toMatchObject({ status: 400, text: '"FAILURE"' });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
});
afterAll(() => server.dispose());

/** A connected gateway; `name` makes the names of its devices unique. */
async function newGateway(level: 4 | 5 = 5): Promise<{
  id: string;
  gateway: ThingsboardDevice;
  name: string;
  token: string;
}> {
  number++;
  const token = `GATEWAYTOKEN${String(number).padStart(8, '0')}`;
  const answer = await api.call('POST', `/api/device?accessToken=${token}`, {
    name: `gateway ${number}`,
    additionalInfo: { gateway: true },
  });
  expect(answer.status, answer.text).toBe(200);
  const gateway = await ThingsboardDevice.connect(server, token, level);
  return { id: answer.body.id.id, gateway, name: `behind ${number}`, token };
}

async function found(
  name: string,
): Promise<{ id: { id: string }; type: string; additionalInfo: Record<string, unknown> }> {
  const answer = await api.call('GET', `/api/tenant/devices?deviceName=${encodeURIComponent(name)}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

async function attributes(id: string, scope: string): Promise<Record<string, unknown>> {
  const answer = await api.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/attributes/${scope}_SCOPE`);
  return Object.fromEntries(answer.body.map((entry: { key: string; value: unknown }) => [entry.key, entry.value]));
}

const share = (id: string, values: object) =>
  api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/SHARED_SCOPE`, values);

describe('a gateway', () => {
  it('TB-88 connect creates device and profile; telemetry connects implicitly', async () => {
    const { gateway, name } = await newGateway();
    expect(await gateway.publish('v1/gateway/connect', { device: name, type: 'Thermometer' })).toBe(0);
    expect(await found(name)).toMatchObject({ type: 'Thermometer' });
    expect(await gateway.publish('v1/gateway/telemetry', { [`${name} b`]: [{ ts: 1000, values: { a: 1 } }] })).toBe(0);
    const implicit = await found(`${name} b`);
    expect(implicit.type).toBe('default');
    expect((await api.latest(implicit.id.id)).a).toEqual([{ ts: 1000, value: 1 }]);
    gateway.close();
  });

  it('TB-89 telemetry and attributes for two devices in one message', async () => {
    const { gateway, name } = await newGateway(4);
    const [one, two] = [`${name} one`, `${name} two`];
    await gateway.publish('v1/gateway/telemetry', {
      [one]: [{ t: 1 }],
      [two]: [{ t: 2 }, { ts: 5, values: { u: 3 } }],
    });
    await gateway.publish('v1/gateway/attributes', { [one]: { model: 'A' }, [two]: { model: 'B' } });
    for (const [device, t, model] of [
      [one, 1, 'A'],
      [two, 2, 'B'],
    ] as const) {
      const { id } = await found(device);
      expect((await api.latest(id.id)).t?.[0]?.value).toBe(t);
      expect(await attributes(id.id, 'CLIENT')).toEqual({ model });
    }
    gateway.close();
  });

  it('TB-90 shared attributes of a connected device arrive, after disconnect they do not', async () => {
    const { gateway, name } = await newGateway();
    await gateway.publish('v1/gateway/connect', { device: name });
    const { id } = await found(name);
    await share(id.id, { target: 20 });
    expect(await gateway.message()).toMatchObject({
      topicName: 'v1/gateway/attributes',
      body: { device: name, data: { target: 20 } },
    });
    await api.call('DELETE', `/api/plugins/telemetry/DEVICE/${id.id}/SHARED_SCOPE?keys=target`);
    expect((await gateway.message()).body).toEqual({ device: name, data: { deleted: ['target'] } });
    expect(await gateway.publish('v1/gateway/disconnect', { device: name })).toBe(0);
    await share(id.id, { target: 21 });
    expect(await gateway.quiet()).toEqual([]);
    gateway.close();
  });

  it('TB-91 attribute requests with key, keys, and arrays', async () => {
    const { gateway, name } = await newGateway();
    await gateway.publish('v1/gateway/attributes', { [name]: { model: 'A', serial: 7 } });
    await share((await found(name)).id.id, { target: 20 });
    // The update of the connected device.
    await gateway.message('v1/gateway/attributes');
    const ask = async (body: object) => {
      await gateway.publish('v1/gateway/attributes/request', { device: name, ...body });
      return (await gateway.message('v1/gateway/attributes/response')).body;
    };
    expect(await ask({ id: 1, client: true, key: 'model' })).toEqual({ id: 1, device: name, value: 'A' });
    expect(await ask({ id: 2, client: false, key: 'missing' })).toEqual({ id: 2, device: name });
    expect(await ask({ id: 3, client: true, keys: ['model', 'serial', 'missing'] })).toEqual({
      id: 3,
      device: name,
      values: { model: 'A', serial: 7 },
    });
    expect(await ask({ id: 4, client: ['model'], shared: ['target'] })).toMatchObject({
      id: 4,
      device: name,
      values: { model: 'A', target: 20 },
    });
    gateway.close();
  });

  it('TB-92 an RPC to a device behind it arrives on v1/gateway/rpc and the answer reaches the caller', async () => {
    const { gateway, name } = await newGateway();
    await gateway.publish('v1/gateway/connect', { device: name });
    const { id } = await found(name);
    const call = api.call('POST', `/api/rpc/twoway/${id.id}`, { method: 'set', params: { on: true } });
    const request = await gateway.message('v1/gateway/rpc');
    expect(request.body).toMatchObject({ device: name, data: { method: 'set', params: { on: true } } });
    await gateway.publish('v1/gateway/rpc', { device: name, id: request.body.data.id, data: { ok: true } });
    expect(await call).toMatchObject({ status: 200, body: { ok: true } });
    gateway.close();
  });

  it('TB-93 gateway topics from a normal device have no effect and do not close', async () => {
    await api.createDevice('no gateway', 'NOGATEWAYTOKEN000001');
    const device = await ThingsboardDevice.connect(server, 'NOGATEWAYTOKEN000001');
    await device.publish('v1/gateway/connect', { device: 'never made' });
    await device.publish('v1/gateway/telemetry', { 'never made': [{ a: 1 }] });
    await device.quiet();
    expect((await api.call('GET', '/api/tenant/devices?deviceName=never%20made')).status).toBe(404);
    device.close();
  });

  it('TB-94 a claim opens the window of the device behind it', async () => {
    const { gateway, name } = await newGateway();
    expect(await gateway.publish('v1/gateway/claim', { [name]: { secretKey: 's', durationMs: 60_000 } })).toBe(0);
    const { id } = await found(name);
    expect(await attributes(id.id, 'SERVER')).toHaveProperty('claimingData');
    gateway.close();
  });

  it('TB-95 renaming or deleting a device behind it sends the gateway an RPC', async () => {
    const { gateway, name } = await newGateway();
    await gateway.subscribe(1, 'v1/devices/me/rpc/request/+');
    await gateway.publish('v1/gateway/connect', { device: name });
    const body = await found(name);
    const renamed = await api.call('POST', '/api/device', { ...body, name: `${name} new` });
    expect(renamed.status, renamed.text).toBe(200);
    expect((await gateway.message()).body).toEqual({
      method: 'gateway_device_renamed',
      params: { [name]: `${name} new` },
    });
    expect((await api.call('DELETE', `/api/device/${body.id.id}`)).status).toBe(200);
    expect((await gateway.message()).body).toEqual({ method: 'gateway_device_deleted', params: `${name} new` });
    gateway.close();
  });

  it('TB-95 a gateway that is away hears of it when it is back', async () => {
    const { gateway, name, token } = await newGateway();
    await gateway.publish('v1/gateway/connect', { device: name });
    const body = await found(name);
    gateway.close();
    expect((await api.call('DELETE', `/api/device/${body.id.id}`)).status).toBe(200);
    const back = await ThingsboardDevice.connect(server, token);
    await back.subscribe(1, 'v1/devices/me/rpc/request/+');
    expect((await back.message()).body).toEqual({ method: 'gateway_device_deleted', params: name });
    back.close();
  });

  it('TB-96 losing the gateway sets lastDisconnectTime of its devices', async () => {
    const { gateway, name } = await newGateway();
    await gateway.publish('v1/gateway/connect', { device: name });
    const { id } = await found(name);
    gateway.close();
    for (;;) {
      const server = await attributes(id.id, 'SERVER');
      if (Number(server.lastDisconnectTime) > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it('wrong shapes close with 0x83 or are told, and nobody else notices (section 8)', async () => {
    const { gateway } = await newGateway();
    expect(await gateway.publish('v1/gateway/telemetry', { x: 7 })).toBe(0x83);
    await gateway.client.untilClosed();
    const other = await newGateway();
    expect(await other.gateway.publish('v1/gateway/telemetry', '[1]')).toBe(0x83);
    await other.gateway.client.untilClosed();
    const third = await newGateway();
    expect(await third.gateway.publish('v1/gateway/connect', { device: '' })).toBe(0x83);
    await third.gateway.client.untilClosed();
  });
});

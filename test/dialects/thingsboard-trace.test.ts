import { createHash, randomBytes } from 'node:crypto';
import { PacketType } from '@moorage/mqtt-codec';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const TELEMETRY = 'v1/devices/me/telemetry';
let server: MoorageProcess;
afterEach(() => server.dispose());

describe('end to end', () => {
  it('TB-103 the trace of the Python SDK completes: connect, limits, attributes, claim, OTA, disconnect', async () => {
    server = new MoorageProcess();
    await server.start();
    const api = new ApiClient(server);
    const authorization = `Bearer ${(await api.login()).body.token}`;
    const id = await api.createDevice('traced', 'TRACETOKEN0000000001');
    const body = (await api.call('GET', `/api/device/${id}`)).body;
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/SHARED_SCOPE`, { interval: 10 });
    const created = await api.call('POST', '/api/otaPackage', {
      type: 'FIRMWARE',
      title: 'fw',
      version: 'v2',
      deviceProfileId: body.deviceProfileId,
    });
    const file = randomBytes(10_000);
    const form = new FormData();
    form.append('file', new Blob([file]), 'fw.bin');
    form.append('checksumAlgorithm', 'SHA256');
    const uploaded = await fetch(`${server.baseUrl}/api/otaPackage/${created.body.id.id}`, {
      method: 'POST',
      headers: { 'x-authorization': authorization },
      body: form,
    });
    expect(uploaded.status).toBe(200);

    const client = await RawClient.open(server.mqttPort, 5);
    const connack = client.connect({ username: 'TRACETOKEN0000000001', clientId: '', keepAlive: 120 });
    expect(await connack).toBe(0);
    const device = new ThingsboardDevice(client);
    for (const filter of [
      'v1/devices/me/attributes',
      'v1/devices/me/attributes/response/+',
      'v1/devices/me/rpc/request/+',
      'v1/devices/me/rpc/response/+',
    ]) {
      expect(await device.subscribe(1, filter)).toEqual([1]);
    }
    await device.publish('v1/devices/me/rpc/request/1', { method: 'getSessionLimits', params: { timeout: 5000 } });
    expect((await device.message('v1/devices/me/rpc/response/1')).body).toHaveProperty('rateLimits');
    expect(await device.publish(TELEMETRY, [{ temperature: 25.5, on: true }])).toBe(0);
    expect(await device.publish('v1/devices/me/attributes', { model: 'x', n: 1 })).toBe(0);
    await device.publish('v1/devices/me/attributes/request/1', { clientKeys: 'model,n', sharedKeys: 'interval' });
    expect((await device.message('v1/devices/me/attributes/response/1')).body).toEqual({
      client: { model: 'x', n: 1 },
      shared: { interval: 10 },
    });
    expect(await device.publish('v1/devices/me/claim', { secretKey: 'secret', durationMs: 30_000 })).toBe(0);

    const assigned = await api.call('POST', '/api/device', { ...body, firmwareId: created.body.id });
    expect(assigned.status, assigned.text).toBe(200);
    let push = await device.message('v1/devices/me/attributes');
    while (push.body.fw_title === undefined) push = await device.message('v1/devices/me/attributes');
    expect(await device.subscribe(0, 'v2/fw/response/+')).toEqual([0x8f]);
    await device.publish(TELEMETRY, [{ current_fw_title: 'Initial', current_fw_version: 'v0' }]);
    await device.publish('v1/devices/me/attributes/request/2', {
      sharedKeys: 'fw_checksum,fw_checksum_algorithm,fw_size,fw_title,fw_version',
    });
    const target = (await device.message('v1/devices/me/attributes/response/2')).body.shared;
    expect(target).toMatchObject({
      fw_title: 'fw',
      fw_version: 'v2',
      fw_size: 10_000,
      fw_checksum_algorithm: 'SHA256',
    });
    await device.publish(TELEMETRY, [{ fw_state: 'DOWNLOADING' }]);
    const parts: Uint8Array[] = [];
    for (let chunk = 0; Buffer.concat(parts).length < target.fw_size; chunk++) {
      expect(await device.publish(`v2/fw/request/1/chunk/${chunk}`, '4096')).toBe(0);
      parts.push((await device.message(`v2/fw/response/1/chunk/${chunk}`)).payload);
    }
    expect(createHash('sha256').update(Buffer.concat(parts)).digest('hex')).toBe(target.fw_checksum);
    for (const fw_state of ['DOWNLOADED', 'VERIFIED', 'UPDATING']) await device.publish(TELEMETRY, [{ fw_state }]);
    await device.publish(TELEMETRY, [{ current_fw_title: 'fw', current_fw_version: 'v2', fw_state: 'UPDATED' }]);
    client.write({ type: PacketType.Disconnect, reasonCode: 0, properties: {} });
    await client.untilClosed();
    const latest = await api.latest(id);
    expect(latest.fw_state?.[0]?.value).toBe('UPDATED');
    expect(latest.current_fw_version?.[0]?.value).toBe('v2');
  });

  it('TB-104 a limit of 2:1 on telemetry closes at the third message and shows in getSessionLimits', async () => {
    server = new MoorageProcess({ env: { MOORAGE_DEVICE__LIMITS__TELEMETRY_MESSAGES: '2:1' } });
    await server.start();
    const api = new ApiClient(server);
    await api.login();
    const id = await api.createDevice('limited', 'LIMITEDTOKEN00000001');
    const device = await ThingsboardDevice.connect(server, 'LIMITEDTOKEN00000001', 5);
    await device.publish('v1/devices/me/rpc/request/1', { method: 'getSessionLimits' });
    expect((await device.message()).body.rateLimits.telemetryMessages).toBe('2:1');
    for (let index = 0; index < 3; index++) device.send(TELEMETRY, { index });
    expect(await device.closed()).toBe(0x83);
    // QoS 0: nothing tells when the first two are stored.
    let latest = await api.latest(id);
    while (latest.index?.[0]?.value !== 1) latest = await api.latest(id);
    const log = await api.call('GET', `/api/device/${id}/connectionLog?pageSize=10&page=0`);
    expect(log.text).toMatch(/rate|limit/i);
  });
});

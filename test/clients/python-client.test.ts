import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as shortLivedAdmin from '../../adapters/http/src/testing/fake-state.ts';
import { openTestServer } from '../../adapters/http/src/testing/test-server.ts';
import { ApiClient } from '../harness/api-client.ts';
import { ADMIN_EMAIL, ADMIN_PASSWORD, MoorageProcess } from '../harness/moorage-process.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';
import { installPythonClient, runPython } from './python-client.ts';

const server = new MoorageProcess();
beforeAll(async () => {
  await installPythonClient();
  await server.start();
});
afterAll(() => server.dispose());

/** Answers every command until its connection is closed. */
async function answer(device: ThingsboardDevice, commands: unknown[]): Promise<void> {
  for (;;) {
    const { topicName, body } = await device.message();
    commands.push(body);
    device.send(topicName.replace('request', 'response'), { done: body.method });
  }
}

describe('the official Python REST client (tb-rest-client 4.4)', () => {
  it('TBS-101 signs in, reads the defaults, makes profile, asset, device and relation', async () => {
    expect(await runPython('entities', server.baseUrl, ADMIN_EMAIL, ADMIN_PASSWORD)).toEqual({
      email: ADMIN_EMAIL,
      defaultProfile: 'default',
      profile: 'Thermometer',
      defaultAssetProfile: 'default',
      assetType: 'building',
      deviceType: 'Thermometer',
      relation: ['Contains', true, true],
      devices: ['Thermometer 1'],
    });
  });

  it('TBS-102 refreshes a token that lives for two seconds, while it is open', async () => {
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const shortLived = await openTestServer({ accessTokenLifeSeconds: 2, clock });
    try {
      const port = await shortLived.server.listen('127.0.0.1', 0);
      const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = shortLivedAdmin;
      expect(await runPython('refresh', `http://127.0.0.1:${port}`, email, password)).toEqual({
        changed: true,
        email,
        oldToken: 401,
      });
    } finally {
      await shortLived.server.close();
    }
  });

  it('TBS-103 attributes, series, latest, history, RPC of both generations, OTA upload, bulk import', async () => {
    const api = new ApiClient(server);
    await api.login();
    const deviceId = await api.createDevice('Python device', 'python-token');
    const device = await ThingsboardDevice.connect(server, 'python-token');
    await device.subscribe(1, 'v1/devices/me/rpc/request/+');
    const commands: unknown[] = [];
    const answering = answer(device, commands);
    const said = await runPython('everything', server.baseUrl, ADMIN_EMAIL, ADMIN_PASSWORD, deviceId);
    device.close();
    await expect(answering).rejects.toThrow('closed');
    expect(said.telemetry).toEqual({
      attributes: { floor: 3, tags: ['a'] },
      keys: expect.arrayContaining(['floor', 'tags', 'target']),
      series: ['h', 't'],
      latest: { t: 22, h: 40 },
      history: [
        [1000, '20'],
        [2000, '22'],
      ],
      average: '21.0',
    });
    expect(said.calls).toMatchObject({ V1: { done: 'setValue' }, V2: { done: 'setValue' } });
    expect(commands).toHaveLength(4);
    expect(said.firmware).toEqual({
      hasData: true,
      size: 8000,
      checksum: createHash('sha256').update('firmware'.repeat(1000)).digest('hex'),
      same: true,
    });
    expect(said.bulk).toEqual({ created: 2, updated: 0, errors: 0 });
  });
});

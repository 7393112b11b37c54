import { seededRandom } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const TELEMETRY = 'v1/devices/me/telemetry';
const server = new MoorageProcess();
const api = new ApiClient(server);
let good: ThingsboardDevice;
let goodId = '';
let beat = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
  goodId = await api.createDevice('good', 'GOODDEVICETOKEN00001');
  await api.createDevice('hostile', 'HOSTILETOKEN00000001');
  good = await ThingsboardDevice.connect(server, 'GOODDEVICETOKEN00001', 5);
});
afterAll(() => server.dispose());

/** The other device is served as ever: what it sends is stored. */
async function othersAreServed(): Promise<void> {
  beat++;
  expect(await good.publish(TELEMETRY, { beat })).toBe(0);
  expect((await api.latest(goodId, 'beat')).beat?.[0]?.value).toBe(beat);
  expect(server.log).not.toMatch(/"level":"(error|fatal)"/);
}

const hostile = () => ThingsboardDevice.connect(server, 'HOSTILETOKEN00000001', 5);

describe('a hostile device', () => {
  it.each<[string, string | Uint8Array]>([
    ['10 MB of JSON', `{"a":"${'x'.repeat(10_000_000)}"}`],
    ['JSON 10,000 levels deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['objects 10,000 levels deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['a number of 60,000 digits', `{"a":${'9'.repeat(60_000)}}`],
  ])('sends %s: nothing is stored, it is told or closed, and another one is served', async (_name, payload) => {
    const device = await hostile();
    const code = await device.publish(TELEMETRY, payload);
    expect(code === undefined || code >= 0x80).toBe(true);
    device.close();
    await othersAreServed();
  });

  it('sends __proto__ and constructor as keys: they are plain keys, and nothing else has them', async () => {
    const device = await hostile();
    expect(await device.publish(TELEMETRY, '{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}}}')).toBe(0);
    expect(await device.publish('v1/devices/me/attributes', '{"__proto__":1}')).toBe(0);
    device.close();
    const latest = await api.latest(goodId);
    expect(Object.keys(latest)).toEqual(['beat']);
    expect((await api.call('GET', '/api/system/info')).body.polluted).toBeUndefined();
    await othersAreServed();
  });

  it('invents 10,000 keys: it is stopped at the cap with a reason', { timeout: 60_000 }, async () => {
    const device = await hostile();
    const codes = new Set<number | undefined>();
    for (let batch = 0; batch < 10; batch++) {
      const values = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key ${batch} ${index}`, index]));
      codes.add(await device.publish(TELEMETRY, values));
    }
    device.close();
    expect(codes).toContain(0);
    const found = await api.call('GET', '/api/tenant/devices?deviceName=hostile');
    const keys = await api.call('GET', `/api/plugins/telemetry/DEVICE/${found.body.id.id}/keys/timeseries`);
    expect(keys.body.length).toBeLessThanOrEqual(2_000);
    const log = await api.call('GET', `/api/device/${found.body.id.id}/connectionLog?pageSize=20&page=0`);
    expect(log.text).toMatch(/keys|series/i);
    await othersAreServed();
  });

  it('asks for chunks far out of range: they are empty or refused', async () => {
    const device = await hostile();
    for (const chunk of ['99999999999999999999', '4294967296', '-1', 'x']) {
      device.send(`v2/fw/request/1/chunk/${chunk}`, '4096');
    }
    device.send('v2/fw/request/99999999999999999999/chunk/0', '4096');
    device.client.close();
    await othersAreServed();
  });

  it('sends anything to any topic, 3,000 times over connections: the other one is served all the time', {
    timeout: 120_000,
  }, async () => {
    const random = seededRandom(7);
    const below = (limit: number) => Math.floor(random() * limit);
    const topics = [
      TELEMETRY,
      'v1/devices/me/attributes',
      'v1/devices/me/attributes/request/1',
      'v1/devices/me/rpc/request/1',
      'v1/devices/me/rpc/response/1',
      'v1/devices/me/claim',
      'v1/gateway/telemetry',
      'v1/gateway/connect',
      'v2/fw/request/1/chunk/0',
      'v2/t/p',
      'v2/a/p',
      '/provision/request',
      'some/other/topic',
    ];
    const texts = [
      '{',
      '[]',
      '{"a":1}',
      '{"method":1}',
      '{"device":{}}',
      'null',
      '',
      '{"secretKey":[]}',
      '0',
      '{"ts":{}}',
    ];
    for (let round = 0; round < 60; round++) {
      const device = await hostile();
      for (let count = 0; count < 50; count++) {
        const payload =
          below(2) === 0
            ? (texts[below(texts.length)] ?? '')
            : Uint8Array.from({ length: below(200) }, () => below(256));
        device.send(topics[below(topics.length)] ?? '', payload);
      }
      device.close();
      if (round % 20 === 0) await othersAreServed();
    }
    await othersAreServed();
    expect(await good.quiet()).toEqual([]);
  });
});

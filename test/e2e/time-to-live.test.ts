import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
let device: string;

beforeAll(async () => {
  await server.start();
  await api.login();
  device = await api.createDevice('short memory', 'TTL-TOKEN');
});
afterAll(() => server.dispose());

const url = (path: string): string => `/api/plugins/telemetry/DEVICE/${device}/${path}`;
const range = async () =>
  (await api.call('GET', url('values/timeseries?keys=t,u&startTs=0&endTs=9000000000000&orderBy=ASC'))).body;

/** Asks until the answer is this one; how long it took, milliseconds. */
async function until(wanted: object, since: number): Promise<number> {
  for (;;) {
    const answer = await range();
    if (JSON.stringify(answer) === JSON.stringify(wanted)) return Date.now() - since;
  }
}

describe('points with a time to live', () => {
  it('TBS-58 are gone from range queries and from the latest values after it, and not before', async () => {
    const kept = { ts: 1000, values: { t: 1 } };
    expect((await api.call('POST', url('timeseries/ANY'), kept)).status).toBe(200);
    const sent = Date.now();
    const posted = await api.call('POST', url('timeseries/ANY/2'), { ts: 2000, values: { t: 2, u: 3 } });
    expect([posted.status, posted.text]).toEqual([200, '']);
    expect(await range()).toEqual({
      t: [
        { ts: 1000, value: '1' },
        { ts: 2000, value: '2' },
      ],
      u: [{ ts: 2000, value: '3' }],
    });
    expect(await until({ t: [{ ts: 1000, value: '1' }] }, sent)).toBeGreaterThanOrEqual(2000);
    expect(await api.latest(device, 't')).toEqual({ t: [{ ts: 1000, value: 1 }] });
    expect((await api.call('GET', url('keys/timeseries'))).body).toEqual(['t']);
  });

  it('TBS-58 are gone after a restart too; a time to live of 0 is none', async () => {
    await api.call('POST', url('timeseries/ANY/1'), { ts: 3000, values: { u: 4 } });
    await api.call('POST', url('timeseries/ANY/0'), { ts: 4000, values: { t: 5 } });
    await server.stop();
    await server.start();
    await api.login();
    const rest = {
      t: [
        { ts: 1000, value: '1' },
        { ts: 4000, value: '5' },
      ],
    };
    await until(rest, 0);
    expect(await api.latest(device, 't,u')).toEqual({
      t: [{ ts: 4000, value: 5 }],
      u: [{ ts: expect.any(Number), value: null }],
    });
  });
});

import { PacketType } from '@moorage/mqtt-codec';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';
import { LONG, report } from '../harness/report.ts';

const DEVICES = 8;
const WINDOW = 20;
const ROUNDS = LONG ? 200 : 3;

let server: MoorageProcess | undefined;
afterEach(() => server?.dispose());

/** Publishes numbered points as fast as they are acknowledged; the acknowledged ones are noted from bytes received. */
class Publisher {
  readonly client: RawClient;
  readonly acknowledged: number[] = [];
  #next: number;

  constructor(client: RawClient, first: number) {
    this.client = client;
    this.#next = first;
  }

  get next(): number {
    return this.#next;
  }

  async run(): Promise<void> {
    const open = new Map<number, number>();
    for (;;) {
      while (open.size < WINDOW && !this.client.closed) {
        const number = this.#next++;
        const identifier = (number % 65_535) + 1;
        open.set(identifier, number);
        // Every point has its own time, so that none can hide another.
        const payload = `{"ts":${1_700_000_000_000 + number * 1000},"values":{"number":${number},"text":"n${number}"}}`;
        this.client.write(this.client.publishPacket('v1/devices/me/telemetry', payload, 1, identifier));
      }
      const puback = await this.client.next(PacketType.Puback);
      if (puback === undefined) return;
      const number = open.get(puback.packetIdentifier);
      if (number !== undefined) this.acknowledged.push(number);
      open.delete(puback.packetIdentifier);
    }
  }
}

describe('acknowledged means on disk', () => {
  it('F1, N6 after kill -9 in full flow every acknowledged point is there with its value, round after round', {
    timeout: LONG ? 3_600_000 : 120_000,
  }, async () => {
    server = new MoorageProcess();
    await server.start();
    const api = new ApiClient(server);
    await api.login();
    const ids: string[] = [];
    for (let index = 0; index < DEVICES; index++)
      ids.push(await api.createDevice(`d${index}`, `KILLTOKEN00000000000${index}`));
    const acknowledged: Set<number>[] = ids.map(() => new Set());
    const first = ids.map(() => 0);

    for (let round = 0; round < ROUNDS; round++) {
      const publishers: Publisher[] = [];
      for (let index = 0; index < DEVICES; index++) {
        const client = await RawClient.open(server.mqttPort, 4);
        expect(await client.connect({ username: `KILLTOKEN00000000000${index}` })).toBe(0);
        publishers.push(new Publisher(client, first[index] ?? 0));
      }
      const running = Promise.all(publishers.map((publisher) => publisher.run()));
      const enough = 100 + ((round * 397) % 900);
      while (publishers.some((publisher) => publisher.acknowledged.length < enough)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await server.kill();
      await running;
      publishers.forEach((publisher, index) => {
        for (const number of publisher.acknowledged) acknowledged[index]?.add(number);
        first[index] = publisher.next;
      });
      await server.start();
      await api.login();

      for (const [index, id] of ids.entries()) {
        const answer = await api.call(
          'GET',
          `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=number,text&startTs=0&endTs=1900000000000&limit=1000000&orderBy=ASC&useStrictDataTypes=true`,
        );
        const stored = new Map<number, number>(
          answer.body.number.map((point: { ts: number; value: number }) => [point.ts, point.value]),
        );
        const texts = new Map<number, string>(
          answer.body.text.map((point: { ts: number; value: string }) => [point.ts, point.value]),
        );
        const lost: number[] = [];
        for (const number of acknowledged[index] ?? []) {
          const ts = 1_700_000_000_000 + number * 1000;
          if (stored.get(ts) !== number || texts.get(ts) !== `n${number}`) lost.push(number);
        }
        expect(lost).toEqual([]);
        expect(acknowledged[index]?.size).toBeGreaterThanOrEqual(100);
      }
    }
    const total = acknowledged.reduce((sum, numbers) => sum + numbers.size, 0);
    report('kill-telemetry', { rounds: ROUNDS, devices: DEVICES, acknowledgedMessages: total, lost: 0 });
  });

  it('registry changes answered with 200 survive kill -9', async () => {
    server = new MoorageProcess();
    await server.start();
    const api = new ApiClient(server);
    await api.login();
    const id = await api.createDevice('kept', 'KEPTTOKEN00000000001');
    const credentials = (await api.call('GET', `/api/device/${id}/credentials`)).body;
    await api.call('POST', '/api/device/credentials', { ...credentials, credentialsId: 'KEPTTOKEN00000000002' });
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/SERVER_SCOPE`, { place: 'roof' });
    await server.kill();
    await server.start();
    await api.login();
    const read = (await api.call('GET', `/api/device/${id}/credentials`)).body;
    expect(read.credentialsId).toBe('KEPTTOKEN00000000002');
    const attributes = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE?keys=place`,
    );
    expect(attributes.body).toMatchObject([{ key: 'place', value: 'roof' }]);
    const client = await RawClient.open(server.mqttPort, 4);
    expect(await client.connect({ username: 'KEPTTOKEN00000000002' })).toBe(0);
    client.close();
  });

  it('F6 SIGTERM under load: 5.0 clients are told 0x8B, exit 0, nothing acknowledged is lost', async () => {
    server = new MoorageProcess();
    await server.start();
    const api = new ApiClient(server);
    await api.login();
    const id = await api.createDevice('busy', 'BUSYTOKEN00000000001');
    const client = await RawClient.open(server.mqttPort, 5);
    expect(await client.connect({ username: 'BUSYTOKEN00000000001' })).toBe(0);
    const publisher = new Publisher(client, 0);
    const running = publisher.run();
    while (publisher.acknowledged.length < 300) await new Promise((resolve) => setImmediate(resolve));
    expect(await server.stop()).toBe(0);
    await running;
    expect((await client.next(PacketType.Disconnect))?.reasonCode).toBe(0x8b);
    await server.start();
    await api.login();
    const answer = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=number&startTs=0&endTs=1900000000000&limit=1000000&orderBy=ASC&useStrictDataTypes=true`,
    );
    const stored = new Set(answer.body.number.map((point: { value: number }) => point.value));
    expect(publisher.acknowledged.filter((number) => !stored.has(number))).toEqual([]);
  });
});

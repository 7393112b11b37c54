import { ApiClient } from '../test/harness/api-client.ts';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { createWaveshareDevice } from '../test/harness/vendor-devices.ts';
import { buildLoadGenerator, type LoadResult, load, median } from './load-generator.ts';

/**
 * Waveshare devices that control each other, as one JSON line: 1,000 pairs, each publisher writes to the Sub topic of its
 * partner at QoS 1, 2,000 messages a second in all. The server has core 0, the load core 1. Latency counts from the
 * moment a message was due.
 */
const PAIRS = Number(process.env.BENCH_PAIRS ?? 1_000);
const RATE = 2_000;
const SECONDS = process.env.BENCH_SECONDS ?? '5';
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
/** Devices that are created at the same time. */
const AT_ONCE = 16;

async function createDevices(api: ApiClient): Promise<void> {
  const ids = ['a', 'b'].flatMap((side) => Array.from({ length: PAIRS }, (_, index) => `${side}${index}`));
  const next = async (): Promise<void> => {
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) await createWaveshareDevice(api, `relay ${id}`, id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

const generator = buildLoadGenerator();
const server = new MoorageProcess({ wrapper: ['taskset', '-c', '0'] });
try {
  await server.start();
  const api = new ApiClient(server);
  await api.login();
  await createDevices(api);
  const results: LoadResult[] = [];
  for (let run = 0; run < RUNS; run++) {
    results.push(
      await load([
        ...['pairs', '-n', String(PAIRS), '-q', '1', '-r', String(RATE), '-d', SECONDS],
        ...['--pub-id', 'a{i}', '--sub-id', 'b{i}', '-t', 'Sub/1/37/b{i}', '-f', 'Sub/1/37/b{i}'],
        ...['-p', String(server.mqttPort), '--broker-pid', String(server.pid)],
      ]),
    );
  }
  const of = (figure: (result: LoadResult) => number): number => median(results.map(figure));
  const errors = results.reduce((sum, result) => sum + result.lost + result.errors + result.refused, 0);
  console.log(
    JSON.stringify({
      scenario: `${PAIRS} pairs of Waveshare devices, QoS 1, ${RATE} messages/s`,
      generator,
      receivedPerSecond: Math.round(of((result) => result.recv_per_s)),
      p50Ms: of((result) => (result.latency_us?.p50 ?? Number.NaN) / 1000),
      p99Ms: of((result) => (result.latency_us?.p99 ?? Number.NaN) / 1000),
      brokerCpu: of((result) => result.broker_cpu),
      lostOrRefused: errors,
    }),
  );
} finally {
  await server.dispose();
}

import { ApiClient } from '../test/harness/api-client.ts';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { buildLoadGenerator, type LoadResult, load, median } from './load-generator.ts';
import { Mosquitto } from './mosquitto.ts';

const DEVICES = 200;
const KEYS = 3;
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const SECONDS = process.env.BENCH_SECONDS ?? '3';

function publishArguments(port: number, pid: number): string[] {
  return [
    ...['pub', '-q', '1', '-n', String(DEVICES), '-w', '10', '-p', String(port), '--broker-pid', String(pid)],
    ...['--user', 'BENCHTOKEN-{i}', '--pub-id', 'bench-{i}', '-t', 'v1/devices/me/telemetry'],
    ...['--payload', '{"temperature":{r}.5,"humidity":{r},"seq":{n}}', '-d', SECONDS],
  ];
}

/**
 * Telemetry through a socket: 200 ThingsBoard devices, QoS 1, window 10, JSON of 3 keys, every point parsed, typed and
 * committed before PUBACK; beside Debian's mosquitto, which takes the same publishes and stores nothing. Alternating
 * runs, medians. `cap` = acknowledged messages per second of server CPU, all threads.
 */
export async function ingest(): Promise<Record<string, unknown>> {
  buildLoadGenerator();
  const moorage = new MoorageProcess({ wrapper: ['taskset', '-c', '0'] });
  const mosquitto = new Mosquitto();
  try {
    await moorage.start();
    await mosquitto.start();
    const api = new ApiClient(moorage);
    await api.login();
    for (let index = 0; index < DEVICES; index++) await api.createDevice(`bench ${index}`, `BENCHTOKEN-${index}`);
    const ours: LoadResult[] = [];
    const theirs: LoadResult[] = [];
    for (let round = 0; round < RUNS; round++) {
      ours.push(await load(publishArguments(moorage.mqttPort, moorage.pid)));
      theirs.push(await load(publishArguments(mosquitto.port, mosquitto.pid)));
    }
    const cap = (results: readonly LoadResult[]) => median(results.map((result) => 1e6 / result.broker_cpu_us_per_msg));
    const sum = (member: 'errors' | 'refused' | 'closed' | 'unacked') =>
      ours.reduce((total, result) => total + result[member], 0);
    return {
      case: 'ingest',
      devices: DEVICES,
      keys: KEYS,
      moorage: {
        ackedPerSecond: Math.round(median(ours.map((result) => result.acked_per_s))),
        pointsPerSecond: Math.round(median(ours.map((result) => result.acked_per_s)) * KEYS),
        cpuUsPerMessage: median(ours.map((result) => result.broker_cpu_us_per_msg)),
        ackedPerCpuSecond: Math.round(cap(ours)),
        ackP50Us: median(ours.map((result) => result.ack_us.p50)),
        ackP99Us: median(ours.map((result) => result.ack_us.p99)),
        rssKiB: ours.at(-1)?.broker_rss_kb,
        errors: sum('errors') + sum('refused') + sum('closed') + sum('unacked'),
      },
      mosquitto: {
        ackedPerSecond: Math.round(median(theirs.map((result) => result.acked_per_s))),
        cpuUsPerMessage: median(theirs.map((result) => result.broker_cpu_us_per_msg)),
        ackedPerCpuSecond: Math.round(cap(theirs)),
        ackP50Us: median(theirs.map((result) => result.ack_us.p50)),
        ackP99Us: median(theirs.map((result) => result.ack_us.p99)),
      },
      ratioPerCpuSecond: Number((cap(ours) / cap(theirs)).toFixed(2)),
    };
  } finally {
    await moorage.dispose();
    await mosquitto.stop();
  }
}

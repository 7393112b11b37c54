import { readFileSync } from 'node:fs';
import { ApiClient } from '../test/harness/api-client.ts';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { createApplication } from '../test/harness/vendor-devices.ts';
import { WebhookReceiver } from '../test/harness/webhook-receiver.ts';
import { buildLoadGenerator, load, median } from './load-generator.ts';

/**
 * What webhooks cost the devices whose messages they carry: ThingsBoard devices publish at QoS 1 while every message is
 * pushed to one receiver that answers at once, to one that never does, and to none; alternated, medians, one JSON line each.
 * The server has core 0, load and receiver share core 1.
 */
const DEVICES = 200;
const RATE = Number(process.env.BENCH_RATE ?? 2_000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const RUNS = Number(process.env.BENCH_RUNS ?? 3);

interface Case {
  readonly name: 'nobody is told' | 'receiver answers at once' | 'receiver hangs';
  readonly cpuUs: number[];
  readonly deliveries: number[];
  readonly ackP99Ms: number[];
  readonly residentMiB: number[];
}

function residentMiB(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return Number(kib) / 1024;
}

const generator = buildLoadGenerator();
const receiver = new WebhookReceiver();
await receiver.start();
const cases: readonly Case[] = (['nobody is told', 'receiver answers at once', 'receiver hangs'] as const).map(
  (name) => ({ name, cpuUs: [], deliveries: [], ackP99Ms: [], residentMiB: [] }),
);

async function measure(one: Case): Promise<void> {
  const server = new MoorageProcess({
    wrapper: ['taskset', '-c', '0'],
    env: { MOORAGE_WEBHOOKS__ALLOW_PRIVATE_ADDRESSES: 'true' },
  });
  try {
    await server.start();
    const api = new ApiClient(server);
    await api.login();
    for (let index = 0; index < DEVICES; index++) await api.createDevice(`device ${index}`, `PUSH-${index}`);
    if (one.name !== 'nobody is told') await createApplication(api, 'sensoro', 'all', {}, { webhookUrl: receiver.url });
    const { promise, resolve } = Promise.withResolvers<number>();
    receiver.answer = one.name === 'receiver hangs' ? () => promise : () => 200;
    const before = receiver.received.length;
    const result = await load([
      ...['pub', '-q', '1', '-n', String(DEVICES), '-w', '20', '-r', String(RATE), '-p', String(server.mqttPort)],
      ...['--broker-pid', String(server.pid), '--user', 'PUSH-{i}', '--pub-id', 'push-{i}'],
      ...['-t', 'v1/devices/me/telemetry', '--payload', '{"temperature":{r}.5,"humidity":50}', '-d', String(SECONDS)],
    ]);
    one.cpuUs.push(result.broker_cpu_us_per_msg);
    one.ackP99Ms.push(result.ack_us.p99 / 1000);
    one.deliveries.push((receiver.received.length - before) / SECONDS);
    one.residentMiB.push(residentMiB(server.pid));
    if (result.errors + result.refused > 0) throw new Error(JSON.stringify(result));
    resolve(200);
  } finally {
    await server.dispose();
  }
}

try {
  for (let run = 0; run < RUNS; run++) for (const one of cases) await measure(one);
  for (const { name, cpuUs, deliveries, ackP99Ms, residentMiB: memory } of cases) {
    console.log(
      JSON.stringify({
        case: name,
        generator,
        messagesPerSecond: RATE,
        cpuUsPerMessage: median(cpuUs),
        ackP99Ms: median(ackP99Ms),
        deliveriesPerSecond: Math.round(median(deliveries)),
        residentMiB: Math.round(median(memory)),
      }),
    );
  }
} finally {
  await receiver.stop();
}

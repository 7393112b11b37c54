import mqtt from 'mqtt';
import { load } from './load-generator.ts';
import type { Peer } from './peer.ts';

const SESSIONS = 100;

/**
 * 100 Sessions subscribe at QoS 1 and leave; publishers then send to all of them. Each message is stored once with 100
 * references before its PUBACK; afterwards every Session comes back and what it gets is counted.
 */
export async function offlineSessions(peer: Peer, seconds: string): Promise<Record<string, unknown>> {
  const options = (index: number) => ({ clientId: `offline-${index}`, clean: false, reconnectPeriod: 0 });
  const url = `mqtt://127.0.0.1:${peer.port}`;
  for (let index = 0; index < SESSIONS; index++) {
    const client = await mqtt.connectAsync(url, options(index));
    await client.subscribeAsync('offline/#', { qos: 1 });
    await client.endAsync();
  }
  const result = await load([
    ...['pub', '-q', '1', '-n', '10', '-w', '10', '-t', 'offline/{i}', '-p', String(peer.port)],
    ...['--broker-pid', String(peer.pid), '-d', seconds, '--warmup', '0'],
  ]);
  return {
    scenario: 'durable QoS 1 to 100 offline sessions',
    referencesPerSecond: Math.round(result.acked_per_s * SESSIONS),
    ackP50Ms: result.ack_us.p50 / 1000,
    ackP99Ms: result.ack_us.p99 / 1000,
    brokerCpu: result.broker_cpu,
    errors: result.errors,
  };
}

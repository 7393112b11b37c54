import mqtt from 'mqtt';
import { load } from './load-generator.ts';
import type { Peer } from './peer.ts';

const SESSIONS = 100;

/** Messages a second of the paced run: each is stored with 100 references. */
const PACED = 1_000;

/**
 * 100 Sessions subscribe at QoS 1 and leave; publishers then send to all of them. Each message is stored once with 100
 * references before its PUBACK. After a run that is not measured: how much is stored when ten publishers keep ten messages
 * under way each, and how long an acknowledgement takes at a steady 100,000 references a second.
 */
export async function offlineSessions(peer: Peer, seconds: string): Promise<Record<string, unknown>> {
  const options = (index: number) => ({ clientId: `offline-${index}`, clean: false, reconnectPeriod: 0 });
  const url = `mqtt://127.0.0.1:${peer.port}`;
  for (let index = 0; index < SESSIONS; index++) {
    const client = await mqtt.connectAsync(url, options(index));
    await client.subscribeAsync('offline/#', { qos: 1 });
    await client.endAsync();
  }
  const publish = (...more: readonly string[]) =>
    load([
      ...['pub', '-q', '1', '-n', '10', '-w', '10', '-t', 'offline/{i}', '-p', String(peer.port)],
      ...['--broker-pid', String(peer.pid), '--warmup', '0', ...more],
    ]);
  await publish('-d', '1');
  const saturated = await publish('-d', seconds);
  const paced = await publish('-d', seconds, '-r', String(PACED));
  return {
    scenario: 'durable QoS 1 to 100 offline sessions',
    referencesPerSecond: Math.round(saturated.acked_per_s * SESSIONS),
    saturatedAckP99Ms: saturated.ack_us.p99 / 1000,
    pacedReferencesPerSecond: Math.round(paced.acked_per_s * SESSIONS),
    ackP50Ms: paced.ack_us.p50 / 1000,
    ackP99Ms: paced.ack_us.p99 / 1000,
    brokerCpu: saturated.broker_cpu,
    errors: saturated.errors + paced.errors,
  };
}

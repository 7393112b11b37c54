import { PacketType } from '@moorage/mqtt-codec';
import { RawClient } from './raw-client.ts';

/**
 * A client that does nothing wrong, in a process of its own, so that its times hold nothing of the test's own work.
 * Arguments: port, user name. Prints `ready`, then for every line on standard input the percentiles since the last one.
 */
const [port = '0', username = ''] = process.argv.slice(2);
const client = await RawClient.open(Number(port), 4);
if ((await client.connect({ username, clientId: `pinger ${process.pid}` })) !== 0) throw new Error('refused');
let times: number[] = [];
process.stdout.write('ready\n');

process.stdin.setEncoding('utf8').on('data', () => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  process.stdout.write(`${JSON.stringify({ pings: sorted.length, p50: at(0.5), p99: at(0.99) })}\n`);
  times = [];
});
process.stdin.on('end', () => process.exit(0));

for (;;) {
  const begin = performance.now();
  client.write({ type: PacketType.Pingreq });
  if ((await client.next(PacketType.Pingresp)) === undefined) throw new Error('the connection was closed');
  times.push(performance.now() - begin);
  await new Promise((resolve) => setTimeout(resolve, 5));
}

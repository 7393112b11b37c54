/*
 * An MQTT load generator for machines without a C compiler; `mqttload.c` beside it is what the published figures come
 * from. Same scenarios, same options, same JSON on one line, with these differences:
 *   - It needs more processor time than the C one, for a connect six times as much (see `load_cpu`): where that is near 1
 *     it is the generator that is measured. Compare `broker_cpu_us_per_msg`, not rates.
 *   - Not known: --src-addrs, --extra-subs, --pub-creds, --sub-creds. --rate works with timers, so it is exact to
 *     about a millisecond; latency counts from the time a message was due all the same.
 *   - On 5.0 the broker's Receive Maximum is not read: keep --window below it.
 *
 *   node bench/load/ts-load.ts SCENARIO [options]
 *
 *   fanin     --pubs publishers, each on its own topic -> --subs subscribers of all of them   (100 -> 1)
 *   fanout    --pubs publishers on one topic -> --subs subscribers of it                      (1 -> 500)
 *   pairs     publisher i -> subscriber i, each pair on its own topic                         (200 <-> 200)
 *   pub       publishers only                                                                 (100)
 *   connect   connect, CONNACK, disconnect, again, --concurrency at a time, for --duration
 *   idle      hold --subs connections (one subscription each) for --duration; memory          (10000)
 *
 *   -h --host  -p --port  -V --mqtt 3|4|5  -n --pubs  -m --subs  -q --qos  --sub-qos  -w --window  --credit e2e|ack|none
 *   -s --size  --payload TEXT  -t --pub-topic  -f --sub-filter  -r --rate  --retain  --pub-id  --sub-id  --user  --pass
 *   --sub-user  --sub-pass  --keepalive  --keep-session  --expect  -c --concurrency  -d --duration  --warmup  --drain
 *   --broker-pid PID[,PID]  --label.   {i} in a template is the client's number, {n} the message's, {r} 0..999.
 */
import { readOptions, UsageError } from './load-options.ts';
import { Load } from './load-run.ts';

try {
  const load = new Load(readOptions(process.argv.slice(2)));
  console.log(JSON.stringify(await load.run()));
  process.exit(load.connects > 0 ? 0 : 1);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`ts-load: ${error.message}`);
  process.exit(2);
}

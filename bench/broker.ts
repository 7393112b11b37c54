import { parseArgs } from 'node:util';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { AedesPeer } from './aedes.ts';
import { buildLoadGenerator, type LoadResult, load, median } from './load-generator.ts';
import { Mosquitto } from './mosquitto.ts';
import { offlineSessions } from './offline-sessions.ts';
import type { Peer } from './peer.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const SECONDS = process.env.BENCH_SECONDS ?? '2';

/** Moorage with anonymous clients of the plain dialect: authorisation and metrics on. */
class MooragePeer implements Peer {
  readonly name = 'moorage';
  readonly server = new MoorageProcess({
    wrapper: ['taskset', '-c', '0'],
    env: { MOORAGE_PLAIN__ANONYMOUS: 'true' },
  });

  get port(): number {
    return this.server.mqttPort;
  }

  get pid(): number {
    return this.server.pid;
  }

  start(): Promise<void> {
    return this.server.start();
  }

  stop(): Promise<void> {
    return this.server.dispose();
  }
}

interface Scenario {
  readonly name: string;
  readonly args: readonly string[];
  /** What is compared; `cap` is deliveries per second of broker CPU. */
  readonly figure: 'cap' | 'p99' | 'connects' | 'bytes';
}

/** performance.md, section 1 of the measurements this project began with; the names are those of its rows. */
const SCENARIOS: readonly Scenario[] = [
  { name: 'fan-in 100 to 1, QoS 0, window 10', args: ['fanin'], figure: 'cap' },
  { name: 'fan-in 100 to 1, QoS 1, window 10', args: ['fanin', '-q', '1'], figure: 'cap' },
  { name: 'fan-out 1 to 500, QoS 0', args: ['fanout'], figure: 'cap' },
  { name: 'pairs 200 to 200, QoS 0, window 10', args: ['pairs'], figure: 'cap' },
  { name: 'publish QoS 1, no subscriber', args: ['pub', '-q', '1'], figure: 'cap' },
  { name: '5,000 publishers, window 1', args: ['fanin', '-n', '5000', '-w', '1'], figure: 'cap' },
  { name: 'pairs QoS 1, window 1', args: ['pairs', '-q', '1', '-w', '1'], figure: 'cap' },
  { name: 'latency at 20,000 messages/s, p99', args: ['pairs', '-r', '20000'], figure: 'p99' },
  { name: '10,000 held: connects/s', args: ['idle', '-m', '10000', '-d', '1'], figure: 'connects' },
  { name: '10,000 held: bytes each', args: ['idle', '-m', '10000', '-d', '1'], figure: 'bytes' },
];

function figureOf(scenario: Scenario, result: LoadResult): number {
  switch (scenario.figure) {
    case 'cap':
      return Math.round(1e6 / result.broker_cpu_us_per_msg);
    case 'p99':
      return result.latency_us?.p99 ?? Number.NaN;
    case 'connects':
      return Math.round(result.connects_per_s);
    case 'bytes':
      return Math.round(result.broker_bytes_per_conn ?? Number.NaN);
    default:
      return scenario.figure satisfies never;
  }
}

function makePeers(): Peer[] {
  return [
    new MooragePeer(),
    new Mosquitto(),
    new Mosquitto('mosquitto nodelay', [
      'set_tcp_nodelay true',
      'max_queued_messages 100000',
      'max_inflight_messages 0',
    ]),
    new AedesPeer(),
  ];
}

/** What the runs of one scenario gave, by peer. */
class Figures {
  readonly #scenario: Scenario;
  readonly #figures = new Map<string, number[]>();
  readonly #lost = new Map<string, number>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** Runs every peer once, one after the other. */
  async round(peers: readonly Peer[]): Promise<void> {
    const { args } = this.#scenario;
    for (const peer of peers) {
      const where = ['-p', String(peer.port), '--broker-pid', String(peer.pid)];
      const duration = args.includes('-d') ? [] : ['-d', SECONDS];
      const result = await load([...args, ...where, ...duration]);
      this.#figures.set(peer.name, [...(this.#figures.get(peer.name) ?? []), figureOf(this.#scenario, result)]);
      this.#lost.set(peer.name, (this.#lost.get(peer.name) ?? 0) + result.lost + result.errors);
    }
  }

  summary(): Record<string, unknown> {
    const { name, figure } = this.#scenario;
    const medians = Object.fromEntries(Array.from(this.#figures, ([peer, values]) => [peer, median(values)]));
    const ours = medians.moorage ?? Number.NaN;
    const better = figure === 'p99' || figure === 'bytes' ? Math.min : Math.max;
    const mosquitto = better(medians.mosquitto ?? Number.NaN, medians['mosquitto nodelay'] ?? Number.NaN);
    return {
      scenario: name,
      generator,
      figure,
      ...medians,
      againstMosquitto: Number((ours / mosquitto).toFixed(2)),
      againstAedes: Number((ours / (medians.aedes ?? Number.NaN)).toFixed(2)),
      lost: Object.fromEntries(this.#lost),
    };
  }
}

async function measure(scenario: Scenario): Promise<Record<string, unknown>> {
  const figures = new Figures(scenario);
  // New processes for every scenario, so that none inherits another one's heap; and for every round of memory, since what
  // a process has taken once it keeps.
  const lives = scenario.figure === 'bytes' ? RUNS : 1;
  for (let life = 0; life < lives; life++) {
    const peers = makePeers();
    try {
      for (const peer of peers) await peer.start();
      for (let round = 0; round < RUNS / lives; round++) await figures.round(peers);
    } finally {
      for (const peer of peers) await peer.stop();
    }
  }
  return figures.summary();
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { load: { type: 'string' } } });
const generator = buildLoadGenerator(values.load === 'ts' ? 'ts' : 'c');
const wanted = positionals.join(' ').toLowerCase();
for (const scenario of SCENARIOS) {
  if (!scenario.name.toLowerCase().includes(wanted)) continue;
  console.log(JSON.stringify(await measure(scenario)));
}
if ('durable qos 1 to 100 offline sessions'.includes(wanted)) {
  const moorage = new MooragePeer();
  try {
    await moorage.start();
    console.log(JSON.stringify(await offlineSessions(moorage, SECONDS)));
  } finally {
    await moorage.stop();
  }
}

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueTarget, SessionClaim, StoreCompletion, StoreOutcome } from '@moorage/mqtt-broker';
import { SqliteSessionStore } from '../src/index.ts';

/** Measures the session store; prints one line of JSON per case. Rates of one run compare, those of two runs do not. */

const SECONDS = Number(process.env.BENCH_SECONDS ?? 1.5);
const PAYLOAD = new Uint8Array(200).fill(7);
const QUEUE = { messages: 1_000_000, bytes: 1e12, ageMs: 1e12 };
const IGNORED: StoreCompletion = { release(): void {} };

const commitTimes: number[] = [];
let rows = 0;

type Figures = Record<string, unknown>;
type Message = Parameters<SqliteSessionStore['enqueue']>[0];

function message(topicName: string, retain = false): Message {
  return { topicName, payload: PAYLOAD, qos: 1, retain, properties: null, expiresAt: Number.POSITIVE_INFINITY };
}

function openIn(directory: string): Promise<SqliteSessionStore> {
  return SqliteSessionStore.open({
    directory,
    installationId: 'bench',
    now: Date.now,
    ballastBytes: 0,
    onCommit(elapsedMs, operations) {
      commitTimes.push(elapsedMs);
      rows += operations;
    },
  });
}

async function withStore(work: (store: SqliteSessionStore, directory: string) => Promise<Figures>): Promise<void> {
  const directory = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), 'moorage-bench-'));
  const store = await openIn(directory);
  try {
    commitTimes.length = 0;
    rows = 0;
    process.stdout.write(`${JSON.stringify(await work(store, directory))}\n`);
  } finally {
    await store.terminate();
    rmSync(directory, { recursive: true });
  }
}

function claimMany(store: SqliteSessionStore, count: number): SessionClaim[] {
  return Array.from({ length: count }, (_, index) => {
    const key = `session ${index}`;
    const record = { key, space: 'space', clientId: `client ${index}`, expiryInterval: 3600, queue: QUEUE, will: null };
    return store.claim(record, false, IGNORED);
  });
}

/** Keeps a number of operations in the store for some seconds; `next` begins one. */
function run(
  inFlight: number,
  next: (done: StoreCompletion) => void,
): Promise<{ count: number; seconds: number; latencies: Float64Array }> {
  return new Promise((resolve) => {
    const start = performance.now();
    const latencies: number[] = [];
    let open = 0;
    let refused = 0;
    class Flight implements StoreCompletion {
      begunAt = 0;

      begin(): void {
        open++;
        this.begunAt = performance.now();
        next(this);
      }

      release(outcome: StoreOutcome): void {
        const now = performance.now();
        open--;
        if (outcome !== 'stored') refused++;
        latencies.push(now - this.begunAt);
        if (now - start < SECONDS * 1000) this.begin();
        else if (open === 0) {
          if (refused > 0) process.stdout.write(`${JSON.stringify({ refused })}\n`);
          resolve({ count: latencies.length, seconds: (now - start) / 1000, latencies: sorted(latencies) });
        }
      }
    }
    for (let index = 0; index < inFlight; index++) new Flight().begin();
  });
}

function sorted(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

function quantile(values: Float64Array, share: number): number {
  return Math.round((values[Math.floor(values.length * share)] ?? 0) * 100) / 100;
}

function times(name: string, latencies: Float64Array): Figures {
  const commits = sorted(commitTimes);
  return {
    commits: commits.length,
    rowsPerCommit: Math.round(rows / commits.length),
    commitP50Ms: quantile(commits, 0.5),
    commitP99Ms: quantile(commits, 0.99),
    commitMaxMs: quantile(commits, 0.999999),
    [`${name}P50Ms`]: quantile(latencies, 0.5),
    [`${name}P99Ms`]: quantile(latencies, 0.99),
  };
}

function target(claim: SessionClaim, sequence: number): QueueTarget {
  return {
    claim,
    sequence,
    qos: 1,
    retain: false,
    subscriptionIdentifiers: null,
    packetIdentifier: 0,
    completion: null,
  };
}

function fileMiB(directory: string): number {
  return Math.round(statSync(join(directory, 'session.sqlite')).size / 1_048_576);
}

/** One QoS 1 message to `fanOut` of the Sessions. */
async function enqueue(sessions: number, fanOut: number, inFlight: number): Promise<void> {
  await withStore(async (store, directory) => {
    const claims = claimMany(store, sessions);
    await store.drained();
    commitTimes.length = 0;
    rows = 0;
    let sequence = 0;
    let first = 0;
    const { count, seconds, latencies } = await run(inFlight, (done) => {
      sequence++;
      const targets = Array.from({ length: fanOut }, (_, at) => {
        const claim = claims[(first + at * 7) % sessions];
        return target(claim ?? { key: '' }, sequence);
      });
      first = (first + 101) % sessions;
      store.enqueue(message('a/topic/of/usual/length'), targets, done);
    });
    const referencesPerSecond = Math.round((count * fanOut) / seconds);
    const enqueueFigures = times('enqueue', latencies);
    return {
      case: 'enqueue',
      sessions,
      fanOut,
      inFlight,
      referencesPerSecond,
      ...enqueueFigures,
      MiB: fileMiB(directory),
    };
  });
}

/** A message to one connected Session, sent at once and acknowledged when it is stored. */
async function pairs(sessions: number, inFlight: number): Promise<void> {
  await withStore(async (store) => {
    const claims = claimMany(store, sessions);
    let sequence = 0;
    const { count, seconds, latencies } = await run(inFlight, (done) => {
      sequence++;
      const number = sequence;
      const claim = claims[number % sessions] ?? { key: '' };
      const own = { ...target(claim, number), packetIdentifier: (number % 65_535) + 1 };
      store.enqueue(message('a/topic/of/usual/length'), [own], done);
      if (number > inFlight) store.settle(claims[(number - inFlight) % sessions] ?? claim, number - inFlight);
    });
    return {
      case: 'enqueue+ack',
      sessions,
      inFlight,
      pairsPerSecond: Math.round(count / seconds),
      ...times('pair', latencies),
    };
  });
}

async function retained(topics: number, inFlight: number): Promise<void> {
  await withStore(async (store) => {
    let next = 0;
    const { count, seconds, latencies } = await run(inFlight, (done) => {
      const topicName = `site/${next % 100}/device/${next % topics}/state`;
      next += 7919;
      store.retained.put('space', topicName, message(topicName, true), done);
    });
    return {
      case: 'retained',
      topics,
      inFlight,
      upsertsPerSecond: Math.round(count / seconds),
      ...times('put', latencies),
    };
  });
}

/** Reads by a filter with a literal prefix, as devices subscribe, and of everything. */
async function matches(topics: number): Promise<void> {
  await withStore(async (store) => {
    for (let at = 0; at < topics; at++) {
      const topicName = `site/${at % 100}/device/${at}/state`;
      store.retained.put('space', topicName, message(topicName, true), IGNORED);
      if (at % 10_000 === 0) await store.drained();
    }
    await store.drained();
    const begun = performance.now();
    const wanted = Array.from({ length: 10_000 }, (_, index) => (index * 7919) % topics);
    const reads = wanted.map((at) => store.retained.match('space', `site/${at % 100}/device/${at}/#`, 0).read(100));
    const found = (await Promise.all(reads)).reduce((sum, page) => sum + page.length, 0);
    const seconds = (performance.now() - begun) / 1000;
    const cursor = store.retained.match('space', '#', 0);
    const allBegun = performance.now();
    let all = 0;
    for (let page = await cursor.read(100); page.length > 0; page = await cursor.read(100)) all += page.length;
    const allMs = Math.round(performance.now() - allBegun);
    return { case: 'match', topics, found, matchesPerSecond: Math.round(found / seconds), all, allMs };
  });
}

async function start(sessions: number): Promise<void> {
  const directory = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), 'moorage-bench-'));
  const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  let store = await openIn(directory);
  for (const [index, claim] of claimMany(store, sessions).entries()) {
    const filters = [`device/${index}/#`, 'all/news'];
    const added = filters.map((topicFilter) => {
      return { topicFilter, options, grantedQoS: 1, subscriptionIdentifier: 0, enter: [topicFilter] } as const;
    });
    store.saveSubscriptions(claim, added, [], IGNORED);
    for (let sequence = 1; sequence <= 3; sequence++) store.enqueue(message('t'), [target(claim, sequence)], IGNORED);
  }
  await store.close();
  const begun = performance.now();
  store = await openIn(directory);
  const opened = performance.now();
  const restored = await store.load();
  const loaded = performance.now();
  await store.terminate();
  const figures = {
    case: 'start',
    sessions: restored.length,
    subscriptions: restored.length * 2,
    queued: restored.length * 3,
    openMs: Math.round(opened - begun),
    loadMs: Math.round(loaded - opened),
    MiB: fileMiB(directory),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  rmSync(directory, { recursive: true });
}

await enqueue(1_000, 100, 200);
await enqueue(10_000, 100, 50);
await enqueue(10_000, 100, 1);
await enqueue(10_000, 1, 2_000);
await pairs(1_000, 2_000);
await pairs(1_000, 50);
await retained(100_000, 2_000);
await matches(100_000);
await start(100_000);

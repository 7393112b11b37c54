import { type Usage, usageOf } from './broker-usage.ts';
import { Histogram } from './histogram.ts';
import { LoadClient, type LoadRun } from './load-client.ts';
import type { LoadOptions } from './load-options.ts';

const STALL_MS = 1_000;
const POLL_MS = 5;
const CONNECT_PATIENCE_MS = 20_000;
/** A message of QoS 1 or 2 more than this under way waits, whatever the window. */
const IDENTIFIERS = 60_000;
const LARGEST_BACKLOG = 65_536;
/** Of an open loop, beyond which messages are dropped and counted. */
const LARGEST_RATE_BACKLOG = 8_388_608;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The running totals at one moment. */
interface Mark {
  readonly atMs: number;
  readonly sent: number;
  readonly received: number;
  readonly acked: number;
  readonly connects: number;
  readonly bytes: number;
  readonly broker: Usage;
  readonly own: NodeJS.CpuUsage;
}

/** One run: connect, warm up, measure, drain. */
export class Load implements LoadRun {
  readonly options: LoadOptions;
  connects = 0;
  readonly #publishers: LoadClient[];
  readonly #subscribers: LoadClient[];
  readonly #latency = new Histogram();
  readonly #acks = new Histogram();
  readonly #connectTimes = new Histogram();
  readonly #lastSequence: Uint32Array[] = [];
  #dirty: LoadClient[] = [];
  #flushing = false;
  #running = false;
  #under = 0;
  #sent = 0;
  #received = 0;
  #acked = 0;
  #duplicates = 0;
  #outOfOrder = 0;
  #errors = 0;
  #refused = 0;
  #closed = 0;
  #reasonErrors = 0;
  #stalls = 0;
  #droppedLocal = 0;
  #pongs = 0;

  constructor(options: LoadOptions) {
    this.options = options;
    this.#publishers = Array.from({ length: options.pubs }, (_, index) => new LoadClient(this, index, true));
    this.#subscribers = Array.from({ length: options.subs }, (_, index) => new LoadClient(this, index, false));
    if (options.pubs * options.subs <= 5_000_000) {
      this.#lastSequence = this.#subscribers.map(() => new Uint32Array(options.pubs));
    }
  }

  /** Gives what `mqttload.c` prints. */
  async run(): Promise<Record<string, unknown>> {
    const { scenario, warmup, duration, rate, brokerPids } = this.options;
    const before = usageOf(brokerPids);
    const startedAtMs = performance.now();
    if (scenario !== 'connect') {
      await this.#connectAll(this.#subscribers);
      await this.#connectAll(this.#publishers);
    }
    const connectSeconds = (performance.now() - startedAtMs) / 1_000;
    const setupConnects = this.connects;
    this.#running = true;
    const stops = [this.#every(STALL_MS, () => this.#checkStalls()), this.#keepAlive()];
    if (rate > 0) stops.push(this.#openLoop(rate));
    if (scenario === 'connect') for (const client of this.#publishers) client.start();
    for (const client of this.#publishers) this.#pump(client);
    if (scenario !== 'idle') await sleep(warmup * 1_000);
    this.#latency.clear();
    this.#acks.clear();
    if (scenario === 'connect') this.#connectTimes.clear();
    const from = this.#mark();
    await sleep(duration * 1_000);
    const to = this.#mark();
    const latency = this.#latency.summary();
    const acks = this.#acks.summary();
    this.#running = false;
    if (scenario !== 'connect' && scenario !== 'idle') await this.#drain();
    for (const stop of stops) stop();
    const result = this.#result(from, to, { before, connectSeconds, setupConnects, latency, acks });
    for (const client of [...this.#publishers, ...this.#subscribers]) client.destroy();
    return result;
  }

  connected(client: LoadClient): void {
    this.connects++;
    this.#under--;
    this.#connectTimes.add(performance.now() - client.startedAtMs);
    if (this.options.scenario !== 'connect') return;
    client.stop();
    if (this.#running) client.start();
  }

  refused(client: LoadClient, reasonCode: number): void {
    this.#refused++;
    this.failed(client, `CONNACK ${reasonCode}`);
  }

  ready(client: LoadClient): void {
    this.#pump(client);
  }

  delivered(client: LoadClient, payload: DataView | null, nowMs: number): void {
    this.#received++;
    const publisher = payload === null ? undefined : this.#publishers[payload.getUint32(0, true)];
    if (this.options.payload !== null || payload === null || publisher === undefined) return;
    const sequence = payload.getUint32(4, true);
    this.#latency.add(nowMs - payload.getFloat64(8, true));
    const seen = this.#lastSequence[client.index];
    if (seen !== undefined) {
      const last = seen[publisher.index] ?? 0;
      if (sequence === last) this.#duplicates++;
      else if (sequence < last) this.#outOfOrder++;
      else seen[publisher.index] = sequence;
    }
    publisher.delivered++;
    this.#pump(publisher);
  }

  acknowledged(client: LoadClient, sentAtMs: number, reasonCode: number): void {
    if (reasonCode >= 0x80) this.#reasonErrors++;
    this.#acked++;
    this.#acks.add(performance.now() - sentAtMs);
    this.#pump(client);
  }

  ponged(): void {
    this.#pongs++;
  }

  failed(client: LoadClient, why: string): void {
    if (this.#errors++ < 5) {
      console.error(`ts-load: ${client.publishes ? 'publisher' : 'subscriber'} ${client.index}: ${why}`);
    }
    if (client.isReady) this.#closed++;
    else this.#under--;
  }

  dirty(client: LoadClient): void {
    this.#dirty.push(client);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      const dirty = this.#dirty;
      this.#dirty = [];
      for (const one of dirty) if (!one.blocked) one.flush();
      if (this.options.credit === 'none' && this.options.rate === 0) for (const one of dirty) this.#pump(one);
    });
  }

  #mayPublish(client: LoadClient): boolean {
    const { qos, credit, perMessage } = this.options;
    if (!client.isReady || client.blocked || client.backlogBytes > LARGEST_BACKLOG) return false;
    if (qos > 0 && client.sent - client.acked >= (credit === 'none' ? IDENTIFIERS : client.window)) return false;
    return (
      credit !== 'e2e' || (client.sent - client.forgiven) * perMessage < client.delivered + client.window * perMessage
    );
  }

  #pump(client: LoadClient): void {
    const { rate, scenario } = this.options;
    if (!this.#running || rate > 0 || !client.publishes || scenario === 'connect') return;
    const nowMs = performance.now();
    while (this.#mayPublish(client)) {
      client.publish(nowMs);
      this.#sent++;
    }
  }

  async #connectAll(clients: readonly LoadClient[]): Promise<void> {
    let started = 0;
    let progress = -1;
    let progressAtMs = performance.now();
    while (started < clients.length || clients.some((client) => client.open && !client.isReady)) {
      while (started < clients.length && this.#under < this.options.concurrency) {
        this.#under++;
        clients[started++]?.start();
      }
      await new Promise((resolve) => setImmediate(resolve));
      const now = this.connects + this.#errors;
      if (now !== progress) {
        progress = now;
        progressAtMs = performance.now();
      } else if (performance.now() - progressAtMs > CONNECT_PATIENCE_MS) {
        throw new TypeError(`no progress while connecting, ${this.connects} are connected`);
      } else if (started === clients.length) await sleep(1);
    }
  }

  /** Messages are due at fixed times, so that a broker that stalls cannot hide it. */
  #openLoop(rate: number): () => void {
    const startMs = performance.now();
    let due = 0;
    return this.#every(1, () => {
      const until = this.#running ? Math.floor(((performance.now() - startMs) / 1_000) * rate) : due;
      for (; due < until; due++) {
        const client = this.#publishers[due % this.#publishers.length];
        if (client === undefined || !client.isReady) continue;
        const tooMany = this.options.qos > 0 && client.sent - client.acked > IDENTIFIERS;
        if (tooMany || client.backlogBytes > LARGEST_RATE_BACKLOG) {
          this.#droppedLocal++;
          continue;
        }
        client.publish(startMs + (due / rate) * 1_000);
        this.#sent++;
      }
    });
  }

  /** Closed loop: a lost message would hold its place for ever, so a publisher that stood still is let go on. */
  #checkStalls(): void {
    const { credit, perMessage } = this.options;
    for (const client of this.#publishers) {
      const progress = client.sent + client.acked + client.delivered;
      if (client.isReady && credit === 'e2e' && progress === client.progressSeen && client.sent > 0 && this.#running) {
        this.#stalls++;
        client.forgiven = client.sent - Math.floor(client.delivered / perMessage);
        this.#pump(client);
      }
      client.progressSeen = progress;
    }
  }

  #keepAlive(): () => void {
    const { keepAlive } = this.options;
    if (keepAlive === 0) return () => {};
    return this.#every(keepAlive * 500, () => {
      for (const client of [...this.#publishers, ...this.#subscribers]) if (client.isReady) client.ping();
    });
  }

  async #drain(): Promise<void> {
    const { scenario, qos, drain, perMessage, payload } = this.options;
    const pings = scenario === 'pub' && qos === 0;
    this.#pongs = 0;
    // A ping behind the last message shows that all were taken in.
    if (pings) for (const client of this.#publishers) if (client.isReady) client.ping();
    const arrived = (): boolean => {
      if (pings) return this.#pongs >= this.#publishers.length;
      if (payload === null && this.#received < this.#sent * perMessage) return false;
      return qos === 0 || this.#acked >= this.#sent;
    };
    const endMs = performance.now() + drain * 1_000 + (pings ? 8_000 : 0);
    while (!arrived() && performance.now() < endMs) await sleep(POLL_MS);
  }

  #every(intervalMs: number, task: () => void): () => void {
    const timer = setInterval(task, intervalMs);
    return () => clearInterval(timer);
  }

  #mark(): Mark {
    return {
      atMs: performance.now(),
      sent: this.#sent,
      received: this.#received,
      acked: this.#acked,
      connects: this.connects,
      bytes: [...this.#publishers, ...this.#subscribers].reduce((sum, client) => sum + client.bytesRead, 0),
      broker: usageOf(this.options.brokerPids),
      own: process.cpuUsage(),
    };
  }

  #result(
    from: Mark,
    to: Mark,
    rest: {
      readonly before: Usage;
      readonly connectSeconds: number;
      readonly setupConnects: number;
      readonly latency: ReturnType<Histogram['summary']>;
      readonly acks: ReturnType<Histogram['summary']>;
    },
  ): Record<string, unknown> {
    const { options } = this;
    const { scenario, perMessage, qos, payload, brokerPids, subs } = options;
    const secs = (to.atMs - from.atMs) / 1_000;
    const perSecond = (amount: number) => Math.round(amount / secs);
    const received = perSecond(to.received - from.received);
    const acked = perSecond(to.acked - from.acked);
    const expected = payload === null ? this.#sent * perMessage : 0;
    const cpu = (to.broker.cpuSeconds - from.broker.cpuSeconds) / secs;
    const own = (to.own.user + to.own.system - from.own.user - from.own.system) / 1e6 / secs;
    const { connectSeconds, setupConnects, before, latency, acks } = rest;
    const connect = this.#connectTimes.summary();
    const isConnect = scenario === 'connect';
    return {
      label: options.label,
      generator: 'ts-load',
      scenario,
      mqtt: options.level,
      pubs: options.pubs,
      subs,
      qos,
      sub_qos: options.subQos,
      window: options.window,
      credit: options.credit,
      size: payload === null ? options.size : -1,
      ...(options.rate > 0 ? { rate: options.rate } : {}),
      secs: Number(secs.toFixed(2)),
      sent_per_s: perSecond(to.sent - from.sent),
      recv_per_s: received,
      acked_per_s: acked,
      in_MB_per_s: Number(((to.bytes - from.bytes) / secs / 1e6).toFixed(1)),
      ...(isConnect ? {} : { connected: setupConnects, connect_s: Number(connectSeconds.toFixed(3)) }),
      connects_per_s: isConnect ? perSecond(to.connects - from.connects) : Math.round(setupConnects / connectSeconds),
      sent: this.#sent,
      received: this.#received,
      expected,
      lost: expected === 0 ? 0 : expected + this.#duplicates - this.#received,
      duplicates: this.#duplicates,
      out_of_order: this.#outOfOrder,
      unacked: qos > 0 ? this.#sent - this.#acked : 0,
      errors: this.#errors,
      refused: this.#refused,
      closed: this.#closed,
      reason_errors: this.#reasonErrors,
      stalls: this.#stalls,
      dropped_local: this.#droppedLocal,
      ...(latency === null ? {} : { latency_us: latency }),
      ...(acks === null ? {} : { ack_us: acks }),
      ...(connect === null ? {} : { connect_us: connect }),
      load_cpu: Number(own.toFixed(2)),
      ...(brokerPids.length === 0 ? {} : { broker_cpu: Number(cpu.toFixed(2)), broker_rss_kb: to.broker.rssKiB }),
      ...(brokerPids.length === 0 || received + acked === 0
        ? {}
        : { broker_cpu_us_per_msg: Number(((cpu * 1e6) / (received > 0 ? received : acked)).toFixed(2)) }),
      ...(brokerPids.length === 0 || scenario !== 'idle'
        ? {}
        : {
            broker_rss_kb_before: before.rssKiB,
            broker_bytes_per_conn: Math.round(((to.broker.rssKiB - before.rssKiB) * 1_024) / Math.max(1, subs)),
            broker_cpu_us_per_connect: Math.round(
              ((from.broker.cpuSeconds - before.cpuSeconds) * 1e6) / Math.max(1, subs),
            ),
          }),
    };
  }
}

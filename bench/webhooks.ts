import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Scheduler, type WebhookMessage, Webhooks } from '@moorage/core';
import { SqliteOutboxStore } from '@moorage/store-sqlite';
import { UndiciWebhookSender } from '@moorage/webhook';

/**
 * The webhook engine on its store with real requests, each case as one JSON line: `npm run bench:webhooks -- [hanging|fast]`.
 * The engine with its store has core 0, the receiver core 1.
 */
const MIB = 1_048_576;
const BODY = `{"appId":"foobar","sn":"10610117C5A9D9DF","type":"text","deviceType":"temp_humi","createdTime":1467018792599,"msgId":"5770f1e8a1b2c3d4e5f60718","data":{"battery":95,"interval":300,"temperature":20.5,"humidity":50.25},"padding":"${'x'.repeat(80)}"}`;
const WAITING = 100_000;

/** In the process of its own: answers at once, or (`hang`) never. */
async function receive(hang: boolean): Promise<void> {
  const server = createServer((request, response) => {
    request.resume();
    if (!hang) request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  console.log((server.address() as AddressInfo).port);
}

async function startReceiver(hang: boolean): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const file = fileURLToPath(import.meta.url);
  const command = ['-c', '1', process.execPath, file, hang ? 'receive-hanging' : 'receive'];
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)));
  });
  return { port, child };
}

const scheduler: Scheduler = {
  endOfTurn: (task) => void setImmediate(task),
  every: (intervalMs, task) => {
    const timer = setInterval(task, intervalMs).unref();
    return () => clearInterval(timer);
  },
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

interface Engine {
  readonly webhooks: Webhooks;
  readonly directory: string;
  /** Puts so many messages down, spread over targets, in groups with a pause between; resolves when all are durable. */
  put(messages: number, targets: number, port: number, group?: number, pauseMs?: number): Promise<void>;
  close(): Promise<void>;
}

async function startEngine(): Promise<Engine> {
  const directory = mkdtempSync(join(tmpdir(), 'moorage-bench-'));
  const store = await SqliteOutboxStore.open({ directory, installationId: 'bench', now: Date.now });
  const webhooks = new Webhooks({
    store,
    sender: new UndiciWebhookSender({ allowPrivateAddresses: true }),
    kinds: [
      {
        kind: 'test',
        policy: {
          concurrency: 8,
          timeoutMs: 10_000,
          retryDelaysMs: [1_000, 5_000, 30_000, 120_000, 600_000],
          queueMessages: WAITING,
          queueAgeMs: 86_400_000,
          suspendOn: 410,
        },
        sign: (_, now) => ({ headers: { 'X-ACCESS-ID': 'foobar', 'X-ACCESS-NONCE': String(now) } }),
      },
    ],
    clock: { now: Date.now, monotonic: () => performance.now() },
    scheduler,
    crypto: { uuid: randomUUID, randomBytes },
    count() {},
    notice() {},
    report: (error) => {
      throw error;
    },
  });
  await webhooks.start();
  const body = new TextEncoder().encode(BODY);
  return {
    webhooks,
    directory,
    async put(messages, targets, port, group = 500, pauseMs = 0) {
      const url = `http://127.0.0.1:${port}/`;
      for (let done = 0; done < messages; done += group) {
        if (pauseMs > 0) await pause(pauseMs);
        await Promise.all(
          Array.from({ length: Math.min(group, messages - done) }, (_, index) => {
            const number = done + index;
            const targetId = `00000000-0000-4000-8000-${String(number % targets).padStart(12, '0')}`;
            const message: WebhookMessage = {
              kind: 'test',
              targetId,
              tenantId: '00000000-0000-4000-8000-0000000000aa',
              eventId: String(number),
              orderKey: `sn${number % 200}`,
              url,
              contentType: 'application/json; charset=utf-8',
              body,
            };
            return new Promise<void>((resolve, reject) => {
              const release = (outcome: string) => (outcome === 'stored' ? resolve() : reject(new TypeError(outcome)));
              webhooks.enqueue(message, { hold() {}, release });
            });
          }),
        );
      }
    },
    async close() {
      await webhooks.close();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function residentMiB(): number {
  globalThis.gc?.();
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}

const rounded = (value: number) => Math.round(value * 10) / 10;

async function fast(): Promise<Record<string, unknown>> {
  const { port, child } = await startReceiver(false);
  const engine = await startEngine();
  const rates: Record<string, number> = {};
  await engine.put(2_000, 1, port);
  while (engine.webhooks.statistics().waiting > 0) await pause(5);
  for (const targets of [1, 8]) {
    const messages = 20_000;
    const cpu = process.cpuUsage();
    const begin = performance.now();
    await engine.put(messages, targets, port);
    while (engine.webhooks.statistics().waiting > 0) await pause(2);
    const seconds = (performance.now() - begin) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    rates[`deliveriesPerSecond${targets}`] = Math.round(messages / seconds);
    rates[`cpuMicrosecondsPerDelivery${targets}`] = Math.round((user + system) / messages);
  }
  await engine.close();
  child.kill();
  return { case: 'fast', bodyBytes: BODY.length, ...rates };
}

async function hanging(): Promise<Record<string, unknown>> {
  const { port, child } = await startReceiver(true);
  const quick = await startReceiver(false);
  const engine = await startEngine();
  // Everything that is loaded at the first use is there before the measurement begins.
  await engine.put(3_000, 1, quick.port);
  while (engine.webhooks.statistics().waiting > 0) await pause(5);
  await pause(2_000);
  const before = residentMiB();
  const heapBefore = process.memoryUsage().heapUsed;
  const begin = performance.now();
  await engine.put(WAITING, 1, port, 50, 5);
  const seconds = (performance.now() - begin) / 1_000;
  let peak = 0;
  for (let second = 0; second < 45; second += 1) {
    await pause(1_000);
    peak = Math.max(peak, residentMiB());
  }
  const { waiting, heldBytes, requests } = engine.webhooks.statistics();
  const line = {
    case: 'hanging',
    waiting,
    requests,
    putPerSecond: Math.round(WAITING / seconds),
    heldMiB: rounded(heldBytes / MIB),
    fileMiB: rounded(statSync(join(engine.directory, 'outbox.sqlite')).size / MIB),
    heapGrowthMiB: rounded((process.memoryUsage().heapUsed - heapBefore) / MIB),
    residentBeforeMiB: rounded(before),
    residentGrowthMiB: rounded(residentMiB() - before),
    residentPeakGrowthMiB: rounded(peak - before),
  };
  await engine.close();
  child.kill();
  quick.child.kill();
  return line;
}

const CASES: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = { hanging, fast };
const names = process.argv.slice(2);
if (names[0] === 'receive' || names[0] === 'receive-hanging') await receive(names[0] === 'receive-hanging');
else {
  for (const name of names.length === 0 ? Object.keys(CASES) : names) {
    const run = CASES[name];
    if (run === undefined) {
      console.error(`unknown case ${name}; there are: ${Object.keys(CASES).join(', ')}`);
      process.exit(2);
    }
    console.log(JSON.stringify({ date: new Date().toISOString(), node: process.version, ...(await run()) }));
  }
}

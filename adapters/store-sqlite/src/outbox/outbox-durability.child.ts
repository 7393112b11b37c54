import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Scheduler, type WebhookMessage, Webhooks } from '@moorage/core';
import { SqliteOutboxStore } from './sqlite-outbox-store.ts';

/**
 * The engine on its store, until killed: says on its output which messages are acknowledged (`ack,key,number;`) and which
 * ones a receiver has got (`got,key,number;`). Reads from its input: number of the first message, messages per key (0: until killed), directory. First number 0: puts
 * nothing down, waits until nothing waits, names the dead letters (`dead,key,number;`) and ends.
 */
const [first = '0', count = '0', directory = ''] = readFileSync(0, 'utf8').trim().split(' ');
const ending = first === '0';
const last = count === '0' ? Number.POSITIVE_INFINITY : Number(first) + Number(count);
const KEYS = 6;
const TARGETS = ['00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a2'];
const TENANT = '00000000-0000-4000-8000-0000000000aa';

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

/** Pipes are written before the call returns, so that a line is out before what follows from it happens. */
const say = (...fields: (string | number)[]) => process.stdout.write(`${fields.join(',')};\n`);

const store = await SqliteOutboxStore.open({ directory, installationId: 'kill', now: Date.now, ballastBytes: 0 });
const webhooks = new Webhooks({
  store,
  sender: {
    async send({ body }) {
      const [key = '', number = ''] = new TextDecoder().decode(body).split(' ');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      if (!ending && Math.random() < 0.35) return { kind: 'failed', reason: 'no answer' };
      say('got', key, number);
      return { kind: 'status', status: 200 };
    },
    async close() {},
  },
  kinds: [
    {
      kind: 'test',
      policy: {
        concurrency: 4,
        timeoutMs: 1_000,
        retryDelaysMs: [5, 10, 20],
        queueMessages: 40,
        queueAgeMs: 3_600_000,
        suspendOn: null,
      },
      sign: () => ({ headers: {} }),
    },
  ],
  clock: { now: Date.now, monotonic: () => performance.now() },
  scheduler,
  crypto: { uuid: randomUUID, randomBytes },
  limits: { commitIntervalMs: 0, heldBytes: 60_000, retrying: 3 },
  count() {},
  notice() {},
  report: (error) => {
    throw error;
  },
});
await webhooks.start();

function put(key: number, number: number): Promise<void> {
  const eventId = `${key} ${number}`;
  const message: WebhookMessage = {
    kind: 'test',
    targetId: TARGETS[key % TARGETS.length] ?? '',
    tenantId: TENANT,
    eventId,
    orderKey: String(key),
    url: 'http://receiver.example.org/',
    contentType: 'text/plain',
    body: new TextEncoder().encode(`${eventId} ${'.'.repeat((number * 37) % 2_000)}`),
  };
  return new Promise((resolve, reject) => {
    const release = (outcome: string) => (outcome === 'stored' ? resolve() : reject(new TypeError(outcome)));
    webhooks.enqueue(message, { hold() {}, release });
  });
}

async function lane(key: number): Promise<void> {
  for (let number = Number(first); number < last; number += 1) {
    await put(key, number);
    say('ack', key, number);
    // Sometimes faster than anything can be sent, so that queues grow over their limit.
    if (number % 50 < 25) await new Promise((resolve) => setTimeout(resolve, 12));
  }
}

if (!ending) await Promise.all(Array.from({ length: KEYS }, (_, key) => lane(key)));
while (webhooks.statistics().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
await webhooks.close();
for (let offset = 0; ; offset += 500) {
  const { letters } = await store.dead(TENANT, offset, 500);
  for (const { message } of letters) say('dead', ...message.eventId.split(' '));
  if (letters.length < 500) break;
}
say('left', (await store.statistics()).waiting);
await store.close();

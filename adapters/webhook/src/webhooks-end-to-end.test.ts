import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Scheduler, type WebhookMessage, Webhooks } from '@moorage/core';
import { SqliteOutboxStore } from '@moorage/store-sqlite';
import { callerOf, listQuery, sampleWebhook, succeeded } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Receiver } from './testing/receivers.ts';
import { UndiciWebhookSender } from './undici-webhook-sender.ts';

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
const SECRET = '0123456789abcdef0123456789abcdef';
const { targetId: TARGET, tenantId: TENANT } = sampleWebhook();
const ADMIN = callerOf('TENANT_ADMIN', TENANT);

const signatureOf = (nonce: string, url: string, body: string) =>
  createHmac('sha256', SECRET).update(`${nonce}POST${url}${body}`).digest('base64');

/** What stands in a request under a header, by its exact name. */
function header(rawHeaders: readonly string[], name: string): string {
  return rawHeaders[rawHeaders.indexOf(name) + 1] ?? '';
}

describe('webhooks from the outbox file to a receiver', () => {
  let directory = '';
  let store: SqliteOutboxStore;
  let webhooks: Webhooks;
  let receiver: Receiver;
  let statusOf: (body: string) => number = () => 200;
  const reports: unknown[] = [];

  const start = async (allowPrivateAddresses = true) => {
    store = await SqliteOutboxStore.open({ directory, installationId: 'e2e', now: Date.now, ballastBytes: 0 });
    webhooks = new Webhooks({
      store,
      sender: async () => new UndiciWebhookSender({ allowPrivateAddresses }),
      kinds: [
        {
          kind: 'test',
          policy: {
            concurrency: 8,
            timeoutMs: 5_000,
            retryDelaysMs: [10, 20, 40],
            queueMessages: 100_000,
            queueAgeMs: 86_400_000,
            suspendOn: 410,
          },
          sign: ({ url, body }, now) => ({
            headers: {
              'X-ACCESS-ID': 'foobar',
              'X-ACCESS-NONCE': String(now),
              'X-ACCESS-SIGNATURE': signatureOf(String(now), url, new TextDecoder().decode(body)),
            },
          }),
        },
      ],
      clock: { now: Date.now, monotonic: () => performance.now() },
      scheduler,
      crypto: { uuid: randomUUID, randomBytes },
      count: () => undefined,
      notice: () => undefined,
      report: (error) => reports.push(error),
    });
    await webhooks.start();
  };
  const stop = async () => {
    await webhooks.close();
    await store.close();
  };
  const put = (text: string, parts: Partial<WebhookMessage> = {}): Promise<string> =>
    new Promise((resolve) => {
      const [orderKey = ''] = text.split(' ');
      const own = { url: receiver.url('/hook'), orderKey, eventId: text, body: new TextEncoder().encode(text) };
      webhooks.enqueue(sampleWebhook({ ...own, ...parts }), { hold() {}, release: resolve });
    });
  const until = async (done: () => boolean | Promise<boolean>) => {
    while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const idle = () => until(() => webhooks.statistics().waiting === 0);
  const bodies = () => receiver.received.map(({ body }) => body);
  const dead = async () => succeeded(await webhooks.deliveries(ADMIN, 'DEAD', listQuery({ pageSize: 100 }))).data;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-webhooks-'));
    statusOf = () => 200;
    const answer: RequestListener = (_, response) => {
      response.statusCode = statusOf(bodies().at(-1) ?? '');
      response.end();
    };
    receiver = await Receiver.listen(answer);
    await start();
  });
  afterEach(async () => {
    await stop();
    await receiver.close();
    rmSync(directory, { recursive: true });
    expect(reports).toEqual([]);
  });

  it('SEN-35 are signed anew in each of four attempts, with the same body, and no fifth follows', async () => {
    statusOf = () => (receiver.received.length < 4 ? 500 : 200);
    expect(await put('a 1')).toBe('stored');
    await idle();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(bodies()).toEqual(['a 1', 'a 1', 'a 1', 'a 1']);
    const nonces = receiver.received.map(({ rawHeaders, body }) => {
      const nonce = header(rawHeaders, 'X-ACCESS-NONCE');
      expect(header(rawHeaders, 'X-ACCESS-ID')).toBe('foobar');
      expect(header(rawHeaders, 'X-ACCESS-SIGNATURE')).toBe(signatureOf(nonce, receiver.url('/hook'), body));
      expect(header(rawHeaders, 'Content-Type')).toBe('application/json; charset=utf-8');
      return Number(nonce);
    });
    expect(nonces).toEqual([...new Set(nonces)].sort((a, b) => a - b));
  });

  it('SEN-36 SEN-37 die alone while others go on, and are sent again by hand', async () => {
    statusOf = (body) => (body.startsWith('bad') ? 503 : 200);
    await Promise.all([put('bad 1'), put('bad 2'), put('good 1'), put('good 2')]);
    await idle();
    expect(bodies().filter((body) => body.startsWith('good'))).toEqual(['good 1', 'good 2']);
    expect(bodies().filter((body) => body.startsWith('bad'))).toEqual([
      ...Array.from({ length: 4 }, () => 'bad 1'),
      ...Array.from({ length: 4 }, () => 'bad 2'),
    ]);
    await until(async () => (await dead()).length === 2);
    const letters = await dead();
    expect(letters.map(({ lastError }) => lastError)).toEqual(Array(2).fill('the receiver answered 503'));
    statusOf = () => 204;
    for (const { id } of letters) expect(await webhooks.replay(ADMIN, id)).toMatchObject({ ok: true });
    await idle();
    expect(bodies().slice(-2).sort()).toEqual(['bad 1', 'bad 2']);
    expect(await dead()).toEqual([]);
  });

  it('SEN-38 survive a restart, in order', async () => {
    statusOf = () => 500;
    await Promise.all([1, 2, 3, 4, 5].map((number) => put(`a ${number}`)));
    await stop();
    statusOf = () => 200;
    receiver.received.length = 0;
    await start();
    await idle();
    expect(bodies()).toEqual(['a 1', 'a 2', 'a 3', 'a 4', 'a 5']);
    await webhooks.close();
    expect(await store.statistics()).toMatchObject({ waiting: 0, dead: 0 });
  });

  it('stop at 410, also for the next run, until the receiver is set up anew', async () => {
    statusOf = () => 410;
    await put('a 1');
    await until(() => webhooks.statistics().suspendedTargets === 1);
    await put('b 1');
    await stop();
    statusOf = () => 200;
    await start();
    await put('c 1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bodies()).toEqual(['a 1']);
    webhooks.resume(TARGET);
    await idle();
    expect(bodies().slice(1).sort()).toEqual(['a 1', 'b 1', 'c 1']);
  });

  it('B10 never reach this machine unless that is allowed', async () => {
    await stop();
    await start(false);
    await put('a 1');
    await put('b 1', { url: receiver.url('/hook', 'localhost') });
    await until(async () => (await dead()).length === 2);
    expect(receiver.connections).toBe(0);
    expect((await dead()).map(({ lastError, attempts }) => [lastError, attempts])).toEqual(
      Array(2).fill(['the address is private or reserved', 1]),
    );
  });

  it('arrive each once, many at a time, in the order of their keys', async () => {
    const texts = Array.from({ length: 500 }, (_, index) => `k${index % 20} ${index}`);
    expect(new Set(await Promise.all(texts.map((text) => put(text))))).toEqual(new Set(['stored']));
    await idle();
    expect([...bodies()].sort()).toEqual([...texts].sort());
    for (let key = 0; key < 20; key += 1) {
      const own = (list: readonly string[]) => list.filter((text) => text.startsWith(`k${key} `));
      expect(own(bodies())).toEqual(own(texts));
    }
  });
});

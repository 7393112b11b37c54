import { callerOf, FakeTime, listQuery, MemoryOutboxStore, sampleWebhook, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { notedCompletion, POLICY, TARGET, TENANT, TestWebhooks } from './testing/test-webhooks.ts';
import type { WebhookAttempt } from './webhook.ts';

const OK: WebhookAttempt = { kind: 'status', status: 200 };
const BROKEN: WebhookAttempt = { kind: 'status', status: 500 };
const GONE: WebhookAttempt = { kind: 'status', status: 410 };
const ADMIN = callerOf('TENANT_ADMIN', TENANT);
const DAY = 86_400_000;

const nonces = ({ sender }: TestWebhooks) => sender.requests.map(({ headers }) => Number(headers['X-NONCE']));
const listed = async ({ webhooks }: TestWebhooks, state: 'WAITING' | 'DEAD', caller = ADMIN) =>
  succeeded(await webhooks.deliveries(caller, state, listQuery({ pageSize: 100 }))).data;

describe('a webhook message', () => {
  it('is durable before anybody is told so, and then sent as it was signed', async () => {
    const t = await new TestWebhooks().start();
    const { completion, outcomes, holds } = notedCompletion();
    t.enqueue('a', {}, completion);
    expect(holds()).toBe(1);
    expect(outcomes).toEqual([]);
    expect(t.sender.requests).toEqual([]);
    await t.turns();
    expect(outcomes).toEqual(['stored']);
    expect(t.sender.requests).toEqual([
      {
        url: 'https://receiver.example.org/hook',
        headers: {
          'Content-Type': 'application/json; charset=utf-8',
          'X-NONCE': String(t.time.now()),
        },
        body: new TextEncoder().encode('a 1'),
        timeoutMs: 10_000,
      },
    ]);
    await t.advance(1_000);
    expect(await t.store.statistics()).toMatchObject({ waiting: 0, dead: 0 });
    expect(t.webhooks.statistics()).toMatchObject({ waiting: 0, requests: 0, heldBytes: 0 });
    await t.close();
    expect(t.reports).toEqual([]);
  });

  it('shares a commit with all that come while one is under way', async () => {
    const store = new MemoryOutboxStore();
    let release = (): void => {};
    const append = store.append.bind(store);
    store.append = async (entries) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return append(entries);
    };
    const t = await new TestWebhooks({ store }).start();
    const first = notedCompletion();
    t.enqueue('a', {}, first.completion);
    await t.turns();
    const later = Array.from({ length: 50 }, () => notedCompletion());
    for (const [index, { completion }] of later.entries()) t.enqueue(`k${index}`, {}, completion);
    await t.turns();
    expect(store.calls.get('append')).toBeUndefined();
    release();
    await t.turns();
    expect(first.outcomes).toEqual(['stored']);
    expect(later.flatMap(({ outcomes }) => outcomes)).toEqual([]);
    release();
    await t.turns();
    expect(new Set(later.flatMap(({ outcomes }) => outcomes))).toEqual(new Set(['stored']));
    expect(store.calls.get('append')).toBe(2);
    await t.close();
  });

  it('that the store has no room for is told so, and not sent', async () => {
    const store = new MemoryOutboxStore();
    const t = await new TestWebhooks({ store }).start();
    const { completion, outcomes } = notedCompletion();
    store.troubles.push('full');
    t.enqueue('a', {}, completion);
    await t.turns();
    expect(outcomes).toEqual(['full']);
    expect(t.sender.requests).toEqual([]);
    expect(t.counted.get('webhook.notStored')).toBe(1);
    await t.close();
  });

  it('is refused as full while more than the limit waits for its commit', async () => {
    const t = new TestWebhooks({ limits: { appendBytes: 10_000 } });
    const all = Array.from({ length: 10 }, () => notedCompletion());
    for (const { completion } of all) t.enqueue('a', { body: new Uint8Array(3_000) }, completion);
    await t.turns();
    expect(all.flatMap(({ outcomes }) => outcomes)).toEqual(Array.from({ length: 8 }, () => 'full'));
    await t.start();
    expect(all.flatMap(({ outcomes }) => outcomes).filter((outcome) => outcome === 'stored')).toHaveLength(2);
    expect(t.sender.requests).toHaveLength(2);
    await t.close();
  });

  it('that cannot be sent at all is dropped with a line in the log, and holds nobody up', async () => {
    const t = await new TestWebhooks().start();
    const { completion, holds } = notedCompletion();
    t.enqueue('a', { url: 'ftp://receiver.example.org/' }, completion);
    t.enqueue('a', { url: 'receiver.example.org' }, completion);
    t.enqueue('a', { url: `https://receiver.example.org/${'a'.repeat(2_048)}` }, completion);
    t.enqueue('a', { body: new Uint8Array(262_145) }, completion);
    t.enqueue('a', { eventId: '' }, completion);
    t.enqueue('a', { eventId: 'e'.repeat(65) }, completion);
    t.enqueue('a', { orderKey: 'k'.repeat(129) }, completion);
    t.enqueue('a', { contentType: 'c'.repeat(256) }, completion);
    t.enqueue('a', { kind: 'nobody' }, completion);
    expect(holds()).toBe(0);
    expect(t.counted.get('webhook.refused')).toBe(9);
    expect(t.notices).toHaveLength(9);
    expect(JSON.stringify(t.notices)).not.toContain('receiver.example.org');
    t.enqueue('a', { body: new Uint8Array(262_144) }, completion);
    await t.turns();
    expect(t.sender.requests).toHaveLength(1);
    await t.close();
  });
});

describe('attempts', () => {
  it('SEN-35 a receiver that answers 500 three times and then 200 gets four, with increasing nonce, then none', async () => {
    const t = await new TestWebhooks().start();
    const times: number[] = [];
    t.sender.answer = () => {
      times.push(t.time.monotonic());
      return times.length < 4 ? BROKEN : OK;
    };
    t.enqueue('a');
    await t.turns();
    // A clock that is set back must not make the receiver refuse what it has not seen.
    t.time.jump(-3_600_000);
    await t.advance(2 * 3_600_000, 500);
    expect(t.sender.bodies).toEqual(['a 1', 'a 1', 'a 1', 'a 1']);
    const sent = nonces(t);
    expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    for (const [index, delay] of [1_000, 5_000, 30_000].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(delay);
      expect(waits[index]).toBeLessThanOrEqual(delay * 1.1 + 500);
    }
    expect(t.counted.get('webhook.attemptFailed')).toBe(3);
    await t.close();
  });

  it('SEN-36 that all fail make a dead letter, which can be sent again by hand and is kept for seven days', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = () => ({ kind: 'failed', reason: 'connection refused' });
    const eventId = t.enqueue('a');
    await t.advance(1_000_000, 10_000);
    expect(t.sender.requests).toHaveLength(6);
    expect(await listed(t, 'WAITING')).toEqual([]);
    const [letter] = await listed(t, 'DEAD');
    expect(letter).toMatchObject({
      targetId: TARGET,
      eventId,
      state: 'DEAD',
      attempts: 6,
      lastError: 'connection refused',
      nextAttemptTime: null,
      body: 'a 1',
    });
    t.sender.answer = () => OK;
    expect(await t.webhooks.replay(callerOf('TENANT_ADMIN', TARGET), letter?.id ?? '')).toMatchObject({
      code: 'notFound',
    });
    expect(await t.webhooks.replay(ADMIN, letter?.id ?? '')).toMatchObject({ ok: true });
    await t.turns();
    expect(t.sender.bodies).toEqual(Array.from({ length: 7 }, () => 'a 1'));
    expect(await t.webhooks.replay(ADMIN, letter?.id ?? '')).toMatchObject({ code: 'notFound' });
    t.sender.answer = () => BROKEN;
    t.enqueue('b');
    await t.advance(1_000_000, 10_000);
    await t.advance(7 * DAY - 1_100_000, DAY / 4);
    expect(await listed(t, 'DEAD')).toHaveLength(1);
    await t.advance(1_200_000, 60_000);
    expect(await listed(t, 'DEAD')).toEqual([]);
    await t.close();
  });

  it('SEN-37 of one key hold up later messages of that key and no others', async () => {
    const t = await new TestWebhooks().start();
    let broken = true;
    t.sender.answer = ({ body }) => (broken && new TextDecoder().decode(body).startsWith('a') ? BROKEN : OK);
    for (const key of ['a', 'b', 'a', 'b', 'a', 'c']) t.enqueue(key);
    await t.advance(7_000);
    for (const key of ['a', 'b']) t.enqueue(key);
    await t.advance(5_000);
    const delivered = () => t.sender.bodies.filter((body) => !body.startsWith('a'));
    expect(delivered()).toEqual(['b 2', 'c 6', 'b 4', 'b 8']);
    expect(new Set(t.sender.bodies.filter((body) => body.startsWith('a')))).toEqual(new Set(['a 1']));
    broken = false;
    const before = t.sender.requests.length;
    await t.advance(40_000);
    expect(t.sender.bodies.slice(before)).toEqual(['a 1', 'a 3', 'a 5', 'a 7']);
    await t.close();
  });

  it('go on after a restart with the same event id, in order', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = () => BROKEN;
    for (const key of ['a', 'a', 'b']) t.enqueue(key);
    await t.advance(7_000);
    await t.close();
    t.sender.answer = () => OK;
    t.sender.requests.length = 0;
    const restarted = await new TestWebhooks({ store: t.store, sender: t.sender, time: t.time }).start();
    await restarted.advance(1_000);
    expect(t.sender.bodies.filter((body) => body.startsWith('a'))).toEqual(['a 1', 'a 2']);
    expect(t.sender.bodies).toContain('b 3');
    expect(await restarted.store.statistics()).toMatchObject({ waiting: 0 });
    restarted.enqueue('c');
    await restarted.turns();
    expect(t.sender.bodies.at(-1)).toBe('c 1');
    await restarted.close();
  });

  it('are all made with timers that fire early and a clock that goes on while it is read', async () => {
    class TickingTime extends FakeTime {
      #ticks = 0;
      #early = 0.4;
      override monotonic(): number {
        this.#ticks += 0.3;
        return super.monotonic() + this.#ticks;
      }
      override after(delayMs: number, task: () => void): () => void {
        this.#early = 1.1 - this.#early;
        return super.after(Math.max(0, delayMs - this.#early), task);
      }
    }
    const t = await new TestWebhooks({ time: new TickingTime(), policy: { retryDelaysMs: [3, 5, 7, 9] } }).start();
    t.sender.answer = () => (t.sender.requests.length % 5 === 0 ? OK : BROKEN);
    for (let index = 0; index < 100; index += 1) {
      t.enqueue('a');
      await t.advance(40, 1);
      expect(t.sender.requests).toHaveLength(5 * (index + 1));
    }
    await t.close();
  });

  it('run eight at a time, one for each key', async () => {
    const t = await new TestWebhooks().start();
    const open: (() => void)[] = [];
    t.sender.answer = () => new Promise((resolve) => open.push(() => resolve(OK)));
    for (let round = 0; round < 3; round += 1) for (let key = 0; key < 20; key += 1) t.enqueue(`k${key}`);
    await t.turns();
    while (open.length > 0) {
      const active = t.sender.bodies.slice(-open.length).map((body) => body.split(' ')[0]);
      expect(new Set(active).size).toBe(open.length);
      for (const answer of open.splice(0)) answer();
      await t.turns();
    }
    expect(t.sender.mostActive).toBe(8);
    expect(t.sender.requests).toHaveLength(60);
    for (let key = 0; key < 20; key += 1) {
      const numbers = t.sender.bodies.filter((body) => body.startsWith(`k${key} `)).map((body) => body.split(' ')[1]);
      expect(numbers.map(Number)).toEqual(numbers.map(Number).sort((a, b) => a - b));
    }
    await t.close();
  });

  it('end at once where another is of no use', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = () => ({ kind: 'refused', reason: 'the address is private' });
    t.enqueue('a');
    await t.advance(1_000);
    expect(t.sender.requests).toHaveLength(1);
    expect(await listed(t, 'DEAD')).toMatchObject([{ attempts: 1, lastError: 'the address is private' }]);
    await t.close();
  });

  it('are not made for whoever is gone, and made again when signing failed', async () => {
    let signed = 0;
    const t = await new TestWebhooks({
      sign: ({ orderKey }) => {
        if (orderKey === 'gone') return null;
        signed += 1;
        if (signed === 1) throw new TypeError('no key');
        return { headers: {} };
      },
    }).start();
    t.enqueue('gone');
    t.enqueue('a');
    await t.advance(3_000);
    expect(t.sender.bodies).toEqual(['a 2']);
    expect(t.counted.get('webhook.unwanted')).toBe(1);
    expect(t.reports).toHaveLength(1);
    expect(await t.store.statistics()).toMatchObject({ waiting: 0, dead: 0 });
    await t.close();
  });

  it('are shown to administrators of the tenant alone', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = () => BROKEN;
    t.enqueue('a', { body: new TextEncoder().encode(`${'x'.repeat(4_095)}\u{1f600}${'y'.repeat(9_000)}`) });
    t.enqueue('a');
    await t.turns();
    expect(await listed(t, 'WAITING')).toMatchObject([
      { state: 'WAITING', attempts: 0, lastError: null, nextAttemptTime: null, body: 'a 2' },
      { attempts: 1, lastError: 'the receiver answered 500', nextAttemptTime: expect.any(Number) },
    ]);
    const [, first] = await listed(t, 'WAITING');
    expect(first?.nextAttemptTime).toBeGreaterThan(t.time.now());
    expect(first?.body).toHaveLength(4_096);
    expect(first?.body.isWellFormed()).toBe(true);
    expect(await listed(t, 'WAITING', callerOf('TENANT_ADMIN', TARGET))).toEqual([]);
    for (const role of ['CUSTOMER_USER', 'SYS_ADMIN'] as const) {
      const caller = callerOf(role, TENANT, TARGET);
      const refused = await t.webhooks.deliveries(caller, 'DEAD', listQuery());
      expect(refused).toMatchObject({ ok: false, code: 'permissionDenied' });
      expect(await t.webhooks.replay(caller, TARGET)).toMatchObject({ ok: false, code: 'permissionDenied' });
    }
    await t.close();
  });
});

describe('a suspension', () => {
  it('stops everything for a target until it is saved again, also across a restart', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = () => GONE;
    t.enqueue('a');
    await t.turns();
    t.enqueue('b');
    await t.advance(60_000);
    expect(t.sender.requests).toHaveLength(1);
    expect(t.notices).toHaveLength(1);
    expect(t.webhooks.statistics()).toMatchObject({ suspendedTargets: 1, waiting: 2 });
    await t.close();
    t.sender.answer = () => OK;
    const later = await new TestWebhooks({ store: t.store, sender: t.sender, time: t.time }).start();
    later.enqueue('c');
    await later.advance(60_000);
    expect(t.sender.requests).toHaveLength(1);
    later.webhooks.resume(TARGET);
    await later.advance(1_000);
    expect(t.sender.bodies.slice(1).sort()).toEqual(['a 1', 'b 2', 'c 1']);
    expect((await later.store.load()).suspended).toEqual([]);
    await later.close();
  });

  it('ends with another address, and what still goes to the old one dies alone', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = ({ url }) => (url.endsWith('/old') ? GONE : OK);
    t.enqueue('a', { url: 'https://receiver.example.org/old' });
    t.enqueue('b', { url: 'https://receiver.example.org/old' });
    await t.turns();
    expect(t.webhooks.statistics().suspendedTargets).toBe(1);
    t.enqueue('c', { url: 'https://receiver.example.org/new' });
    await t.advance(1_000);
    expect(t.sender.bodies.at(-1)).toBe('c 3');
    expect(t.webhooks.statistics()).toMatchObject({ suspendedTargets: 0, waiting: 0 });
    expect((await listed(t, 'DEAD')).map(({ eventId }) => eventId).sort()).toEqual(['a 1', 'b 2']);
    await t.close();
  });
});

describe('limits of a queue', () => {
  it('bury the oldest of too many, but not what is under way, and let the others go on', async () => {
    const t = await new TestWebhooks({ policy: { queueMessages: 20 } }).start();
    t.sender.answer = () => BROKEN;
    for (let index = 0; index < 100; index += 1) t.enqueue(`k${index % 10}`);
    await t.advance(3_000);
    expect(t.webhooks.statistics().waiting).toBe(20);
    const letters = await listed(t, 'DEAD');
    expect(letters).toHaveLength(80);
    expect(letters.every(({ lastError }) => lastError?.startsWith('more than 20 messages were waiting'))).toBe(true);
    // The first eight were under way.
    expect(letters.map(({ eventId }) => Number(eventId.split(' ')[1])).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 80 }, (_, index) => index + 9),
    );
    t.sender.answer = () => OK;
    const before = t.sender.requests.length;
    await t.advance(100_000);
    expect(new Set(t.sender.bodies.slice(before)).size).toBe(20);
    expect(await t.store.statistics()).toMatchObject({ waiting: 0, dead: 80 });
    await t.close();
  });

  it('send nothing of a key before those that were buried of it are on disk', async () => {
    const store = new MemoryOutboxStore();
    const bury = store.bury.bind(store);
    let release = (): void => {};
    store.bury = async (letters) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return bury(letters);
    };
    const t = await new TestWebhooks({ store, policy: { queueMessages: 2 } }).start();
    t.sender.answer = ({ body }) => (new TextDecoder().decode(body) === 'a 1' ? BROKEN : OK);
    t.enqueue('a');
    t.enqueue('a');
    await t.turns();
    t.enqueue('a');
    await t.advance(5_000);
    expect(t.sender.bodies).toEqual(['a 1']);
    release();
    await t.advance(1_000);
    expect(t.sender.bodies).toEqual(['a 1', 'a 2', 'a 3']);
    expect(await listed(t, 'DEAD')).toMatchObject([
      { attempts: 1, lastError: 'more than 2 messages were waiting; before that: the receiver answered 500' },
    ]);
    await t.close();
  });

  it('bury what is too old, tried or not, and leave what is under way to its outcome', async () => {
    const t = await new TestWebhooks({ policy: { queueAgeMs: 600_000, concurrency: 2 } }).start();
    let answer = (_: WebhookAttempt): void => {};
    t.sender.answer = ({ body }) =>
      new TextDecoder().decode(body) === 'slow 1'
        ? new Promise((resolve) => {
            answer = resolve;
          })
        : BROKEN;
    for (const key of ['slow', 'slow', 'a', 'a']) t.enqueue(key);
    await t.advance(590_000, 10_000);
    t.enqueue('b');
    await t.advance(120_000, 10_000);
    expect((await listed(t, 'DEAD')).map(({ eventId }) => eventId).sort()).toEqual(['a 3', 'a 4', 'slow 2']);
    answer(OK);
    await t.advance(1_000);
    expect((await listed(t, 'WAITING')).map(({ eventId }) => eventId)).toEqual(['b 5']);
    await t.close();
  });

  it('B10 a receiver that hangs costs little memory however much waits, and gets everything in order in the end', async () => {
    const store = new MemoryOutboxStore();
    const t = await new TestWebhooks({ store, limits: { retrying: 50 } }).start();
    let hangs = true;
    t.sender.answer = () =>
      hangs
        ? new Promise((resolve) => t.time.after(10_000, () => resolve({ kind: 'failed', reason: 'no answer' })))
        : OK;
    const body = 'x'.repeat(1_000);
    for (let index = 0; index < 6_000; index += 1) {
      const text = new TextEncoder().encode(`${index} ${body}`);
      t.enqueue(`k${index % 300}`, { body: text });
      if (index % 100 === 0) await t.turns();
    }
    await t.advance(600_000, 10_000);
    expect(t.webhooks.statistics()).toMatchObject({ waiting: 6_000 });
    expect(t.webhooks.statistics().heldBytes).toBeLessThan(700_000);
    // Every message is looked at once or twice, not again and again.
    expect(store.messagesRead).toBeLessThan(12_000);
    hangs = false;
    const before = t.sender.requests.length;
    await t.advance(1_500_000, 10_000);
    expect(await t.store.statistics()).toMatchObject({ waiting: 0, dead: 0 });
    const numbers = t.sender.bodies.slice(before).map((text) => Number(text.split(' ')[0]));
    expect(new Set(numbers).size).toBe(6_000);
    for (let key = 0; key < 300; key += 1) {
      const own = numbers.filter((number) => number % 300 === key);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
    expect(t.webhooks.statistics().heldBytes).toBe(0);
    await t.close();
  });

  it('share requests and memory among targets, so that one that hangs does not stop others', async () => {
    const t = await new TestWebhooks({ limits: { requests: 4, heldBytes: 2_000 } }).start();
    const hanging = sampleWebhook().targetId;
    const other = '00000000-0000-4000-8000-0000000000c1';
    t.sender.answer = ({ url }) =>
      url.includes('hangs')
        ? new Promise((resolve) => t.time.after(10_000, () => resolve({ kind: 'failed', reason: 'no answer' })))
        : OK;
    for (let index = 0; index < 50; index += 1) {
      t.enqueue(`k${index}`, { targetId: hanging, url: 'https://hangs.example.org/' });
    }
    await t.turns();
    for (let index = 0; index < 50; index += 1) t.enqueue(`k${index}`, { targetId: other });
    await t.advance(60_000);
    expect(t.sender.requests.filter(({ url }) => !url.includes('hangs'))).toHaveLength(50);
    expect(t.sender.mostActive).toBeLessThanOrEqual(4);
    await t.close();
  });
});

describe('a kind that is added late', () => {
  it('finds its messages of an earlier run waiting', async () => {
    const store = new MemoryOutboxStore();
    const body = new TextEncoder().encode('a 1');
    await store.append([
      { sequence: 7, createdTime: 1_700_000_000_000, message: sampleWebhook({ kind: 'late', body }) },
    ]);
    const t = await new TestWebhooks({ store }).start();
    await t.advance(130_000, 10_000);
    expect(t.sender.requests).toEqual([]);
    expect(t.webhooks.statistics().waiting).toBe(1);
    t.webhooks.addKind({ kind: 'late', policy: POLICY, sign: () => ({ headers: {} }) });
    await t.advance(1_000);
    expect(t.sender.bodies).toEqual(['a 1']);
    expect(await store.statistics()).toMatchObject({ waiting: 0 });
    await t.close();
  });
});

describe('the end of things', () => {
  it('removes everything of a target that is gone, also what is on its way into the store', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = () => BROKEN;
    t.enqueue('a');
    await t.turns();
    t.enqueue('b');
    t.webhooks.removeTarget(TARGET);
    await t.advance(60_000);
    expect(t.sender.requests).toHaveLength(1);
    expect(await t.store.statistics()).toMatchObject({ waiting: 0, dead: 0 });
    expect(t.webhooks.statistics()).toMatchObject({ waiting: 0, heldBytes: 0 });
    await t.close();
  });

  it('leaves requests under way a moment, and what does not end stays for the next run', async () => {
    const t = await new TestWebhooks().start();
    t.sender.answer = ({ body }) =>
      new TextDecoder().decode(body).startsWith('slow')
        ? new Promise(() => {})
        : new Promise((resolve) => t.time.after(500, () => resolve(OK)));
    t.enqueue('slow');
    t.enqueue('a');
    await t.turns();
    const { completion, outcomes } = notedCompletion();
    t.enqueue('late', {}, completion);
    await t.close();
    expect(outcomes).toEqual(['stored']);
    expect(t.sender.closed).toBe(true);
    t.enqueue('later', {}, completion);
    expect(outcomes).toEqual(['stored', 'failed']);
    const waiting = await t.store.waiting(TENANT, 0, 10);
    expect(waiting.entries.map(({ message }) => message.orderKey)).toEqual(['late', 'slow']);
    expect(t.time.timers).toBe(0);
  });

  it('tells the store again what it did not take, and sends nothing twice meanwhile', async () => {
    const store = new MemoryOutboxStore();
    const t = await new TestWebhooks({ store }).start();
    t.enqueue('a');
    await t.turns();
    store.troubles.push('failed', 'full', 'failed');
    await t.advance(10_000);
    expect(t.sender.requests).toHaveLength(1);
    expect(await store.statistics()).toMatchObject({ waiting: 0 });
    expect(store.calls.get('settle')).toBe(4);
    await t.close();
  });

  it('goes on after the store could not be read', async () => {
    const store = new MemoryOutboxStore();
    const t = await new TestWebhooks({ store }).start();
    t.sender.answer = () => GONE;
    t.enqueue('a');
    await t.turns();
    t.enqueue('b');
    await t.turns();
    const read = store.read.bind(store);
    store.read = () => Promise.reject(new TypeError('gone'));
    t.sender.answer = () => OK;
    t.webhooks.resume(TARGET);
    await t.advance(1_000);
    expect(t.sender.bodies).toEqual(['a 1', 'a 1']);
    expect(t.reports).toHaveLength(1);
    store.read = read;
    await t.advance(10_000);
    expect(t.sender.bodies).toEqual(['a 1', 'a 1', 'b 2']);
    await t.close();
  });
});

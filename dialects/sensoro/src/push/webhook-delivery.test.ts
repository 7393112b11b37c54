import { type Caller, type PageQuery, PointList, platformCaller, ValueKind, Webhooks } from '@moorage/core';
import { FakeCrypto, FakeTime, MemoryOutboxStore, ScriptedSender } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import {
  application,
  device,
  hmacSha256Base64,
  lookupOf,
  normaliseUrl,
  openDialect,
  TENANT,
  texts,
} from '../testing/tools.ts';
import { sensoroWebhookKind } from './webhook-kind.ts';

const URL_TEXT = 'https://example.com/hook';
const ADMINISTRATOR: Caller = platformCaller(TENANT);
const PAGE: PageQuery = { pageSize: 10, page: 0, textSearch: null, sortProperty: null, sortOrder: 'ASC' };

/** The platform's outbox with the pushes of one application, and a receiver that answers what a test says. */
class Delivery {
  readonly time = new FakeTime();
  readonly sender = new ScriptedSender();
  readonly counted: string[] = [];
  readonly credential = application({ configuration: { webhookUrl: URL_TEXT } });
  readonly webhooks: Webhooks;
  readonly #pushes = openDialect({ now: () => this.time.now() }).dialect.pushes;

  constructor() {
    const credentials = lookupOf(this.credential);
    this.webhooks = new Webhooks({
      store: new MemoryOutboxStore(),
      sender: this.sender,
      kinds: [sensoroWebhookKind({ credentials, hmacSha256Base64, normaliseUrl })],
      clock: this.time,
      scheduler: this.time,
      crypto: new FakeCrypto(),
      count: (event) => void this.counted.push(event),
      notice: () => {},
      report: (error) => {
        throw error;
      },
    });
  }

  upload(serial: string, value: number): void {
    const points = new PointList();
    points.add(this.time.now(), 'a', ValueKind.Long, value);
    const attributes = texts({ 'sensoro.sn': serial });
    const upload = { device: device(1), attributes, points, receivedAt: this.time.now() };
    for (const { webhook } of this.#pushes.encode(this.credential, upload)) {
      if (webhook !== null) this.webhooks.enqueue(webhook, null);
    }
  }

  /** Lets time pass, with all that it brings about. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left >= 0; left -= 1_000) {
      for (let turn = 0; turn < 8; turn++) {
        this.time.endTurn();
        await new Promise((resolve) => setImmediate(resolve));
      }
      this.time.advance(Math.min(left, 1_000));
    }
  }

  /** Serial numbers and values in the order of the requests. */
  get seen(): string[] {
    return this.sender.bodies.map((body) => JSON.parse(body)).map(({ sn, data }) => `${sn} ${data.a}`);
  }

  async deliveries(state: 'WAITING' | 'DEAD') {
    const page = await this.webhooks.deliveries(ADMINISTRATOR, state, PAGE);
    return page.ok ? page.value.data : [];
  }
}

let delivery: Delivery | null = null;
afterEach(async () => {
  const closing = delivery?.webhooks.close();
  await delivery?.pass(3_000);
  await closing;
  delivery = null;
});

async function open(): Promise<Delivery> {
  delivery = new Delivery();
  await delivery.webhooks.start();
  return delivery;
}

describe('delivery', () => {
  it('SEN-35 a receiver that answers 500 three times and then 200 is asked four times, with the same msgId and later nonces', async () => {
    const test = await open();
    let answers = 0;
    test.sender.answer = () => ({ kind: 'status', status: answers++ < 3 ? 500 : 200 });
    test.upload('A', 1);
    await test.pass(1_000_000);
    const requests = test.sender.requests;
    expect(requests).toHaveLength(4);
    expect(new Set(test.sender.bodies.map((body) => JSON.parse(body).msgId)).size).toBe(1);
    const nonces = requests.map(({ headers }) => Number(headers['X-ACCESS-NONCE']));
    const delays = nonces.slice(1).map((nonce, index) => nonce - (nonces[index] ?? 0));
    for (const [index, least] of [1_000, 5_000, 30_000].entries()) {
      expect(delays[index]).toBeGreaterThanOrEqual(least);
      expect(delays[index]).toBeLessThanOrEqual(least * 1.1 + 2_000);
    }
    for (const { headers, body, url } of requests) {
      const text = `${headers['X-ACCESS-NONCE']}POST${url}${new TextDecoder().decode(body)}`;
      expect(headers['X-ACCESS-SIGNATURE']).toBe(hmacSha256Base64(test.credential.password ?? '', text));
    }
    expect([await test.deliveries('WAITING'), await test.deliveries('DEAD')]).toEqual([[], []]);
  });

  it('SEN-36 a message whose attempts all fail is on the dead-letter list, and is sent again by hand', async () => {
    const test = await open();
    test.sender.answer = () => ({ kind: 'status', status: 500 });
    test.upload('A', 1);
    await test.pass(1_000_000);
    expect(test.sender.requests).toHaveLength(6);
    const [dead, ...others] = await test.deliveries('DEAD');
    expect(others).toEqual([]);
    expect(dead).toMatchObject({ kind: 'sensoro', url: URL_TEXT, attempts: 6, body: test.sender.bodies[0] });
    test.sender.answer = () => ({ kind: 'status', status: 200 });
    expect((await test.webhooks.replay(ADMINISTRATOR, dead?.id ?? '')).ok).toBe(true);
    await test.pass(2_000);
    expect(test.sender.bodies[6]).toBe(test.sender.bodies[0]);
    expect(await test.deliveries('DEAD')).toEqual([]);
  });

  it('SEN-37 pushes of one sn wait for the one that is being retried, those of another do not', async () => {
    const test = await open();
    test.sender.answer = ({ body }) => ({
      kind: 'status',
      status: new TextDecoder().decode(body).includes('"sn":"A"') ? 500 : 200,
    });
    test.upload('A', 1);
    test.upload('A', 2);
    test.upload('B', 3);
    await test.pass(3_000);
    expect(test.seen.filter((one) => one !== 'A 1')).toEqual(['B 3']);
    test.sender.answer = () => ({ kind: 'status', status: 200 });
    await test.pass(60_000);
    expect(test.seen.slice(-2)).toEqual(['A 1', 'A 2']);
  });

  it('stops with 410 until the application is saved again', async () => {
    const test = await open();
    test.sender.answer = () => ({ kind: 'status', status: 410 });
    test.upload('A', 1);
    await test.pass(2_000);
    test.upload('B', 2);
    await test.pass(700_000);
    expect(test.sender.requests).toHaveLength(1);
    test.sender.answer = () => ({ kind: 'status', status: 200 });
    test.webhooks.resume(test.credential.application?.id ?? '');
    await test.pass(2_000);
    expect(test.seen.slice(1).sort()).toEqual(['A 1', 'B 2']);
  });
});

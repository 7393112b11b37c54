import { Webhooks } from '@moorage/core';
import { FakeTime, openTestRegistry, ScriptedSender } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEAD_WEBHOOK_ID, deadWebhook } from '../testing/dead-webhook.ts';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
const sender = new ScriptedSender();
const time = new FakeTime();

beforeAll(async () => {
  const registry = await openTestRegistry();
  const webhooks = new Webhooks({
    store: await deadWebhook(registry.defaultTenant.id),
    sender,
    kinds: [],
    clock: time,
    scheduler: time,
    crypto: registry.crypto,
    count: () => undefined,
    notice: () => undefined,
    report: (error) => expect.unreachable(String(error)),
  });
  await webhooks.start();
  t = await openTestServer({ platform: { ...(await registryPlatform(registry, fakeClaims())), webhooks } });
});
afterAll(() => t.server.close());

const deliveries = (query: string) => t.call('GET', `/api/webhook/deliveries?${query}`);

describe('webhook deliveries', () => {
  it('SEN-36 are listed, those that were given up by default', async () => {
    const dead = (await deliveries('pageSize=10&page=0')).json();
    expect(dead).toEqual({
      data: [
        {
          id: { id: DEAD_WEBHOOK_ID },
          createdTime: 1_700_000_000_001,
          tenantId: { entityType: 'TENANT', id: expect.any(String) },
          kind: 'test',
          targetId: { id: '00000000-0000-4000-8000-0000000000a1' },
          eventId: 'event-1',
          url: 'https://receiver.example.org/hook',
          state: 'DEAD',
          attempts: 6,
          lastError: 'the receiver answered 500',
          nextAttemptTime: null,
          body: '{"a":1}',
        },
      ],
      totalPages: 1,
      totalElements: 1,
      hasNext: false,
    });
    const waiting = (await deliveries('state=WAITING&pageSize=1&page=0')).json();
    expect(waiting.data).toMatchObject([{ state: 'WAITING', eventId: 'event-2', attempts: 0, lastError: null }]);
    expect((await deliveries('state=DEAD&pageSize=10&page=1')).json()).toMatchObject({ data: [], totalElements: 1 });
  });

  it('are asked for properly', async () => {
    for (const query of ['', 'pageSize=0&page=0', 'pageSize=1', 'pageSize=1&page=0&state=SENT']) {
      const answer = await deliveries(query);
      expect(answer.statusCode, query).toBe(400);
      expect(answer.json().errorCode, query).toBe(31);
    }
  });

  it('SEN-36 that were given up are sent again once', async () => {
    const replay = (id: string) => t.call('POST', `/api/webhook/delivery/${id}/replay`);
    expect((await replay('x')).statusCode).toBe(400);
    expect((await replay('00000000-0000-4000-8000-00000000beef')).statusCode).toBe(404);
    const answer = await replay(DEAD_WEBHOOK_ID);
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect((await replay(DEAD_WEBHOOK_ID)).statusCode).toBe(404);
    expect((await deliveries('pageSize=10&page=0')).json().totalElements).toBe(0);
    const waiting = (await deliveries('state=WAITING&pageSize=10&page=0')).json();
    expect(waiting.data.map(({ eventId }: { eventId: string }) => eventId)).toEqual(['event-1', 'event-2']);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import type { ListedBan, ListedPacket, ListedSession, ListedTrace } from '../broker-desk.ts';
import { fakeBroker } from '../testing/fake-broker.ts';
import { TENANT_ID } from '../testing/fake-state.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const DEVICE = { entityType: 'DEVICE', id: '00000000-0000-4000-8000-00000000d001', name: 'boiler' } as const;
const TRACE_ID = '00000000-0000-4000-8000-00000000e001';
const BAN_ID = '00000000-0000-4000-8000-00000000e002';
const UNKNOWN = '00000000-0000-4000-8000-00000000dead';

let open: TestServer[] = [];
afterEach(async () => {
  for (const test of open) await test.server.close();
  open = [];
});

async function setUp() {
  const fake = fakeBroker();
  const test = await openTestServer({ broker: fake.desk });
  open.push(test);
  return { fake, test };
}

function session(clientId: string, fields: Partial<ListedSession> = {}): ListedSession {
  return {
    clientId,
    owner: DEVICE,
    dialect: 'plain',
    connected: true,
    address: '10.0.0.1',
    listener: 'mqtt',
    level: 5,
    connectedAt: 1_700_000_000_000,
    queuedMessages: 2,
    queuedBytes: 20,
    inFlight: 1,
    subscriptions: 3,
    expiryInterval: 60,
    ...fields,
  };
}

const trace: ListedTrace = {
  id: TRACE_ID,
  deviceId: DEVICE.id,
  clientId: null,
  startedAt: 1,
  endsAt: 2,
  endedAt: null,
  endedBy: null,
  packets: 2,
};

const packet: ListedPacket = {
  ts: 5,
  direction: 'in',
  clientId: 'c',
  connection: 7,
  type: 'PUBLISH',
  sizeBytes: 20,
  packetIdentifier: 3,
  topicName: 'a/b',
  qos: 1,
  retain: false,
  dup: false,
  sessionPresent: null,
  reasonCodes: null,
  topicFilters: null,
  payloadBytes: 5,
  payload: { text: 'hello', hex: null, cut: false },
  properties: { topicAlias: 4 },
  problem: null,
};

const ban: ListedBan = { id: BAN_ID, clientId: 'c', owner: DEVICE, dialect: 'plain', until: 9 };

describe('lists of the broker (api-additions.md, 3)', () => {
  it('show Sessions in pages, of the tenant that asks', async () => {
    const { fake, test } = await setUp();
    const absent = { connected: false, address: null, listener: null, level: null, connectedAt: null };
    fake.sessions.push(session('one'), session('two', { owner: null, queuedBytes: null, ...absent }));
    const first = await test.call('GET', '/api/broker/sessions?pageSize=1&page=0&textSearch=o');
    expect(first.json()).toEqual({
      data: [
        {
          clientId: 'one',
          entityId: { entityType: 'DEVICE', id: DEVICE.id },
          name: 'boiler',
          dialect: 'plain',
          connected: true,
          address: '10.0.0.1',
          listener: 'mqtt',
          protocolLevel: 5,
          connectedAt: 1_700_000_000_000,
          queuedMessages: 2,
          queuedBytes: 20,
          inFlight: 1,
          subscriptions: 3,
          sessionExpiryInterval: 60,
        },
      ],
      totalPages: 2,
      totalElements: 2,
      hasNext: true,
      complete: true,
    });
    expect(fake.calls[0]).toEqual({
      call: 'sessions',
      tenantId: TENANT_ID,
      with: { pageSize: 1, page: 0, textSearch: 'o' },
    });
    const second = await test.call('GET', '/api/broker/sessions?pageSize=1&page=1');
    expect(second.json().data).toMatchObject([{ clientId: 'two', entityId: null, name: null, address: null }]);
  });

  it('show subscriptions with their options', async () => {
    const { fake, test } = await setUp();
    fake.subscriptions.push({
      clientId: 'c',
      owner: DEVICE,
      dialect: 'plain',
      connected: true,
      topicFilter: '$share/g/a/#',
      grantedQoS: 1,
      noLocal: false,
      retainAsPublished: true,
      retainHandling: 2,
      subscriptionIdentifier: 9,
      enter: ['$share/g/a/#'],
    });
    const answer = await test.call('GET', '/api/broker/subscriptions?pageSize=10&page=0');
    expect(answer.json().data).toEqual([
      {
        clientId: 'c',
        entityId: { entityType: 'DEVICE', id: DEVICE.id },
        name: 'boiler',
        dialect: 'plain',
        connected: true,
        topicFilter: '$share/g/a/#',
        qos: 1,
        noLocal: false,
        retainAsPublished: true,
        retainHandling: 2,
        subscriptionIdentifier: 9,
        routedAs: ['$share/g/a/#'],
      },
    ]);
  });

  it('show Retained Messages below a filter, and refuse what is no filter', async () => {
    const { fake, test } = await setUp();
    const payload = { text: null, hex: 'ff00', cut: true };
    fake.retained.push({ dialect: 'plain', topicName: 'a', qos: 1, payloadBytes: 500, payload, expiresAt: null });
    const answer = await test.call('GET', '/api/broker/retained?pageSize=10&page=0&topicFilter=a%2F%23');
    expect(answer.json().data).toEqual([
      {
        dialect: 'plain',
        topic: 'a',
        qos: 1,
        payloadBytes: 500,
        payloadText: null,
        payloadHex: 'ff00',
        payloadCut: true,
        expiresAt: null,
      },
    ]);
    expect(fake.calls.at(-1)?.with).toMatchObject({ topicFilter: 'a/#' });
    for (const wrong of ['a%23', 'a%2F%23%2Fb', '%24share%2Fg%2Fa']) {
      const refused = await test.call('GET', `/api/broker/retained?pageSize=10&page=0&topicFilter=${wrong}`);
      expect(refused.statusCode, wrong).toBe(400);
    }
    expect(fake.calls).toHaveLength(1);
  });

  it('want a page and are bounded', async () => {
    const { fake, test } = await setUp();
    for (const list of ['sessions', 'subscriptions', 'retained', 'bans']) {
      expect((await test.call('GET', `/api/broker/${list}`)).statusCode).toBe(400);
      expect((await test.call('GET', `/api/broker/${list}?pageSize=0&page=0`)).statusCode).toBe(400);
      expect((await test.call('GET', `/api/broker/${list}?pageSize=2000000&page=0`)).statusCode).toBe(200);
    }
    expect(fake.calls.map((one) => one.with)).toMatchObject(Array.from({ length: 4 }, () => ({ pageSize: 10_000 })));
  });

  it('are for the administrator of a tenant alone', async () => {
    const { fake, test } = await setUp();
    const id = await test.device();
    const target = { deviceId: id, durationMs: 1_000 };
    const calls = [
      ['GET', '/api/broker/sessions?pageSize=1&page=0'],
      ['GET', '/api/broker/subscriptions?pageSize=1&page=0'],
      ['GET', '/api/broker/retained?pageSize=1&page=0'],
      ['GET', '/api/broker/traces'],
      ['GET', `/api/broker/trace/${TRACE_ID}?pageSize=1&page=0`],
      ['DELETE', `/api/broker/trace/${TRACE_ID}`],
      ['POST', '/api/broker/trace', target],
      ['GET', '/api/broker/bans?pageSize=1&page=0'],
      ['POST', '/api/broker/ban', target],
      ['DELETE', `/api/broker/bans/${BAN_ID}`],
      ['POST', `/api/device/${id}/publish`, { topic: 'a' }],
    ] as const;
    for (const authority of ['SYS_ADMIN', 'CUSTOMER_USER'] as const) {
      const token = await test.tokenOf(authority);
      for (const [method, url, payload] of calls) {
        const headers = { 'x-authorization': `Bearer ${token}` };
        const answer = await test.send({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
        expect(answer.statusCode, `${authority} ${method} ${url}`).toBe(403);
      }
    }
    expect(fake.calls).toEqual([]);
    expect(fake.published).toEqual([]);
  });

  it('answer other calls below the path as not offered', async () => {
    const { test } = await setUp();
    const answer = await test.call('GET', '/api/broker/unknown');
    expect(answer.statusCode).toBe(501);
    expect(answer.json().message).toBe('This call for the broker: not offered by this server yet');
  });
});

describe('traces', () => {
  it('begin with a device of the caller, for a minute unless said otherwise', async () => {
    const { fake, test } = await setUp();
    fake.traces.push(trace);
    const id = await test.device();
    const answer = await test.call('POST', '/api/broker/trace', { deviceId: id.toUpperCase() });
    expect(answer.json()).toEqual(trace);
    expect(fake.calls[0]).toMatchObject({
      call: 'startTrace',
      tenantId: TENANT_ID,
      with: { target: { device: { id, tenantId: TENANT_ID } }, durationMs: 60_000 },
    });
    await test.call('POST', '/api/broker/trace', { clientId: 'known', durationMs: 5_000 });
    expect(fake.calls[1]?.with).toEqual({ target: { clientId: 'known' }, durationMs: 5_000 });
    expect((await test.call('POST', '/api/broker/trace', { clientId: 'strange' })).statusCode).toBe(404);
    expect((await test.call('POST', '/api/broker/trace', { deviceId: UNKNOWN })).statusCode).toBe(404);
  });

  it('are refused without exactly one client, or with a time that is none', async () => {
    const { fake, test } = await setUp();
    const id = await test.device();
    for (const body of [
      {},
      { clientId: 'known', deviceId: id },
      { clientId: '' },
      { deviceId: 'x' },
      { clientId: 'known', durationMs: 0 },
      { clientId: 'known', durationMs: 3_600_001 },
    ]) {
      expect((await test.call('POST', '/api/broker/trace', body)).statusCode, JSON.stringify(body)).toBe(400);
    }
    expect(fake.calls).toEqual([]);
  });

  it('are read in pages, listed, and removed', async () => {
    const { fake, test } = await setUp();
    fake.traces.push(trace);
    fake.packets.push(packet, {
      ...packet,
      direction: 'out',
      payload: null,
      topicFilters: [{ topicFilter: 'a', qos: 1 }],
    });
    const answer = await test.call('GET', `/api/broker/trace/${TRACE_ID}?pageSize=1&page=0`);
    expect(answer.json()).toEqual({
      ...trace,
      data: [
        {
          ts: 5,
          direction: 'in',
          clientId: 'c',
          connection: 7,
          type: 'PUBLISH',
          sizeBytes: 20,
          packetIdentifier: 3,
          topic: 'a/b',
          qos: 1,
          retain: false,
          dup: false,
          sessionPresent: null,
          reasonCodes: null,
          topicFilters: null,
          payloadBytes: 5,
          payloadText: 'hello',
          payloadHex: null,
          payloadCut: false,
          properties: { topicAlias: 4 },
          problem: null,
        },
      ],
      totalPages: 2,
      totalElements: 2,
      hasNext: true,
    });
    expect((await test.call('GET', '/api/broker/traces')).json()).toEqual([trace]);
    const removed = await test.call('DELETE', `/api/broker/trace/${TRACE_ID}`);
    expect([removed.statusCode, removed.body]).toEqual([200, '']);
    expect((await test.call('GET', `/api/broker/trace/${UNKNOWN}?pageSize=1&page=0`)).statusCode).toBe(404);
    expect((await test.call('DELETE', `/api/broker/trace/${UNKNOWN}`)).statusCode).toBe(404);
  });
});

describe('bans', () => {
  it('are made, listed and lifted', async () => {
    const { fake, test } = await setUp();
    fake.bans.push(ban);
    const shown = {
      id: BAN_ID,
      clientId: 'c',
      entityId: { entityType: 'DEVICE', id: DEVICE.id },
      name: 'boiler',
      dialect: 'plain',
      until: 9,
    };
    const made = await test.call('POST', '/api/broker/ban', { clientId: 'known', durationMs: 5_000 });
    expect(made.json()).toEqual([shown]);
    const list = await test.call('GET', '/api/broker/bans?pageSize=10&page=0');
    expect(list.json()).toMatchObject({ data: [shown], totalElements: 1 });
    const lifted = await test.call('DELETE', `/api/broker/bans/${BAN_ID}`);
    expect([lifted.statusCode, lifted.body]).toEqual([200, '']);
    expect(fake.calls.map(({ call }) => call)).toEqual(['ban', 'bans', 'liftBan']);
    expect((await test.call('DELETE', `/api/broker/bans/${UNKNOWN}`)).statusCode).toBe(404);
    expect((await test.call('POST', '/api/broker/ban', { clientId: 'strange', durationMs: 5_000 })).statusCode).toBe(
      404,
    );
    expect((await test.call('POST', '/api/broker/ban', { clientId: 'known' })).statusCode).toBe(400);
  });
});

describe('a raw message to a device', () => {
  it('is text, Base64, or empty', async () => {
    const { fake, test } = await setUp();
    const id = await test.device();
    const send = (body: object) => test.call('POST', `/api/device/${id}/publish`, body);
    const answer = await send({ topic: 'a/b', payload: 'grün', qos: 1, retain: true });
    expect(answer.json()).toEqual({ via: 'space', qos: 0, result: null, sessions: 0 });
    await send({ topic: 'a', payloadBase64: '/wA=' });
    await send({ topic: 'a' });
    expect(fake.published.map(({ device, message }) => [device.id, message])).toEqual([
      [id, { topicName: 'a/b', payload: Buffer.from('grün'), qos: 1, retain: true }],
      [id, { topicName: 'a', payload: Buffer.of(0xff, 0), qos: 0, retain: false }],
      [id, { topicName: 'a', payload: Buffer.alloc(0), qos: 0, retain: false }],
    ]);
    fake.outcome = { kind: 'pushed', qos: 1, result: 'acknowledged' };
    expect((await send({ topic: 'a' })).json()).toEqual({
      via: 'connection',
      qos: 1,
      result: 'acknowledged',
      sessions: null,
    });
  });

  it('is refused if it is none, and nothing is sent', async () => {
    const { fake, test } = await setUp();
    const id = await test.device();
    for (const body of [
      {},
      { topic: '' },
      { topic: 'a', qos: 3 },
      { topic: 'a', payload: 'x', payloadBase64: 'eA==' },
      { topic: 'a', payloadBase64: 'x' },
      { topic: 'a', payloadBase64: 'e-A=' },
    ]) {
      expect((await test.call('POST', `/api/device/${id}/publish`, body)).statusCode, JSON.stringify(body)).toBe(400);
    }
    expect((await test.call('POST', `/api/device/${UNKNOWN}/publish`, { topic: 'a' })).statusCode).toBe(404);
    expect(fake.published).toEqual([]);
  });

  it.each([
    ['badMessage', 400],
    ['notConnected', 409],
    ['full', 507],
    ['failed', 500],
  ] as const)('is answered %s with %d and a sentence', async (reason, status) => {
    const { fake, test } = await setUp();
    const id = await test.device();
    fake.outcome = { kind: 'refused', reason, message: 'It did not work.' };
    const answer = await test.call('POST', `/api/device/${id}/publish`, { topic: 'a' });
    expect(answer.json()).toMatchObject({ status, message: 'It did not work.' });
    expect(answer.statusCode).toBe(status);
  });
});

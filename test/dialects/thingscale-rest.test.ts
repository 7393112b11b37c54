import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import type { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { run } from '../harness/real-clients.ts';
import { ThingscaleAccount } from '../harness/thingscale-account.ts';

const server = new MoorageProcess({ env: { MOORAGE_WEBHOOKS__ALLOW_PRIVATE_ADDRESSES: 'true' } });
const api = new ApiClient(server);
const subscribers: MosquittoSub[] = [];

beforeAll(async () => {
  await server.start();
  await api.login();
});
afterEach(() => {
  for (const subscriber of subscribers.splice(0)) subscriber.stop();
});
afterAll(() => server.dispose());

const newAccount = (configuration: object = {}) => ThingscaleAccount.create(server, api, configuration);
const said = ({ status, text }: { status: number; text: string }) => [status, text];
const refused = (code: string) => `{"error":"${code}"}`;

async function subscriber(account: ThingscaleAccount, topic: string, ...more: readonly string[]) {
  const sub = await account.subscribe(topic, ...more);
  subscribers.push(sub);
  return sub;
}

describe('the publish service', () => {
  it('TS-33 delivers the text of the payload exactly, sent by curl as a form', async () => {
    const account = await newAccount();
    await account.publish('json/dev01', '{"temp":20}');
    const sub = await subscriber(account, 'dev01/subscribe', '-v');
    expect(said(await account.rest('POST', 'publish/dev01', '{"payload":"door=open"}'))).toEqual([
      200,
      '{"result":"OK","receivers":1}',
    ]);
    expect(await sub.line()).toBe(`${account.deviceToken}/dev01/subscribe door=open`);
    await account.rest('POST', 'publish/dev01', '{"payload":{ "b":1.0, "a":[] }}');
    expect(await sub.line()).toBe(`${account.deviceToken}/dev01/subscribe {"b":1.0,"a":[]}`);
  });

  it('TS-34 delivers with QoS 1 where it is asked for, with 0 else, and refuses 2', async () => {
    const account = await newAccount();
    await account.publish('json/dev01', '1');
    const sub = await subscriber(account, 'dev01/subscribe', '-q', '1', '-F', 'QoS %q: %p');
    for (const body of ['{"payload":"a","qos":1}', '{"payload":"b"}', '{"payload":"c","qos":0}']) {
      expect((await account.rest('POST', 'publish/dev01', body)).status).toBe(200);
    }
    expect([await sub.line(), await sub.line(), await sub.line()]).toEqual(['QoS 1: a', 'QoS 0: b', 'QoS 0: c']);
    const wrong = await account.rest('POST', 'publish/dev01', '{"payload":"x","qos":2}');
    expect(said(wrong)).toEqual([400, refused('BAD_JSON_FORMAT')]);
  });

  it('TS-35 sends nothing to an unknown device, and is the same under /v1', async () => {
    const account = await newAccount();
    await account.publish('json/dev01', '1');
    const sub = await subscriber(account, '+/subscribe');
    expect(said(await account.rest('POST', 'publish/dev02', '{"payload":"lost"}'))).toEqual([
      404,
      refused('NO_DEVICE'),
    ]);
    const headers = { 'X-APITOKEN': account.apiToken };
    const v1 = await account.curl('POST', '/v1/publish/dev01', headers, '{"payload":"a"}');
    const named = await account.curl('POST', '/v1/publish', headers, '{"device_id":"dev01","payload":"b"}');
    expect([v1.status, named.status]).toEqual([200, 200]);
    expect([await sub.line(), await sub.line(), sub.unread]).toEqual(['a', 'b', []]);
    const devices = await account.rest('GET', 'device');
    expect(devices.body.map(({ device_id }: { device_id: string }) => device_id)).toEqual(['dev01']);
  });
});

describe('the REST API', () => {
  it('TS-36 answers 401 without the API token of an enabled account', async () => {
    const account = await newAccount();
    for (const path of ['device', 'channel', 'stream/0', 'event', 'session', 'user']) {
      expect(said(await account.curl('GET', `/v2/${path}`, {})), path).toEqual([401, refused('AUTH_REQUIRED')]);
    }
    for (const token of ['wrong', account.deviceToken]) {
      const answer = await account.rest('GET', 'device', undefined, { 'X-APITOKEN': token });
      expect(said(answer)).toEqual([401, refused('AUTH_REQUIRED')]);
    }
    const application = await api.call('GET', `/api/application/${account.id}`);
    await api.call('POST', '/api/application', { ...application.body, enabled: false });
    expect((await account.rest('GET', 'device')).status).toBe(401);
  });

  it('TS-37 devices live: made, shown, switched off, deleted', async () => {
    const account = await newAccount();
    const made = await account.rest('POST', 'device/dev01');
    expect([made.status, made.body[0]]).toMatchObject([201, { device_id: 'dev01', enabled: true, mapped_ch: 0 }]);
    expect(said(await account.rest('POST', 'device/dev01'))).toEqual([403, refused('DEVICE_INUSE')]);
    await account.publish('json/dev01', '{"n":1}');
    const changed = await account.rest('PUT', 'device/dev01', { enabled: false, location: 'roof' });
    expect([changed.status, changed.body[0]]).toMatchObject([200, { enabled: false, location: 'roof' }]);
    await account.publish('json/dev01', '{"n":2}');
    expect(await account.values(0)).toEqual([{ n: 1 }]);
    expect((await account.rest('GET', 'device/dev01')).body).toHaveLength(1);
    expect((await account.rest('DELETE', 'device/dev01')).status).toBe(200);
    expect(said(await account.rest('GET', 'device/dev01'))).toEqual([404, refused('NO_DEVICE')]);
    expect(await account.values(0)).toEqual([{ n: 1 }]);
  });

  it('TS-38 there are no more devices than the account may have', async () => {
    const account = await newAccount({ maxDevices: 1 });
    expect((await account.rest('POST', 'device/dev01')).status).toBe(201);
    expect(said(await account.rest('POST', 'device/dev02'))).toEqual([403, refused('MAX_DEVICE_REACH')]);
    await account.publish('json/dev03', '1');
    expect((await account.rest('GET', 'device')).body).toHaveLength(1);
  });

  it('TS-39 channels live, and list their tags', async () => {
    const account = await newAccount();
    expect((await account.rest('POST', 'channel/5')).status).toBe(201);
    expect(said(await account.rest('POST', 'channel/5'))).toEqual([403, refused('CHANNEL_INUSE')]);
    expect(said(await account.rest('POST', 'channel/10000'))).toEqual([404, refused('NO_CHANNEL')]);
    await account.rest('PUT', 'channel/5', { channel_name: 'roof' });
    await account.rest('POST', 'device/dev01');
    await account.rest('PUT', 'device/dev01', { mapped_ch: 5 });
    await account.publish('json/dev01/node1', '1');
    await account.publish('json/dev01', '2');
    const rows = (await account.rest('GET', 'channel/5', undefined, { 'X-WITHTAG': 'true' })).body;
    const shown = { channel: 5, channel_name: 'roof', last_update: expect.stringMatching(/\+0900$/) };
    expect(rows).toEqual([
      { ...shown, tag: null },
      { ...shown, tag: 'node1' },
    ]);
    expect((await account.rest('DELETE', 'channel/5', undefined, { 'X-TAGNAME': 'node1' })).status).toBe(200);
    expect(await account.values(5)).toEqual([{ value1: 2 }]);
    expect((await account.rest('DELETE', 'channel/5')).status).toBe(200);
    expect(said(await account.rest('GET', 'channel/5'))).toEqual([404, refused('NO_CHANNEL')]);
    expect((await account.rest('GET', 'device/dev01')).body[0].mapped_ch).toBeNull();
  });

  it('TS-47 sessions tell the protocol of live clients', async () => {
    const account = await newAccount();
    await subscriber(account, '#', '-V', 'mqttv31', '-i', 'old');
    await subscriber(account, '#', '-V', 'mqttv311', '-i', 'new', '-k', '33');
    const { body } = await account.rest('GET', 'session');
    const byId = new Map(body.map((session: { client_id: string }) => [session.client_id, session]));
    expect(byId.get('old')).toMatchObject({ proto_ver: 3, ipaddress: '127.0.0.1' });
    expect(byId.get('new')).toMatchObject({ proto_ver: 4, keepalive: 33, clean_sess: true });
    expect(byId.size).toBe(2);
  });

  it('shows the user, and changes its zone', async () => {
    const account = await newAccount();
    const user = { user_id: account.userId, email: '', device_count: 0, channel_count: 0 };
    expect((await account.rest('GET', 'user')).body).toEqual({ ...user, timezone: 'Asia/Tokyo' });
    expect((await account.rest('PUT', 'user', { timezone: 'Mars' })).status).toBe(400);
    expect((await account.rest('PUT', 'user', { timezone: 'America/New_York' })).status).toBe(200);
    expect((await account.rest('GET', 'user')).body).toEqual({ ...user, timezone: 'America/New_York' });
  });
});

describe('streams', () => {
  let account: ThingscaleAccount;
  beforeAll(async () => {
    account = await newAccount();
    await account.rest('POST', 'channel/0');
    const points = [9, 10, 11, 12].map((hour, index) => ({
      value: { temp: 20 + index, name: `n${index}` },
      at: `2026-01-05 ${String(hour).padStart(2, '0')}:00`,
    }));
    expect((await account.rest('POST', 'stream/0', points)).status).toBe(201);
  });

  const stream = (headers: Record<string, string>) => account.rest('GET', 'stream/0', undefined, headers);
  const temperatures = async (headers: Record<string, string>) =>
    (await stream(headers)).body.stream.map(({ value }: { value: { temp: number } }) => value.temp);

  it('TS-40 the newest: one, three, and their order', async () => {
    expect(await temperatures({ 'X-ENDTIME': 'last' })).toEqual([23]);
    expect(await temperatures({ 'X-ENDTIME': 'last', 'X-PAGELIMIT': '3' })).toEqual([21, 22, 23]);
    const descending = { 'X-ENDTIME': 'last', 'X-PAGELIMIT': '3', 'X-PAGESORT': 'desc' };
    expect(await temperatures(descending)).toEqual([23, 22, 21]);
  });

  it('TS-41 a range in local time; at ends in +0900', async () => {
    const { body } = await stream({ 'X-STARTTIME': '2026-01-05 09:30', 'X-ENDTIME': '2026-01-05 11:00' });
    expect(body.stream).toMatchObject([
      { value: { temp: 21 }, at: '2026-01-05T10:00:00+0900', tag: null, _id: expect.stringMatching(/^[\da-f]{24}$/) },
      { value: { temp: 22 }, at: '2026-01-05T11:00:00+0900' },
    ]);
    expect(await temperatures({ 'X-STARTTIME': '2026-01-05T02:30:00Z', 'X-ENDTIME': '2026-01-06' })).toEqual([23]);
  });

  it.each([
    ['avg', 21.5],
    ['sum', 86],
    ['min', 20],
    ['max', 23],
  ])('TS-42 %s over numeric members', async (aggregation, temp) => {
    const { body } = await stream({ 'X-ENDTIME': '2026-01-05 12:00', 'X-AGGREGATE': aggregation });
    expect([body.aggr_type, body.result]).toEqual([aggregation, [{ _id: null, value: { temp } }]]);
  });

  it('TS-43 without X-ENDTIME gives 400', async () => {
    expect(said(await stream({ 'X-STARTTIME': '2026-01-05' }))).toEqual([400, refused('BAD_TIME_FORMAT')]);
  });

  it('TS-40 give back what was sent, also after a restart', async () => {
    const all = await newAccount();
    await all.publish('json/dev01', '{"z":1,"10":[true],"a":"x"}');
    await all.publish('json/dev01', '23.5');
    await all.publish('dev01', 'v=a+b&v2=51');
    const bytes = String.fromCharCode(...Array.from({ length: 127 }, (_, index) => index + 1));
    await all.publish('binary/dev01', bytes);
    const before = await all.rest('GET', 'stream/0', undefined, { 'X-ENDTIME': 'last', 'X-PAGELIMIT': '9' });
    await server.kill();
    await server.start();
    await api.login();
    const after = await all.rest('GET', 'stream/0', undefined, { 'X-ENDTIME': 'last', 'X-PAGELIMIT': '9' });
    expect(after.text).toBe(before.text);
    expect(after.text).toContain('"value":{"z":1,"10":[true],"a":"x"}');
    expect(after.body.stream.slice(1).map(({ value }: { value: unknown }) => value)).toEqual([
      { value1: 23.5 },
      { value1: 'a b', value2: 51 },
      { value1: Buffer.from(bytes).toString('hex') },
    ]);
  });
});

/** What somebody is told by webhooks, and how it answers. */
class Receiver {
  readonly told: { readonly type: string | undefined; readonly body: string }[] = [];
  readonly answers: number[] = [];
  readonly #server: Server;
  #wake: () => void = () => {};

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        response.writeHead(this.answers.shift() ?? 200).end();
        this.told.push({ type: request.headers['content-type'], body });
        this.#wake();
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}/hook`;
  }

  /** Resolves when it has been told so often. */
  async times(count: number): Promise<void> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  get values(): unknown[] {
    return this.told.map(({ body }) => JSON.parse(body).value);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('events', () => {
  let receiver: Receiver;
  let url: string;
  beforeAll(async () => {
    receiver = new Receiver();
    url = await receiver.listen();
  });
  afterEach(() => {
    receiver.told.length = 0;
  });
  afterAll(() => receiver.close());

  it('TS-44 fire once on a change to matched, and again on the next one ten seconds later', async () => {
    const account = await newAccount();
    await account.publish('json/dev01', '{"temp":9}');
    const rule = { mapped_ch: 0, source: 'temp', operator: '<=', threshold: '8', notify_type: 'http', post_url: url };
    expect(said(await account.rest('POST', 'event', rule))).toEqual([201, '{"event_id":1}']);
    const firstAt = Date.now();
    for (const temp of [9, 7, 6]) await account.publish('json/dev01', `{"temp":${temp}}`);
    await receiver.times(1);
    expect(receiver.values).toEqual([7]);
    while (receiver.told.length < 2) {
      for (const temp of [9, 8]) await account.publish('json/dev01', `{"temp":${temp}}`);
    }
    expect(receiver.values).toEqual([7, 8]);
    expect(Date.now() - firstAt).toBeGreaterThan(9_000);
  });

  it('TS-45 TS-46 look into arrays, tell all that happened, and again after a 500', async () => {
    const account = await newAccount();
    await account.publish('json/dev01/node1', '{"data":[{"value":1}]}');
    const rule = {
      mapped_ch: 0,
      source: 'data:value',
      operator: '=',
      threshold: '10',
      description: 'ten',
      post_url: url,
    };
    expect((await account.rest('POST', 'event', rule)).status).toBe(201);
    receiver.answers.push(500);
    await account.publish('json/dev01/node1', '{"data":[{"value":10}]}');
    await receiver.times(2);
    const [first, second] = receiver.told;
    expect(second).toEqual(first);
    expect(first?.type).toBe('application/json');
    expect(JSON.parse(first?.body ?? '')).toEqual({
      event_id: 1,
      description: 'ten',
      channel: 0,
      channel_name: 'dev01',
      tag: 'node1',
      device_id: 'dev01',
      source: 'data:value',
      operator: '=',
      threshold: '10',
      value: 10,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0900$/),
    });
  });
});

describe('the HTTP device connector', () => {
  it('TS-48 answers 201, then 200, and says why it took nothing', async () => {
    const account = await newAccount();
    const json = { 'Content-Type': 'application/json' };
    expect(said(await account.post(2, 'dev03', '{"temp":25}', json))).toEqual([201, 'NEW_DEVICE_FOUND']);
    expect(said(await account.post(2, 'dev03', '{"temp":26}', json))).toEqual([200, 'OK']);
    expect(await account.values(0)).toEqual([{ temp: 25 }, { temp: 26 }]);
    expect(said(await account.post(2, '0', '1'))).toEqual([400, 'DEVICE_ID_ZERO']);
    for (const token of ['wrong', account.apiToken]) {
      expect(said(await account.post(2, 'dev03', '1', { 'X-DEVICETOKEN': token }))).toEqual([401, 'AUTH_REQUIRED']);
    }
    await account.rest('PUT', 'device/dev03', { enabled: false });
    expect(said(await account.post(2, 'dev03', '1'))).toEqual([403, 'DEVICE_DISABLED']);
    const strict = await newAccount({ autoMap: false });
    expect(said(await strict.post(2, 'dev03', '1'))).toEqual([201, 'NEW_DEVICE_FOUND']);
    expect(said(await strict.post(2, 'dev03', '1'))).toEqual([403, 'NO_MAPPED_CH']);
  });

  it('TS-49 takes 1.x and 2.x bodies, whatever content type they have, and bytes', async () => {
    const account = await newAccount();
    await account.post(1, 'dev01', 'v=1&v2=2');
    await account.post(2, 'dev01', '{"temp":25}');
    await account.post(2, 'dev01', '{"temp":26}', { 'Content-Type': 'application/json' });
    await account.post(2, 'dev01', '\u0001AZ', { 'Content-Type': 'application/octet-stream' });
    const expected = [{ value1: 1, value2: 2 }, { temp: 25 }, { temp: 26 }, { value1: '01415a' }];
    expect(await account.values(0)).toEqual(expected);
  });

  it('TS-50 gives 429 to some of 7 posts of a device, and of 25 REST calls, within one second', async () => {
    const account = await newAccount();
    const statuses = async (url: string, ...args: readonly string[]) => {
      const { stdout } = await run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}\n', ...args, url]);
      return stdout.trim().split('\n');
    };
    const device = ['-H', `X-DEVICETOKEN: ${account.deviceToken}`, '-H', 'X-DEVICEID: dev01', '-d', '1'];
    const posts = await statuses(`${server.baseUrl}/post_v2/?n=[1-7]`, ...device);
    expect([posts.length, posts[0], posts.includes('429')]).toEqual([7, '201', true]);
    const calls = await statuses(`${server.baseUrl}/v2/device?n=[1-25]`, '-H', `X-APITOKEN: ${account.apiToken}`);
    expect([calls.length, calls[0], calls.includes('429')]).toEqual([25, '200', true]);
  });
});

import { describe, expect, it } from 'vitest';
import { EVERYTHING, TENANT } from './test-scene.ts';
import { endScenes, open, value } from './testing/desk-scene.ts';

endScenes();

describe('the list of Sessions', () => {
  it('joins them with devices and applications, and shows what waits', async () => {
    const { scene, time } = await open();
    const client = scene.plain(scene.device('d2'), 'boiler', '10.1.2.3');
    client.subscribe('a', { qos: 1 });
    const connectedAt = time.now();
    client.lose();
    time.advance(1_000);
    const application = scene.application('a1', 'app');
    application.publish('a', { qos: 1, payload: 'x' });
    scene.pushed(scene.device('d3', 'pushed'));
    scene.anonymous('somebody');
    const { data, complete, totalElements } = value(await scene.run(scene.desk.sessions(TENANT, EVERYTHING)));
    expect([complete, totalElements]).toEqual([true, 4]);
    const [boiler, app, pushed, anonymous] = data;
    expect(boiler).toEqual({
      clientId: 'boiler',
      owner: { entityType: 'DEVICE', id: 'd2', name: 'name of d2' },
      dialect: 'plain',
      connected: false,
      address: null,
      listener: null,
      level: null,
      connectedAt: null,
      queuedMessages: 1,
      queuedBytes: boiler?.queuedBytes,
      inFlight: 0,
      subscriptions: 1,
      expiryInterval: 600,
    });
    expect(app).toMatchObject({
      clientId: 'app',
      owner: { entityType: 'APPLICATION', id: 'a1', name: 'app a1' },
      connected: true,
      address: '127.0.0.1',
      level: 5,
      connectedAt: connectedAt + 1_000,
    });
    expect(pushed).toMatchObject({ owner: { id: 'd3' }, dialect: 'pushed' });
    expect(anonymous).toMatchObject({ clientId: 'somebody', owner: null });
  });

  it('is of one tenant, whatever the key of another begins with', async () => {
    const { scene } = await open();
    scene.plain(scene.device('d2'), 'own');
    scene.plain(scene.device('d3', 'plain', 'tenant2'), 'foreign');
    const clients = async (tenantId: string, textSearch: string | null) =>
      value(await scene.run(scene.desk.sessions(tenantId, { ...EVERYTHING, textSearch }))).data.map(
        (one) => one.clientId,
      );
    expect(await clients(TENANT, null)).toEqual(['own']);
    expect(await clients('tenant2', null)).toEqual(['foreign']);
    expect(await clients(TENANT, 'foreign')).toEqual([]);
    expect(await clients('', null)).toEqual([]);
  });

  it('does not name an owner of another tenant', async () => {
    const { scene } = await open();
    const device = scene.device('d2');
    scene.plain(device, 'own');
    scene.device('d2', 'plain', 'tenant2');
    const { data } = value(await scene.run(scene.desk.sessions(TENANT, EVERYTHING)));
    expect(data).toMatchObject([{ clientId: 'own', owner: null }]);
  });

  it('is searched by client ID, name, dialect and address, and comes in pages', async () => {
    const { scene } = await open();
    for (const index of [1, 2, 3, 4, 5]) scene.plain(scene.device(`d${index}`), `Client-${index}`, `10.0.0.${index}`);
    scene.pushed(scene.device('other', 'pushed'), 'Else');
    const list = async (textSearch: string, pageSize = 10, page = 0) =>
      value(await scene.run(scene.desk.sessions(TENANT, { pageSize, page, textSearch })));
    const names = async (...query: Parameters<typeof list>) => (await list(...query)).data.map((one) => one.clientId);
    expect(await names('cLIENT-3')).toEqual(['Client-3']);
    expect(await names('NAME OF D4')).toEqual(['Client-4']);
    expect(await names('10.0.0.5')).toEqual(['Client-5']);
    expect(await names('push')).toEqual(['Else']);
    expect(await names('tenant')).toEqual([]);
    expect(await names('client', 2, 1)).toEqual(['Client-3', 'Client-4']);
    expect(await list('client', 2, 2)).toMatchObject({ totalElements: 5, totalPages: 3, hasNext: false });
    expect(await list('client', 2, 3)).toMatchObject({ data: [], totalElements: 5, hasNext: false });
  });

  it('reads a bounded part, in turns that others share', async () => {
    const { scene } = await open({ sessionPages: 2, listsAtOnce: 1 });
    const device = scene.device('d2');
    for (let index = 0; index < 2_500; index++) scene.plain(device, `c${index}`);
    const list = scene.desk.sessions(TENANT, { pageSize: 1, page: 0, textSearch: null });
    const second = await scene.desk.sessions(TENANT, EVERYTHING);
    expect(second).toMatchObject({ ok: false, code: 'tooManyRequests' });
    expect(value(await scene.run(list))).toMatchObject({ totalElements: 2_000, complete: false, hasNext: true });
    const afterwards = value(await scene.run(scene.desk.sessions(TENANT, { ...EVERYTHING, textSearch: 'c12' })));
    expect(afterwards.data.length).toBe(111);
  });
});

describe('the list of subscriptions', () => {
  it('shows options and is searched by filter, client ID and name', async () => {
    const { scene } = await open();
    const client = scene.plain(scene.device('d2'), 'one');
    client.subscribe('a/#', { qos: 1, retainAsPublished: true }, 9);
    client.subscribe('$share/g/b');
    const pushed = scene.pushed(scene.device('d3', 'pushed'), 'two');
    pushed.subscribe('v1/devices/me/rpc/request/+');
    scene.plain(scene.device('d9', 'plain', 'tenant2'), 'foreign').subscribe('a/#');
    const list = async (textSearch: string | null) =>
      value(await scene.run(scene.desk.subscriptions(TENANT, { ...EVERYTHING, textSearch })));
    const all = await list(null);
    expect(all).toMatchObject({ totalElements: 3, complete: true });
    expect(all.data[0]).toEqual({
      clientId: 'one',
      owner: { entityType: 'DEVICE', id: 'd2', name: 'name of d2' },
      dialect: 'plain',
      connected: true,
      topicFilter: 'a/#',
      grantedQoS: 1,
      noLocal: false,
      retainAsPublished: true,
      retainHandling: 0,
      subscriptionIdentifier: 9,
      enter: ['a/#'],
    });
    expect(all.data[2]).toMatchObject({ topicFilter: 'v1/devices/me/rpc/request/+', enter: [] });
    const filters = async (textSearch: string) => (await list(textSearch)).data.map((one) => one.topicFilter);
    expect(await filters('$SHARE')).toEqual(['$share/g/b']);
    expect(await filters('two')).toEqual(['v1/devices/me/rpc/request/+']);
    expect(await filters('name of d2')).toEqual(['a/#', '$share/g/b']);
  });

  it('pages through the many of one Session, and ends where there are too many', async () => {
    const { scene } = await open({ subscriptions: 2_600 });
    const filters = (count: number) => Array.from({ length: count }, (_, index) => `t/${index}`);
    const client = scene.plain(scene.device('d2'), 'one');
    for (let from = 0; from < 2_500; from += 500) client.subscribe(filters(2_500).slice(from, from + 500));
    const page = { pageSize: 1, page: 2_499, textSearch: null };
    const all = value(await scene.run(scene.desk.subscriptions(TENANT, page)));
    expect(all).toMatchObject({ totalElements: 2_500, complete: true, data: [{ topicFilter: 't/2499' }] });
    scene.plain(scene.device('d3'), 'two').subscribe(filters(101));
    const part = value(await scene.run(scene.desk.subscriptions(TENANT, page)));
    expect(part).toMatchObject({ totalElements: 2_500, complete: false });
  });
});

describe('the list of Retained Messages', () => {
  it('is of the tenant, by filter and search, with the beginning of the payload', async () => {
    const { scene, time } = await open();
    const client = scene.plain(scene.device('d2'), 'one');
    client.publish('b', { retain: true, payload: Uint8Array.of(0xff, 0), properties: { messageExpiryInterval: 60 } });
    client.publish('a/2', { retain: true, payload: 'x'.repeat(600), qos: 1 });
    client.publish('a/1', { retain: true, payload: 'hello' });
    scene.plain(scene.device('d9', 'plain', 'tenant2'), 'foreign').publish('a/3', { retain: true, payload: 'x' });
    const list = async (topicFilter: string, textSearch: string | null = null) =>
      value(await scene.run(scene.desk.retained(TENANT, topicFilter, { ...EVERYTHING, textSearch })));
    expect((await list('#')).data).toEqual([
      {
        dialect: 'plain',
        topicName: 'a/1',
        qos: 0,
        payloadBytes: 5,
        payload: { text: 'hello', hex: null, cut: false },
        expiresAt: null,
      },
      {
        dialect: 'plain',
        topicName: 'a/2',
        qos: 1,
        payloadBytes: 600,
        payload: { text: 'x'.repeat(512), hex: null, cut: true },
        expiresAt: null,
      },
      {
        dialect: 'plain',
        topicName: 'b',
        qos: 0,
        payloadBytes: 2,
        payload: { text: null, hex: 'ff00', cut: false },
        expiresAt: time.now() + 60_000,
      },
    ]);
    expect((await list('a/+')).data.map((one) => one.topicName)).toEqual(['a/1', 'a/2']);
    expect((await list('#', '/2')).data.map((one) => one.topicName)).toEqual(['a/2']);
  });

  it('reads a bounded part', async () => {
    const { scene } = await open({ retainedMessages: 300 });
    const client = scene.plain(scene.device('d2'), 'one');
    for (let index = 0; index < 500; index++) client.publish(`t/${index}`, { retain: true, payload: 'x' });
    const all = value(await scene.run(scene.desk.retained(TENANT, '#', EVERYTHING)));
    expect(all).toMatchObject({ totalElements: 400, complete: false });
    const fewer = value(await scene.run(scene.desk.retained(TENANT, 't/1', EVERYTHING)));
    expect(fewer).toMatchObject({ totalElements: 1, complete: true });
  });
});

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PacketType } from '@moorage/mqtt-codec';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { RawClient } from '../harness/raw-client.ts';
import { run } from '../harness/real-clients.ts';
import { createApplication } from '../harness/vendor-devices.ts';

const COMMAND = fileURLToPath(new URL('../../node_modules/.bin/moorage', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'moorage-thingscale-'));
const file = (name: string): string => join(folder, 'tls', name);
const server = new MoorageProcess({ args: ['--cert', file('server.crt'), '--key', file('server.key')] });
const api = new ApiClient(server);

/** A client that is to be closed when its test is over. */
const opened: { close(): unknown }[] = [];

let accounts = 0;
/** The names of thingscale.md, section 5; every test has an account of its own. */
interface Account {
  readonly id: string;
  readonly user: string;
  readonly T: string;
  readonly A: string;
}
let account: Account;

async function newAccount(credentials: object = {}, configuration: object = {}): Promise<Account> {
  accounts++;
  const settings = { timezone: 'Asia/Tokyo', ...configuration };
  const made = await createApplication(api, 'thingscale', `account ${accounts}`, credentials, settings);
  const { userId = '', deviceToken = '', apiToken = '' } = made.credentials;
  return { id: made.id, user: userId, T: deviceToken, A: apiToken };
}

beforeAll(async () => {
  execFileSync(COMMAND, ['cert', 'init', '--data-dir', folder, '--json', '--host', 'localhost', '--host', '127.0.0.1']);
  await server.start();
  await api.login();
  account = await newAccount();
});
afterEach(async () => {
  for (const one of opened.splice(0)) one.close();
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const login = ({ user, T }: Account): string[] => ['-u', user, '-P', T];
const plain = (): string[] => ['-h', '127.0.0.1', '-p', String(server.mqttPort)];

/** mosquitto_pub as in the vendor's examples; answers its exit code. */
async function publish(topic: string, payload: string, more: readonly string[] = [], of = account): Promise<number> {
  return (await run('mosquitto_pub', [...plain(), ...login(of), '-t', topic, '-m', payload, '-q', '1', ...more])).code;
}

async function subscribe(topic: string, more: readonly string[] = [], of = account): Promise<MosquittoSub> {
  const sub = new MosquittoSub([...plain(), ...login(of), '-t', topic, ...more]);
  opened.push({ close: () => sub.stop() });
  await sub.subscribed();
  return sub;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
async function rest(method: string, path: string, headers: Record<string, string> = {}, of = account): Promise<any> {
  for (;;) {
    const response = await fetch(`${server.baseUrl}/v2/${path}`, {
      method,
      headers: { 'X-APITOKEN': of.A, ...headers },
    });
    // So many requests in a second are no fault of the test.
    if (response.status !== 429) return response.json();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const deviceOf = async (id: string, of = account) => (await rest('GET', `device/${id}`, {}, of))[0];

/** The newest points of a device's channel as the vendor's API gives them, the oldest first. */
async function points(deviceId: string, of = account) {
  const { mapped_ch } = await deviceOf(deviceId, of);
  const headers = { 'X-ENDTIME': 'last', 'X-PAGELIMIT': '1000' };
  return (await rest('GET', `stream/${mapped_ch}`, headers, of)).stream as { tag: string | null; value: object }[];
}

const values = async (deviceId: string, of = account) =>
  (await points(deviceId, of)).map(({ value }) => JSON.stringify(value));

async function raw(level: 3 | 4 | 5 = 4, of = account, fields: object = {}): Promise<RawClient> {
  const client = await RawClient.open(server.mqttPort, level);
  opened.push(client);
  const code = await client.connect({
    clientId: `raw-${++accounts}`,
    username: of.user,
    password: Buffer.from(of.T),
    ...fields,
  });
  expect(code).toBe(0);
  return client;
}

/** Answers to everything that was sent before have come. */
async function pinged(client: RawClient): Promise<void> {
  client.write({ type: PacketType.Pingreq });
  await client.next(PacketType.Pingresp);
}

const published = (client: RawClient) =>
  client.packets.filter((packet) => packet.type === PacketType.Publish).map(({ topicName }) => topicName);

async function subackOf(client: RawClient, ...topicFilters: readonly string[]): Promise<readonly number[]> {
  const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  client.write({
    type: PacketType.Subscribe,
    packetIdentifier: 1,
    subscriptions: topicFilters.map((topicFilter) => ({ topicFilter, options })),
    properties: client.level === 5 ? {} : null,
  });
  return (await client.next(PacketType.Suback))?.reasonCodes ?? [];
}

describe('connections', () => {
  it('TS-1 the ThingScale ID and the device token are let in on 3.1, 3.1.1 and 5.0', async () => {
    for (const level of [3, 4, 5] as const) await raw(level);
  });

  it('TS-2 the CONNECT of the document is accepted where the token of the account is tok', async () => {
    await newAccount({ userId: 'U000123', deviceToken: 'tok' });
    const client = await RawClient.open(server.mqttPort);
    opened.push(client);
    const bytes = '10 1a 00 04 4d 51 54 54 04 c2 00 3c 00 00 00 07 55 30 30 30 31 32 33 00 03 74 6f 6b';
    client.write(Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
    expect((await client.next(PacketType.Connack))?.reasonCode).toBe(0);
  });

  it('TS-3 TS-4 mosquitto_pub works without a client ID, also with MQTT 3.1', async () => {
    expect(await publish(`${account.T}/json/plainclient`, '1')).toBe(0);
    expect(await publish(`${account.T}/json/plainclient`, '2', ['-V', 'mqttv31'])).toBe(0);
    expect(await publish(`${account.T}/json/plainclient`, '3', ['-V', 'mqttv5'])).toBe(0);
    expect(await values('plainclient')).toEqual(['{"value1":1}', '{"value1":2}', '{"value1":3}']);
  });

  it('TS-5 TS-6 a client ID of 28 characters is accepted, an empty one needs a clean session', async () => {
    for (const level of [3, 4] as const) await raw(level, account, { clientId: 'mosqsub/14968-stg.testclient' });
    for (const level of [3, 4] as const) {
      const client = await RawClient.open(server.mqttPort, level);
      const fields = { clientId: '', cleanStart: false, username: account.user, password: Buffer.from(account.T) };
      expect(await client.connect(fields)).toBe(2);
      await client.untilClosed();
    }
  });

  it('TS-7 TS-8 a wrong token and the API token are refused with 4, a disabled account with 5', async () => {
    const off = await newAccount();
    const { body } = await api.call('GET', `/api/application/${off.id}`);
    await api.call('POST', '/api/application', { ...body, enabled: false });
    const codes: unknown[] = [];
    for (const [username, password] of [
      [account.user, 'wrong'],
      [account.user, account.A],
      ['U999999', account.T],
      [off.user, off.T],
    ] as const) {
      const client = await RawClient.open(server.mqttPort);
      codes.push(await client.connect({ username, password: Buffer.from(password) }));
      await client.untilClosed();
    }
    expect(codes).toEqual([4, 4, 4, 5]);
  });

  it('TS-9 equal client IDs of two accounts stay, one of the same account is taken over', async () => {
    const other = await newAccount();
    const [mine, theirs] = [await raw(4, account, { clientId: 'same' }), await raw(4, other, { clientId: 'same' })];
    await pinged(mine);
    const again = await raw(4, account, { clientId: 'same' });
    await mine.untilClosed();
    await pinged(theirs);
    await pinged(again);
  });

  it('TS-10 TLS, WebSocket and secure WebSocket take the same', async () => {
    const tls = ['-h', 'localhost', '-p', String(server.port('mqtts')), '--cafile', file('ca.crt')];
    const topic = `${account.T}/json/transports`;
    expect((await run('mosquitto_pub', [...tls, ...login(account), '-t', topic, '-m', '0', '-q', '1'])).code).toBe(0);
    const { ws, wss } = { ws: server.port('ws'), wss: server.port('wss') };
    let count = 0;
    for (const url of [
      `ws://127.0.0.1:${ws}/`,
      `ws://127.0.0.1:${ws}/mqtt`,
      `wss://127.0.0.1:${wss}/`,
      `wss://127.0.0.1:${wss}/mqtt`,
    ]) {
      for (const protocolVersion of [3, 4, 5] as const) {
        const client = await viaMqttJs(url, {
          protocolVersion,
          ...(protocolVersion === 3 ? { protocolId: 'MQIsdp' } : {}),
        });
        await client.publishAsync(topic, String(++count), { qos: 1 });
      }
    }
    expect(await values('transports')).toHaveLength(13);
  });
});

async function viaMqttJs(url: string, options: IClientOptions = {}, of = account): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, {
    username: of.user,
    password: of.T,
    clientId: `js-${++accounts}`,
    reconnectPeriod: 0,
    rejectUnauthorized: false,
    ...options,
  });
  opened.push({ close: () => client.end(true) });
  return client;
}

describe('data', () => {
  it('TS-11 TS-12 TS-13 objects, numbers and texts, with a tag and without', async () => {
    const { T } = account;
    for (const [topic, payload] of [
      [`${T}/json/dev01`, '{"temp":20, "humidity":50}'],
      [`${T}/json/dev01`, '{"z":1,"10":2,"a":{"y":1,"b":2}}'],
      [`${T}/json/dev01`, '23.5'],
      [`${T}/json/dev01`, '"Hello!"'],
      [`${T}/json/dev01`, 'Hello!'],
      [`${T}/json/dev01/node1`, '{"temp":21}'],
      [`${T}/json/dev01/`, '{"temp":22}'],
    ] as const) {
      expect(await publish(topic, payload)).toBe(0);
    }
    const response = await fetch(`${server.baseUrl}/v2/stream/${(await deviceOf('dev01')).mapped_ch}`, {
      headers: { 'X-APITOKEN': account.A, 'X-ENDTIME': 'last', 'X-PAGELIMIT': '10' },
    });
    // Parsing would bring names that are numbers to the front.
    const stored = [...(await response.text()).matchAll(/"tag":("\w+"|null),"value":(\{.*?\}),"at"/g)];
    expect(stored.map(([, tag, value]) => `${tag} ${value}`)).toEqual([
      'null {"temp":20,"humidity":50}',
      'null {"z":1,"10":2,"a":{"y":1,"b":2}}',
      'null {"value1":23.5}',
      'null {"value1":"Hello!"}',
      'null {"value1":"Hello!"}',
      '"node1" {"temp":21}',
      'null {"temp":22}',
    ]);
    const { body } = await api.call('GET', '/api/tenant/devices?deviceName=dev01');
    const latest = await api.latest(body.id.id, 'temp,humidity,node1.temp,value1');
    expect(Object.fromEntries(Object.entries(latest).map(([key, [one]]) => [key, one?.value]))).toEqual({
      temp: 22,
      humidity: 50,
      'node1.temp': 21,
      value1: 'Hello!',
    });
  });

  it('TS-14 TS-15 TS-16 bytes come back as hex, and their members too where the device says so', async () => {
    const { T } = account;
    const all = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    for (const topic of [`${T}/binary/bytes`, `${T}/bin/bytes`]) expect(await publishBytes(topic, all)).toBe(0);
    const example = Buffer.from('82a474656d7014a868756d696469747932', 'hex');
    await publishBytes(`${T}/binary/bytes`, example);
    await fetch(`${server.baseUrl}/v2/device/bytes`, {
      method: 'PUT',
      headers: { 'X-APITOKEN': account.A },
      body: '{"decodeMsgpack":true}',
    });
    await publishBytes(`${T}/binary/bytes`, example);
    const hex = `{"value1":"${all.toString('hex')}"}`;
    expect(await values('bytes')).toEqual([
      hex,
      hex,
      '{"value1":"82a474656d7014a868756d696469747932"}',
      '{"value1":"82a474656d7014a868756d696469747932","temp":20,"humidity":50}',
    ]);
  });

  it('TS-17 TS-18 the topics of 1.x and of state', async () => {
    const { T } = account;
    expect(await publish(`${T}/dev02`, 'v=23.5&v2=51')).toBe(0);
    expect(await publish(`${T}/state/dev02`, 'health=OK&load=5.9&uptime=250036')).toBe(0);
    expect(await values('dev02')).toEqual(['{"value1":23.5,"value2":51}']);
    const { state } = await deviceOf('dev02');
    expect(state).toEqual({ health: 'OK', load: 5.9, uptime: 250036, last_update: expect.stringMatching(/\+0900$/) });
    await publish(`${T}/state/nobody`, 'health=OK');
    expect(await rest('GET', 'device/nobody')).toEqual({ error: 'NO_DEVICE' });
  });

  it('TS-19 an unknown device is made, and its first message is stored if the account maps by itself', async () => {
    const strict = await newAccount({}, { autoMap: false });
    await publish(`${strict.T}/json/new`, '1', [], strict);
    expect(await deviceOf('new', strict)).toMatchObject({
      device_id: 'new',
      description: 'new',
      enabled: true,
      mapped_ch: null,
    });
    expect(await rest('GET', 'channel', {}, strict)).toEqual([]);
    const easy = await newAccount();
    await publish(`${easy.T}/json/new`, '1', [], easy);
    expect(await deviceOf('new', easy)).toMatchObject({ mapped_ch: 0 });
    expect(await values('new', easy)).toEqual(['{"value1":1}']);
  });

  it('TS-20 TS-21 commands and the device 0 make no device', async () => {
    const mine = await newAccount();
    for (const topic of [`${mine.T}/dev01/subscribe`, `${mine.T}/json/0`, `${mine.T}/json`, `${mine.T}/a/b/c`]) {
      expect(await publish(topic, '1', [], mine)).toBe(0);
    }
    expect(await rest('GET', 'device', {}, mine)).toEqual([]);
  });
});

async function publishBytes(topic: string, payload: Uint8Array, of = account): Promise<number | null> {
  const child = spawn('mosquitto_pub', [...plain(), ...login(of), '-t', topic, '-q', '1', '-s'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.end(payload);
  const [code] = await once(child, 'exit');
  return code;
}

describe('tokens in topics', () => {
  it('TS-22 TS-24 a token that is not the account’s is acknowledged on 3.1.1, and nothing comes of it', async () => {
    const other = await newAccount();
    const heard = await subscribe(`${other.T}/#`, ['-v'], other);
    const client = await raw();
    for (const [index, token] of ['wrong', other.T].entries()) {
      client.write(client.publishPacket(`${token}/json/dev01`, '1', 1, 10 + index));
      expect((await client.next(PacketType.Puback))?.packetIdentifier).toBe(10 + index);
      client.write(client.publishPacket(`${token}/json/dev01`, '2', 2, 20 + index));
      expect((await client.next(PacketType.Pubrec))?.packetIdentifier).toBe(20 + index);
      client.write({ type: PacketType.Pubrel, packetIdentifier: 20 + index, reasonCode: 0, properties: null });
      expect((await client.next(PacketType.Pubcomp))?.packetIdentifier).toBe(20 + index);
    }
    await pinged(client);
    await publish(`${other.T}/dev01/subscribe`, 'end', [], other);
    expect(await heard.line()).toBe(`${other.T}/dev01/subscribe end`);
    expect(await rest('GET', 'device', {}, other)).toEqual([]);
  });

  it('TS-23 the same is told on 5.0', async () => {
    const client = await raw(5);
    client.write(client.publishPacket('wrong/json/dev01', '1', 1, 10));
    expect((await client.next(PacketType.Puback))?.reasonCode).toBe(0x87);
    client.write(client.publishPacket('wrong/json/dev01', '1', 2, 11));
    expect((await client.next(PacketType.Pubrec))?.reasonCode).toBe(0x87);
    await pinged(client);
  });

  it('TS-25 TS-26 subscriptions are granted below the token; on 3.1 the others are granted and silent', async () => {
    const { T } = account;
    const granted = [`${T}/#`, `${T}/+/subscribe`, `$share/g/${T}/json/+`];
    const refused = ['#', '+/dev01/subscribe', 'wrong/#', '~/#'];
    expect(await subackOf(await raw(), ...granted, ...refused)).toEqual([1, 1, 1, 0x80, 0x80, 0x80, 0x80]);
    expect(await subackOf(await raw(5), ...refused)).toEqual([0x87, 0x87, 0x87, 0x87]);
    const old = await raw(3);
    expect(await subackOf(old, ...refused)).toEqual([1, 1, 1, 1]);
    await publish(`${T}/dev01/subscribe`, 'x');
    await pinged(old);
    expect(published(old)).toEqual([]);
  });

  it('TS-27 the clients of an account hear each other as it was sent, and nobody else', async () => {
    const [mine, other] = [await newAccount(), await newAccount()];
    const [upper, lower, foreign] = [
      await subscribe(`${mine.T}/#`, ['-v'], mine),
      await subscribe(`${mine.T.toLowerCase()}/json/#`, ['-v'], mine),
      await subscribe(`${other.T}/#`, ['-v'], other),
    ];
    await publish(`${mine.T}/json/dev01/node1`, '{"temp":20, "humidity":50}', [], mine);
    expect(await upper.line()).toBe(`${mine.T}/json/dev01/node1 {"temp":20, "humidity":50}`);
    expect(await lower.line()).toBe(`${mine.T.toLowerCase()}/json/dev01/node1 {"temp":20, "humidity":50}`);
    await publish(`${other.T}/json/dev01`, 'end', [], other);
    expect(await foreign.line()).toBe(`${other.T}/json/dev01 end`);
  });
});

describe('MQTT in full', () => {
  it('TS-28 every QoS goes end to end, and QoS 2 comes once however often it is sent', async () => {
    const mine = await newAccount();
    const sub = await subscribe(`${mine.T}/json/#`, ['-q', '2', '-F', 'QoS %q: %p'], mine);
    for (const qos of ['0', '1', '2']) await publish(`${mine.T}/json/dev01`, qos, ['-q', qos], mine);
    expect([await sub.line(), await sub.line(), await sub.line()]).toEqual(['QoS 0: 0', 'QoS 1: 1', 'QoS 2: 2']);
    const fields = { clientId: 'again', cleanStart: false };
    const first = await raw(4, mine, fields);
    const message = first.publishPacket(`${mine.T}/json/dev01`, '"once"', 2, 7);
    first.write(message);
    await first.next(PacketType.Pubrec);
    first.close();
    const second = await raw(4, mine, fields);
    second.write(Buffer.from(second.encode(message)).fill(0x3c, 0, 1));
    await second.next(PacketType.Pubrec);
    second.write({ type: PacketType.Pubrel, packetIdentifier: 7, reasonCode: 0, properties: null });
    await second.next(PacketType.Pubcomp);
    await publish(`${mine.T}/json/dev01`, '"end"', [], mine);
    expect([await sub.line(), await sub.line()]).toEqual(['QoS 2: "once"', 'QoS 1: "end"']);
    expect((await values('dev01', mine)).slice(3)).toEqual(['{"value1":"once"}', '{"value1":"end"}']);
  });

  it('TS-29 TS-30 a will is data after an abnormal end, and needs a token of the account', async () => {
    const mine = await newAccount();
    const heard = await subscribe(`${mine.T}/#`, ['-v'], mine);
    const will = (topicName: string, payload: string) => ({
      topicName,
      payload: Buffer.from(payload),
      qos: 1,
      retain: false,
      properties: null,
    });
    const calm = await raw(4, mine, { will: will(`${mine.T}/json/dev01`, '"calm"') });
    calm.write({ type: PacketType.Disconnect, reasonCode: 0, properties: null });
    await calm.untilClosed();
    const foreign = await raw(4, mine, { will: will(`${account.T}/json/dev01`, '"foreign"') });
    foreign.close();
    const lost = await raw(4, mine, { will: will(`${mine.T}/json/dev01`, '"lost"') });
    lost.close();
    expect(await heard.line()).toBe(`${mine.T}/json/dev01 "lost"`);
    await publish(`${mine.T}/json/dev01`, '"end"', [], mine);
    expect(await heard.line()).toBe(`${mine.T}/json/dev01 "end"`);
    expect(await values('dev01', mine)).toEqual(['{"value1":"lost"}', '{"value1":"end"}']);
  });

  it('TS-31 a retained command reaches whoever subscribes later, until it is cleared', async () => {
    const mine = await newAccount();
    const topic = `${mine.T}/dev01/subscribe`;
    await publish(topic, 'led:on', ['-r'], mine);
    const later = await subscribe(topic.toLowerCase(), ['-v'], mine);
    expect(await later.line()).toBe(`${mine.T.toLowerCase()}/dev01/subscribe led:on`);
    await run('mosquitto_pub', [...plain(), ...login(mine), '-t', topic, '-n', '-r', '-q', '1']);
    const afterwards = await raw(4, mine);
    await subackOf(afterwards, topic);
    await pinged(afterwards);
    expect(published(afterwards)).toEqual([]);
  });

  it('TS-32 a command that was sent while a durable Session was away arrives when it is back', async () => {
    const mine = await newAccount();
    const fields = { clientId: 'durable', cleanStart: false };
    const topic = `${mine.T}/dev01/subscribe`;
    const before = await raw(4, mine, fields);
    await subackOf(before, topic);
    before.write({ type: PacketType.Disconnect, reasonCode: 0, properties: null });
    await before.untilClosed();
    await publish(topic, 'door=open', [], mine);
    const back = await raw(4, mine, fields);
    const message = await back.next(PacketType.Publish);
    expect([message?.topicName, Buffer.from(message?.payload ?? []).toString()]).toEqual([topic, 'door=open']);
  });
});

describe('the platform', () => {
  it('sends its commands to the topic of the device', async () => {
    const mine = await newAccount();
    await publish(`${mine.T}/json/commanded`, '1', [], mine);
    const { body } = await api.call('GET', '/api/tenant/devices?deviceName=commanded');
    const sub = await subscribe(`${mine.T}/commanded/subscribe`, [], mine);
    await api.call('POST', `/api/rpc/oneway/${body.id.id}`, { method: 'led', params: { on: true } });
    expect(await sub.line()).toBe('{"method":"led","params":{"on":true}}');
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${body.id.id}/SHARED_SCOPE`, { interval: 5 });
    expect(await sub.line()).toBe('{"interval":5}');
  });

  it('has the vendor’s line for a device in its guide, and it works', async () => {
    const mine = await newAccount();
    await publish(`${mine.T}/json/guided`, '1', [], mine);
    const { body } = await api.call('GET', '/api/tenant/devices?deviceName=guided');
    const guide = await api.call('GET', `/api/device/${body.id.id}/connectionGuide`);
    const line: string = guide.body.snippets.find(({ title }: { title: string }) => title === 'mosquitto_pub').text;
    execFileSync('/bin/sh', ['-c', line.replace(/-h \S+/, '-h 127.0.0.1')], { stdio: 'ignore' });
    expect(await values('guided', mine)).toEqual(['{"value1":1}', '{"temp":20,"humidity":50}']);
  });

  it('has every point that was acknowledged after a kill', async () => {
    const mine = await newAccount();
    await publish(`${mine.T}/json/killed`, '{"n":-1}', [], mine);
    const client = await viaMqttJs(`mqtt://127.0.0.1:${server.mqttPort}`, {}, mine);
    const acknowledged: number[] = [];
    const enough = new Promise<void>((resolve) => {
      for (let n = 0; n < 900; n++) {
        client.publishAsync(`${mine.T}/json/killed/node${n % 3}`, `{"n":${n}}`, { qos: 1 }).then(
          () => {
            acknowledged.push(n);
            if (acknowledged.length === 300) resolve();
          },
          () => {},
        );
      }
    });
    await enough;
    await server.kill();
    client.end(true);
    await server.start();
    await api.login();
    const stored = new Set((await points('killed', mine)).map(({ value }) => Object.values(value)[0]));
    expect(acknowledged.filter((n) => !stored.has(n))).toEqual([]);
    expect(
      (await rest('GET', 'channel/0', { 'X-WITHTAG': 'true' }, mine)).map(({ tag }: { tag: unknown }) => tag),
    ).toEqual(expect.arrayContaining(['node0', 'node1', 'node2']));
  });

  it('keeps everything over a restart, and goes on', async () => {
    const mine = await newAccount();
    await publish(`${mine.T}/json/kept/node1`, '1', [], mine);
    await publish(`${mine.T}/state/kept`, 'health=OK', [], mine);
    const before = await deviceOf('kept', mine);
    await server.stop();
    await server.start();
    await api.login();
    expect(await deviceOf('kept', mine)).toEqual(before);
    await publish(`${mine.T}/json/kept/node1`, '2', [], mine);
    expect(await points('kept', mine)).toMatchObject([
      { tag: 'node1', value: { value1: 1 } },
      { tag: 'node1', value: { value1: 2 } },
    ]);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PacketType } from '@moorage/mqtt-codec';
import type { IClientOptions } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modemPackets, sketchPackets } from '../../dialects/waveshare/src/testing/guide-packets.ts';
import { RelayFirmware } from '../../dialects/waveshare/src/testing/relay-firmware.ts';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { RawClient } from '../harness/raw-client.ts';
import { run } from '../harness/real-clients.ts';
import { createApplication, createWaveshareDevice } from '../harness/vendor-devices.ts';
import { WaveshareClient } from '../harness/waveshare-client.ts';

const COMMAND = fileURLToPath(new URL('../../node_modules/.bin/moorage', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'moorage-waveshare-'));
const file = (name: string): string => join(folder, 'tls', name);

const server = new MoorageProcess({
  args: ['--cert', file('server.crt'), '--key', file('server.key')],
  env: { MOORAGE_MQTT__PINNED_PORTS: '0=waveshare', MOORAGE_WAVESHARE__SAMPLE_RESOURCE: 'true' },
});
const api = new ApiClient(server);
const PAYLOAD = '{"data":{"builtIn":1}}';
const ESP32 = '19ba7e8b';
const MODEM = '82b52f8b';
const THIRD = '605d54a7';
const STRANGER = '9c1b5749';
const RELAY = '46ce3503';
const clients: WaveshareClient[] = [];
const ids = new Map<string, string>();
let otherAccount = '';

beforeAll(async () => {
  execFileSync(COMMAND, ['cert', 'init', '--data-dir', folder, '--json', '--host', 'localhost', '--host', '127.0.0.1']);
  await server.start();
  await api.login();
  otherAccount = (await createApplication(api, 'waveshare', 'another owner')).id;
  for (const clientId of [ESP32, MODEM, THIRD]) ids.set(clientId, await createWaveshareDevice(api, clientId, clientId));
  const accountId = otherAccount;
  ids.set(STRANGER, await createWaveshareDevice(api, 'stranger', STRANGER, `59/54/${STRANGER}`, { accountId }));
});

afterAll(async () => {
  for (const client of clients) await client.end();
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const idOf = (clientId: string): string => ids.get(clientId) ?? '';

async function connect(clientId: string, options: IClientOptions = {}, url = `mqtt://127.0.0.1:${server.mqttPort}`) {
  const client = await WaveshareClient.connect(url, clientId, options);
  clients.push(client);
  return client;
}

/** A device that nobody else in this file uses. */
async function newDevice(clientId: string, more: object = {}): Promise<string> {
  const id = await createWaveshareDevice(api, clientId, clientId, `1/37/${clientId}`, more);
  ids.set(clientId, id);
  return id;
}

const mosquitto = (clientId: string, ...more: readonly string[]) => [
  '-h',
  '127.0.0.1',
  '-p',
  String(server.mqttPort),
  '-i',
  clientId,
  ...more,
];

const pinnedPort = (): number => (server.ports.pinned as { port: number }[])[0]?.port ?? 0;

/** The code that a CONNECT with this client ID is answered with, and whether the connection is closed behind it. */
async function codeOf(clientId: string, level: 3 | 4 | 5 = 4, more: object = {}, port = server.mqttPort) {
  const client = await RawClient.open(port, level);
  const code = await client.connect({ clientId, ...more });
  if (code !== 0) await client.untilClosed();
  client.close();
  return code;
}

const attributes = async (clientId: string, scope = 'CLIENT_SCOPE'): Promise<Record<string, unknown>> => {
  const { body } = await api.call('GET', `/api/plugins/telemetry/DEVICE/${idOf(clientId)}/values/attributes/${scope}`);
  return Object.fromEntries(body.map(({ key, value }: { key: string; value: unknown }) => [key, value]));
};

const oneway = (clientId: string, method: string, params: unknown) =>
  api.call('POST', `/api/rpc/oneway/${idOf(clientId)}`, { method, params });

/** A profile that is a Waveshare product; answers its id. */
async function createProduct(name: string, transport: object): Promise<string> {
  const answer = await api.call('POST', '/api/deviceProfile', {
    name,
    type: 'DEFAULT',
    transportType: 'WAVESHARE',
    profileData: { transportConfiguration: { type: 'WAVESHARE', ...transport } },
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.id.id;
}

async function createOfProduct(clientId: string, profileId: string): Promise<void> {
  const answer = await api.call('POST', '/api/device-with-credentials', {
    device: { name: clientId, deviceProfileId: { entityType: 'DEVICE_PROFILE', id: profileId } },
    credentials: { credentialsType: 'WAVESHARE', credentialsId: clientId, credentialsValue: '{}' },
  });
  expect(answer.status, answer.text).toBe(200);
  ids.set(clientId, answer.body.id.id);
}

async function topicsOf(clientId: string): Promise<{ readonly pubTopic: string; readonly subTopic: string }> {
  const { body } = await api.call('GET', `/api/device/${idOf(clientId)}/credentials`);
  return JSON.parse(body.credentialsValue);
}

describe('connections', () => {
  it('WS-1, WS-2, WS-3 a client ID alone connects on 3.1, 3.1.1 and 5.0, on a shared and on a pinned listener', async () => {
    for (const port of [server.mqttPort, pinnedPort()]) {
      for (const level of [3, 4, 5] as const) expect(await codeOf(THIRD, level, {}, port)).toBe(0);
    }
  });

  it('WS-4, WS-39 an imported device works with what the connection guide says: the bytes of its modem and of its sketch', async () => {
    const { body } = await api.call('GET', `/api/device/${idOf(MODEM)}/connectionGuide?host=iot.example.com`);
    const text = (title: string): string =>
      body.snippets.find((one: { title: string }) => one.title.startsWith(title)).text;
    expect(text('AT commands')).toContain('AT+CMQTTACCQ=0,"82b52f8b",0');
    const packets = modemPackets(text('AT commands'));
    expect(Buffer.from(packets.connect).toString('hex')).toBe('101400044d5154540402001400083832623532663862');
    for (const { connect: first, subscribe, publish } of [packets, sketchPackets(text('Arduino'))]) {
      const watcher = await connect(ESP32);
      await watcher.subscribe(`Pub/1/37/${MODEM}`);
      const client = await RawClient.open(server.mqttPort);
      client.write(first);
      expect((await client.next(PacketType.Connack))?.reasonCode).toBe(0);
      client.write(subscribe);
      expect((await client.next(PacketType.Suback))?.reasonCodes).toHaveLength(1);
      client.write(publish);
      expect(await watcher.line()).toMatch(/^Pub\/1\/37\/82b52f8b \{"data":\{"builtIn":[01]\}\}$/);
      await watcher.publish(`Sub/1/37/${MODEM}`, PAYLOAD);
      expect((await client.next(PacketType.Publish))?.topicName).toBe(`Sub/1/37/${MODEM}`);
      client.close();
      await watcher.end();
    }
  });

  it('WS-5, WS-7 an unknown client ID, also one in other letters, is refused and closed', async () => {
    for (const clientId of ['ffffffff', '82B52F8B']) {
      expect([await codeOf(clientId, 4, {}, pinnedPort()), await codeOf(clientId, 5, {}, pinnedPort())]).toEqual([
        2, 0x85,
      ]);
    }
  });

  it('WS-6 a device whose credentials say that it is disabled: 5 or 0x87, and its connection ends', async () => {
    const id = await newDevice('d15ab1ed');
    const before = await RawClient.open(server.mqttPort);
    expect(await before.connect({ clientId: 'd15ab1ed' })).toBe(0);
    const { body } = await api.call('GET', `/api/device/${id}/credentials`);
    const switchTo = async (enabled: boolean) => {
      const value = { ...JSON.parse(body.credentialsValue), enabled };
      const current = (await api.call('GET', `/api/device/${id}/credentials`)).body;
      const saved = await api.call('POST', '/api/device/credentials', {
        ...current,
        credentialsValue: JSON.stringify(value),
      });
      expect(saved.status, saved.text).toBe(200);
    };
    await switchTo(false);
    await before.untilClosed();
    expect([await codeOf('d15ab1ed', 4), await codeOf('d15ab1ed', 5)]).toEqual([5, 0x87]);
    await switchTo(true);
    expect(await codeOf('d15ab1ed')).toBe(0);
  });

  it('WS-8 a device with a password: 4 without it and 0 with it; one without takes any', async () => {
    await newDevice('5ec4e700', { password: 'secret' });
    const login = (password: string) => ({ username: 'any', password: Buffer.from(password) });
    expect([await codeOf('5ec4e700'), await codeOf('5ec4e700', 5)]).toEqual([4, 0x86]);
    expect(await codeOf('5ec4e700', 4, login('wrong'))).toBe(4);
    expect(await codeOf('5ec4e700', 4, login('secret'))).toBe(0);
    expect(await codeOf(THIRD, 4, login('whatever'))).toBe(0);
  });

  it('WS-9 a second connection closes the first, and the device stays online', async () => {
    const first = await RawClient.open(server.mqttPort, 5);
    expect(await first.connect({ clientId: THIRD })).toBe(0);
    const second = await connect(THIRD);
    expect((await first.next(PacketType.Disconnect))?.reasonCode).toBe(0x8e);
    await first.untilClosed();
    expect(second.client.connected).toBe(true);
    const { body } = await api.call('GET', `/api/broker/sessions?pageSize=10&page=0&textSearch=${THIRD}`);
    expect(body.data).toMatchObject([{ clientId: THIRD, connected: true }]);
    await second.end();
  });

  it('WS-43 coming and going are on the live feed within a second', async () => {
    const { credentials } = await createApplication(api, 'plain', 'watcher');
    const watcher = await connect('watcher', {
      username: credentials.username ?? '',
      password: credentials.password ?? '',
    });
    await watcher.subscribe(`moorage/devices/${THIRD}/events`);
    const untilType = async (type: string): Promise<void> => {
      for (;;) if (JSON.parse((await watcher.next()).text).type === type) return;
    };
    const device = await RawClient.open(server.mqttPort);
    const begin = performance.now();
    expect(await device.connect({ clientId: THIRD })).toBe(0);
    await untilType('connected');
    const connected = performance.now();
    device.close();
    await untilType('disconnected');
    expect(connected - begin).toBeLessThan(1_000);
    expect(performance.now() - connected).toBeLessThan(1_000);
    const sender = await connect(MODEM);
    await sender.publish((await topicsOf(THIRD)).subTopic, PAYLOAD);
    await untilType('downlink');
    await sender.end();
  });

  it('WS-46 the same over TLS and over WebSocket', async () => {
    const ca = readFileSync(file('ca.crt'));
    for (const url of [`mqtts://localhost:${server.port('mqtts')}`, `ws://localhost:${server.port('ws')}/mqtt`]) {
      const modem = await connect(MODEM, { ca }, url);
      const esp32 = await connect(ESP32, { ca }, url);
      await modem.subscribe(`Pub/1/37/${ESP32}`, 1);
      await esp32.subscribe(`Sub/1/37/${ESP32}`);
      await esp32.publish(`Pub/1/37/${ESP32}`, PAYLOAD);
      expect(await modem.line()).toBe(`Pub/1/37/${ESP32} ${PAYLOAD}`);
      await modem.publish(`Sub/1/37/${ESP32}`, PAYLOAD);
      expect(await esp32.line()).toBe(`Sub/1/37/${ESP32} ${PAYLOAD}`);
      await modem.end();
      await esp32.end();
    }
  });
});

describe('messages between devices', () => {
  it('WS-12, WS-13 the worked example with mosquitto, on 3.1, 3.1.1 and 5.0', async () => {
    for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
      const esp32 = new MosquittoSub(mosquitto(ESP32, '-V', version, '-t', `Sub/1/37/${ESP32}`, '-v'));
      await esp32.subscribed();
      const sent = await run(
        'mosquitto_pub',
        mosquitto(MODEM, '-V', version, '-q', '1', '-t', `Sub/1/37/${ESP32}`, '-m', PAYLOAD),
      );
      expect(sent.code, sent.stderr).toBe(0);
      expect(await esp32.line()).toBe(`Sub/1/37/${ESP32} ${PAYLOAD}`);
      esp32.stop();
      const modem = new MosquittoSub(mosquitto(MODEM, '-V', version, '-q', '1', '-t', `Pub/1/37/${ESP32}`, '-v'));
      await modem.subscribed();
      const odd = ' {"data" : {"x" : "é"}} ';
      await run('mosquitto_pub', mosquitto(ESP32, '-V', version, '-t', `Pub/1/37/${ESP32}`, '-m', odd));
      expect(await modem.line()).toBe(`Pub/1/37/${ESP32} ${odd}`);
      modem.stop();
    }
  });

  it('WS-14 nothing is copied from a Pub topic to a Sub topic or back', async () => {
    const modem = await connect(MODEM);
    const esp32 = await connect(ESP32);
    await modem.subscribe('#');
    await esp32.publish(`Pub/1/37/${ESP32}`, PAYLOAD);
    await modem.publish(`Sub/1/37/${ESP32}`, PAYLOAD);
    expect((await modem.unread()).map(({ topic }) => topic)).toEqual([`Pub/1/37/${ESP32}`, `Sub/1/37/${ESP32}`]);
    await modem.end();
    await esp32.end();
  });

  it('WS-15, WS-45 another owner sees nothing, free topics included', async () => {
    const [modem, esp32, stranger] = [await connect(MODEM), await connect(ESP32), await connect(STRANGER)];
    await stranger.subscribe('#');
    await stranger.subscribe(`Pub/1/37/${ESP32}`);
    await modem.subscribe('sensor/1/temperature', 1);
    await esp32.publish(`Pub/1/37/${ESP32}`, PAYLOAD);
    await esp32.publish('sensor/1/temperature', '21.5');
    expect(await modem.line()).toBe('sensor/1/temperature 21.5');
    expect(await stranger.unread()).toEqual([]);
    for (const client of [modem, esp32, stranger]) await client.end();
  });

  it('WS-16 with a share to read the other owner’s device gets it, until the share ends; one to write lets it answer', async () => {
    const { id } = await createApplication(api, 'waveshare', 'own account', {}, { default: true });
    const share = async (...accesses: readonly string[]) => {
      const { body } = await api.call('GET', `/api/application/${id}`);
      const shares = accesses.map((access) => ({ deviceId: idOf(ESP32), account: otherAccount, access }));
      const saved = await api.call('POST', '/api/application', { ...body, configuration: { default: true, shares } });
      expect(saved.status, saved.text).toBe(200);
    };
    const [esp32, stranger] = [await connect(ESP32), await connect(STRANGER)];
    await esp32.subscribe(`Sub/1/37/${ESP32}`);
    await stranger.subscribe('#', 1);
    await share('READ');
    await esp32.publish(`Pub/1/37/${ESP32}`, PAYLOAD);
    expect(await stranger.line()).toBe(`Pub/1/37/${ESP32} ${PAYLOAD}`);
    await stranger.publish(`Sub/1/37/${ESP32}`, PAYLOAD);
    expect(await esp32.unread()).toEqual([]);
    await share('WRITE');
    await esp32.publish(`Pub/1/37/${ESP32}`, PAYLOAD);
    expect(await stranger.unread()).toEqual([]);
    await stranger.publish(`Sub/1/37/${ESP32}`, PAYLOAD);
    expect(await esp32.line()).toBe(`Sub/1/37/${ESP32} ${PAYLOAD}`);
    await share();
    for (const client of [esp32, stranger]) await client.end();
  });

  it('WS-17, WS-18 another device’s Pub topic and wrong numbers: acknowledged, neither delivered nor stored', async () => {
    const [modem, esp32] = [await connect(MODEM), await connect(ESP32)];
    await esp32.subscribe('#', 1);
    await modem.publish(`Pub/1/37/${ESP32}`, '{"data":{"forged":1}}');
    await modem.publish(`Pub/2/37/${MODEM}`, '{"data":{"forged":1}}');
    expect(await esp32.unread()).toEqual([]);
    expect(await api.latest(idOf(ESP32))).not.toHaveProperty('forged');
    expect(await api.latest(idOf(MODEM))).not.toHaveProperty('forged');
    const { body } = await api.call('GET', `/api/device/${idOf(MODEM)}/connectionLog?pageSize=50&page=0`);
    expect(JSON.stringify(body)).toContain(`No right to publish to Pub/2/37/${MODEM}.`);
    await modem.end();
    const told = await connect(MODEM, { protocolVersion: 5 });
    await expect(told.publish(`Pub/1/37/${ESP32}`, '1')).rejects.toMatchObject({ code: 0x87 });
    await told.end();
    await esp32.end();
  });

  it('WS-19, WS-20, WS-26, WS-27 subscriptions as asked, delivery at the lower QoS, and their end', async () => {
    const [modem, esp32] = [await connect(MODEM), await connect(ESP32)];
    const filters = { [`Pub/1/37/${ESP32}`]: 1, a: 0, b: 2, c: 1, d: 0 } as const;
    const asked = Object.fromEntries(Object.entries(filters).map(([filter, qos]) => [filter, { qos }]));
    const granted = await modem.client.subscribeAsync(asked);
    expect(granted.map(({ topic, qos }) => [topic, qos])).toEqual(Object.entries(filters));
    await esp32.publish('a', 'x', 1);
    await esp32.publish('b', 'x', 1);
    expect([await modem.next(), await modem.next()]).toMatchObject([
      { topic: 'a', qos: 0 },
      { topic: 'b', qos: 1 },
    ]);
    await modem.client.unsubscribeAsync('a');
    await esp32.publish('a', 'x', 1);
    expect(await modem.unread()).toEqual([]);
    await modem.end();
    await esp32.end();
  });

  it('WS-21, WS-22 retained messages wait for subscribers, and no others do', async () => {
    const [modem, esp32] = [await connect(MODEM), await connect(ESP32)];
    await esp32.publish(`Pub/1/37/${ESP32}`, 'gone');
    await modem.subscribe(`Pub/1/37/${ESP32}`);
    expect(await modem.unread()).toEqual([]);
    await esp32.publish(`Pub/1/37/${ESP32}`, 'kept', 1, true);
    await modem.next();
    await modem.subscribe(`Pub/1/37/${ESP32}`);
    expect(await modem.next()).toMatchObject({ text: 'kept', retain: true });
    await esp32.publish(`Pub/1/37/${ESP32}`, '', 1, true);
    await modem.next();
    await modem.subscribe(`Pub/1/37/${ESP32}`);
    expect(await modem.unread()).toEqual([]);
    await modem.end();
    await esp32.end();
  });

  it('WS-23 a Session with clean session 0 gets what came while it was away, also across kill -9', async () => {
    const away = await connect(THIRD, { clean: false });
    await away.subscribe(`Sub/1/37/${THIRD}`, 1);
    await away.end();
    const modem = await connect(MODEM);
    await modem.publish(`Sub/1/37/${THIRD}`, 'one');
    expect((await oneway(THIRD, 'CH1', true)).body).toEqual({ receivers: 1 });
    await server.kill();
    await modem.end();
    await server.start();
    await api.login();
    const back = await connect(THIRD, { clean: false });
    expect(back.sessionPresent).toBe(true);
    expect([await back.line(), await back.line()]).toEqual([
      `Sub/1/37/${THIRD} one`,
      `Sub/1/37/${THIRD} {"data":{"CH1":1}}`,
    ]);
    await back.end();
    await (await connect(THIRD)).end();
  });

  it('WS-24 members of a shared subscription get each message once between them', async () => {
    const [modem, third, esp32] = [await connect(MODEM), await connect(THIRD), await connect(ESP32)];
    for (const member of [modem, third]) await member.subscribe('$share/g/Pub/1/37/+', 1);
    const sent = Array.from({ length: 100 }, (_, count) => String(count));
    await Promise.all(sent.map((text) => esp32.publish(`Pub/1/37/${ESP32}`, text, 0)));
    await esp32.publish(`Pub/1/37/${ESP32}`, 'last');
    const both = [...(await modem.unread()), ...(await third.unread())].map(({ text }) => text);
    expect(both.filter((text) => text !== 'last').sort()).toEqual(sent.sort());
    for (const client of [modem, third, esp32]) await client.end();
  });

  it('WS-25 1,000 messages of two publishers keep their order', async () => {
    const [modem, third, esp32] = [await connect(MODEM), await connect(THIRD), await connect(ESP32)];
    await esp32.subscribe(`Sub/1/37/${ESP32}`, 1);
    const all = (client: WaveshareClient, name: string) =>
      Promise.all(Array.from({ length: 500 }, (_, count) => client.publish(`Sub/1/37/${ESP32}`, `${name} ${count}`)));
    const done = Promise.all([all(modem, 'modem'), all(third, 'third')]);
    const received: string[] = [];
    while (received.length < 1_000) received.push((await esp32.next()).text);
    await done;
    for (const name of ['modem', 'third']) {
      const own = received.filter((text) => text.startsWith(name));
      expect(own).toEqual(Array.from({ length: 500 }, (_, count) => `${name} ${count}`));
    }
    for (const client of [modem, third, esp32]) await client.end();
  });
});

describe('values', () => {
  it('WS-28, WS-29, WS-30, WS-31, WS-32 what a device says is stored by its form, and the last payload shown', async () => {
    await newDevice('7e1e0001');
    const topic = 'Pub/1/37/7e1e0001';
    const [device, modem] = [await connect('7e1e0001'), await connect(MODEM)];
    await modem.subscribe(topic);
    const sent: (string | Buffer)[] = [
      '{"data":{"a":1,"b":2.5,"c":"x","d":true}}',
      '{"lat":1,"lng":2}',
      'no JSON',
      '{"ID":"7e1e0001"}',
    ];
    for (const payload of sent) await device.publish(topic, payload);
    for (const payload of sent) expect(await modem.line()).toBe(`${topic} ${payload}`);
    const latest = await api.latest(idOf('7e1e0001'));
    const times = new Set(['a', 'b', 'c', 'd'].map((key) => latest[key]?.[0]?.ts));
    expect(times.size).toBe(1);
    expect(Object.fromEntries(Object.entries(latest).map(([key, [point]]) => [key, point?.value]))).toEqual({
      a: 1,
      b: 2.5,
      c: 'x',
      d: true,
      lat: 1,
      lng: 2,
      raw: 'no JSON',
    });
    expect(await attributes('7e1e0001')).toEqual({ lastReceived: '{"ID":"7e1e0001"}' });
    await device.publish(topic, Buffer.from([0xff, 0x00]));
    expect((await api.latest(idOf('7e1e0001'), 'raw')).raw?.[0]?.value).toBe('ff00');
    await device.end();
    await modem.end();
  });
});

describe('commands', () => {
  it('WS-33, WS-34, WS-48 the API switches the relays of a board whose firmware searches for text', async () => {
    await createOfProduct(RELAY, await createProduct('relay 8', { product: 'RELAY_8CH' }));
    const { subTopic } = await topicsOf(RELAY);
    const board = await connect(RELAY);
    await board.subscribe(subTopic);
    const firmware = new RelayFirmware(8, subTopic);
    const told = async (): Promise<string> => {
      const { topic, text } = await board.next();
      firmware.receive(topic, Buffer.from(text));
      return text;
    };
    expect((await oneway(RELAY, 'ALL', true)).body).toEqual({ receivers: 1 });
    expect(await told()).toBe('{"data":{"ALL":1}}');
    await oneway(RELAY, 'CH8', 0);
    expect(await told()).toBe('{"data":{"CH8":0}}');
    const shared = `/api/plugins/telemetry/DEVICE/${idOf(RELAY)}/SHARED_SCOPE`;
    expect((await api.call('POST', shared, { CH2: false, CH1: false })).status).toBe(200);
    expect([await told(), await told()]).toEqual(['{"data":{"CH2":0}}', '{"data":{"CH1":0}}']);
    expect(firmware.relays).toEqual([false, false, true, true, true, true, true, false]);
    await board.end();
  });

  it('WS-35, WS-36 what the firmware could not take is refused with 413, unless its profile says more', async () => {
    const profile = await createProduct('large', { downlinkMaxPacket: 1024 });
    await createOfProduct('1a49e000', profile);
    for (const [clientId, largest] of [
      [MODEM, 256],
      ['1a49e000', 1024],
    ] as const) {
      const { subTopic } = await topicsOf(clientId);
      const device = await connect(clientId);
      await device.subscribe(subTopic);
      const room = largest - 1 - 2 - 2 - subTopic.length - '{"data":{"s":""}}'.length;
      expect((await oneway(clientId, 's', 'x'.repeat(room + 1))).status).toBe(413);
      expect((await oneway(clientId, 's', 'x'.repeat(room))).body).toEqual({ receivers: 1 });
      expect((await device.next()).text).toBe(`{"data":{"s":"${'x'.repeat(room)}"}}`);
      expect(await device.unread()).toEqual([]);
      await device.end();
    }
  });

  it('WS-17, WS-35 an operator sends to Sub topics only, and no more than the firmware takes', async () => {
    const { pubTopic, subTopic } = await topicsOf(MODEM);
    const publish = (topic: string, payload: string) =>
      api.call('POST', `/api/device/${idOf(MODEM)}/publish`, { topic, payload, qos: 1, retain: false });
    const device = await connect(MODEM);
    await device.subscribe(subTopic);
    await device.subscribe(pubTopic);
    expect((await publish(pubTopic, '{"data":{"forged":1}}')).status).toBe(400);
    const room = 256 - 1 - 2 - 2 - subTopic.length;
    expect((await publish(subTopic, 'x'.repeat(room + 1))).status).toBe(413);
    expect((await publish(subTopic, 'x'.repeat(room))).status).toBe(200);
    expect((await device.next()).text).toBe('x'.repeat(room));
    expect(await device.unread()).toEqual([]);
    await device.end();
  });

  it('WS-37 nobody there: 0 receivers, and nothing comes later', async () => {
    expect((await oneway(THIRD, 'CH1', true)).body).toEqual({ receivers: 0 });
    const third = await connect(THIRD);
    await third.subscribe(`Sub/1/37/${THIRD}`, 1);
    expect(await third.unread()).toEqual([]);
    await third.end();
  });

  it('WS-38 with holdLast the last values come right after the subscription', async () => {
    await createOfProduct('401d0000', await createProduct('holding', { holdLast: true }));
    const { subTopic } = await topicsOf('401d0000');
    for (const value of [true, false]) expect((await oneway('401d0000', 'CH1', value)).body).toEqual({ receivers: 0 });
    await oneway('401d0000', 'CH2', 7);
    const device = await connect('401d0000');
    await device.subscribe(subTopic);
    expect([(await device.next()).text, (await device.next()).text]).toEqual([
      '{"data":{"CH1":0}}',
      '{"data":{"CH2":7}}',
    ]);
    await device.end();
  });
});

describe('the HTTP test resource', () => {
  const sample = `/api/sample-test`;
  const ask = async (path: string, init: RequestInit = {}, base = server.baseUrl) => {
    const response = await fetch(base + path, init);
    return [response.status, await response.text()];
  };

  it('WS-47 on: what was posted is told, without sign-in, and no more than 1,024 bytes', async () => {
    expect(await ask(`${sample}/`)).toEqual([200, '{"value":""}']);
    expect((await ask(sample, { method: 'POST', body: 'lat=22.5431&lng=114.0579' }))[0]).toBe(200);
    expect(await ask(`${sample}/`)).toEqual([200, '{"value":"lat=22.5431&lng=114.0579"}']);
    const form = { method: 'PUT', body: 'x=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await ask(`${sample}/`, form))[0]).toBe(200);
    expect((await ask(sample, { method: 'POST', body: 'x'.repeat(1025) }))[0]).toBe(413);
    expect(await ask(sample)).toEqual([200, '{"value":"x=1"}']);
  });

  it('WS-47 off: 404 without sign-in', async () => {
    const other = new MoorageProcess();
    try {
      await other.start();
      for (const path of [sample, `${sample}/`]) {
        for (const method of ['GET', 'POST', 'PUT']) {
          const init = method === 'GET' ? {} : { method, body: 'x' };
          expect((await ask(path, init, other.baseUrl))[0], `${method} ${path}`).toBe(404);
        }
      }
    } finally {
      await other.dispose();
    }
  });
});

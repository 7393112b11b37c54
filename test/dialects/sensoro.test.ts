import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PacketType } from '@moorage/mqtt-codec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { RawClient } from '../harness/raw-client.ts';
import { run } from '../harness/real-clients.ts';
import { nextPush, SensoroApplication, subscribe, unread } from '../harness/sensoro-application.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const APP_ID = 'foobar';
const APP_SECRET = '0123456789abcdef0123456789abcdef';
const SN = '10610117C5A9D9DF';
const TOKEN = 'SENSOROTEST000000001';
const LEVELS = [3, 4, 5] as const;

const server = new MoorageProcess({ env: { MOORAGE_MQTT__PINNED_PORTS: '0=sensoro' } });
const api = new ApiClient(server);
const applications: SensoroApplication[] = [];
let foobar: SensoroApplication;
let thermometer = '';

beforeAll(async () => {
  await server.start();
  await api.login();
  thermometer = await api.createDevice('thermometer', TOKEN);
  await setServerAttributes(thermometer, { 'sensoro.sn': SN, 'sensoro.deviceType': 'temp_humi', tags: '["hall"]' });
  foobar = await application('dashboard', {}, { appId: APP_ID, appSecret: APP_SECRET });
});

afterAll(async () => {
  for (const one of applications) one.close();
  await server.dispose();
});

async function application(name: string, configuration: object = {}, credentials: object = {}) {
  const created = await SensoroApplication.create(server, api, name, configuration, credentials);
  applications.push(created);
  return created;
}

async function setServerAttributes(id: string, values: object): Promise<void> {
  const answer = await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`, values);
  if (answer.status !== 200) throw new Error(answer.text);
}

/** A ThingsBoard device sends; resolves when it was acknowledged. */
async function upload(values: object, token = TOKEN): Promise<void> {
  const args = ['-h', '127.0.0.1', '-p', String(server.mqttPort), '-u', token, '-q', '1'];
  const sent = await run('mosquitto_pub', [...args, '-t', 'v1/devices/me/telemetry', '-m', JSON.stringify(values)]);
  if (sent.code !== 0) throw new Error(sent.stderr);
}

async function codeOf(level: 3 | 4 | 5, fields: Parameters<RawClient['connect']>[0], port = server.mqttPort) {
  const client = await RawClient.open(port, level);
  const code = await client.connect(fields);
  if (code !== 0) await client.untilClosed();
  client.close();
  return code;
}

describe('CONNECT', () => {
  it('SEN-1 is accepted on MQTT 3.1, 3.1.1 and 5.0', async () => {
    for (const level of LEVELS) expect(await codeOf(level, foobar.connectFields())).toBe(0);
  });

  it('SEN-2 takes the client IDs of the vendor and refuses every other one with code 5', async () => {
    const valid = ['', '/', '/abc', `/${'a'.repeat(36)}`, '/6ba7b810-9dad-11d1-80b4-00c04fd430c8'];
    for (const suffix of valid) expect(await codeOf(4, foobar.connectFields(suffix)), suffix).toBe(0);
    for (const clientId of [`foobar/${'a'.repeat(37)}`, 'foobarx', 'Foobar', 'foobar/a/b', 'foobar/a.b']) {
      expect(await codeOf(4, { ...foobar.connectFields(), clientId }), clientId).toBe(5);
      expect(await codeOf(5, { ...foobar.connectFields(), clientId }), clientId).toBe(0x87);
    }
  });

  it('SEN-3 with a wrong password is answered with code 5, and the connection is closed', async () => {
    // One of its own: who has guessed wrong too often waits for the answer.
    const fresh = await application('fresh');
    const { appId, topic } = fresh;
    expect(await codeOf(4, fresh.connectFields('', 'wrong'))).toBe(5);
    const args = ['-h', '127.0.0.1', '-p', String(server.mqttPort), '-u', appId, '-P', 'wrong', '-i', `${appId}/x`];
    const refused = await run('mosquitto_sub', [...args, '-t', topic, '-C', '1']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr + refused.stdout).toMatch(/not authorised/i);
  });

  it('SEN-4 of an unknown AppID on a listener of its own is answered with code 5', async () => {
    const [pinned] = server.ports.pinned as { readonly port: number }[];
    const fields = { ...foobar.connectFields(), username: 'nobody', clientId: 'nobody' };
    expect(await codeOf(4, fields, pinned?.port)).toBe(5);
    expect(await codeOf(5, fields, pinned?.port)).toBe(0x87);
    expect(await codeOf(4, foobar.connectFields(), pinned?.port)).toBe(0);
  });

  it('SEN-6 with a client ID of 49 characters works on MQTT 3.1', async () => {
    const generated = await application('generated');
    const suffix = '/6ba7b810-9dad-11d1-80b4-00c04fd430c8';
    expect((generated.appId + suffix).length).toBe(49);
    expect(await codeOf(3, generated.connectFields(suffix))).toBe(0);
  });

  it('SEN-8 with the client ID of a live connection closes that one and stays', async () => {
    const first = await foobar.open(4, '/same');
    const second = await foobar.open(4, '/same');
    await first.untilClosed();
    expect(await unread(second)).toBe(0);
  });

  it('beyond 50 connections of one application is answered with 3, as long as none of them goes', async () => {
    const crowd = await application('crowd');
    const clients: RawClient[] = [];
    for (let i = 0; i < 50; i++) clients.push(await crowd.open(4, `/${i}`));
    expect(await codeOf(4, crowd.connectFields('/50'))).toBe(3);
    expect(await codeOf(5, crowd.connectFields('/50'))).toBe(0x97);
    expect(await codeOf(4, crowd.connectFields('/49'))).toBe(0);
    expect(await codeOf(4, crowd.connectFields('/50'))).toBe(0);
  });
});

describe('subscriptions', () => {
  it('SEN-10 SEN-11 SEN-14 both forms are granted with QoS 1 at most, and deliver under their own name', async () => {
    const client = await foobar.open(4, '/forms');
    expect(await subscribe(client, foobar.topic, 1)).toBe(1);
    expect(await subscribe(client, `/${foobar.topic}`, 2)).toBe(1);
    await upload({ temperature: 1 });
    const pushes = [await nextPush(client), await nextPush(client)];
    expect(pushes.map(({ topic }) => topic).sort()).toEqual([`/${foobar.topic}`, foobar.topic]);
    expect(pushes[0]?.text).toBe(pushes[1]?.text);
    client.close();
  });

  it('SEN-12 SEN-13 every other filter is refused on 3.1.1 and 5.0, granted without effect on 3.1', async () => {
    const other = await application('other');
    for (const level of LEVELS) {
      const client = await foobar.open(level, `/filters${level}`);
      for (const filter of [`users/${other.appId}/devices`, '#', 'users/+/devices', '$share/g/#']) {
        const code = await subscribe(client, filter, 1);
        if (level === 3) expect(code, filter).toBeLessThanOrEqual(1);
        else expect(code, filter).toBe(level === 4 ? 0x80 : 0x87);
      }
      await upload({ temperature: 2 });
      expect(await unread(client)).toBe(0);
      client.close();
    }
  });

  it('a shared one gives each push to one of its clients', async () => {
    const clients = [await foobar.open(5, '/s1'), await foobar.open(5, '/s2')];
    for (const client of clients) expect(await subscribe(client, `$share/g/${foobar.topic}`, 1)).toBe(1);
    for (let i = 0; i < 4; i++) await upload({ temperature: i });
    const counts = [];
    for (const client of clients) counts.push(await unread(client));
    expect(counts[0] ?? 0).toBe(4 - (counts[1] ?? 0));
    for (const client of clients) client.close();
  });
});

describe('pushes', () => {
  it('SEN-9 the sample of the vendor connects, subscribes and prints a push when only the host is replaced', async () => {
    const sample = `
      var mqtt = require('mqtt');
      var crypto = require('crypto');
      var APP_ID = ${JSON.stringify(APP_ID)};
      var APP_SECRET = ${JSON.stringify(APP_SECRET)};
      var client = mqtt.connect('mqtt://127.0.0.1:${server.mqttPort}', {
        username: APP_ID,
        password: APP_SECRET,
        clientId: APP_ID + '/' + crypto.randomUUID(),
        clean: true,
        reconnectPeriod: '10000'
      });
      client.on('connect', function () {
        client.subscribe('users/' + APP_ID + '/devices', { qos: 1 }, function () { console.log('subscribed'); });
      });
      client.on('message', function (topic, message) { console.log(topic + ' ' + message.toString()); });
    `;
    const child = spawn(process.execPath, ['-e', sample], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    try {
      expect((await lines.next()).value).toBe('subscribed');
      await upload({ temperature: 20.5, humidity: 50.25 });
      const line = String((await lines.next()).value);
      expect(line.startsWith(`users/${APP_ID}/devices {"appId":"${APP_ID}","sn":"${SN}"`)).toBe(true);
      expect(JSON.parse(line.slice(line.indexOf('{'))).data).toEqual({ temperature: 20.5, humidity: 50.25 });
    } finally {
      child.kill('SIGTERM');
    }
  });

  it('SEN-19 one upload is one push with its members in their order, as mosquitto_sub shows it', async () => {
    const credentials = ['-u', APP_ID, '-P', APP_SECRET, '-i', `${APP_ID}/6ba7b810-9dad-11d1-80b4-00c04fd430c8`];
    const args = ['-h', '127.0.0.1', '-p', String(server.mqttPort), ...credentials, '-q', '1', '-v'];
    const sub = new MosquittoSub([...args, '-t', foobar.topic]);
    await sub.subscribed();
    const ts = 1_467_018_792_599;
    await upload({ ts, values: { battery: 95, interval: 300, temperature: 20.5, humidity: 50.25 } });
    await upload({ last: 20.0 });
    const line = (await sub.line()).replace(/"msgId":"[0-9a-f]{24}"/, '"msgId":"*"');
    expect(line).toBe(
      `users/${APP_ID}/devices {"appId":"foobar","sn":"${SN}","type":"text","deviceType":"temp_humi",` +
        `"createdTime":${ts},"msgId":"*","data":{"battery":95,"interval":300,"temperature":20.5,"humidity":50.25}}`,
    );
    expect(await sub.line()).toContain('"data":{"last":20}}');
    expect(sub.unread).toEqual([]);
    sub.stop();
  });

  it('SEN-7 reach every client of the application, whatever its client ID', async () => {
    const clients = [await foobar.subscriber('/one'), await foobar.subscriber('/two')];
    await upload({ temperature: 7 });
    const pushes = await Promise.all(clients.map((client) => nextPush(client)));
    expect(pushes[0]?.text).toBe(pushes[1]?.text);
    for (const client of clients) client.close();
  });

  it('SEN-15 come with QoS 0 to a QoS 1 subscriber unless the application says otherwise', async () => {
    const client = await foobar.subscriber('/qos');
    await upload({ temperature: 8 });
    expect(await nextPush(client)).toMatchObject({ qos: 0, retain: false, body: { data: { temperature: 8 } } });
    client.close();
  });

  it('SEN-16 with push QoS 1 come with QoS 1, and those not acknowledged again after a reconnection', async () => {
    const sure = await application('sure', { mqttQos: 1 });
    const fields = { cleanStart: false };
    const client = await sure.open(4, '/kept', fields);
    await subscribe(client, sure.topic, 1);
    await upload({ temperature: 1 });
    const first = await nextPush(client, false);
    expect(first).toMatchObject({ qos: 1, dup: false });
    client.close();
    await upload({ temperature: 2 });
    await server.stop();
    await server.start();
    await upload({ temperature: 3 });
    const again = await sure.open(4, '/kept', fields);
    const pushes = [await nextPush(again), await nextPush(again), await nextPush(again)];
    expect(pushes[0]).toMatchObject({ qos: 1, dup: true, text: first.text });
    expect(pushes.map(({ body }) => body.data)).toEqual([{ temperature: 1 }, { temperature: 2 }, { temperature: 3 }]);
    again.close();
  });

  it('SEN-18 are not kept for late subscribers', async () => {
    await upload({ temperature: 9 });
    const late = await foobar.subscriber('/late');
    expect(await unread(late)).toBe(0);
    late.close();
  });

  it('SEN-20 are made for the devices of the set alone, by id and by tag', async () => {
    const other = await api.createDevice('other device', 'SENSOROTEST000000002');
    const [listed, tagged] = [
      await application('listed', { devices: [other] }),
      await application('tagged', { devices: { tag: 'hall' } }),
    ];
    const clients = [await listed.subscriber(), await tagged.subscriber()] as const;
    await upload({ a: 1 });
    await upload({ a: 2 }, 'SENSOROTEST000000002');
    expect((await nextPush(clients[0])).body.data).toEqual({ a: 2 });
    expect((await nextPush(clients[1])).body).toMatchObject({ sn: SN, data: { a: 1 } });
    expect([await unread(clients[0]), await unread(clients[1])]).toEqual([0, 0]);
    await setServerAttributes(other, { tags: 'garden, hall', 'sensoro.sn': 'NEW-SN' });
    await upload({ a: 3 }, 'SENSOROTEST000000002');
    expect((await nextPush(clients[1])).body).toMatchObject({ sn: 'NEW-SN', data: { a: 3 } });
  });

  it('SEN-32 SEN-33 are encrypted from the next one on when the mode is changed, without a reconnection', async () => {
    const mode = await application('mode');
    const client = await mode.subscriber();
    await upload({ temperature: 1 });
    expect((await nextPush(client)).body.data).toEqual({ temperature: 1 });
    await mode.configure({ pushMode: 'safe' });
    await upload({ temperature: 2 });
    const safe = (await nextPush(client)).body;
    expect(safe).toMatchObject({
      sn: SN,
      deviceType: 'temp_humi',
      encryptData: expect.stringMatching(/^[\w+/]{86}==$/),
    });
    expect(safe).not.toHaveProperty('data');
    await mode.configure({ pushMode: 'plain' });
    await upload({ temperature: 3 });
    expect((await nextPush(client)).body.data).toEqual({ temperature: 3 });
  });
});

describe('publishing by an application', () => {
  it('SEN-17 is acknowledged on 3.1.1, refused on 5.0, and reaches nobody', async () => {
    const listener = await foobar.subscriber('/listener');
    for (const level of [4, 5] as const) {
      const client = await foobar.open(level, `/speaker${level}`);
      client.write(client.publishPacket(foobar.topic, '{"sn":"x","data":{}}', 1, 5));
      expect((await client.next(PacketType.Puback))?.reasonCode).toBe(level === 4 ? 0 : 0x87);
      client.close();
    }
    expect(await unread(listener)).toBe(0);
    listener.close();
  });

  it('stores readings of a device where the owner allows it', async () => {
    const bridge = await application('bridge', { allowUplink: true });
    const client = await bridge.open(4, '/bridge');
    const topic = `users/${bridge.appId}/devices/${SN}/up`;
    // Within the retention: an older one would be removed within a minute.
    const createdTime = Date.now() - 86_400_000;
    client.write(client.publishPacket(topic, JSON.stringify({ createdTime, data: { brought: 20.5 } }), 1, 6));
    expect((await client.next(PacketType.Puback))?.reasonCode).toBe(0);
    expect((await api.latest(thermometer, 'brought')).brought).toEqual([{ ts: createdTime, value: 20.5 }]);
    client.close();
  });
});

import { PacketType, ReasonCode } from '@moorage/mqtt-codec';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { RawClient } from '../harness/raw-client.ts';
import { run } from '../harness/real-clients.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);

function credentials(user: string, password: string): string[] {
  return ['-h', '127.0.0.1', '-p', String(server.mqttPort), '-u', user, '-P', password];
}

function publish(user: string, password: string, topic: string, message: string, ...more: readonly string[]) {
  return run('mosquitto_pub', [...credentials(user, password), '-t', topic, '-m', message, ...more]);
}

beforeAll(async () => {
  await server.start();
  await api.login();
  const application = await api.call('POST', '/api/application', {
    name: 'backend',
    dialect: 'plain',
    enabled: true,
    credentials: { username: 'backend', password: 'backend-secret' },
    configuration: { publish: ['#'], subscribe: ['#'], command: true },
  });
  expect(application.status, application.text).toBe(200);
  await api.createPlainDevice('boiler', 'boiler', 'boiler-secret');
  await api.createPlainDevice('lamp', 'lamp', 'lamp-secret');
});

afterAll(() => server.dispose());

describe('plain MQTT with mosquitto clients', () => {
  for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
    it(`routes free topics with QoS 0, 1 and 2 on ${version}`, async () => {
      const sub = new MosquittoSub([
        ...credentials('lamp', 'lamp-secret'),
        '-V',
        version,
        '-q',
        '2',
        '-t',
        `free/${version}/#`,
      ]);
      await sub.subscribed();
      for (const qos of ['0', '1', '2']) {
        expect(
          (await publish('boiler', 'boiler-secret', `free/${version}/a`, `hello ${qos}`, '-q', qos, '-V', version))
            .code,
        ).toBe(0);
        expect(await sub.line()).toBe(`hello ${qos}`);
      }
      sub.stop();
    });
  }

  it('delivers a Retained Message to a later subscriber, and none after it was emptied', async () => {
    await publish('boiler', 'boiler-secret', 'kept/one', 'still here', '-r', '-q', '1');
    const got = await run('mosquitto_sub', [
      ...credentials('lamp', 'lamp-secret'),
      '-t',
      'kept/#',
      '-C',
      '1',
      '-W',
      '5',
    ]);
    expect(got.stdout).toBe('still here\n');
    await run('mosquitto_pub', [...credentials('boiler', 'boiler-secret'), '-t', 'kept/one', '-r', '-n', '-q', '1']);
    const none = await run('mosquitto_sub', [
      ...credentials('lamp', 'lamp-secret'),
      '-t',
      'kept/#',
      '-C',
      '1',
      '-W',
      '1',
    ]);
    expect(none.stdout).toBe('');
  });

  it('publishes the Will of a connection that was lost, and none after DISCONNECT', async () => {
    const sub = new MosquittoSub([...credentials('lamp', 'lamp-secret'), '-t', 'wills/#', '-q', '1']);
    await sub.subscribed();
    const will = {
      topicName: 'wills/boiler',
      payload: Buffer.from('gone'),
      qos: 1 as const,
      retain: false,
      properties: null,
    };
    const fields = { username: 'boiler', password: Buffer.from('boiler-secret'), will };
    const polite = await RawClient.open(server.mqttPort);
    expect(await polite.connect({ ...fields, clientId: 'polite' })).toBe(0);
    polite.write({ type: PacketType.Disconnect, reasonCode: 0, properties: null });
    await polite.untilClosed();
    const rude = await RawClient.open(server.mqttPort);
    expect(await rude.connect({ ...fields, clientId: 'rude' })).toBe(0);
    rude.close();
    expect(await sub.line()).toBe('gone');
    expect(sub.unread).toEqual([]);
    sub.stop();
  });

  it('keeps the Session of an absent subscriber: QoS 1 messages wait for it', async () => {
    const options = { username: 'lamp', password: 'lamp-secret', clientId: 'sleeper', clean: false } as const;
    const first = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, options);
    await first.subscribeAsync('later/#', { qos: 1 });
    await first.endAsync();
    for (const text of ['one', 'two', 'three']) await publish('boiler', 'boiler-secret', 'later/x', text, '-q', '1');
    const got: string[] = [];
    const second = mqtt.connect(`mqtt://127.0.0.1:${server.mqttPort}`, options);
    await new Promise<void>((resolve) => {
      second.on('message', (_topic, payload) => {
        got.push(payload.toString());
        if (got.length === 3) resolve();
      });
    });
    expect(got).toEqual(['one', 'two', 'three']);
    await second.endAsync();
  });

  it('a device deleted while it is away leaves no queue and no subscription behind', async () => {
    const id = await api.createPlainDevice('leaver', 'leaver', 'leaver-secret');
    const figures = async () => {
      const text = await (await fetch(`${server.baseUrl}/metrics`)).text();
      const figure = (name: string) => Number(new RegExp(`moorage_mqtt\\{figure="${name}"\\} (\\d+)`).exec(text)?.[1]);
      return { sessions: figure('sessions'), subscriptions: figure('subscriptions') };
    };
    const before = await figures();
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, {
      username: 'leaver',
      password: 'leaver-secret',
      clientId: 'leaver',
      clean: false,
    });
    await client.subscribeAsync('leaving/#', { qos: 1 });
    await client.endAsync();
    expect(await figures()).toEqual({ sessions: before.sessions + 1, subscriptions: before.subscriptions + 1 });
    expect((await api.call('DELETE', `/api/device/${id}`)).status).toBe(200);
    expect(await figures()).toEqual(before);
  });

  it('a wrong password and an unknown user get the same answer, REC-29', async () => {
    const wrong = await publish('boiler', 'wrong', 'a', 'b');
    const unknown = await publish('nobody', 'wrong', 'a', 'b');
    expect(wrong.code).toBe(unknown.code);
    expect(wrong.stderr).toBe(unknown.stderr);
    expect(wrong.code).toBe(5);
  });

  it('refuses topics under moorage/ and $ with 0x87 and keeps the connection', async () => {
    const client = await RawClient.open(server.mqttPort, 5);
    expect(await client.connect({ username: 'boiler', password: Buffer.from('boiler-secret') })).toBe(0);
    for (const topic of ['moorage/devices/lamp/telemetry', 'moorage/other', '$SYS/x', '$other']) {
      client.write(client.publishPacket(topic, '{}', 1, 1));
      expect((await client.next(PacketType.Puback))?.reasonCode, topic).toBe(ReasonCode.NotAuthorized);
    }
    client.write({ type: PacketType.Pingreq });
    expect(await client.next(PacketType.Pingresp)).toBeDefined();
    client.close();
  });
});

describe('the normalised topics', () => {
  it('a plain device stores telemetry and attributes about itself', async () => {
    expect(
      (await publish('boiler', 'boiler-secret', 'moorage/me/telemetry', '{"temperature":61.5}', '-q', '1')).code,
    ).toBe(0);
    expect((await publish('boiler', 'boiler-secret', 'moorage/me/attributes', '{"fw":"1.2.0"}', '-q', '1')).code).toBe(
      0,
    );
    const found = await api.call('GET', '/api/tenant/devices?deviceName=boiler');
    expect(found.body.dialect).toBe('plain');
    expect((await api.latest(found.body.id.id)).temperature?.[0]?.value).toBe(61.5);
    const attributes = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${found.body.id.id}/values/attributes/CLIENT_SCOPE`,
    );
    expect(attributes.body).toMatchObject([{ key: 'fw', value: '1.2.0' }]);
  });

  it('an application sees telemetry of devices of every dialect', async () => {
    await api.createDevice('meter/1', 'METERTOKEN0000000001');
    const sub = new MosquittoSub([
      ...credentials('backend', 'backend-secret'),
      '-v',
      '-q',
      '1',
      '-t',
      'moorage/devices/+/telemetry',
    ]);
    await sub.subscribed();
    await run('mosquitto_pub', [
      '-h',
      '127.0.0.1',
      '-p',
      String(server.mqttPort),
      '-u',
      'METERTOKEN0000000001',
      '-q',
      '1',
      '-t',
      'v1/devices/me/telemetry',
      '-m',
      '{"ts":1000,"values":{"energy":42.0}}',
    ]);
    expect(await sub.line()).toBe('moorage/devices/meter%2F1/telemetry {"ts":1000,"values":{"energy":42.0}}');
    await publish('boiler', 'boiler-secret', 'moorage/me/telemetry', '{"ts":2000,"values":{"t":1}}', '-q', '1');
    expect(await sub.line()).toBe('moorage/devices/boiler/telemetry {"ts":2000,"values":{"t":1}}');
    sub.stop();
  });

  it('an application commands a plain device and gets its answer', async () => {
    const lamp = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, {
      username: 'lamp',
      password: 'lamp-secret',
      clientId: 'lamp',
    });
    await lamp.subscribeAsync('moorage/me/rpc/request/+', { qos: 1 });
    lamp.on('message', (topic, payload) => {
      const { method, params } = JSON.parse(payload.toString());
      lamp.publish(topic.replace('/request/', '/response/'), JSON.stringify({ done: method, on: params.on }), {
        qos: 1,
      });
    });
    const backend = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, {
      username: 'backend',
      password: 'backend-secret',
      clientId: 'backend',
    });
    const answer = new Promise<[string, string]>((resolve) => {
      backend.on('message', (topic, payload) => resolve([topic, payload.toString()]));
    });
    await backend.publishAsync('moorage/devices/lamp/rpc/request/77', '{"method":"switch","params":{"on":true}}', {
      qos: 1,
    });
    expect(await answer).toEqual(['moorage/devices/lamp/rpc/response/77', '{"result":{"done":"switch","on":true}}']);
    const offline = new Promise<[string, string]>((resolve) => {
      backend.once('message', (topic, payload) => resolve([topic, payload.toString()]));
    });
    await lamp.endAsync();
    await backend.publishAsync('moorage/devices/nosuch/rpc/request/78', '{"method":"switch"}', { qos: 1 });
    const [topic, text] = await offline;
    expect(topic).toBe('moorage/devices/nosuch/rpc/response/78');
    expect(JSON.parse(text).error.code).toBe('notFound');
    await backend.endAsync();
  });
});

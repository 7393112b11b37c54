import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PacketType, ReasonCode } from '@moorage/mqtt-codec';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';
import { run } from '../harness/real-clients.ts';

const MQTT_JS = fileURLToPath(new URL('../../node_modules/.bin/mqtt', import.meta.url));
const TELEMETRY = 'v1/devices/me/telemetry';
const OBJECT_FILE = `{
  "stringKey": "value1",
  "booleanKey": true,
  "doubleKey": 42.0,
  "longKey": 73,
  "jsonKey": {
    "someNumber": 42,
    "someArray": [1,2,3],
    "someNestedObject": {"key": "value"}
  }
}
`;

const server = new MoorageProcess();
const api = new ApiClient(server);
const files = mkdtempSync(join(tmpdir(), 'moorage-files-'));
let number = 0;

/** A new device with its token; tokens are unique in this file. */
async function device(): Promise<{ id: string; token: string }> {
  number++;
  const token = `TOKEN${String(number).padStart(15, '0')}`;
  return { id: await api.createDevice(`device ${number}`, token), token };
}

function publish(token: string, topic: string, ...message: readonly string[]) {
  return run('mosquitto_pub', [
    '-h',
    '127.0.0.1',
    '-p',
    String(server.mqttPort),
    '-u',
    token,
    '-q',
    '1',
    '-t',
    topic,
    ...message,
  ]);
}

async function rawDevice(level: 3 | 4 | 5, token: string, clientId = 'raw'): Promise<RawClient> {
  const client = await RawClient.open(server.mqttPort, level);
  expect(await client.connect({ username: token, clientId })).toBe(0);
  return client;
}

beforeAll(async () => {
  await server.start();
  expect((await api.login()).status).toBe(200);
});

afterAll(async () => {
  await server.dispose();
  rmSync(files, { recursive: true, force: true });
});

describe('a ThingsBoard device, spoken by mosquitto_pub', () => {
  it('TB-24 the object of the vendor example is stored with five types at server time', async () => {
    const { id, token } = await device();
    const file = join(files, 'object.json');
    writeFileSync(file, OBJECT_FILE);
    const before = Date.now();
    expect((await publish(token, TELEMETRY, '-f', file)).code).toBe(0);
    const latest = await api.latest(id);
    expect(latest.stringKey?.[0]?.value).toBe('value1');
    expect(latest.booleanKey?.[0]?.value).toBe(true);
    expect(latest.doubleKey?.[0]?.value).toBe(42);
    expect(latest.longKey?.[0]?.value).toBe(73);
    expect(latest.jsonKey?.[0]?.value).toEqual({
      someNumber: 42,
      someArray: [1, 2, 3],
      someNestedObject: { key: 'value' },
    });
    const ts = latest.longKey?.[0]?.ts ?? 0;
    expect(ts).toBeGreaterThanOrEqual(before);
    expect(ts).toBeLessThanOrEqual(Date.now());
    const text = await api.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=doubleKey,longKey`);
    expect(text.body.doubleKey[0].value).toBe('42.0');
    expect(text.body.longKey[0].value).toBe('73');
  });

  it('TB-25 an object with ts and values is stored at that time', async () => {
    const { id, token } = await device();
    const file = join(files, 'with-ts.json');
    writeFileSync(file, '{"ts": 1451649600512, "values": {"key1": "value1", "key2": true}}\n');
    expect((await publish(token, TELEMETRY, '-f', file)).code).toBe(0);
    const latest = await api.latest(id);
    expect(latest.key1).toEqual([{ ts: 1451649600512, value: 'value1' }]);
    expect(latest.key2).toEqual([{ ts: 1451649600512, value: true }]);
  });

  it('TB-26 an array mixing both forms stores every element', async () => {
    const { id, token } = await device();
    const file = join(files, 'array.json');
    writeFileSync(file, '[{"key1":"value1"}, {"key2":true}, {"ts":1451649600512,"values":{"key3":3}}]\n');
    expect((await publish(token, TELEMETRY, '-f', file)).code).toBe(0);
    const latest = await api.latest(id);
    expect(latest.key1?.[0]?.value).toBe('value1');
    expect(latest.key2?.[0]?.value).toBe(true);
    expect(latest.key3).toEqual([{ ts: 1451649600512, value: 3 }]);
  });

  it('TB-27 {temperature:25}, as a shell leaves it, is accepted', async () => {
    const { id, token } = await device();
    expect((await publish(token, TELEMETRY, '-m', '{temperature:25}')).code).toBe(0);
    expect((await api.latest(id)).temperature?.[0]?.value).toBe(25);
  });

  it('TB-34 the topics v2/t and v2/t/j behave like the long one', async () => {
    const { id, token } = await device();
    expect((await publish(token, 'v2/t', '-m', '{"a":1}')).code).toBe(0);
    expect((await publish(token, 'v2/t/j', '-m', '{"b":2}')).code).toBe(0);
    const latest = await api.latest(id);
    expect([latest.a?.[0]?.value, latest.b?.[0]?.value]).toEqual([1, 2]);
  });

  it('TB-36 published attributes are CLIENT attributes', async () => {
    const { id, token } = await device();
    expect((await publish(token, 'v1/devices/me/attributes', '-m', '{"model":"x","n":1}')).code).toBe(0);
    const answer = await api.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/attributes/CLIENT_SCOPE`);
    const values = Object.fromEntries(
      answer.body.map((entry: { key: string; value: unknown }) => [entry.key, entry.value]),
    );
    expect(values).toEqual({ model: 'x', n: 1 });
  });

  it('TB-1 a token with an empty client id, as mosquitto_pub sends without -i, works on 3.1.1 and 5.0', async () => {
    for (const version of ['mqttv311', 'mqttv5']) {
      const { id, token } = await device();
      expect((await publish(token, TELEMETRY, '-V', version, '-m', '{"v":1}')).code, version).toBe(0);
      expect((await api.latest(id)).v?.[0]?.value).toBe(1);
    }
  });

  it('TB-2 an arbitrary password beside the token is accepted', async () => {
    const { id, token } = await device();
    expect((await publish(token, TELEMETRY, '-P', 'anything', '-m', '{"v":1}')).code).toBe(0);
    expect((await api.latest(id)).v?.[0]?.value).toBe(1);
  });

  it('TB-3 an unknown token is refused: mosquitto_pub says not authorised', async () => {
    const result = await publish('NOSUCHTOKEN0000000000', TELEMETRY, '-m', '{"v":1}');
    expect(result.code).toBe(5);
    expect(result.stderr).toMatch(/not authori[sz]ed/i);
  });
});

describe('MQTT basic credentials', () => {
  const save = (value: object) =>
    api.call('POST', '/api/device-with-credentials', {
      device: { name: `basic ${++number}` },
      credentials: { credentialsType: 'MQTT_BASIC', credentialsValue: JSON.stringify(value) },
    });
  const code = async (clientId: string, username: string | null, password: string | null) => {
    const client = await RawClient.open(server.mqttPort, 4);
    const answer = await client.connect({
      clientId,
      username,
      password: password === null ? null : Buffer.from(password),
    });
    client.close();
    return answer;
  };

  it('TB-5, TB-6 each of the five combinations authenticates; a wrong password does not', async () => {
    for (const value of [
      { userName: 'basic a' },
      { userName: 'basic b', password: 'secret' },
      { clientId: 'basic c' },
      { clientId: 'basic d', userName: 'basic d' },
      { clientId: 'basic e', userName: 'basic e', password: 'secret' },
    ]) {
      const saved = await save(value);
      expect(saved.status, saved.text).toBe(200);
    }
    expect(await code('any', 'basic a', null)).toBe(0);
    expect(await code('any', 'basic b', 'secret')).toBe(0);
    expect(await code('basic c', null, null)).toBe(0);
    expect(await code('basic d', 'basic d', null)).toBe(0);
    expect(await code('basic e', 'basic e', 'secret')).toBe(0);
    expect(await code('any', 'basic b', 'wrong')).toBe(5);
    expect(await code('basic e', 'basic e', 'wrong')).toBe(5);
    expect(await code('other', 'basic d', null)).toBe(5);
  });

  it('TB-7 a client id with a password and no user name cannot be saved', async () => {
    expect(await save({ clientId: 'basic f', password: 'secret' })).toMatchObject({
      status: 400,
      body: { errorCode: 31, message: 'Password cannot be specified along with client id' },
    });
    expect((await save({})).status).toBe(400);
  });
});

describe('a ThingsBoard device, byte by byte', () => {
  it('TB-3 an unknown token gets 5 on 3.1.1 and 0x86 on 5.0, then the connection closes', async () => {
    for (const [level, code] of [
      [4, 5],
      [5, 0x86],
    ] as const) {
      const client = await RawClient.open(server.mqttPort, level);
      expect(await client.connect({ username: 'NOSUCHTOKEN0000000000' })).toBe(code);
      await client.untilClosed();
    }
  });

  it('TB-4 no user name, no password and an unknown client id: 2 on 3.1.1, 0x85 on 5.0', async () => {
    for (const [level, code] of [
      [4, 2],
      [5, 0x85],
    ] as const) {
      const client = await RawClient.open(server.mqttPort, level);
      expect(await client.connect({ clientId: 'nobody' })).toBe(code);
      await client.untilClosed();
    }
  });

  it('TB-12 a second connection with the same credentials closes the first, 5.0 with 0x8E', async () => {
    const { token } = await device();
    const first = await rawDevice(5, token, 'one');
    const second = await rawDevice(5, token, 'two');
    expect((await first.next(PacketType.Disconnect))?.reasonCode).toBe(ReasonCode.SessionTakenOver);
    await first.untilClosed();
    second.close();
  });

  it('TB-13 changing the credentials or deleting the device closes its connection, 5.0 with 0x98', async () => {
    const changed = await device();
    const first = await rawDevice(5, changed.token);
    const credentials = (await api.call('GET', `/api/device/${changed.id}/credentials`)).body;
    expect(
      (await api.call('POST', '/api/device/credentials', { ...credentials, credentialsId: 'A1B2C3D4E5F6G7H8I9J0' }))
        .status,
    ).toBe(200);
    expect((await first.next(PacketType.Disconnect))?.reasonCode).toBe(ReasonCode.AdministrativeAction);
    await first.untilClosed();

    const deleted = await device();
    const second = await rawDevice(4, deleted.token);
    expect((await api.call('DELETE', `/api/device/${deleted.id}`)).status).toBe(200);
    await second.untilClosed();
    const again = await RawClient.open(server.mqttPort, 4);
    expect(await again.connect({ username: deleted.token })).toBe(5);
  });

  it('TB-14 SUBSCRIBE in the same segment as CONNECT is answered after CONNACK', async () => {
    const { token } = await device();
    const client = await RawClient.open(server.mqttPort, 4);
    client.write(client.connectPacket({ username: token }), {
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        {
          topicFilter: 'v1/devices/me/attributes',
          options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        },
      ],
      properties: null,
    });
    const suback = await client.next(PacketType.Suback);
    expect(suback?.reasonCodes).toEqual([1]);
    expect(client.packets.map((packet) => packet.type)).toEqual([PacketType.Connack]);
    client.close();
  });

  it('TB-17 UNSUBSCRIBE of a filter never subscribed: UNSUBACK, 5.0 with 0x11, and the connection stays', async () => {
    for (const level of [4, 5] as const) {
      const { token } = await device();
      const client = await rawDevice(level, token);
      client.write({
        type: PacketType.Unsubscribe,
        packetIdentifier: 7,
        topicFilters: ['v1/devices/me/attributes'],
        properties: level === 5 ? {} : null,
      });
      const unsuback = await client.next(PacketType.Unsuback);
      expect(unsuback?.packetIdentifier).toBe(7);
      expect(unsuback?.reasonCodes).toEqual(level === 5 ? [0x11] : []);
      client.write({ type: PacketType.Pingreq });
      expect(await client.next(PacketType.Pingresp)).toBeDefined();
      client.close();
    }
  });

  it('TB-18 PUBLISH to an unknown topic is acknowledged, 5.0 with 0x90, and the connection stays', async () => {
    for (const [level, code] of [
      [4, 0],
      [5, 0x90],
    ] as const) {
      const { token } = await device();
      const client = await rawDevice(level, token);
      client.write(client.publishPacket('some/topic', '{}', 1, 3));
      expect((await client.next(PacketType.Puback))?.reasonCode).toBe(code);
      client.write({ type: PacketType.Pingreq });
      expect(await client.next(PacketType.Pingresp)).toBeDefined();
      client.close();
    }
  });

  it('TB-19 malformed JSON: 5.0 gets 0x99 and stays open, 3.1.1 is closed without PUBACK', async () => {
    const five = await device();
    const modern = await rawDevice(5, five.token);
    modern.write(modern.publishPacket(TELEMETRY, '{"a":', 1, 1));
    expect((await modern.next(PacketType.Puback))?.reasonCode).toBe(ReasonCode.PayloadFormatInvalid);
    modern.write(modern.publishPacket(TELEMETRY, '{"a":1}', 1, 2));
    expect((await modern.next(PacketType.Puback))?.reasonCode).toBe(0);
    modern.write(modern.publishPacket(TELEMETRY, '{"a":', 0));
    expect((await modern.next(PacketType.Disconnect))?.reasonCode).toBe(ReasonCode.PayloadFormatInvalid);

    const four = await device();
    const older = await rawDevice(4, four.token);
    older.write(older.publishPacket(TELEMETRY, '{"a":', 1, 1));
    expect(await older.next(PacketType.Puback)).toBeUndefined();
    expect(await api.latest(four.id)).toEqual({});
  });

  it('TB-19 with the option of the profile on, 3.1.1 gets a PUBACK and stays open', async () => {
    const profile = await api.call('POST', '/api/deviceProfile', {
      name: 'lenient',
      type: 'DEFAULT',
      transportType: 'MQTT',
      profileData: {
        configuration: { type: 'DEFAULT' },
        transportConfiguration: { type: 'MQTT', sendAckOnValidationException: true },
      },
    });
    expect(profile.status).toBe(200);
    const created = await api.call('POST', '/api/device?accessToken=LENIENTTOKEN00000001', {
      name: 'lenient device',
      type: 'lenient',
    });
    expect(created.status).toBe(200);
    const client = await rawDevice(4, 'LENIENTTOKEN00000001');
    client.write(client.publishPacket(TELEMETRY, '{"a":', 1, 9));
    expect((await client.next(PacketType.Puback))?.packetIdentifier).toBe(9);
    client.write({ type: PacketType.Pingreq });
    expect(await client.next(PacketType.Pingresp)).toBeDefined();
    client.close();
  });

  it('TB-20 a payload above 65,536 bytes closes the connection, 5.0 with 0x81; one of exactly that size is taken', async () => {
    const { id, token } = await device();
    const client = await rawDevice(5, token);
    const text = 'x'.repeat(65_536 - '{"s":""}'.length);
    client.write(client.publishPacket(TELEMETRY, `{"s":"${text}"}`, 1, 1));
    expect((await client.next(PacketType.Puback))?.reasonCode).toBe(0);
    expect((await api.latest(id, 's')).s?.[0]?.value).toBe(text);
    client.write(client.publishPacket(TELEMETRY, `{"s":"${text}y"}`, 1, 2));
    expect((await client.next(PacketType.Disconnect))?.reasonCode).toBe(ReasonCode.MalformedPacket);
    await client.untilClosed();
  });

  it('TB-21 a device never receives its own or another device publishes', async () => {
    const one = await device();
    const two = await device();
    const listener = await rawDevice(4, one.token);
    listener.write({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: ['#', '+/devices/#', 'v1/devices/me/telemetry', 'v1/devices/me/attributes'].map((topicFilter) => ({
        topicFilter,
        options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      })),
      properties: null,
    });
    expect((await listener.next(PacketType.Suback))?.reasonCodes).toEqual([0x80, 0x80, 0x80, 1]);
    listener.write(listener.publishPacket(TELEMETRY, '{"a":1}', 1, 2));
    await listener.next(PacketType.Puback);
    expect((await publish(two.token, TELEMETRY, '-m', '{"a":2}')).code).toBe(0);
    listener.write({ type: PacketType.Pingreq });
    await listener.next(PacketType.Pingresp);
    expect(listener.packets).toEqual([]);
    listener.close();
  });

  it('TB-28 to TB-33 nulls, casts, empty and wrong shapes', async () => {
    const { id, token } = await device();
    const client = await rawDevice(5, token);
    let identifier = 0;
    const send = async (payload: string) => {
      client.write(client.publishPacket(TELEMETRY, payload, 1, ++identifier));
      return (await client.next(PacketType.Puback))?.reasonCode;
    };
    for (const wrong of ['[1]', '"x"', 'null', '', '{"ts":1,"values":[]}']) {
      expect(await send(wrong), wrong).toBe(ReasonCode.PayloadFormatInvalid);
    }
    for (const empty of ['{}', '[]']) expect(await send(empty), empty).toBe(0);
    expect(await api.latest(id)).toEqual({});
    expect(
      await send('{"a":null,"b":1,"c":"25","d":"25.0","e":"0123","f":"1e5","g":"","h":1e5,"i":9223372036854775808}'),
    ).toBe(0);
    expect(await send('{"ts":5}')).toBe(0);
    const latest = await api.latest(id);
    const values = Object.fromEntries(Object.entries(latest).map(([key, points]) => [key, points[0]?.value]));
    expect(values).toEqual({ b: 1, c: 25, d: 25, e: 123, f: '1e5', g: '', h: 100000, i: '9223372036854775808', ts: 5 });
    const text = await api.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=d`);
    expect(text.body.d[0].value).toBe('25.0');
    client.close();
  });

  it('a QoS 2 PUBLISH is stored once and answered PUBREC, PUBCOMP (section 1.1, choice)', async () => {
    const { id, token } = await device();
    const client = await rawDevice(4, token);
    for (let repetition = 0; repetition < 3; repetition++) {
      client.write(client.publishPacket(TELEMETRY, '{"ts":1000,"values":{"a":1}}', 2, 5));
      expect((await client.next(PacketType.Pubrec))?.packetIdentifier).toBe(5);
    }
    client.write({ type: PacketType.Pubrel, packetIdentifier: 5, reasonCode: 0, properties: null });
    expect((await client.next(PacketType.Pubcomp))?.packetIdentifier).toBe(5);
    expect((await api.latest(id)).a).toEqual([{ ts: 1000, value: 1 }]);
    client.close();
  });
});

describe('the command line of MQTT.js', () => {
  it('TB-24 publishes a file from standard input, and prints an attribute update', async () => {
    const { id, token } = await device();
    const where = ['-h', '127.0.0.1', '-p', String(server.mqttPort), '-u', token];
    const result = await run(MQTT_JS, ['pub', '-v', ...where, '-t', TELEMETRY, '-s'], { input: OBJECT_FILE });
    expect(result.code, result.stderr).toBe(0);
    while ((await api.latest(id)).longKey?.[0]?.value !== 73) await new Promise((resolve) => setTimeout(resolve, 20));
    const subscriber = spawn(MQTT_JS, ['sub', '-v', ...where, '-t', 'v1/devices/me/attributes'], { stdio: 'pipe' });
    let output = '';
    subscriber.stdout.on('data', (chunk) => {
      output += chunk;
    });
    // It says nothing when it has subscribed, so the attribute is written until it is heard.
    while (!output.includes('{"targetTemperature":21.5}')) {
      await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/SHARED_SCOPE`, {
        targetTemperature: 21.5,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    subscriber.kill();
  });
});

describe('device state', () => {
  it('TB-22 a new device is inactive, a heard one active, also after a restart', async () => {
    const { id, token } = await device();
    const state = async () => (await api.call('GET', `/api/device/info/${id}`)).body.active;
    expect(await state()).toBe(false);
    const client = await rawDevice(4, token);
    expect(await state()).toBe(true);
    client.close();
    expect(await server.stop()).toBe(0);
    await server.start();
    await api.login();
    while (!(await state())) await new Promise((resolve) => setTimeout(resolve, 20));
    const attributes = await api.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE?keys=active,lastConnectTime,lastDisconnectTime`,
    );
    const values = Object.fromEntries(
      attributes.body.map((entry: { key: string; value: unknown }) => [entry.key, entry.value]),
    );
    expect(values).toMatchObject({ active: true });
    expect(values.lastDisconnectTime).toBeGreaterThanOrEqual(values.lastConnectTime as number);
  });
});

describe('a ThingsBoard device, spoken by MQTT.js', () => {
  for (const protocolVersion of [4, 5] as const) {
    it(`publishes telemetry with QoS 1 on protocol version ${protocolVersion}`, async () => {
      const { id, token } = await device();
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, {
        username: token,
        protocolVersion,
        clientId: '',
      });
      for (let index = 0; index < 100; index++) await client.publishAsync(TELEMETRY, `{"index":${index}}`, { qos: 1 });
      await client.endAsync();
      expect((await api.latest(id)).index?.[0]?.value).toBe(99);
    });
  }
});

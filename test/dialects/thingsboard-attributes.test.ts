import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const ATTRIBUTES = 'v1/devices/me/attributes';
const server = new MoorageProcess();
const api = new ApiClient(server);
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
});
afterAll(() => server.dispose());

async function newDevice(): Promise<{ id: string; token: string }> {
  number++;
  const token = `ATTRTOKEN${String(number).padStart(11, '0')}`;
  return { id: await api.createDevice(`attributes ${number}`, token), token };
}

async function write(id: string, scope: 'SHARED' | 'SERVER', values: unknown): Promise<void> {
  const answer = await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/${scope}_SCOPE`, values);
  expect(answer.status, answer.text).toBe(200);
}

/** A connected device with two client attributes, two shared ones and one of the server. */
async function filled(level: 4 | 5 = 4): Promise<{ id: string; device: ThingsboardDevice }> {
  const { id, token } = await newDevice();
  const device = await ThingsboardDevice.connect(server, token, level);
  await device.publish(ATTRIBUTES, { model: 'x', nested: { a: [1] } });
  await write(id, 'SHARED', { interval: 10, on: true });
  await write(id, 'SERVER', { secret: 1 });
  return { id, device };
}

describe('attribute requests', () => {
  it('TB-37, TB-42 {} returns all client and shared attributes and none of the server', async () => {
    const { device } = await filled();
    await device.publish(`${ATTRIBUTES}/request/1`, {});
    const { text } = await device.message(`${ATTRIBUTES}/response/1`);
    expect(JSON.parse(text)).toEqual({
      client: { model: 'x', nested: { a: [1] } },
      shared: { interval: 10, on: true },
    });
    expect(text.startsWith('{"client":')).toBe(true);
    device.close();
  });

  it('TB-38, TB-39, TB-40 key lists: one scope, unknown keys, a trailing comma, nothing found', async () => {
    const { device } = await filled(5);
    const ask = async (id: number, body: unknown) => {
      expect(await device.publish(`${ATTRIBUTES}/request/${id}`, body)).toBe(0);
      return (await device.message(`${ATTRIBUTES}/response/${id}`)).body;
    };
    expect(await ask(1, { sharedKeys: 'interval' })).toEqual({ shared: { interval: 10 } });
    expect(await ask(2, { clientKeys: 'model,unknown', sharedKeys: 'on,' })).toEqual({
      client: { model: 'x' },
      shared: { on: true },
    });
    expect(await ask(3, { sharedKeys: 'unknown' })).toEqual({});
    expect(await ask(3, { clientKeys: ['model', 'nested'] })).toEqual({ client: { model: 'x', nested: { a: [1] } } });
    expect(await ask(4, { sharedKeys: 'secret' })).toEqual({});
    for (const wrong of ['', '[]', '7']) expect(await device.publish(`${ATTRIBUTES}/request/5`, wrong)).toBe(0x99);
    expect(await device.publish(`${ATTRIBUTES}/request/x`, {})).toBe(0x99);
    device.close();
  });

  it('TB-41, TB-45 the answer comes without a subscription, in the form of the request, at QoS 1', async () => {
    const { device } = await filled();
    device.send('v2/a/req/7', { sharedKeys: 'interval' });
    expect(await device.message()).toMatchObject({
      topicName: 'v2/a/res/7',
      qos: 1,
      body: { shared: { interval: 10 } },
    });
    device.send('v2/a/req/j/8', { clientKeys: 'model' });
    expect(await device.message()).toMatchObject({ topicName: 'v2/a/res/j/8', body: { client: { model: 'x' } } });
    expect(await device.subscribe(0, `${ATTRIBUTES}/response/+`)).toEqual([0]);
    device.send(`${ATTRIBUTES}/request/9`, { clientKeys: 'model' });
    expect(await device.message()).toMatchObject({ topicName: `${ATTRIBUTES}/response/9`, qos: 0 });
    device.close();
  });

  it('TB-37 the MQTT.js example: subscribe and, without waiting, request; the first message is the answer', async () => {
    const { id, token } = await newDevice();
    const setup = await ThingsboardDevice.connect(server, token);
    await setup.publish(ATTRIBUTES, { attribute1: 'value1', attribute2: true });
    setup.close();
    await write(id, 'SHARED', { shared1: 1, shared2: 2.5 });
    const client = mqtt.connect(`mqtt://127.0.0.1:${server.mqttPort}`, { username: token });
    const answer = await new Promise<{ topic: string; text: string }>((resolve) => {
      client.on('connect', () => {
        client.subscribe(`${ATTRIBUTES}/response/+`);
        client.publish(
          `${ATTRIBUTES}/request/1`,
          '{"clientKeys":"attribute1,attribute2", "sharedKeys":"shared1,shared2"}',
        );
      });
      client.on('message', (topic, payload) => resolve({ topic, text: payload.toString() }));
    });
    await client.endAsync();
    expect(answer.topic).toBe(`${ATTRIBUTES}/response/1`);
    expect(JSON.parse(answer.text)).toEqual({
      client: { attribute1: 'value1', attribute2: true },
      shared: { shared1: 1, shared2: 2.5 },
    });
  });
});

describe('shared attribute updates', () => {
  it('TB-43, TB-44, TB-46 exactly the written keys while subscribed, deletes by name, QoS as subscribed', async () => {
    const { id, token } = await newDevice();
    const device = await ThingsboardDevice.connect(server, token);
    expect(await device.subscribe(0, ATTRIBUTES)).toEqual([0]);
    await write(id, 'SHARED', { a: 1, b: { c: [true] } });
    expect(await device.message()).toMatchObject({ topicName: ATTRIBUTES, qos: 0, body: { a: 1, b: { c: [true] } } });
    await write(id, 'SHARED', { a: 1 });
    expect((await device.message()).body).toEqual({ a: 1 });
    await write(id, 'SERVER', { hidden: 1 });
    const erased = await api.call('DELETE', `/api/plugins/telemetry/DEVICE/${id}/SHARED_SCOPE?keys=a,b`);
    expect(erased.status).toBe(200);
    expect((await device.message()).body).toEqual({ deleted: ['a', 'b'] });
    expect(await device.subscribe(1, ATTRIBUTES)).toEqual([1]);
    await write(id, 'SHARED', { a: 2 });
    expect(await device.message()).toMatchObject({ qos: 1, body: { a: 2 } });
    await device.unsubscribe(ATTRIBUTES);
    await write(id, 'SHARED', { a: 3 });
    expect(await device.quiet()).toEqual([]);
    device.close();
  });

  it('TB-45 subscribing to v2/a/j moves the pushes there', async () => {
    const { id, token } = await newDevice();
    const device = await ThingsboardDevice.connect(server, token);
    await device.subscribe(1, ATTRIBUTES);
    await device.subscribe(1, 'v2/a/j');
    await write(id, 'SHARED', { a: 1 });
    expect(await device.message()).toMatchObject({ topicName: 'v2/a/j', body: { a: 1 } });
    expect(await device.quiet()).toEqual([]);
    device.close();
  });

  it('TB-43 mosquitto_sub prints each update', async () => {
    const { id, token } = await newDevice();
    const subscriber = new MosquittoSub([
      ...['-h', '127.0.0.1', '-p', String(server.mqttPort), '-u', token],
      ...['-t', ATTRIBUTES, '-q', '1'],
    ]);
    await subscriber.subscribed();
    await write(id, 'SHARED', { targetTemperature: 21.5 });
    expect(JSON.parse(await subscriber.line())).toEqual({ targetTemperature: 21.5 });
    subscriber.stop();
  });
});

describe('smart reporting', () => {
  it('the limits of the profile reach every device as moorage_reporting, at once and after a change (section 3.4)', async () => {
    const limits = { temperature: { min: 10, max: 30, delta: 0.5, fastMs: 1_000, slowMs: 600_000 } };
    const profile = {
      name: 'reporting',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      profileData: {
        configuration: { type: 'DEFAULT' },
        transportConfiguration: { type: 'DEFAULT' },
        moorage: { reporting: limits },
      },
    };
    const saved = await api.call('POST', '/api/deviceProfile', profile);
    expect(saved.status, saved.text).toBe(200);
    const created = await api.call('POST', '/api/device?accessToken=REPORTINGTOKEN000001', {
      name: 'reporting device',
      type: 'reporting',
    });
    expect(created.status, created.text).toBe(200);
    const device = await ThingsboardDevice.connect(server, 'REPORTINGTOKEN000001');
    await device.subscribe(1, ATTRIBUTES);
    const ask = async () => {
      await device.publish(`${ATTRIBUTES}/request/1`, { sharedKeys: 'moorage_reporting' });
      return (await device.message(`${ATTRIBUTES}/response/1`)).body.shared?.moorage_reporting;
    };
    while ((await ask()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await ask()).toEqual(limits);
    // A push from the creation may still come first.
    const changed = { temperature: { delta: 2 } };
    const again = await api.call('POST', '/api/deviceProfile', {
      ...saved.body,
      profileData: { ...saved.body.profileData, moorage: { reporting: changed } },
    });
    expect(again.status, again.text).toBe(200);
    let push = await device.message(ATTRIBUTES);
    while (push.body.moorage_reporting?.temperature?.delta !== 2) push = await device.message(ATTRIBUTES);
    expect(push.body).toEqual({ moorage_reporting: changed });
    const wrong = await api.call('POST', '/api/deviceProfile', {
      ...saved.body,
      name: 'reporting wrong',
      id: undefined,
      profileData: { ...saved.body.profileData, moorage: { reporting: { temperature: { min: 'x' } } } },
    });
    expect(wrong.status).toBe(400);
    expect(wrong.body.message).toMatch(/min/);
    device.close();
  });
});

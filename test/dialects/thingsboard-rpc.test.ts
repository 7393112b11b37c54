import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const REQUEST = 'v1/devices/me/rpc/request/';
const RESPONSE = 'v1/devices/me/rpc/response/';
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
  const token = `RPCTOKEN${String(number).padStart(12, '0')}`;
  return { id: await api.createDevice(`rpc ${number}`, token), token };
}

async function listening(): Promise<{ id: string; token: string; device: ThingsboardDevice }> {
  const { id, token } = await newDevice();
  const device = await ThingsboardDevice.connect(server, token);
  expect(await device.subscribe(1, `${REQUEST}+`)).toEqual([1]);
  return { id, token, device };
}

const twoWay = (id: string, body: object) => api.call('POST', `/api/rpc/twoway/${id}`, body);
const oneWay = (id: string, body: object) => api.call('POST', `/api/rpc/oneway/${id}`, body);

/** Waits until a persistent RPC has one of the states. */
async function status(rpcId: string, ...wanted: readonly string[]): Promise<string> {
  for (;;) {
    const { body } = await api.call('GET', `/api/rpc/persistent/${rpcId}`);
    if (wanted.includes(body.status)) return body.status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('server-side RPC', () => {
  it('TB-47, TB-59 a two-way call brings method and params and takes the answer back, whatever JSON they are', async () => {
    const { id, device } = await listening();
    for (const [index, params] of [null, 7, 'text', [1, { a: null }], { on: true }].entries()) {
      const answer = twoWay(id, { method: 'set', params });
      const request = await device.message();
      expect(request).toMatchObject({ topicName: `${REQUEST}${index}`, body: { method: 'set', params } });
      await device.publish(`${RESPONSE}${index}`, { done: params });
      expect(await answer).toMatchObject({ status: 200, body: { done: params } });
    }
    device.close();
  });

  it('TB-48 a one-way call is done when it is sent', async () => {
    const { id, device } = await listening();
    expect(await oneWay(id, { method: 'blink' })).toMatchObject({ status: 200, text: '' });
    expect((await device.message()).body).toEqual({ method: 'blink', params: null });
    device.close();
  });

  it('TB-49, TB-51 without a subscription 504 on the new path and 409 on the old one, after 5 s at least', async () => {
    const { id } = await newDevice();
    const begin = performance.now();
    const [fresh, old] = await Promise.all([
      twoWay(id, { method: 'm', timeout: 1 }),
      api.call('POST', `/api/plugins/rpc/twoway/${id}`, { method: 'm', timeout: 1 }),
    ]);
    expect(performance.now() - begin).toBeGreaterThan(4_900);
    expect([fresh.status, old.status]).toEqual([504, 409]);
  });

  it('TB-49 without an answer 504 on the new path and 408 on the old one', async () => {
    const { id, device } = await listening();
    const answers = await Promise.all([
      twoWay(id, { method: 'm', timeout: 5_000 }),
      api.call('POST', `/api/plugins/rpc/twoway/${id}`, { method: 'm', timeout: 5_000 }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([504, 408]);
    device.close();
  });

  it('TB-50 a device that subscribes in time gets what waits for it, the oldest first', async () => {
    const { id, token } = await newDevice();
    const calls = [twoWay(id, { method: 'first' }), twoWay(id, { method: 'second' })];
    const device = await ThingsboardDevice.connect(server, token);
    await device.subscribe(1, 'v2/r/req/+');
    for (const method of ['first', 'second']) {
      const request = await device.message();
      expect(request.body.method).toBe(method);
      await device.publish(request.topicName.replace('/req/', '/res/'), { answered: method });
    }
    expect((await Promise.all(calls)).map((answer) => answer.body)).toEqual([
      { answered: 'first' },
      { answered: 'second' },
    ]);
    device.close();
  });

  it('TB-51 an expirationTime in the past is never sent', async () => {
    const { id, device } = await listening();
    expect((await twoWay(id, { method: 'm', expirationTime: Date.now() - 1, timeout: 60_000 })).status).toBe(504);
    expect(await device.quiet()).toEqual([]);
    device.close();
  });

  it('TB-52 a late or unknown id is acknowledged and ignored; an answer that is not JSON gives 406', async () => {
    const { id, device } = await listening();
    expect(await device.publish(`${RESPONSE}99`, { a: 1 })).toBe(0);
    const call = twoWay(id, { method: 'm' });
    const request = await device.message();
    await device.publish(request.topicName.replace('request', 'response'), 'not json');
    expect((await call).status).toBe(406);
    expect(await device.publish(request.topicName.replace('request', 'response'), { late: 1 })).toBe(0);
    device.close();
  });

  it('TB-47 the MQTT.js example answers each request with its own body', async () => {
    const { id, token } = await newDevice();
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, { username: token });
    client.on('message', (topic, message) => client.publish(topic.replace('request', 'response'), message));
    await client.subscribeAsync(`${REQUEST}+`);
    const answer = await twoWay(id, { method: 'getValue', params: { a: 1 } });
    expect(answer).toMatchObject({ status: 200, body: { method: 'getValue', params: { a: 1 } } });
    await client.endAsync();
  });
});

describe('persistent RPC', () => {
  it('TB-53 goes QUEUED, SENT, DELIVERED, SUCCESSFUL', async () => {
    const { id, token } = await newDevice();
    const { body } = await twoWay(id, { method: 'm', params: { a: 1 }, persistent: true, timeout: 60_000 });
    expect(await status(body.rpcId, 'QUEUED')).toBe('QUEUED');
    const device = await ThingsboardDevice.connect(server, token);
    device.acknowledges = false;
    await device.subscribe(1, `${REQUEST}+`);
    await status(body.rpcId, 'SENT');
    const request = await device.message();
    device.acknowledge(1);
    await status(body.rpcId, 'DELIVERED');
    await device.publish(request.topicName.replace('request', 'response'), { ok: true });
    await status(body.rpcId, 'SUCCESSFUL');
    const record = (await api.call('GET', `/api/rpc/persistent/${body.rpcId}`)).body;
    expect(record).toMatchObject({ response: { ok: true }, request: { body: { method: 'm' }, oneway: false } });
    device.close();
  });

  it('TB-54, TB-56 is delivered to an offline device after a restart; one-way ends DELIVERED', async () => {
    const { id, token } = await newDevice();
    const first = (await twoWay(id, { method: 'one', persistent: true, timeout: 600_000 })).body.rpcId;
    const second = (await oneWay(id, { method: 'two', persistent: true, timeout: 600_000 })).body.rpcId;
    await server.kill();
    await server.start();
    await api.login();
    expect(await status(first, 'QUEUED')).toBe('QUEUED');
    const device = await ThingsboardDevice.connect(server, token);
    await device.subscribe(1, `${REQUEST}+`);
    const request = await device.message();
    expect(request.body.method).toBe('one');
    expect((await device.message()).body.method).toBe('two');
    await device.publish(request.topicName.replace('request', 'response'), 1);
    expect(await status(first, 'SUCCESSFUL')).toBe('SUCCESSFUL');
    expect(await status(second, 'DELIVERED')).toBe('DELIVERED');
    device.close();
  });

  it('TB-55 past its expirationTime it is EXPIRED', async () => {
    const { id } = await newDevice();
    const past = await twoWay(id, { method: 'm', persistent: true, expirationTime: Date.now() - 1 });
    expect(await status(past.body.rpcId, 'EXPIRED')).toBe('EXPIRED');
  });

  it('TB-58 one that was deleted is not delivered', async () => {
    const { id, token } = await newDevice();
    const { body } = await twoWay(id, { method: 'm', persistent: true, timeout: 60_000 });
    const listed = await api.call('GET', `/api/rpc/persistent/device/${id}?pageSize=10&page=0&rpcStatus=QUEUED`);
    expect(listed.body.data.map((record: { id: { id: string } }) => record.id.id)).toEqual([body.rpcId]);
    expect((await api.call('DELETE', `/api/rpc/persistent/${body.rpcId}`)).status).toBe(200);
    const device = await ThingsboardDevice.connect(server, token);
    await device.subscribe(1, `${REQUEST}+`);
    expect(await device.quiet()).toEqual([]);
    device.close();
  });
});

describe('client-side RPC', () => {
  it('TB-60 getTime is answered; a method nobody handles is answered with an error at once', async () => {
    const { token } = await newDevice();
    const device = await ThingsboardDevice.connect(server, token);
    const before = Date.now();
    device.send(`${REQUEST}1`, { method: 'getTime', params: {} });
    const time = await device.message(`${RESPONSE}1`);
    expect(Number(time.text)).toBeGreaterThanOrEqual(before);
    device.send('v2/r/req/2', { method: 'nobodyKnows' });
    expect((await device.message('v2/r/res/2')).body).toHaveProperty('error');
    device.close();
  });

  it('TB-60 the MQTT.js example asks for the time and prints the answer', async () => {
    const { token } = await newDevice();
    const client = mqtt.connect(`mqtt://127.0.0.1:${server.mqttPort}`, { username: token });
    const answer = await new Promise<string>((resolve) => {
      client.on('connect', () => {
        client.subscribe(`${RESPONSE}+`);
        client.publish(`${REQUEST}1`, JSON.stringify({ method: 'getTime', params: {} }));
      });
      client.on('message', (_topic, message) => resolve(message.toString()));
    });
    await client.endAsync();
    expect(JSON.parse(answer)).toBeTypeOf('number');
  });

  it('TB-61 getSessionLimits tells the limits, to a gateway those of its devices as well', async () => {
    const { token } = await newDevice();
    const device = await ThingsboardDevice.connect(server, token);
    device.send(`${REQUEST}1`, { method: 'getSessionLimits', params: { timeout: 5_000 } });
    const limits = (await device.message(`${RESPONSE}1`)).body;
    expect(limits).toMatchObject({ maxPayloadSize: 65_536, maxInflightMessages: 100 });
    expect(Object.keys(limits.rateLimits)).toEqual(['messages', 'telemetryMessages', 'telemetryDataPoints']);
    expect(limits).not.toHaveProperty('gatewayRateLimits');
    device.close();
    const created = await api.call('POST', '/api/device?accessToken=RPCGATEWAY0000000001', {
      name: 'rpc gateway',
      additionalInfo: { gateway: true },
    });
    expect(created.status).toBe(200);
    const gateway = await ThingsboardDevice.connect(server, 'RPCGATEWAY0000000001');
    gateway.send(`${REQUEST}1`, { method: 'getSessionLimits' });
    expect((await gateway.message(`${RESPONSE}1`)).body).toHaveProperty('gatewayRateLimits');
    gateway.close();
  });
});

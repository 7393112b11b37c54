import { createHmac } from 'node:crypto';
import { type CredentialLookup, DEFAULT_PROFILE_SETTINGS, type DeviceRef } from '@moorage/core';
import { DeviceHost, spaceKey } from '@moorage/device-host';
import { PacketType, type ProtocolLevel, type QoS } from '@moorage/mqtt-codec';
import { type ConnectFields, credentialLookup, DialectHarbour, type RawClient } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { AlibabaDialect } from './dialect.ts';
import type { Hmac } from './signature.ts';
import { DEVICE_NAME, holderOf, LAMP, PRODUCT_KEY, SECRET, SYSTEM, USERNAME } from './testing/lamp.ts';
import { MemoryLinkStore } from './testing/memory-link-store.ts';

const hmac: Hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex');
const encode = (text: string) => new TextEncoder().encode(text);
const CUSTOM = `/${PRODUCT_KEY}/${DEVICE_NAME}/`;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A lamp and another device of its product. */
const PRODUCT = {
  productKey: PRODUCT_KEY,
  productSecret: 'fedcba9876543210',
  dynamicRegistration: true,
  topicClasses: [
    { topic: 'user/update', permission: 'PUB' as const },
    { topic: 'user/get', permission: 'SUB' as const },
    { topic: 'user/both', permission: 'ALL' as const },
  ],
  thingModel: { services: [{ identifier: 'reboot', callType: 'sync' }] },
};
const device: DeviceRef = { ...LAMP, settings: { ...DEFAULT_PROFILE_SETTINGS, alibaba: PRODUCT } };
const other: DeviceRef = { ...device, id: '5a8a8d3e-0000-4000-8000-000000000009', name: 'other' };
const foreign: DeviceRef = { ...other, id: '5a8a8d3e-0000-4000-8000-00000000000a', settings: DEFAULT_PROFILE_SETTINGS };
const names: Readonly<Record<string, DeviceRef>> = {
  [USERNAME]: device,
  [`lamp-02&${PRODUCT_KEY}`]: other,
  'lamp-03&otherProduct': foreign,
};

let running: DialectHarbour | null = null;

afterEach(async () => {
  await running?.close();
  running = null;
});

/** The dialect behind a real broker. */
async function harbour() {
  const store = new MemoryLinkStore();
  const credentials: CredentialLookup = {
    ...credentialLookup(
      Object.fromEntries(Object.entries(names).map(([name, ref]) => [name, holderOf(SECRET, ref, name)])),
    ),
    product: (_dialect, name) =>
      name === PRODUCT_KEY ? { profileId: device.profileId, settings: device.settings } : undefined,
  };
  const scene = new DialectHarbour({
    dialect: (time) =>
      new AlibabaDialect({
        hmac,
        now: () => time.now(),
        store: () => store,
        secrets: () => ({
          issue: async () => ({ outcome: 'issued', secret: 'the secret' }),
          admit: async () => ({ outcome: 'failed' }),
        }),
        registerWithoutTls: true,
      }),
    host: (options) => new DeviceHost(options),
    credentials,
    devices: Object.values(names),
    attributes: async (_owner, scope, keys) => (scope === null ? [] : store.read(null, scope, keys)),
    stores: 'byTest',
  });
  running = scene;
  await scene.start();
  const { broker, router, stored, time } = scene;
  const accept = (level: ProtocolLevel): RawClient => scene.accept(level);
  const commit = (): Promise<void> => scene.commit();
  /** Connects a device with these parameters of its Client Identifier. */
  const connect = async (
    parameters = '_ss=1',
    fields: {
      cleanStart?: boolean;
      username?: string;
      base?: string;
      will?: ConnectFields['will'];
      level?: ProtocolLevel;
      keepAlive?: number;
    } = {},
  ) => {
    const { username = USERNAME, base = 'base', cleanStart = false, will = null, level = 4, keepAlive = 120 } = fields;
    const [deviceName, productKey] = username.split('&');
    const timestamp = /timestamp=(\d+)/.exec(parameters)?.[1];
    const time5 = timestamp === undefined ? '' : `timestamp${timestamp}`;
    const content = `clientId${base}deviceName${deviceName}productKey${productKey}${time5}`;
    const client = accept(level);
    const connack = client.connect({
      clientId: `${base}|${parameters},securemode=3,signmethod=hmacsha256|`,
      username,
      password: encode(hmac('sha256', SECRET, content)),
      cleanStart,
      will,
      keepAlive,
    });
    return { client, connack };
  };
  const downlink = (topicName: string, payload: string, qos: QoS = 1): number => {
    const space = spaceKey(device.tenantId, 'alibaba', '');
    const sessions = broker.publish(space, { topicName, payload: encode(payload), qos, retain: false });
    time.endTurn();
    return sessions;
  };
  /** A call of the platform; the outcomes are collected. */
  const call = (method: string, params = '{}', timeoutMs = 5_000) =>
    scene.request({ device, method, params, oneway: false, timeoutMs });
  return { time, router, stored, accept, connect, commit, downlink, call };
}

describe('Sessions', () => {
  it('ALI-41 QoS 1 messages sent while a device is away arrive later, QoS 0 ones do not; CONNACK says session present', async () => {
    const { connect, downlink, commit } = await harbour();
    const first = await connect('ext=0');
    expect(first.connack.sessionPresent).toBe(false);
    expect(first.client.subscribe(`${CUSTOM}user/get`, { qos: 1 }).reasonCodes).toEqual([1]);
    first.client.lose();
    downlink(`${CUSTOM}user/get`, 'one', 1);
    downlink(`${CUSTOM}user/get`, 'none', 0);
    const second = await connect('ext=0');
    expect(second.connack.sessionPresent).toBe(true);
    await commit();
    expect([...second.client.behindConnack(), ...second.client.receive()]).toMatchObject([
      { type: PacketType.Publish, topicName: `${CUSTOM}user/get`, payload: encode('one') },
    ]);
  });

  it('ALI-93 a device whose Client Identifier changes keeps one Session and its subscriptions', async () => {
    const { connect, downlink } = await harbour();
    const first = await connect('timestamp=1', { base: 'a' });
    first.client.subscribe(`${CUSTOM}user/get`);
    first.client.disconnect();
    const second = await connect('timestamp=2', { base: 'b' });
    expect(second.connack.sessionPresent).toBe(true);
    expect(downlink(`${CUSTOM}user/get`, 'x')).toBe(1);
  });

  it('ALI-11 keep-alive 0 and 29 give 2; 30 and 1200 work; 1201 works and is treated as 1200', async () => {
    for (const level of [3, 4] as const) {
      for (const keepAlive of [0, 29]) {
        const { connect } = await harbour();
        expect((await connect('_ss=1', { keepAlive, level })).connack?.reasonCode, String(keepAlive)).toBe(2);
      }
      for (const [keepAlive, silence] of [
        [30, 45],
        [1200, 1800],
        [1201, 1800],
        [65_535, 1800],
      ] as const) {
        const { connect, time } = await harbour();
        const { client, connack } = await connect('_ss=1', { keepAlive, level });
        expect(connack?.reasonCode, String(keepAlive)).toBe(0);
        time.advance(silence * 1_000 - 1_000);
        expect(client.stream.ended, `${keepAlive} before`).toBe(false);
        // The broker looks at its clients in steps.
        time.advance(40_000);
        expect(client.stream.ended, `${keepAlive} behind`).toBe(true);
      }
    }
  });

  it('the same device connecting again displaces its older connection, whatever its Client Identifier', async () => {
    const { connect } = await harbour();
    const first = await connect('timestamp=1', { base: 'a', level: 5 });
    await connect('timestamp=2', { base: 'b' });
    expect(first.client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8e }]);
  });

  it('filters of the system hold again when a Session is resumed', async () => {
    const { connect, call } = await harbour();
    const first = await connect('ext=0');
    first.client.subscribe(`${SYSTEM}thing/service/property/set`, { qos: 1 });
    first.client.lose();
    const second = await connect('ext=0');
    call('property.set', '{"a":1}');
    expect(second.client.texts()).toEqual([expect.stringContaining(`${SYSTEM}thing/service/property/set=`)]);
  });
});

describe('routing', () => {
  it('ALI-37 a broadcast reaches the online subscribers of the product and nobody else', async () => {
    const { connect, downlink } = await harbour();
    const topicName = `/broadcast/${PRODUCT_KEY}/x`;
    const lamp = await connect('_ss=1');
    const second = await connect('_ss=1', { username: `lamp-02&${PRODUCT_KEY}` });
    const stranger = await connect('_ss=1', { username: 'lamp-03&otherProduct' });
    const silent = second.client.subscribe(`${CUSTOM}user/get`).reasonCodes;
    expect(silent).toEqual([0x80]);
    expect(lamp.client.subscribe(`/broadcast/${PRODUCT_KEY}/+`).reasonCodes).toEqual([0]);
    expect(stranger.client.subscribe([topicName, '/broadcast/otherProduct/#']).reasonCodes).toEqual([0x80, 0]);
    expect(downlink(topicName, 'all')).toBe(1);
    expect(lamp.client.texts()).toEqual([`${topicName}=all`]);
    expect([second.client.texts(), stranger.client.texts()]).toEqual([[], []]);
    lamp.client.publish(topicName, { payload: 'mine', qos: 1 });
    expect(lamp.client.receive()).toMatchObject([{ type: PacketType.Puback }]);
  });

  it('ALI-45 custom topics are never delivered without a subscription', async () => {
    const { connect, downlink } = await harbour();
    const { client } = await connect('_ss=1');
    expect(downlink(`${CUSTOM}user/get`, 'x')).toBe(0);
    expect(client.receive()).toEqual([]);
    client.subscribe(`${CUSTOM}user/get`);
    downlink(`${CUSTOM}user/get`, 'x');
    expect(client.texts()).toEqual([`${CUSTOM}user/get=x`]);
  });

  it('ALI-35 `+` in place of the names delivers only own messages', async () => {
    const { connect, downlink, call } = await harbour();
    const { client } = await connect('ext=0');
    const second = await connect('ext=0', { username: `lamp-02&${PRODUCT_KEY}` });
    for (const one of [client, second.client]) {
      expect(one.subscribe(['/sys/+/+/thing/service/property/set', '/+/+/user/get']).reasonCodes).toEqual([0, 0]);
    }
    call('property.set', '{"a":1}');
    downlink(`${CUSTOM}user/get`, 'x');
    expect(client.texts()).toHaveLength(2);
    expect(second.client.texts()).toEqual([]);
  });

  it('ALI-40 the flags for Wills and retained messages are accepted on 3.x and have no effect', async () => {
    const { connect, commit } = await harbour();
    const will = {
      topicName: `${CUSTOM}user/both`,
      payload: encode('gone'),
      qos: 1,
      retain: true,
      properties: null,
    } as const;
    const first = await connect('ext=0', { will });
    expect(first.connack.reasonCode).toBe(0);
    first.client.subscribe(`${CUSTOM}user/both`, { qos: 1 });
    first.client.lose();
    const { client } = await connect('ext=0');
    await commit();
    expect([...client.behindConnack(), ...client.receive()]).toEqual([]);
    client.unsubscribe(`${CUSTOM}user/both`);
    client.publish(`${CUSTOM}user/both`, { payload: 'kept?', retain: true, qos: 1 });
    expect(client.receive()).toMatchObject([{ type: PacketType.Puback }]);
    client.subscribe(`${CUSTOM}user/both`);
    expect(client.texts()).toEqual([]);
  });
});

describe('registration', () => {
  it('ALI-25 REC-32 is told the secret, does nothing else, ends after 10 s, and leaves the live Session alone', async () => {
    const { connect, accept, time, stored } = await harbour();
    const live = await connect('_ss=1');
    const client = accept(4);
    client.send(
      client.connectPacket({
        clientId: 'x|authType=register,random=8Ygb7ULYh53B6OA,signmethod=hmacsha256,securemode=2|',
        username: USERNAME,
        password: encode('285aef862bbc105a6a07f8732615e4fc1118fb34149588bfb79afefb8e880311'),
      }),
    );
    await turn();
    await turn();
    time.endTurn();
    expect(client.receive()).toMatchObject([
      { type: PacketType.Connack, reasonCode: 0, sessionPresent: false },
      { type: PacketType.Publish, topicName: '/ext/register', qos: 0 },
    ]);
    expect(client.subscribe([`${CUSTOM}user/get`, '/ext/register']).reasonCodes).toEqual([0x80, 0x80]);
    client.publish(`${SYSTEM}thing/event/property/post`, { payload: '{"id":"1","params":{"a":1}}', qos: 1 });
    expect([stored, client.messages()]).toEqual([[], []]);
    time.advance(9_000);
    expect(client.stream.ended).toBe(false);
    time.advance(1_000);
    expect(client.stream.ended).toBe(true);
    expect(live.client.stream.ended).toBe(false);
  });
});

describe('conversation', () => {
  it('the reply to a post comes after the values are durable, behind its PUBACK', async () => {
    const { connect, commit, stored } = await harbour();
    const { client } = await connect('_ss=1');
    client.publish(`${SYSTEM}thing/event/property/post`, { payload: '{"id":"7","params":{"a":1}}', qos: 1 });
    expect([stored, client.receive()]).toEqual([['telemetry A lamp a'], []]);
    await commit();
    expect(client.receive().map(({ type }) => type)).toEqual([PacketType.Puback, PacketType.Publish]);
  });

  it('ALI-42 with _ss=1 and no SUBSCRIBE the messages of the system arrive', async () => {
    const { connect, commit, call } = await harbour();
    const { client } = await connect('_ss=1');
    const topics = async (): Promise<string[]> => {
      await commit();
      return client.messages().map(({ topicName }) => topicName);
    };
    call('property.set', '{"a":1}');
    call('anyService');
    call('rrpc', '{"payload":"x"}');
    expect(await topics()).toEqual([
      `${SYSTEM}thing/service/property/set`,
      `${SYSTEM}thing/service/anyService`,
      `${SYSTEM}rrpc/request/2`,
    ]);
    client.publish(`/ext/ntp/${PRODUCT_KEY}/${DEVICE_NAME}/request`, { payload: '{"deviceSendTime":"1"}' });
    client.publish(`/shadow/update/${PRODUCT_KEY}/${DEVICE_NAME}`, { payload: '{"method":"get"}' });
    client.publish(`${SYSTEM}thing/config/get`, { payload: '{"id":"1","params":{}}' });
    expect((await topics()).sort()).toEqual([
      `/ext/ntp/${PRODUCT_KEY}/${DEVICE_NAME}/response`,
      `/shadow/get/${PRODUCT_KEY}/${DEVICE_NAME}`,
      `${SYSTEM}thing/config/get_reply`,
    ]);
  });

  it('ALI-56 an asynchronous service: the reply completes the call, no reply is a time-out', async () => {
    const { connect, call, time } = await harbour();
    const { client } = await connect('_ss=1');
    const answered = call('restart');
    client.publish(`${SYSTEM}thing/service/restart_reply`, { payload: '{"id":"0","code":200,"data":{"ok":1}}' });
    expect(answered).toEqual([{ kind: 'answer', payload: '{"ok":1}' }]);
    const silent = call('restart');
    time.advance(5_000);
    expect(silent).toEqual([{ kind: 'timeout' }]);
  });

  it('ALI-70 late and duplicate RRPC answers are ignored', async () => {
    const { connect, call, time, router } = await harbour();
    const { client } = await connect('_ss=1');
    const outcomes = call('rrpc', '{"payload":"x"}');
    const answer = (payload: string) => client.publish(`${SYSTEM}rrpc/response/0`, { payload });
    answer('"first"');
    answer('"second"');
    expect(outcomes).toEqual([{ kind: 'answer', payload: '"first"' }]);
    const late = call('rrpc', '{"payload":"x"}');
    time.advance(5_000);
    client.publish(`${SYSTEM}rrpc/response/1`, { payload: 'late' });
    expect(late).toEqual([{ kind: 'timeout' }]);
    expect(router.counters().unknownAnswers).toBe(2);
  });

  it('ALI-69 the custom form needs bit 0 of ext, and the echo of a request is no answer', async () => {
    const { connect, call } = await harbour();
    const topic = `${PRODUCT_KEY}/${DEVICE_NAME}/user/get`;
    const plain = await connect('_ss=1,ext=2');
    expect(call('rrpc', JSON.stringify({ topic, payload: 'x' }))).toEqual([{ kind: 'notSupported' }]);
    plain.client.disconnect();
    const { client } = await connect('_ss=1,ext=1');
    client.subscribe('/ext/rrpc/#');
    const outcomes = call('rrpc', JSON.stringify({ topic, payload: 'x' }));
    const [request] = client.messages();
    expect(request?.topicName).toMatch(new RegExp(`^/ext/rrpc/\\d+/${topic}$`));
    expect(outcomes).toEqual([]);
    client.publish(request?.topicName ?? '', { payload: 'y' });
    expect(outcomes).toEqual([{ kind: 'answer', payload: '"y"' }]);
    // The answer is no message for the device itself, though its subscription matches.
    expect(client.receive()).toEqual([]);
  });

  it('the first packets of the C libraries are answered', async () => {
    const { connect, commit, stored } = await harbour();
    const { client } = await connect('timestamp=2524608000000,_v=sdk-c-3.0.1,lan=C,gw=0,ext=0');
    const tags =
      '{"id":"0","version":"1.0","params":[{"attrKey":"SYS_LP_SDK_VERSION","attrValue":"3.0.1","domain":"SYSTEM"}],"method":"thing.deviceinfo.update"}';
    client.publish(`${SYSTEM}thing/deviceinfo/update`, { payload: tags, qos: 1, packetIdentifier: 1 });
    const inform = '{"id":1,"params":{"version":"app-1.0.0"}}';
    client.publish(`/ota/device/inform/${PRODUCT_KEY}/${DEVICE_NAME}`, {
      payload: inform,
      qos: 1,
      packetIdentifier: 2,
    });
    await commit();
    expect(client.receive()).toMatchObject([
      { type: PacketType.Puback, packetIdentifier: 1 },
      { type: PacketType.Puback, packetIdentifier: 2 },
    ]);
    expect(stored).toEqual([
      'CLIENT A lamp sdkVersion,sdkLanguage',
      'CLIENT A lamp SYS_LP_SDK_VERSION',
      'telemetry A lamp current_fw_version',
      'CLIENT A lamp firmwareVersion',
    ]);
    expect(client.subscribe(`${CUSTOM}user/get`, { qos: 0 }).reasonCodes).toEqual([0]);
    client.publish(`${CUSTOM}user/update`, { payload: '{"message":"hello!"}' });
    client.ping();
    expect(client.receive().map(({ type }) => type)).toContain(PacketType.Pingresp);
    client.disconnect();
  });

  it('a library with _ss=1 and ext=3 gets a synchronous service call by /ext/rrpc and answers it', async () => {
    const { connect, call } = await harbour();
    const { client } = await connect('timestamp=2524608000000,_ss=1,_v=sdk-c-4.2.0,ext=3,_conn=tcp_1', {
      cleanStart: true,
    });
    const outcomes = call('reboot', '{"delay":1}');
    const [request] = client.messages();
    expect(request?.topicName).toBe(`/ext/rrpc/0${SYSTEM}thing/service/reboot`);
    client.publish(request?.topicName ?? '', { payload: '{"id":"0","code":200,"data":{"ok":1}}' });
    expect(outcomes).toEqual([{ kind: 'answer', payload: '{"ok":1}' }]);
  });
});

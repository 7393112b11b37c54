import type { LinkTopicClass, ProfileSettings } from '@moorage/core';
import { ValueReader } from '@moorage/core';
import type { DialectSession, ProtocolLevel } from '@moorage/dialect-api';
import { deviceLink, dialectMessage, fateOf, sentTexts } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AlibabaSession } from './session.ts';
import { DEVICE_NAME, LAMP, NO_LINKS, PRODUCT_KEY, SYSTEM } from './testing/lamp.ts';

const IDENTITY = { productKey: PRODUCT_KEY, deviceName: DEVICE_NAME };
const CUSTOM = `/${PRODUCT_KEY}/${DEVICE_NAME}/`;
const NOW = 1_700_000_000_000;
const reader = new ValueReader();

/** `parameters`: those of the Client Identifier. */
function open(
  parameters = '_ss=1,ext=1',
  alibaba: Partial<NonNullable<ProfileSettings['alibaba']>> = {},
  level: ProtocolLevel = 4,
): AlibabaSession {
  const settings: ProfileSettings = {
    ...LAMP.settings,
    alibaba: {
      productKey: PRODUCT_KEY,
      productSecret: null,
      dynamicRegistration: false,
      topicClasses: [
        { topic: 'user/update', permission: 'PUB' },
        { topic: 'user/update/error', permission: 'PUB' },
        { topic: 'user/get', permission: 'SUB' },
      ],
      thingModel: null,
      ...alibaba,
    },
  };
  const link = deviceLink(level, `base|${parameters},securemode=3|`);
  return new AlibabaSession(
    { reader, now: () => NOW + 7, links: NO_LINKS, shadowControl: () => null },
    { ...LAMP, settings },
    IDENTITY,
    link,
    true,
  );
}

const publish = (session: DialectSession, topicName: string, payload: string | Uint8Array = '', qos: 0 | 1 | 2 = 1) =>
  session.publish(dialectMessage(topicName, payload, { qos, receivedAt: NOW }));

const options = (qos: 0 | 1 | 2 = 1) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;
const subscribe = (session: DialectSession, filter: string, qos: 0 | 1 | 2 = 1) =>
  session.subscribe(filter, options(qos));
const granted = (session: DialectSession, filter: string) => subscribe(session, filter).reasonCode < 0x80;

const call = (method: string, params = '{}', id = '5') => ({ kind: 'rpc', id, method, params }) as const;

describe('custom topics', () => {
  const withClasses = (...topicClasses: LinkTopicClass[]) => open('ext=0', { topicClasses });

  it('ALI-31 a SUB class is not published to and a PUB class not subscribed to', () => {
    const session = open();
    expect(publish(session, `${CUSTOM}user/update`)).toMatchObject({ route: true, refuse: null });
    expect(fateOf(publish(session, `${CUSTOM}user/get`))).toBe('refused 0x87');
    expect(subscribe(session, `${CUSTOM}user/get`)).toEqual({ reasonCode: 1, enter: [`${CUSTOM}user/get`] });
    expect(subscribe(session, `${CUSTOM}user/update`)).toEqual({ reasonCode: 0x87, enter: [] });
    const both = withClasses({ topic: 'user/get', permission: 'ALL' });
    expect([publish(both, `${CUSTOM}user/get`).route, granted(both, `${CUSTOM}user/get`)]).toEqual([true, true]);
    expect(fateOf(publish(both, `${CUSTOM}user/update`))).toBe('refused 0x87');
  });

  it('a class with wildcards is matched, and what it does not match is held back at delivery', () => {
    const session = withClasses({ topic: 'user/+/state', permission: 'SUB' }, { topic: 'user/a/#', permission: 'SUB' });
    expect(['user/x/state', 'user/#', 'user/+/+', 'user/a'].map((f) => granted(session, CUSTOM + f))).toEqual(
      Array(4).fill(true),
    );
    expect(['user/x', 'user/x/other', 'user', 'get'].map((f) => granted(session, CUSTOM + f))).toEqual([
      ...Array(2).fill(false),
      false,
      false,
    ]);
    expect(['user/x/state', 'user/a/b/c', 'user/x/y'].map((t) => session.mayReceive(CUSTOM + t))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("ALI-33 another device's topics are neither subscribed to nor published", () => {
    const session = open();
    for (const other of [`/${PRODUCT_KEY}/lamp-02/`, `/other/${DEVICE_NAME}/`]) {
      expect(fateOf(publish(session, `${other}user/update`))).toBe('refused 0x87');
      expect(fateOf(publish(session, `/sys${other}thing/event/property/post`, '{}'))).toBe('refused 0x87');
      expect(granted(session, `${other}user/get`)).toBe(false);
      expect(granted(session, `/sys${other}thing/service/property/set`)).toBe(false);
      expect(session.mayReceive(`${other}user/get`)).toBe(false);
    }
  });

  it('ALI-34 wide filters are refused one by one', () => {
    const session = open();
    for (const filter of [
      '#',
      '+/#',
      '$SYS/#',
      '/sys/#',
      '/#',
      '/+/#',
      '/+/+',
      '/sys/+/#',
      '/broadcast/#',
      '/broadcast/other/x',
      '$share/g/a',
    ]) {
      expect(subscribe(session, filter), filter).toEqual({ reasonCode: 0x87, enter: [] });
    }
    expect(granted(session, `${CUSTOM}user/get`)).toBe(true);
  });

  it('+ in place of the names stands for the own ones alone', () => {
    const session = open();
    expect(subscribe(session, '/+/+/user/get').enter).toEqual([`${CUSTOM}user/get`]);
    expect(subscribe(session, '/broadcast/+/x').enter).toEqual([`/broadcast/${PRODUCT_KEY}/x`]);
  });

  it('broadcasts of the product are received, never sent', () => {
    const session = open();
    expect(subscribe(session, `/broadcast/${PRODUCT_KEY}/#`).enter).toEqual([`/broadcast/${PRODUCT_KEY}/#`]);
    expect(session.mayReceive(`/broadcast/${PRODUCT_KEY}/x`)).toBe(true);
    expect(session.mayReceive('/broadcast/other/x')).toBe(false);
    expect(fateOf(publish(session, `/broadcast/${PRODUCT_KEY}/x`))).toBe('refused 0x87');
  });

  it('ALI-38 topics above 128 bytes are refused', () => {
    const session = withClasses(
      { topic: 'user/+', permission: 'SUB' },
      { topic: `user/${'a'.repeat(90)}`, permission: 'ALL' },
    );
    const at = (length: number) => `${CUSTOM}user/${'a'.repeat(length)}`;
    const fits = 128 - at(0).length;
    expect(granted(session, at(fits))).toBe(true);
    expect(subscribe(session, at(fits + 1)).reasonCode).toBe(0x8f);
    expect(subscribe(session, `${CUSTOM}user/${'é'.repeat(fits)}`).reasonCode).toBe(0x8f);
    expect(publish(session, at(90)).route).toBe(true);
    expect(fateOf(publish(session, at(fits + 1)))).toBe('refused 0x90');
  });

  it('ALI-39 QoS 2 subscriptions are granted as 1, and a QoS 2 publish closes the connection', () => {
    const session = open();
    expect(subscribe(session, `${CUSTOM}user/get`, 2).reasonCode).toBe(1);
    expect(subscribe(session, `${SYSTEM}thing/service/+`, 2).reasonCode).toBe(1);
    expect(fateOf(publish(session, `${CUSTOM}user/update`, '', 2))).toBe('closed 0x9b');
  });

  it('new topic classes of the product hold for connected devices', () => {
    const session = open();
    const settings = { ...LAMP.settings, alibaba: { ...openSettings(), topicClasses: [] } };
    session.deviceChanged({ ...LAMP, settings });
    expect(fateOf(publish(session, `${CUSTOM}user/update`))).toBe('refused 0x87');
    expect(session.mayReceive(`${CUSTOM}user/get`)).toBe(false);
  });

  const openSettings = () => ({
    productKey: PRODUCT_KEY,
    productSecret: null,
    dynamicRegistration: false,
    topicClasses: [],
    thingModel: null,
  });
});

describe('topics of the system', () => {
  /** What the JavaScript library subscribes to on every connect, gateway or not. */
  const STARTUP = [
    'thing/event/property/post_reply',
    'thing/event/+/post_reply',
    'thing/deviceinfo/update_reply',
    'thing/deviceinfo/delete_reply',
    'thing/service/property/set',
    'thing/service/+',
    'thing/config/get_reply',
    'thing/config/push',
    'thing/config/push_reply',
    'thing/topo/add_reply',
    'thing/topo/delete_reply',
    'thing/topo/get_reply',
    'thing/sub/register_reply',
    'rrpc/request/+',
  ].map((suffix) => SYSTEM + suffix);

  it('the start-up subscriptions of the JavaScript library are granted and enter no tree', () => {
    const session = open('ext=0');
    for (const filter of [
      ...STARTUP,
      `/shadow/get/${PRODUCT_KEY}/${DEVICE_NAME}`,
      `/ext/session/${PRODUCT_KEY}/${DEVICE_NAME}/combine/login_reply`,
    ]) {
      expect(subscribe(session, filter)).toEqual({ reasonCode: 1, enter: [] });
    }
  });

  const SET = `${SYSTEM}thing/service/property/set`;
  const sent = (session: AlibabaSession) => sentTexts(session.command(call('property.set', '{"a":1}')));

  it('ALI-44 without _ss and without a subscription no message of the system arrives', () => {
    const session = open('ext=0');
    expect(session.command(call('property.set'))).toBe('notSubscribed');
    expect(session.command(call('any'))).toBe('notSubscribed');
    subscribe(session, SET, 0);
    expect(sent(session)).toEqual([[SET, expect.any(String), 0]]);
    expect(session.command(call('any'))).toBe('notSubscribed');
    expect(session.unsubscribe(SET)).toBe(0);
    expect(session.command(call('property.set'))).toBe('notSubscribed');
    expect(session.unsubscribe(SET)).toBe(0x11);
  });

  it('ALI-43 with _ss and overlapping subscriptions a message is sent once', () => {
    const session = open();
    for (const filter of [SET, `${SYSTEM}thing/service/#`, '/sys/+/+/thing/service/property/set']) {
      expect(subscribe(session, filter).enter).toEqual([]);
    }
    expect(sent(session)).toHaveLength(1);
  });

  it('UNSUBSCRIBE takes a topic out of the automatic set until it is subscribed to again', () => {
    const session = open();
    expect(session.unsubscribe(SET)).toBe(0);
    expect(session.command(call('property.set'))).toBe('notSubscribed');
    expect(session.command(call('other'))).not.toBe('notSubscribed');
    subscribe(session, SET);
    expect(sent(session)).toHaveLength(1);
    expect(session.unsubscribe(`${CUSTOM}user/get`)).toBeNull();
  });

  it('`/sys/+/+/thing/service/property/set` is granted and hears the own messages', () => {
    const session = open('ext=0');
    expect(subscribe(session, '/sys/+/+/thing/service/property/set')).toEqual({ reasonCode: 1, enter: [] });
    expect(sent(session)).toEqual([[SET, expect.any(String), 1]]);
  });

  it('a device does not publish where the server does, nor to topics that do not exist', () => {
    const session = open();
    for (const suffix of [
      'thing/service/property/set',
      'thing/event/property/post_reply',
      'rrpc/request/1',
      'nothing',
    ]) {
      expect(fateOf(publish(session, SYSTEM + suffix, '{}'))).toBe('refused 0x87');
    }
    for (const topicName of [
      '',
      'sys/a',
      '/sys',
      '/',
      '//',
      '/ext',
      '/ext/rrpc/x/y',
      '/ota/device/inform',
      '/shadow/update/a',
    ]) {
      expect(fateOf(publish(session, topicName, '{}'))).toBe('refused 0x87');
    }
  });
});

describe('NTP', () => {
  const REQUEST = `/ext/ntp/${PRODUCT_KEY}/${DEVICE_NAME}/request`;
  const RESPONSE = `/ext/ntp/${PRODUCT_KEY}/${DEVICE_NAME}/response`;

  it.each(['{"deviceSendTime":"1571724098000"}', '{"deviceSendTime":1571724098000}'])(
    'ALI-63 answers %s with strings and echoes the device',
    (payload) => {
      const session = open();
      const { tell, intents, refuse } = publish(session, REQUEST, payload, 0);
      expect([intents, refuse]).toEqual([[], null]);
      const texts = sentTexts(session.reply({ kind: 'outcome', ref: tell ?? '', outcome: 'stored' }));
      expect(texts).toEqual([[RESPONSE, expect.any(String), 0]]);
      expect(JSON.parse(texts[0]?.[1] ?? '')).toEqual({
        deviceSendTime: '1571724098000',
        serverRecvTime: String(NOW),
        serverSendTime: String(NOW + 7),
      });
    },
  );

  it('what has no time is refused and not answered', () => {
    for (const payload of ['', '{}', '{"deviceSendTime":"soon"}', '[]']) {
      expect(fateOf(publish(open(), REQUEST, payload))).toBe('refused 0x99');
    }
  });
});

describe('shadow', () => {
  const UPDATE = `/shadow/update/${PRODUCT_KEY}/${DEVICE_NAME}`;
  const GET = `/shadow/get/${PRODUCT_KEY}/${DEVICE_NAME}`;

  it('every request goes to the dialect, and its document to the device', () => {
    const session = open();
    const [intent] = publish(session, UPDATE, '{"method": "get"}').intents;
    expect(intent).toMatchObject({ kind: 'dialectRequest', request: 'shadow', params: '{"method":"get"}' });
    if (intent?.kind !== 'dialectRequest') throw new TypeError('no request');
    const reply = { kind: 'dialect', ref: intent.ref, subDevice: null, payload: '{"method":"reply"}' } as const;
    expect(sentTexts(session.reply(reply))).toEqual([[GET, '{"method":"reply"}', 1]]);
    expect(sentTexts(open('ext=0').reply(reply))).toEqual([]);
  });

  it.each([
    ['400', 'not json'],
    ['400', `"${'x'.repeat(16_384)}"`],
    ['407', ''],
  ])('ALI-65 error %s is told at once', (errorcode, payload) => {
    const session = open();
    const { tell = '', intents } = publish(session, UPDATE, payload);
    expect(intents).toEqual([]);
    const [message] = sentTexts(session.reply({ kind: 'outcome', ref: tell, outcome: 'stored' }));
    expect(message?.[0]).toBe(GET);
    expect(JSON.parse(message?.[1] ?? '')).toMatchObject({ method: 'reply', payload: { content: { errorcode } } });
  });
});

describe('firmware', () => {
  const ota = (name: string, payload: string) =>
    publish(open(), `/ota/device/${name}/${PRODUCT_KEY}/${DEVICE_NAME}`, payload);
  const points = (name: string, payload: string) =>
    ota(name, payload).intents.flatMap((intent) =>
      intent.kind === 'telemetry'
        ? intent.points.keys.map((key, index) => `${key}=${intent.points.values[index]}`)
        : [],
    );

  it('ALI-74 inform with string and numeric id, with and without module, updates the version', () => {
    const version = (id: string, more = '') => points('inform', `{"id":${id},"params":{"version":"1.0.1"${more}}}`);
    expect(version('"1"')).toEqual(['current_fw_version=1.0.1']);
    expect(version('1')).toEqual(['current_fw_version=1.0.1']);
    expect(version('1', ',"module":"default"')).toEqual(['current_fw_version=1.0.1']);
    expect(version('1', ',"module":"MCU"')).toEqual(['current_fw_version:MCU=1.0.1']);
    for (const payload of ['', '{}', '{"params":{}}', '{"params":{"version":""}}']) {
      expect(fateOf(ota('inform', payload))).toBe('refused 0x99');
    }
  });

  it('progress is a number or a text of -4 to 100; below zero it failed', () => {
    const progress = (step: string) => points('progress', `{"id":"1","params":{"step":${step},"desc":"why"}}`);
    expect(progress('"50"')).toEqual(['fw_state=DOWNLOADING', 'fw_progress=50']);
    expect(progress('100')).toEqual(['fw_state=DOWNLOADED', 'fw_progress=100']);
    for (const step of ['-1', '"-2"', '-3', '-4']) {
      expect(progress(step)).toEqual(['fw_state=FAILED', expect.stringMatching(/^fw_error=.+: why$/)]);
    }
    for (const step of ['-5', '101', '"x"', 'null']) {
      expect(fateOf(ota('progress', `{"params":{"step":${step}}}`))).toBe('refused 0x99');
    }
    expect(fateOf(ota('upgrade', '{}'))).toBe('refused 0x87');
  });
});

describe('Wills', () => {
  it('are custom topics that the device may publish', () => {
    const session = open('_ss=1', {}, 5);
    expect(session.mayPublishWill(`${CUSTOM}user/update`)).toBe(true);
    for (const topicName of [`${CUSTOM}user/get`, `${SYSTEM}thing/event/property/post`, '$SYS/a']) {
      expect(session.mayPublishWill(topicName)).toBe(false);
    }
  });
});

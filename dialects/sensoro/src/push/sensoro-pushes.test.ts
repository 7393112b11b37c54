import { randomBytes } from 'node:crypto';
import { type ConnectCredential, PointList, type Scalar, type Value, ValueKind } from '@moorage/core';
import type { ApplicationPush } from '@moorage/dialect-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Applications } from '../applications.ts';
import {
  APPLICATION,
  type ApplicationFields,
  aes256Cbc,
  application,
  device,
  examples,
  NEW_YEAR,
  normaliseUrl,
  openDialect,
  TENANT,
  type TestDialect,
  texts,
} from '../testing/tools.ts';
import { MessageIds } from './message-id.ts';
import { SensoroPushes } from './sensoro-pushes.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });
const THERMOMETER = device(1);
const FIELDS = texts({ 'sensoro.sn': examples.sn, 'sensoro.deviceType': 'temp_humi' });

function points(values: Readonly<Record<string, Scalar>>, ts = examples.createdTime): PointList {
  const list = new PointList();
  for (const [key, value] of Object.entries(values)) list.add(ts, key, kindOf(value), value);
  return list;
}

function kindOf(value: Scalar): ValueKind {
  if (typeof value === 'boolean') return ValueKind.Boolean;
  if (typeof value === 'string') return ValueKind.String;
  return typeof value === 'bigint' || Number.isSafeInteger(value) ? ValueKind.Long : ValueKind.Double;
}

const READING = { battery: 95, interval: 300, temperature: 20.5, humidity: 50.25 };

function push(
  { dialect }: Pick<TestDialect, 'dialect'>,
  credential: ConnectCredential,
  list: PointList,
  attributes: ReadonlyMap<string, Value> = FIELDS,
): readonly ApplicationPush[] {
  const { pushes } = dialect;
  expect(pushes.includes(credential, THERMOMETER.id, attributes)).toBe(true);
  return pushes.encode(credential, { device: THERMOMETER, attributes, points: list, receivedAt: NEW_YEAR });
}

function bodies(pushes: readonly ApplicationPush[]): string[] {
  return pushes.map(({ payload }) => decoder.decode(payload));
}

/** With the message id of the examples in place of the one that was made. */
function withId(body: string | undefined): string {
  return body?.replace(/"msgId":"[0-9a-f]{24}"/, `"msgId":"${examples.msgId}"`) ?? '';
}

function app(configuration: NonNullable<ApplicationFields['configuration']> = {}, fields: ApplicationFields = {}) {
  return application({ configuration, ...fields });
}

describe('a push', () => {
  it('SEN-19 has the members of the example in their order, in compact JSON', () => {
    const [body, ...others] = bodies(push(openDialect(), app(), points(READING)));
    expect(others).toEqual([]);
    expect(withId(body)).toBe(examples.plainPush);
    expect(new TextEncoder().encode(withId(body))).toHaveLength(217);
  });

  it('has the QoS of the application, 0 unless it says 1, and goes out under both names', () => {
    for (const [mqttQos, qos] of [
      [undefined, 0],
      [0, 0],
      [1, 1],
      [2, 0],
    ] as const) {
      const [one] = push(openDialect(), app(mqttQos === undefined ? {} : { mqttQos }), points(READING));
      expect(one).toMatchObject({ qos, topicNames: ['users/foobar/devices', '/users/foobar/devices'] });
    }
  });

  it('SEN-19 an upload of several times gives one push for each, the oldest first', () => {
    const list = points({ a: 3 }, 3_000);
    list.add(1_000, 'a', ValueKind.Long, 1);
    list.add(3_000, 'b', ValueKind.Long, 4);
    list.add(2_000, 'a', ValueKind.Long, 2);
    list.add(1_000, 'a', ValueKind.Long, 9);
    const read = bodies(push(openDialect(), app(), list)).map((body) => JSON.parse(body));
    expect(read.map(({ createdTime, data }) => [createdTime, data])).toEqual([
      [1_000, { a: 9 }],
      [2_000, { a: 2 }],
      [3_000, { a: 3, b: 4 }],
    ]);
  });

  it('shows a device without attributes by the end of its id and as a node', () => {
    const [body = ''] = bodies(push(openDialect(), app(), points(READING), new Map()));
    expect(JSON.parse(body)).toMatchObject({ sn: '8000000000000001', deviceType: 'node' });
    expect(THERMOMETER.id.replaceAll('-', '').toUpperCase().endsWith('8000000000000001')).toBe(true);
    const odd = texts({ 'sensoro.sn': 'a/b', 'sensoro.deviceType': 'Temp!' });
    const [other = ''] = bodies(push(openDialect(), app(), points(READING), odd));
    expect(JSON.parse(other)).toMatchObject({ sn: '8000000000000001', deviceType: 'node' });
  });

  it('renames the keys that the device wants renamed, and passes all others', () => {
    const attributes = texts({ 'sensoro.names': '{"t":"temperature","x":5}' });
    const [body = ''] = bodies(push(openDialect(), app(), points({ t: 1, x: 2, y: 3 }), attributes));
    expect(JSON.parse(body).data).toEqual({ temperature: 1, x: 2, y: 3 });
    for (const names of ['nonsense', '[1]', '5', '{"t":']) {
      const [same = ''] = bodies(push(openDialect(), app(), points({ t: 1 }), texts({ 'sensoro.names': names })));
      expect(JSON.parse(same).data).toEqual({ t: 1 });
    }
  });

  it('SEN-24 is the same bytes for MQTT and for the webhook, in plain and in safe mode', () => {
    for (const pushMode of ['plain', 'safe']) {
      const [one] = push(openDialect(), app({ pushMode, webhookUrl: 'https://example.com/x#y' }), points(READING));
      expect(one?.webhook?.body).toEqual(one?.payload);
      const { msgId } = JSON.parse(decoder.decode(one?.payload));
      expect(one?.webhook).toMatchObject({
        kind: 'sensoro',
        targetId: APPLICATION,
        tenantId: TENANT,
        eventId: msgId,
        orderKey: examples.sn,
        url: 'https://example.com/x',
        contentType: 'application/json; charset=utf-8',
      });
    }
    const addresses = [undefined, null, 'nonsense', 'ftp://example.com/', ''];
    for (const webhookUrl of addresses) {
      const [one] = push(openDialect(), app(webhookUrl === undefined ? {} : { webhookUrl }), points(READING));
      expect(one?.webhook).toBeNull();
    }
  });

  it('larger than 64 KiB is counted and not made; the others of the upload are', () => {
    const test = openDialect();
    const list = points({ text: 'x'.repeat(65_536) }, 1);
    list.add(2, 'text', ValueKind.String, 'short');
    expect(bodies(push(test, app(), list)).map((body) => JSON.parse(body).createdTime)).toEqual([2]);
    expect(test.counted).toEqual(['sensoro_push_too_large 1']);
    const overhead = examples.plainPush.length - examples.message.length + '{"t":""}'.length;
    expect(push(test, app(), points({ t: 'x'.repeat(65_536 - overhead) }))[0]?.payload).toHaveLength(65_536);
    expect(push(test, app(), points({ t: 'x'.repeat(65_537 - overhead) }))).toEqual([]);
  });

  it('SEN-21 has an integer time and an id of 24 hex digits that no other of 100,000 has', () => {
    const test = openDialect();
    const credential = app();
    const seen = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      if (i % 1_000 === 0) test.now += 250;
      const [one] = test.dialect.pushes.encode(credential, {
        device: THERMOMETER,
        attributes: FIELDS,
        points: points({ a: i }, i),
        receivedAt: test.now,
      });
      const text = decoder.decode(one?.payload);
      const [, createdTime, msgId = ''] = /"createdTime":(\d+),"msgId":"([0-9a-f]{24})"/.exec(text) ?? [];
      if (createdTime !== String(i) || msgId === '') throw new TypeError(text);
      seen.add(msgId);
    }
    expect(seen.size).toBe(100_000);
    expect(Number.parseInt([...seen][0]?.slice(0, 8) ?? '', 16)).toBe(Math.floor((NEW_YEAR + 250) / 1000));
  });

  it('ids of two runs of the server differ', () => {
    const [one, two] = [0, 1].map(
      () =>
        new MessageIds(
          () => NEW_YEAR,
          (length) => new Uint8Array(randomBytes(length)),
        ),
    );
    expect(one?.next().slice(0, 18)).not.toBe(two?.next().slice(0, 18));
  });
});

describe('the round-trip rule', () => {
  const again = (text: string) => JSON.stringify(JSON.parse(text));
  /** Everything that a device may have sent, as the platform keeps it. */
  const value = fc.oneof(
    fc.boolean().map((one): [ValueKind, Scalar] => [ValueKind.Boolean, one]),
    fc.maxSafeInteger().map((one): [ValueKind, Scalar] => [ValueKind.Long, one]),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((one): [ValueKind, Scalar] => [ValueKind.Long, one]),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((one): [ValueKind, Scalar] => [ValueKind.Double, one]),
    fc.string({ unit: 'binary' }).map((one): [ValueKind, Scalar] => [ValueKind.String, one]),
    fc.json().map((one): [ValueKind, Scalar] => [ValueKind.Json, one]),
  );
  const key = fc.oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
    fc.integer({ min: -5, max: 4_294_967_300 }).map(String),
    fc.constantFrom('__proto__', 'constructor', 'toJSON', '0', '00', '1e3', '-0'),
  );

  it('SEN-22 holds for random nested data, in plain and in safe mode', () => {
    const test = openDialect();
    const [plain, safe] = [app(), app({ pushMode: 'safe' })];
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 12 }), (members) => {
        const list = new PointList();
        for (const [name, [kind, scalar]] of members) list.add(5, name, kind, scalar);
        for (const credential of [plain, safe]) {
          for (const body of bodies(push(test, credential, list))) expect(again(body)).toBe(body);
        }
        const [body] = bodies(push(test, plain, list));
        if (body !== undefined) expect(Object.keys(JSON.parse(body).data).length).toBe(new Set(list.keys).size);
      }),
      { numRuns: 500 },
    );
  });

  it('SEN-23 integer-like names, 20.0, 1e21, emoji, U+2028 and escaped slashes come out as JavaScript writes them', () => {
    const list = new PointList();
    list.add(5, 'b', ValueKind.Double, 20.0);
    list.add(5, '10', ValueKind.Double, 1e21);
    list.add(5, '2', ValueKind.String, '😀\u2028');
    list.add(5, 'nested', ValueKind.Json, '{"z":20.0,"10":1e21,"2":"\\/","2":"\\u00e9\\u2028","huge":1e999}');
    list.add(5, 'long', ValueKind.Long, 9_007_199_254_740_993n);
    list.add(5, 'minus', ValueKind.Double, -0);
    list.add(5, '__proto__', ValueKind.Json, '{"__proto__":[1.50]}');
    const [body = ''] = bodies(push(openDialect(), app(), list));
    expect(body.slice(body.indexOf('"data"'))).toBe(
      '"data":{"2":"😀\u2028","10":1e+21,"b":20,"nested":{"2":"é\u2028","10":1e+21,"z":20,"huge":null},' +
        '"long":9007199254740992,"minus":0,"__proto__":{"__proto__":[1.5]}}}',
    );
    expect(again(body)).toBe(body);
  });
});

describe('the device set', () => {
  const { pushes } = openDialect().dialect;
  const [one, two] = [device(1).id, device(2).id];

  it('SEN-20 is all devices, those listed, or those with a tag', () => {
    const list = app({ devices: [one] });
    expect([pushes.includes(list, one, new Map()), pushes.includes(list, two, new Map())]).toEqual([true, false]);
    const tagged = app({ devices: { tag: 'hall 1' } });
    for (const tags of ['["x","hall 1"]', 'x, hall 1', 'hall 1'])
      expect(pushes.includes(tagged, one, texts({ tags })), tags).toBe(true);
    for (const tags of ['["hall"]', 'hall', '', '{"hall 1":1}', '["hall 1"'])
      expect(pushes.includes(tagged, one, texts({ tags })), tags).toBe(false);
    expect(pushes.includes(tagged, one, new Map())).toBe(false);
    for (const all of [app(), app({ devices: 'ALL' })]) expect(pushes.includes(all, two, new Map())).toBe(true);
    for (const none of [app({ devices: [] }), app({ devices: 'SOME' }), app({ devices: { tag: '' } })])
      expect(pushes.includes(none, one, texts({ tags: 'a' }))).toBe(false);
  });

  it('SEN-20 of a disabled application is empty', () => {
    const disabled = app({}, { enabled: false });
    expect(pushes.includes(disabled, one, new Map())).toBe(false);
    const upload = { device: THERMOMETER, attributes: FIELDS, points: points(READING), receivedAt: 0 };
    expect(pushes.encode(disabled, upload)).toEqual([]);
  });
});

describe('safe mode', () => {
  /** With the random bytes of the example. */
  function exampleOf(credential: ConnectCredential): string {
    const counted: string[] = [];
    const pushes = new SensoroPushes({
      applications: new Applications(normaliseUrl),
      ids: new MessageIds(
        () => NEW_YEAR,
        (length) => new Uint8Array(length),
      ),
      cipher: aes256Cbc,
      randomBytes: () => new Uint8Array(Buffer.from(examples.random, 'hex')),
      count: (event) => void counted.push(event),
      deviceTouched: () => {},
    });
    const upload = { device: THERMOMETER, attributes: FIELDS, points: points(READING), receivedAt: 0 };
    const [body] = bodies(pushes.encode(credential, upload));
    return body ?? counted.join();
  }

  it('SEN-28 SEN-32 gives the cipher text of the example in place of the data', () => {
    const body = withId(exampleOf(app({ pushMode: 'safe' })));
    const expected = examples.plainPush.replace(
      `"data":${examples.message}`,
      `"encryptData":"${examples.encryptData}"`,
    );
    expect(body).toBe(expected);
    expect(new TextEncoder().encode(body)).toHaveLength(289);
    expect(Object.keys(JSON.parse(body))).toEqual([
      'appId',
      'sn',
      'type',
      'deviceType',
      'createdTime',
      'msgId',
      'encryptData',
    ]);
  });

  it('SEN-31 encrypts the same data differently every time, and begins and ends with the configuration', () => {
    const test = openDialect();
    const safe = app({ pushMode: 'safe' });
    const texts = [safe, safe].map((one) => JSON.parse(bodies(push(test, one, points(READING)))[0] ?? '').encryptData);
    expect(texts[0]).not.toBe(texts[1]);
    expect(JSON.parse(bodies(push(test, app(), points(READING)))[0] ?? '').data).toEqual(READING);
  });

  it('SEN-34 takes a key whose last bits are set, and sends nothing without a usable key', () => {
    const setBits = `${examples.appKey.slice(0, -1)}F`;
    expect(withId(exampleOf(app({ pushMode: 'safe' }, { secrets: { appKey: setBits } })))).toContain(
      examples.encryptData,
    );
    for (const appKey of [examples.appKey.slice(1), `${examples.appKey}A`, `${examples.appKey.slice(1)}!`, '']) {
      expect(exampleOf(app({ pushMode: 'safe' }, { secrets: { appKey } }))).toBe('sensoro_push_without_key');
    }
  });
});

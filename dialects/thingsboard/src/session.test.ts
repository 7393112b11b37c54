import { readFileSync } from 'node:fs';
import {
  DEFAULT_PROFILE_SETTINGS,
  type Intent,
  PointList,
  type ProfileSettings,
  type Scalar,
  ValueKind,
  ValueReader,
} from '@moorage/core';
import type { Disposition, ProtocolLevel, QoS } from '@moorage/dialect-api';
import { deviceLink, dialectMessage, payloadText } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { SchemaCache } from './protobuf/schema-cache.ts';
import { ThingsboardSession } from './session.ts';
import { ACCEPTED_FILTERS } from './subscriptions.ts';

interface Example {
  readonly page: string;
  readonly topicName: string;
  readonly payload: string;
  readonly ts?: number;
  readonly values: readonly { readonly key: string; readonly kind: keyof typeof ValueKind; readonly value: Scalar }[];
}

const examples = JSON.parse(
  readFileSync(new URL('./fixtures/documented-examples.json', import.meta.url), 'utf8'),
) as readonly Example[];

const NOW = 1_700_000_000_000;
const LONG = 'v1/devices/me/telemetry';
const ATTRIBUTES = 'v1/devices/me/attributes';
const tools = { reader: new ValueReader(), schemas: new SchemaCache(), now: () => NOW };
const { Boolean: B, Long: L, Double: D, String: S, Json: J } = ValueKind;

function session(
  level: ProtocolLevel = 5,
  settings: Partial<ProfileSettings> = {},
  gateway = false,
): ThingsboardSession {
  const device = {
    id: 'id',
    tenantId: 'tenant',
    name: 'device',
    profileId: 'profile',
    gateway,
    settings: { ...DEFAULT_PROFILE_SETTINGS, ...settings },
  };
  return new ThingsboardSession(tools, device, deviceLink(level));
}

function publish(
  topicName: string,
  payload: string | Uint8Array,
  { to = session(), qos = 1 as QoS }: { to?: ThingsboardSession; qos?: QoS } = {},
): Disposition {
  return to.publish(dialectMessage(topicName, payload, { qos, receivedAt: NOW }));
}

function pointsOf(intents: readonly Intent[]): PointList {
  const intent = intents[0];
  if (intents.length !== 1 || intent === undefined) return new PointList();
  return intent.kind === 'telemetry' ? intent.points : intent.kind === 'attributes' ? intent.values : new PointList();
}

function rows(disposition: Disposition): unknown[] {
  expect(disposition.refuse).toBeNull();
  expect(disposition.close).toBeNull();
  const { ts, keys, kinds, values } = pointsOf(disposition.intents);
  return keys.map((key, i) => [ts[i], key, kinds[i], values[i]]);
}

function fate({ intents, refuse, close, route }: Disposition): string {
  expect(route).toBe(false);
  if (close !== null) return `closed 0x${close.reasonCode.toString(16)}`;
  if (refuse !== null) return `refused 0x${refuse.reasonCode.toString(16)}`;
  return intents.length === 0 ? 'acknowledged' : (intents[0]?.kind ?? '');
}

describe('telemetry', () => {
  it.each(examples)('stores the documented example: $page', ({ topicName, payload, ts, values }) => {
    const disposition = publish(topicName, payload);
    expect(fate(disposition)).toBe(topicName === LONG ? 'telemetry' : 'attributes');
    expect(rows(disposition)).toEqual(values.map(({ key, kind, value }) => [ts ?? NOW, key, ValueKind[kind], value]));
  });

  it('TB-24 stores LONG, BOOLEAN, STRING, DOUBLE, JSON at server time', () => {
    expect(rows(publish(LONG, '{"a":1,"b":true,"c":"x","d":4.2,"e":{"k":[1]}}'))).toEqual([
      [NOW, 'a', L, 1],
      [NOW, 'b', B, true],
      [NOW, 'c', S, 'x'],
      [NOW, 'd', D, 4.2],
      [NOW, 'e', J, '{"k":[1]}'],
    ]);
  });

  it('TB-25 stores at the time given', () => {
    expect(rows(publish(LONG, '{"ts":1451649600512,"values":{"a":1}}'))).toEqual([[1_451_649_600_512, 'a', L, 1]]);
  });

  it('TB-26 stores every element of an array that mixes both forms', () => {
    expect(rows(publish(LONG, '[{"a":1},{"ts":5,"values":{"a":2}},{"b":3}]'))).toEqual([
      [NOW, 'a', L, 1],
      [5, 'a', L, 2],
      [NOW, 'b', L, 3],
    ]);
  });

  it.each([
    '{temperature:25}',
    "{'temperature':25}",
    '{temperature=25}',
    '{temperature=>25 // now\n}',
    '/* */{"temperature":25}',
  ])('TB-27 accepts leniently written JSON: %j', (payload) => {
    expect(rows(publish(LONG, payload))).toEqual([[NOW, 'temperature', L, 25]]);
  });

  it('TB-28 skips null', () => {
    expect(rows(publish(LONG, '{"a":null,"b":1}'))).toEqual([[NOW, 'b', L, 1]]);
  });

  it('TB-29 casts strings that are plain decimals, unless the profile switches it off', () => {
    const payload = '{"a":"25","b":"25.0","c":"0123","d":"1e5","e":""}';
    expect(rows(publish(LONG, payload))).toEqual([
      [NOW, 'a', L, 25],
      [NOW, 'b', D, 25],
      [NOW, 'c', L, 123],
      [NOW, 'd', S, '1e5'],
      [NOW, 'e', S, ''],
    ]);
    const off = session(5, { castStrings: false });
    expect(rows(publish(LONG, payload, { to: off })).map((row) => (row as unknown[])[2])).toEqual([S, S, S, S, S]);
    expect(fate(publish(LONG, '{"a":9223372036854775808}', { to: off }))).toBe('refused 0x99');
  });

  it('TB-30 types numbers by the way they are written', () => {
    const payload = '{"a":42.0,"b":1e5,"c":9223372036854775808,"d":0.12345678901234567}';
    expect(rows(publish(LONG, payload))).toEqual([
      [NOW, 'a', D, 42],
      [NOW, 'b', L, 100_000],
      [NOW, 'c', S, '9223372036854775808'],
      [NOW, 'd', S, '0.12345678901234567'],
    ]);
  });

  it('TB-31 acknowledges {} and [] and stores nothing', () => {
    for (const payload of ['{}', '[]', '{"ts":1,"values":{}}', '{"a":null}']) {
      expect(fate(publish(LONG, payload)), payload).toBe('acknowledged');
    }
  });

  it('TB-32 refuses [1], "x", null, an empty payload and values that are no object', () => {
    for (const payload of [
      '[1]',
      '"x"',
      'null',
      '',
      '{"ts":1,"values":[]}',
      '[[{"a":1}]]',
      '{"ts":"abc","values":{"a":1}}',
      '{"a":1} x',
    ]) {
      expect(fate(publish(LONG, payload)), payload).toBe('refused 0x99');
    }
  });

  it('TB-33 stores ts without values as a key', () => {
    expect(rows(publish(LONG, '{"ts":5}'))).toEqual([[NOW, 'ts', L, 5]]);
  });

  it('TB-34 the topics v2/t and v2/t/j behave like the long one', () => {
    for (const topicName of ['v2/t', 'v2/t/j']) expect(rows(publish(topicName, '{"a":1}'))).toEqual([[NOW, 'a', L, 1]]);
  });

  it('TB-35 a telemetry topic of the profile replaces the long one and leaves the short one', () => {
    const to = session(5, {
      telemetryTopic: 'plant/+/data',
      attributesTopic: 'plant/+/state',
      attributesSubscribeTopic: 'plant/set',
    });
    expect(fate(publish('plant/7/data', '{"a":1}', { to }))).toBe('telemetry');
    expect(fate(publish('plant/7/state', '{"a":1}', { to }))).toBe('attributes');
    for (const topicName of ['v2/t', 'v2/t/j']) expect(fate(publish(topicName, '{"a":1}', { to }))).toBe('telemetry');
    expect(fate(publish('v2/a', '{"a":1}', { to }))).toBe('attributes');
    for (const topicName of [LONG, ATTRIBUTES])
      expect(fate(publish(topicName, '{"a":1}', { to }))).toBe('refused 0x90');
    expect(
      to.subscribe('plant/set', { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }).reasonCode,
    ).toBe(1);
  });

  it('TB-35 attributes are tried before telemetry, and # leaves the short topics and RPC alone', () => {
    const to = session(5, { telemetryTopic: '#', attributesTopic: 'a/+' });
    expect(fate(publish('a/b', '{"a":1}', { to }))).toBe('attributes');
    expect(fate(publish('v2/a', '{"a":1}', { to }))).toBe('attributes');
    expect(fate(publish('any/thing', '{"a":1}', { to }))).toBe('telemetry');
    expect(fate(publish('v1/devices/me/rpc/response/1', '{}', { to }))).toBe('rpcResponse');
  });

  it('a changed profile holds from the next message on', () => {
    const to = session();
    const settings = { ...DEFAULT_PROFILE_SETTINGS, castStrings: false, telemetryTopic: 'x' };
    to.deviceChanged({ id: 'id', tenantId: 't', name: 'n', profileId: 'p', gateway: false, settings });
    expect(rows(publish('x', '{"a":"1"}', { to }))).toEqual([[NOW, 'a', S, '1']]);
    expect(fate(publish(LONG, '{"a":1}', { to }))).toBe('refused 0x90');
  });

  it('a bad key is told on 5.0 and acknowledged on 3.x, nothing is stored, and the connection stays (2.2)', () => {
    for (const level of [3, 4, 5] as const) {
      for (const payload of ['{"":1,"b":2}', `{"${'k'.repeat(256)}":1}`]) {
        expect(fate(publish(LONG, payload, { to: session(level), qos: 0 }))).toBe('refused 0x99');
      }
    }
  });
});

describe('attributes', () => {
  it('TB-36 stores an object as client attributes and refuses an array', () => {
    for (const topicName of [ATTRIBUTES, 'v2/a', 'v2/a/j']) {
      const disposition = publish(topicName, '{"a":1,"ts":5,"values":{}}');
      expect(disposition.intents).toMatchObject([{ kind: 'attributes', scope: 'CLIENT' }]);
      expect(rows(disposition)).toEqual([
        [NOW, 'a', L, 1],
        [NOW, 'ts', L, 5],
        [NOW, 'values', J, '{}'],
      ]);
      for (const payload of ['[{"a":1}]', '1', '']) expect(fate(publish(topicName, payload))).toBe('refused 0x99');
    }
  });
});

describe('bad messages', () => {
  it('TB-18 an unknown topic is refused with 0x90 and the connection stays', () => {
    const topics = ['x', 'v1/devices/me', 'v1/devices/me/telemetry/', 'V2/T', 'v2/t/x', 'v1/devices/other/telemetry'];
    topics.push('v2/fw/request/x/chunk/0', 'v2/fw/request/1/chunk', 'v2/hw/request/1/chunk/0', '/provision/request');
    for (const topicName of topics) {
      for (const level of [3, 4, 5] as const) {
        for (const qos of [0, 1, 2] as const) {
          expect(fate(publish(topicName, '{}', { to: session(level), qos })), topicName).toBe('refused 0x90');
        }
      }
    }
  });

  it('TB-19 malformed JSON: 5.0 is told, 3.x closed, unless the profile asks for an acknowledgement', () => {
    expect(fate(publish(LONG, '{"a"', { qos: 1 }))).toBe('refused 0x99');
    expect(fate(publish(LONG, '{"a"', { qos: 2 }))).toBe('refused 0x99');
    expect(fate(publish(LONG, '{"a"', { qos: 0 }))).toBe('closed 0x99');
    for (const level of [3, 4] as const) {
      for (const qos of [0, 1, 2] as const) {
        expect(fate(publish(LONG, '{"a"', { to: session(level), qos }))).toBe('closed 0x99');
        const lenient = session(level, { sendAckOnValidationException: true });
        expect(fate(publish(LONG, '{"a"', { to: lenient, qos }))).toBe('refused 0x99');
      }
    }
  });

  it('TB-20 a payload beyond 65,536 bytes closes with 0x81, one of 65,536 passes', () => {
    const fitting = `{"a":"${'x'.repeat(65_536 - 8)}"}`;
    expect(fate(publish(LONG, fitting))).toBe('telemetry');
    for (const topicName of [LONG, 'unknown']) {
      for (const level of [4, 5] as const) {
        expect(fate(publish(topicName, `${fitting} `, { to: session(level) }))).toBe('closed 0x81');
      }
    }
  });

  it('TB-93 a gateway topic from an ordinary device has no effect and does not close', () => {
    expect(fate(publish('v1/gateway/telemetry', '{}'))).toBe('refused 0x87');
    expect(fate(publish('v1/gateway/telemetry', '{}', { to: session(4) }))).toBe('refused 0x87');
    expect(fate(publish('v1/gateway/unknown', '{}'))).toBe('refused 0x87');
    expect(fate(publish('v1/gateway/unknown', '{}', { to: session(5, {}, true) }))).toBe('refused 0x90');
  });

  it('an RPC answer with an identifier that is no number is a payload error (1.9)', () => {
    for (const id of ['x', '', '1/2', '-1', '99999999999']) {
      expect(fate(publish(`v1/devices/me/rpc/response/${id}`, '{}'))).toBe('refused 0x99');
      expect(fate(publish(`v1/devices/me/rpc/response/${id}`, '{}', { to: session(4) }))).toBe('closed 0x99');
    }
  });

  it('invalid UTF-8 is a payload error [B5]', () => {
    expect(fate(publish(LONG, Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)))).toBe('refused 0x99');
    expect(fate(publish('v2/r/res/1', Uint8Array.of(0xff)))).toBe('refused 0x99');
  });

  it('hostile JSON is a payload error and stores nothing [B5]', () => {
    const payloads = [
      `{"a":${'['.repeat(10_000)}`,
      '['.repeat(10_000),
      `{"a":${'9'.repeat(60_000)}}`,
      '{"a":1e999999999}',
    ];
    for (const payload of payloads) expect(fate(publish(LONG, payload)), payload.slice(0, 20)).toBe('refused 0x99');
    // A bare word is text to the lenient parser of the original.
    expect(rows(publish(LONG, '{"a":NaN,"a":Infinity}'))).toEqual([[NOW, 'a', S, 'Infinity']]);
    expect(rows(publish(LONG, '{"__proto__":{"polluted":1}}'))).toEqual([[NOW, '__proto__', J, '{"polluted":1}']]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('subscriptions', () => {
  const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;

  it('TB-14 a SUBSCRIBE needs nothing but the open session', () => {
    expect(session().subscribe(ATTRIBUTES, options(0))).toEqual({ reasonCode: 0, enter: [] });
  });

  it('TB-15 every filter of 1.8 is granted min(requested, 1) and never enters the tree', () => {
    const to = session();
    expect(ACCEPTED_FILTERS).toHaveLength(23);
    for (const topicFilter of ACCEPTED_FILTERS) {
      for (const qos of [0, 1, 2] as const) {
        expect(to.subscribe(topicFilter, options(qos)), topicFilter).toEqual({
          reasonCode: Math.min(qos, 1),
          enter: [],
        });
      }
    }
  });

  it('TB-16 any other filter is refused with 0x8F', () => {
    for (const topicFilter of [
      '#',
      'v2/fw/response/+',
      'v1/devices/me/rpc/request/#',
      '$share/g/v2/a',
      '+',
      'v1/devices/+/attributes',
    ]) {
      expect(session().subscribe(topicFilter, options(1)), topicFilter).toEqual({ reasonCode: 0x8f, enter: [] });
    }
  });

  it('TB-17 UNSUBSCRIBE of a filter that was never subscribed answers 0x11', () => {
    const to = session();
    to.subscribe('v2/a', options(0));
    expect(to.unsubscribe('v2/a')).toBe(0);
    for (const topicFilter of ['v2/a', '#', '/provision/response']) expect(to.unsubscribe(topicFilter)).toBe(0x11);
  });

  it('TB-21 nothing is ever delivered from a tree, and no Will is published', () => {
    expect(session().mayReceive()).toBe(false);
    expect(session().mayPublishWill()).toBe(false);
  });
});

describe('commands', () => {
  const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;
  const pushed = (to: ThingsboardSession, command: Parameters<ThingsboardSession['command']>[0]) => {
    const messages = to.command(command);
    return typeof messages === 'string' ? messages : messages.map((m) => [m.topicName, payloadText(m.payload), m.qos]);
  };
  const change = { kind: 'sharedAttributes', values: new Map([['k', { kind: D, value: 1 }]]), deleted: null } as const;

  it('TB-43 pushes exactly the written keys while subscribed, and not after UNSUBSCRIBE', () => {
    const to = session();
    expect(pushed(to, change)).toBe('notSubscribed');
    to.subscribe(ATTRIBUTES, options(1));
    expect(pushed(to, change)).toEqual([[ATTRIBUTES, '{"k":1.0}', 1]]);
    to.unsubscribe(ATTRIBUTES);
    expect(pushed(to, change)).toBe('notSubscribed');
  });

  it('TB-44 pushes deleted keys as a list, apart from written ones', () => {
    const to = session();
    to.subscribe(ATTRIBUTES, options(0));
    expect(pushed(to, { ...change, deleted: ['a', 'b"'] })).toEqual([
      [ATTRIBUTES, '{"k":1.0}', 0],
      [ATTRIBUTES, '{"deleted":["a","b\\""]}', 0],
    ]);
  });

  it('TB-45 the last used form decides the topic of pushes', () => {
    const to = session();
    to.subscribe(ATTRIBUTES, options(1));
    to.subscribe('v2/a/j', options(0));
    expect(pushed(to, change)).toEqual([['v2/a/j', '{"k":1.0}', 0]]);
    to.subscribe(ATTRIBUTES, options(1));
    expect(pushed(to, change)).toEqual([[ATTRIBUTES, '{"k":1.0}', 1]]);
  });

  it('a filter with wildcards from the profile is pushed to the default topic', () => {
    const to = session(5, { attributesSubscribeTopic: 'plant/+/set' });
    to.subscribe('plant/+/set', options(1));
    expect(pushed(to, change)).toEqual([[ATTRIBUTES, '{"k":1.0}', 1]]);
  });

  it('TB-46 pushes use the granted QoS', () => {
    const to = session();
    to.subscribe(ATTRIBUTES, options(2));
    expect(pushed(to, change)).toEqual([[ATTRIBUTES, '{"k":1.0}', 1]]);
  });

  it('TB-47 an RPC reaches a subscribed device in the form it subscribed to', () => {
    const call = { kind: 'rpc', id: '7', method: 'set"Led', params: '{"on":true}' } as const;
    const to = session();
    expect(pushed(to, call)).toBe('notSubscribed');
    to.subscribe('v1/devices/me/rpc/request/+', options(1));
    const body = '{"method":"set\\"Led","params":{"on":true}}';
    expect(pushed(to, call)).toEqual([['v1/devices/me/rpc/request/7', body, 1]]);
    to.subscribe('v2/r/req/+', options(0));
    expect(pushed(to, call)).toEqual([['v2/r/req/7', body, 0]]);
    expect(pushed(to, { ...call, id: 'a/b' })).toBe('notSupported');
  });

  it('TB-47 takes the answer in every form', () => {
    for (const topicName of ['v1/devices/me/rpc/response/7', 'v2/r/res/7', 'v2/r/res/j/7']) {
      expect(publish(topicName, '{"ok":true}').intents).toEqual([
        { kind: 'rpcResponse', id: '7', payload: '{"ok":true}' },
      ]);
    }
  });

  it('TB-59 params arrive unchanged', () => {
    const to = session();
    to.subscribe('v1/devices/me/rpc/request/+', options(0));
    for (const params of ['null', '1', '"s"', '[1,2]', '{"a":1.0}']) {
      expect(pushed(to, { kind: 'rpc', id: '0', method: 'm', params })).toEqual([
        ['v1/devices/me/rpc/request/0', `{"method":"m","params":${params}}`, 0],
      ]);
    }
  });
});

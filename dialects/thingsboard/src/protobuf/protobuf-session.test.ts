import {
  type Attribute,
  PointList,
  type ProfileSettings,
  type ProtobufSettings,
  ValueKind,
  ValueReader,
} from '@moorage/core';
import type { Disposition, OutboundMessage, ProtocolLevel, QoS } from '@moorage/dialect-api';
import { deviceLink, deviceRef, dialectMessage, fateOf, sentTexts } from '@moorage/testkit';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { ThingsboardSession } from '../session.ts';
import { SchemaCache } from './schema-cache.ts';

const NOW = 1_700_000_000_000;
const tools = { reader: new ValueReader(), schemas: new SchemaCache(), now: () => NOW };
const { Boolean: B, Long: L, Double: D, String: S, Json: J } = ValueKind;
const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;
const LONG = 'v1/devices/me/telemetry';

/** The platform's own messages as their numbers were observed. */
const PLATFORM = protobuf.parse(
  `syntax = "proto3";
  enum KeyValueType { BOOLEAN_V = 0; LONG_V = 1; DOUBLE_V = 2; STRING_V = 3; JSON_V = 4; }
  message KeyValue {
    string key = 1; KeyValueType type = 2; bool bool_v = 3; int64 long_v = 4; double double_v = 5; string string_v = 6;
    string json_v = 7;
  }
  message TsKvList { int64 ts = 1; repeated KeyValue kv = 2; }
  message TsKv { int64 ts = 1; KeyValue kv = 2; }
  message Attributes { repeated KeyValue kv = 1; }
  message AttributesRequest { string clientKeys = 1; string sharedKeys = 2; }
  message AttributesResponse { int32 requestId = 1; repeated TsKv client = 2; repeated TsKv shared = 3; }
  message AttributesUpdate { repeated TsKv updated = 1; repeated string deleted = 2; }
  message RpcRequest { string method = 1; string params = 2; }
  message RpcAnswer { int32 requestId = 1; string payload = 2; }
  message ServerRpc { string method = 1; int32 requestId = 2; string params = 3; }
  message ServerRpcAnswer { string payload = 1; }
  message Claim { string secretKey = 1; int64 durationMs = 2; }`,
  { keepCase: true },
).root;

const encode = (type: string, message: object) => {
  const by = PLATFORM.lookupType(type);
  return by.encode(by.fromObject(message)).finish();
};

function decoded(type: string, [message]: readonly OutboundMessage[]): unknown {
  if (!(message?.payload instanceof Uint8Array)) throw new TypeError('there is no payload');
  const by = PLATFORM.lookupType(type);
  return by.toObject(by.decode(message.payload), { longs: Number });
}

const TELEMETRY_SCHEMA = `syntax = "proto3"; package telemetry;
  message Values { optional double temp_c = 1; optional int64 count = 2; bool on = 3; repeated int32 list = 4; }
  message Timed { int64 ts = 1; Values values = 2; }`;
const ATTRIBUTES_SCHEMA =
  'syntax = "proto3"; message A { optional string serial_number = 1; optional int32 year = 2; }';
const RPC_SCHEMA =
  'syntax = "proto3"; package rpc; message Params { int32 pin = 1; } message Call { string method = 1; int32 requestId = 2; Params params = 3; }';
const RPC_ANSWER_SCHEMA = 'syntax = "proto3"; message R { bool ok = 1; }';

const SETTINGS: ProtobufSettings = {
  telemetrySchema: TELEMETRY_SCHEMA,
  attributesSchema: ATTRIBUTES_SCHEMA,
  rpcRequestSchema: RPC_SCHEMA,
  rpcResponseSchema: RPC_ANSWER_SCHEMA,
  acceptJson: false,
  jsonDownlinks: false,
};
const PLATFORM_ONLY: ProtobufSettings = {
  ...SETTINGS,
  telemetrySchema: null,
  attributesSchema: null,
  rpcRequestSchema: null,
  rpcResponseSchema: null,
};

function open(
  protobufSettings: ProtobufSettings | null = SETTINGS,
  level: ProtocolLevel = 5,
  more: Partial<ProfileSettings> = {},
) {
  return new ThingsboardSession(tools, deviceRef({}, { protobuf: protobufSettings, ...more }), deviceLink(level));
}

function publish(topicName: string, payload: string | Uint8Array, to = open(), qos: QoS = 1): Disposition {
  return to.publish(dialectMessage(topicName, payload, { qos, receivedAt: NOW }));
}

function rows(disposition: Disposition): unknown[] {
  expect([disposition.refuse, disposition.close]).toEqual([null, null]);
  const intent = disposition.intents[0];
  const points =
    intent?.kind === 'telemetry' ? intent.points : intent?.kind === 'attributes' ? intent.values : new PointList();
  return points.keys.map((key, i) => [points.ts[i], key, points.kinds[i], points.values[i]]);
}

function bySchema(text: string, type: string, message: object): Uint8Array {
  const by = protobuf.parse(text, { keepCase: true }).root.lookupType(type);
  return Uint8Array.from(by.encode(by.fromObject(message)).finish());
}

const timed = (message: object) => bySchema(TELEMETRY_SCHEMA, 'telemetry.Timed', message);

describe("values by the profile's schemas", () => {
  it('telemetry with time, under camelCase names; optional fields that were not sent are left out', () => {
    const payload = timed({ ts: 5, values: { temp_c: 42, count: 7, list: [1, 2] } });
    for (const topicName of [LONG, 'v2/t', 'v2/t/p']) {
      expect(rows(publish(topicName, payload))).toEqual([
        [5, 'tempC', D, 42],
        [5, 'count', L, 7],
        [5, 'on', B, false],
        [5, 'list', J, '[1,2]'],
      ]);
    }
    expect(rows(publish(LONG, timed({ ts: 5, values: {} })))).toEqual([
      [5, 'on', B, false],
      [5, 'list', J, '[]'],
    ]);
  });

  it('attributes', () => {
    const payload = bySchema(ATTRIBUTES_SCHEMA, 'A', { serial_number: '0123', year: 2026 });
    for (const topicName of ['v1/devices/me/attributes', 'v2/a', 'v2/a/p']) {
      expect(rows(publish(topicName, payload))).toEqual([
        [NOW, 'serialNumber', L, 123],
        [NOW, 'year', L, 2026],
      ]);
    }
    const kept = open(SETTINGS, 5, { castStrings: false });
    expect(rows(publish('v2/a', payload, kept))[0]).toEqual([NOW, 'serialNumber', S, '0123']);
  });

  it('the JSON topics stay JSON, the others take it only where the profile says so', () => {
    const json = '{"a":1}';
    expect(rows(publish('v2/t/j', json))).toEqual([[NOW, 'a', L, 1]]);
    expect(rows(publish('v2/a/j', json))).toEqual([[NOW, 'a', L, 1]]);
    for (const topicName of [LONG, 'v2/t', 'v2/a']) expect(fateOf(publish(topicName, json))).toBe('refused 0x99');
    const either = open({ ...SETTINGS, acceptJson: true });
    for (const topicName of [LONG, 'v2/t', 'v2/a'])
      expect(rows(publish(topicName, json, either))).toEqual([[NOW, 'a', L, 1]]);
    expect(rows(publish(LONG, timed({ ts: 5, values: { count: 1 } }), either))[0]).toEqual([5, 'count', L, 1]);
    expect(fateOf(publish('v2/t/p', json, either))).toBe('refused 0x99');
    expect(fateOf(publish(LONG, 'neither', either))).toBe('refused 0x99');
  });

  it('a topic of the profile takes its payload type', () => {
    const session = open(SETTINGS, 5, { telemetryTopic: 'plant/+/data' });
    expect(rows(publish('plant/1/data', timed({ ts: 5, values: { count: 1 } }), session))[0]).toEqual([
      5,
      'count',
      L,
      1,
    ]);
  });

  it('what cannot be read is a payload error with a reason (1.9)', () => {
    expect(publish(LONG, Uint8Array.of(1)).refuse?.reason).toContain('no message of the schema');
    expect(fateOf(publish(LONG, Uint8Array.of(1), open(), 0))).toBe('closed 0x99');
    expect(fateOf(publish(LONG, Uint8Array.of(1), open(SETTINGS, 4)))).toBe('closed 0x99');
    const broken = open({ ...SETTINGS, telemetrySchema: 'syntax = "proto3"; message A {' });
    expect(publish(LONG, timed({ ts: 5 }), broken).refuse?.reason).toContain('schema cannot be used');
  });

  it('an empty payload is a message with nothing but defaults', () => {
    expect(rows(publish(LONG, ''))).toEqual([[NOW, 'ts', L, 0]]);
  });
});

describe("values in the platform's own messages", () => {
  const kv = [
    { key: 'b', type: 0, bool_v: true },
    { key: 'l', type: 1, long_v: -7 },
    { key: 'd', type: 2, double_v: 42 },
    { key: 's', type: 3, string_v: '25' },
    { key: 'j', type: 4, json_v: '{"a" : [1.0]}' },
  ];

  it('telemetry and attributes on the /p topics, whatever the profile is', () => {
    for (const settings of [null, PLATFORM_ONLY]) {
      for (const [topicName, payload, ts] of [
        ['v2/t/p', encode('TsKvList', { ts: 5, kv }), 5],
        ['v2/t/p', encode('TsKvList', { kv }), NOW],
        ['v2/a/p', encode('Attributes', { kv }), NOW],
      ] as const) {
        expect(rows(publish(topicName, payload, open(settings)))).toEqual([
          [ts, 'b', B, true],
          [ts, 'l', L, -7],
          [ts, 'd', D, 42],
          [ts, 's', S, '25'],
          [ts, 'j', J, '{"a":[1.0]}'],
        ]);
      }
    }
  });

  it('a message without values, and values that do not exist, are payload errors', () => {
    for (const message of [
      {},
      { ts: 5 },
      { kv: [{ key: 'a', type: 9 }] },
      { kv: [{ key: 'a', type: 2, double_v: Number.NaN }] },
      { kv: [{ key: 'a', type: 4, json_v: '{' }] },
      { kv: [{ key: 'a', type: 4, json_v: '1},"b":{' }] },
      { kv: [{ key: 'a', type: 4, json_v: '1,"b":2' }] },
      { ts: Number.MAX_SAFE_INTEGER, kv },
    ]) {
      expect(fateOf(publish('v2/t/p', encode('TsKvList', message), open(null))), JSON.stringify(message)).toBe(
        'refused 0x99',
      );
    }
    expect(fateOf(publish('v2/t/p', '{"a":1}', open(null)))).toBe('refused 0x99');
  });

  it('a bad key never closes', () => {
    const payload = encode('TsKvList', { kv: [{ key: ' ', type: 1, long_v: 1 }] });
    expect(fateOf(publish('v2/t/p', payload, open(null, 4), 0))).toBe('refused 0x99');
  });
});

describe('requests in Protocol Buffers', () => {
  const asked = encode('AttributesRequest', { clientKeys: 'a,b,', sharedKeys: 'c' });

  it('attribute requests are answered in the form of the request', () => {
    const client: Attribute[] = [{ scope: 'CLIENT', key: 'a', kind: L, value: 5, lastUpdateTs: 7 }];
    const shared: Attribute[] = [{ scope: 'SHARED', key: 'c', kind: J, value: '[1]', lastUpdateTs: 8 }];
    for (const [session, request, response] of [
      [open(), 'v1/devices/me/attributes/request/9', 'v1/devices/me/attributes/response/9'],
      [open(), 'v2/a/req/9', 'v2/a/res/9'],
      [open(null), 'v2/a/req/p/9', 'v2/a/res/p/9'],
    ] as const) {
      expect(publish(request, asked, session).intents).toEqual([
        { kind: 'attributesRequest', clientKeys: ['a', 'b'], sharedKeys: ['c'], ref: response },
      ]);
      const reply = session.reply({ kind: 'attributes', ref: response, subDevice: null, client, shared });
      expect(reply[0]?.topicName).toBe(response);
      expect(decoded('AttributesResponse', reply)).toEqual({
        requestId: 9,
        client: [{ ts: 7, kv: { key: 'a', type: 1, long_v: 5 } }],
        shared: [{ ts: 8, kv: { key: 'c', type: 4, json_v: '[1]' } }],
      });
    }
    expect(publish('v2/a/req/p/9', '', open(null)).intents).toMatchObject([{ clientKeys: 'all', sharedKeys: 'all' }]);
  });

  it('answers stay JSON on the JSON topics, and on the long ones where the profile says so', () => {
    const compatible = open({ ...SETTINGS, acceptJson: true, jsonDownlinks: true });
    const answer = (session: ThingsboardSession, ref: string) =>
      sentTexts(session.reply({ kind: 'clientRpc', ref, subDevice: null, payload: '{}' }))[0]?.[1];
    expect(answer(compatible, 'v1/devices/me/rpc/response/1')).toBe('{}');
    expect(answer(open(), 'v2/r/res/j/1')).toBe('{}');
    expect(answer(compatible, 'v2/r/res/1')).not.toBe('{}');
    expect(answer(open(), 'v1/devices/me/rpc/response/1')).not.toBe('{}');
  });

  it('client-side RPC', () => {
    const session = open(null);
    const call = encode('RpcRequest', { method: 'getTime', params: '{"a":1}' });
    expect(publish('v2/r/req/p/4', call, session).intents).toEqual([
      { kind: 'clientRpc', method: 'getTime', params: '{"a":1}', ref: 'v2/r/res/p/4' },
    ]);
    const reply = session.reply({ kind: 'clientRpc', ref: 'v2/r/res/p/4', subDevice: null, payload: '{"t":1}' });
    expect(decoded('RpcAnswer', reply)).toEqual({ requestId: 4, payload: '{"t":1}' });
    expect(fateOf(publish('v2/r/req/p/4', encode('RpcRequest', { params: '1' }), session))).toBe('refused 0x99');
    expect(publish('v2/r/req/p/4', encode('RpcRequest', { method: 'm' }), session).intents).toMatchObject([
      { params: 'null' },
    ]);
  });

  it('claims', () => {
    const claim = encode('Claim', { secretKey: 's', durationMs: 5 });
    expect(publish('v1/devices/me/claim', claim).intents).toEqual([{ kind: 'claim', secretKey: 's', durationMs: 5 }]);
    expect(fateOf(publish('v1/devices/me/claim', '{"secretKey":"s"}'))).toBe('refused 0x99');
    const either = open({ ...SETTINGS, acceptJson: true });
    expect(publish('v1/devices/me/claim', '{"secretKey":"s"}', either).intents).toMatchObject([{ secretKey: 's' }]);
  });
});

describe('commands in Protocol Buffers', () => {
  const call = { kind: 'rpc', id: '7', method: 'setGpio', params: '{"pin":3}' } as const;
  const change = {
    kind: 'sharedAttributes',
    values: new Map([['k', { kind: S, value: 'v' }]]),
    deleted: ['x'],
  } as const;

  it("an RPC and its answer by the profile's schemas", () => {
    const session = open();
    session.subscribe('v1/devices/me/rpc/request/+', options(1));
    const payload = bySchema(RPC_SCHEMA, 'rpc.Call', { method: 'setGpio', requestId: 7, params: { pin: 3 } });
    expect(session.command(call)).toEqual([{ topicName: 'v1/devices/me/rpc/request/7', payload, qos: 1 }]);
    expect(session.command({ ...call, params: '{"pin":"x"}' })).toBe('notSupported');
    const answer = bySchema(RPC_ANSWER_SCHEMA, 'R', { ok: true });
    expect(publish('v1/devices/me/rpc/response/7', answer, session).intents).toEqual([
      { kind: 'rpcResponse', id: '7', payload: '{"ok":true}' },
    ]);
    expect(fateOf(publish('v1/devices/me/rpc/response/7', 'text', session))).toBe('refused 0x99');
  });

  it("an RPC and its answer in the platform's own messages", () => {
    const session = open(null);
    session.subscribe('v2/r/req/p/+', options(0));
    for (const [params, text] of [
      ['{"pin":3}', '{"pin":3}'],
      ['"s"', 's'],
      ['5', '5'],
    ] as const) {
      const messages = session.command({ ...call, params });
      if (typeof messages === 'string') throw new TypeError(messages);
      expect(messages).toMatchObject([{ topicName: 'v2/r/req/p/7', qos: 0 }]);
      expect(decoded('ServerRpc', messages)).toEqual({ method: 'setGpio', requestId: 7, params: text });
    }
    expect(publish('v2/r/res/p/7', encode('ServerRpcAnswer', { payload: 'done' }), session).intents).toEqual([
      { kind: 'rpcResponse', id: '7', payload: '{"payload":"done"}' },
    ]);
  });

  it('changes of shared attributes, update and deletion apart', () => {
    const session = open();
    session.subscribe('v2/a/p', options(1));
    const messages = session.command(change);
    if (typeof messages === 'string') throw new TypeError(messages);
    expect(messages.map(({ topicName }) => topicName)).toEqual(['v2/a/p', 'v2/a/p']);
    expect(decoded('AttributesUpdate', messages)).toEqual({
      updated: [{ ts: NOW, kv: { key: 'k', type: 3, string_v: 'v' } }],
    });
    expect(decoded('AttributesUpdate', messages.slice(1))).toMatchObject({ deleted: ['x'] });
  });

  it('stay JSON on the JSON topics, and on the long ones where the profile says so', () => {
    const session = open({ ...SETTINGS, acceptJson: true, jsonDownlinks: true });
    session.subscribe('v1/devices/me/attributes', options(1));
    expect(sentTexts(session.command({ ...change, deleted: null }))).toEqual([
      ['v1/devices/me/attributes', '{"k":"v"}', 1],
    ]);
    const other = open();
    other.subscribe('v2/r/req/j/+', options(1));
    expect(sentTexts(other.command(call))).toEqual([['v2/r/req/j/7', '{"method":"setGpio","params":{"pin":3}}', 1]]);
  });
});

it('a changed schema holds from the next message on', () => {
  const session = open();
  session.deviceChanged(deviceRef({}, { protobuf: PLATFORM_ONLY }));
  expect(rows(publish(LONG, encode('TsKvList', { ts: 5, kv: [{ key: 'b' }] }), session))).toEqual([[5, 'b', B, false]]);
  session.deviceChanged(deviceRef());
  expect(rows(publish(LONG, '{"a":1}', session))).toEqual([[NOW, 'a', L, 1]]);
});

import { readFileSync } from 'node:fs';
import { type Attribute, type Intent, type ProfileSettings, type Value, ValueKind, ValueReader } from '@moorage/core';
import type { DeviceReply, ProtocolLevel, QoS } from '@moorage/dialect-api';
import { deviceLink, deviceRef, dialectMessage, fateOf, sentTexts } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { SchemaCache } from './protobuf/schema-cache.ts';
import { ThingsboardSession } from './session.ts';

interface Exchange {
  readonly page: string;
  readonly gateway?: boolean;
  readonly subscribe?: { readonly topicFilter: string; readonly qos: QoS };
  readonly topicName: string;
  readonly payload: string;
  readonly intents: readonly Intent[];
}

const exchanges = JSON.parse(
  readFileSync(new URL('./fixtures/documented-exchanges.json', import.meta.url), 'utf8'),
) as readonly Exchange[];

const tools = { reader: new ValueReader(), schemas: new SchemaCache(), now: () => 0 };
const REQUEST = 'v1/devices/me/attributes/request/1';
const CLAIM = 'v1/devices/me/claim';
const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;

function open(level: ProtocolLevel = 5, settings: Partial<ProfileSettings> = {}, gateway = false): ThingsboardSession {
  return new ThingsboardSession(tools, deviceRef({ gateway }, settings), deviceLink(level));
}

function publish(topicName: string, payload: string | Uint8Array, to = open(), qos: QoS = 1) {
  return to.publish(dialectMessage(topicName, payload, { qos }));
}

function attribute(scope: Attribute['scope'], key: string, { kind, value }: Value): Attribute {
  return { scope, key, kind, value, lastUpdateTs: 0 };
}

const client = [attribute('CLIENT', 'model', { kind: ValueKind.String, value: 'x' })];
const shared = [
  attribute('SHARED', 'interval', { kind: ValueKind.Double, value: 5 }),
  attribute('SHARED', 'map', { kind: ValueKind.Json, value: '{"a":[1]}' }),
];

function reply(ref: string, fields: Partial<Extract<DeviceReply, { kind: 'attributes' }>> = {}, to = open()) {
  return sentTexts(to.reply({ kind: 'attributes', ref, subDevice: null, client: [], shared: [], ...fields }));
}

it.each(exchanges)(
  'understands the documented message: $page',
  ({ gateway, subscribe, topicName, payload, intents }) => {
    const to = open(4, {}, gateway);
    if (subscribe !== undefined) to.subscribe(subscribe.topicFilter, options(subscribe.qos));
    expect(publish(topicName, payload, to, 0)).toEqual({ route: false, intents, refuse: null, close: null });
  },
);

describe('attribute requests', () => {
  const keysOf = (payload: string) => {
    const intent = publish(REQUEST, payload).intents[0];
    return intent?.kind === 'attributesRequest' ? [intent.clientKeys, intent.sharedKeys] : undefined;
  };

  it('TB-37 {} asks for all client and all shared attributes', () => {
    for (const payload of ['{}', '{"clientKeys":""}', '{"clientKeys":null,"sharedKeys":","}', '{"other":"a"}']) {
      expect(keysOf(payload), payload).toEqual(['all', 'all']);
    }
  });

  it('TB-38 one list alone asks for that scope alone', () => {
    expect(keysOf('{"sharedKeys":"a,b"}')).toEqual([null, ['a', 'b']]);
    expect(keysOf('{"clientKeys":"a"}')).toEqual([['a'], null]);
    expect(keysOf('{"clientKeys":"","sharedKeys":"a"}')).toEqual([null, ['a']]);
    expect(reply('v1/devices/me/attributes/response/1', { shared })).toEqual([
      ['v1/devices/me/attributes/response/1', '{"shared":{"interval":5.0,"map":{"a":[1]}}}', 1],
    ]);
  });

  it('TB-39 what was found is told with the client scope first, and nothing found is {}', () => {
    expect(reply('v2/a/res/1', { client, shared })).toEqual([
      ['v2/a/res/1', '{"client":{"model":"x"},"shared":{"interval":5.0,"map":{"a":[1]}}}', 1],
    ]);
    expect(reply('v2/a/res/1')).toEqual([['v2/a/res/1', '{}', 1]]);
  });

  it('TB-40 a trailing comma is tolerated, blanks are part of a name, and arrays are accepted', () => {
    expect(keysOf('{"clientKeys":"a,b,","sharedKeys":" c,d "}')).toEqual([
      ['a', 'b'],
      [' c', 'd '],
    ]);
    expect(keysOf('{"clientKeys":["a","b"],"sharedKeys":[]}')).toEqual([['a', 'b'], null]);
    expect(keysOf('{clientKeys:a}')).toEqual([['a'], null]);
  });

  it('TB-41 TB-45 the answer has the id and the form of the request', () => {
    for (const [request, response] of [
      ['v1/devices/me/attributes/request/7', 'v1/devices/me/attributes/response/7'],
      ['v2/a/req/7', 'v2/a/res/7'],
      ['v2/a/req/j/7', 'v2/a/res/j/7'],
    ] as const) {
      expect(publish(request, '{}').intents).toMatchObject([{ kind: 'attributesRequest', ref: response }]);
      expect(reply(response)).toEqual([[response, '{}', 1]]);
    }
  });

  it('TB-46 an answer has the QoS of the subscription, and QoS 1 without one', () => {
    const to = open();
    expect(reply('v1/devices/me/attributes/response/1', {}, to)).toEqual([[expect.any(String), '{}', 1]]);
    to.subscribe('v1/devices/me/attributes/response/+', options(0));
    expect(reply('v1/devices/me/attributes/response/1', {}, to)).toEqual([[expect.any(String), '{}', 0]]);
    expect(reply('v2/a/res/1', {}, to)).toEqual([[expect.any(String), '{}', 1]]);
    to.subscribe('v2/a/res/+', options(1));
    to.subscribe('v2/a/res/+', options(0));
    expect(reply('v2/a/res/1', {}, to)).toEqual([[expect.any(String), '{}', 0]]);
  });

  it('a payload that is no object with lists is a payload error (1.9)', () => {
    const tooMany = `{"clientKeys":"${Array.from({ length: 1001 }, (_, i) => `k${i}`).join(',')}"}`;
    for (const payload of ['', '[]', 'x', '{"clientKeys":{}}', '{"clientKeys":[1]}', '{"clientKeys":5}', tooMany]) {
      expect(fateOf(publish(REQUEST, payload)), payload.slice(0, 30)).toBe('refused 0x99');
      expect(fateOf(publish(REQUEST, payload, open(4))), payload.slice(0, 30)).toBe('closed 0x99');
    }
  });

  it('an identifier that is no number is a payload error (1.9)', () => {
    for (const id of ['x', '', '1/2', '-1', '99999999999']) {
      for (const topic of [
        'v1/devices/me/attributes/request/',
        'v2/a/req/',
        'v1/devices/me/rpc/request/',
        'v2/r/req/j/',
      ]) {
        expect(fateOf(publish(topic + id, '{"method":"m"}')), topic + id).toBe('refused 0x99');
        expect(fateOf(publish(topic + id, '{"method":"m"}', open(5), 0)), topic + id).toBe('closed 0x99');
        expect(fateOf(publish(topic + id, '{"method":"m"}', open(4))), topic + id).toBe('closed 0x99');
        const lenient = open(4, { sendAckOnValidationException: true });
        expect(fateOf(publish(topic + id, '{"method":"m"}', lenient)), topic + id).toBe('refused 0x99');
      }
    }
  });
});

describe('client-side RPC', () => {
  const RPC = 'v1/devices/me/rpc/request/5';
  const callOf = (payload: string) => {
    const intent = publish(RPC, payload).intents[0];
    return intent?.kind === 'clientRpc' ? [intent.method, intent.params] : undefined;
  };

  it('is answered on the mirrored topic in the form of the request', () => {
    for (const [request, response] of [
      [RPC, 'v1/devices/me/rpc/response/5'],
      ['v2/r/req/5', 'v2/r/res/5'],
      ['v2/r/req/j/5', 'v2/r/res/j/5'],
    ] as const) {
      expect(publish(request, '{"method":"m"}').intents).toMatchObject([{ kind: 'clientRpc', ref: response }]);
      const payload = '{"error":"timeout"}';
      expect(sentTexts(open().reply({ kind: 'clientRpc', ref: response, subDevice: null, payload }))).toEqual([
        [response, payload, 1],
      ]);
    }
  });

  it('params are any JSON as it is written, and null where there are none', () => {
    expect(callOf('{"method":"m","params":{"a":[1.0, "x"]}}')).toEqual(['m', '{"a":[1.0,"x"]}']);
    for (const params of ['5', '1e5', '12345678901234567890', '"s"', 'true', 'null', '[]']) {
      expect(callOf(`{"method":"m","params":${params}}`)).toEqual(['m', params]);
    }
    for (const payload of ['{"method":"m"}', '{method:m}', '{method:m,params:null}']) {
      expect(callOf(payload), payload).toEqual(['m', 'null']);
    }
    expect(callOf('{method:m,params:{a:1}}')).toEqual(['m', '{"a":1}']);
  });

  it('a call without method is a payload error', () => {
    for (const payload of ['', '{}', '{"params":1}', '{"method":null}', '{"method":{}}', '[]', '"m"']) {
      expect(fateOf(publish(RPC, payload)), payload).toBe('refused 0x99');
      expect(fateOf(publish(RPC, payload, open(4))), payload).toBe('closed 0x99');
    }
  });
});

describe('claiming', () => {
  it('an empty payload and an empty object claim with the secret "" for as long as configured', () => {
    for (const payload of ['', '{}', '{"secretKey":null,"durationMs":0}', '{"durationMs":-5}']) {
      expect(publish(CLAIM, payload).intents, payload).toEqual([{ kind: 'claim', secretKey: '', durationMs: null }]);
    }
  });

  it('takes secret and duration, also written leniently', () => {
    for (const payload of ['{"secretKey":"s","durationMs":60000}', '{secretKey:s,durationMs:"60000"}']) {
      expect(publish(CLAIM, payload).intents, payload).toEqual([{ kind: 'claim', secretKey: 's', durationMs: 60_000 }]);
    }
  });

  it('anything else is a payload error', () => {
    for (const payload of [
      '[]',
      'x',
      '{"secretKey":{}}',
      '{"durationMs":"soon"}',
      '{"durationMs":[]}',
      '{"secretKey":',
    ]) {
      expect(fateOf(publish(CLAIM, payload)), payload).toBe('refused 0x99');
    }
  });
});

it('an answer to something that the session never asks for is none', () => {
  expect(open().reply({ kind: 'provision', ref: 'x', outcome: { status: 'NOT_FOUND' } })).toEqual([]);
});

import { type Attribute, type Intent, type ProfileSettings, ValueKind, ValueReader } from '@moorage/core';
import { type DeviceReply, type Disposition, type ProtocolLevel, type QoS, ReasonCode } from '@moorage/dialect-api';
import { deviceLink, deviceRef, dialectMessage, fateOf, sentTexts } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { SchemaCache } from '../protobuf/schema-cache.ts';
import { ThingsboardSession } from '../session.ts';

const NOW = 1_700_000_000_000;
const TELEMETRY = 'v1/gateway/telemetry';
const ATTRIBUTES = 'v1/gateway/attributes';
const REQUEST = 'v1/gateway/attributes/request';
const tools = { reader: new ValueReader(), schemas: new SchemaCache(), now: () => NOW };
const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;

function open(level: ProtocolLevel = 5, settings: Partial<ProfileSettings> = {}): ThingsboardSession {
  return new ThingsboardSession(tools, deviceRef({ gateway: true }, settings), deviceLink(level));
}

function publish(topicName: string, payload: string, to = open(), qos: QoS = 1): Disposition {
  return to.publish(dialectMessage(topicName, payload, { qos, receivedAt: NOW }));
}

/** `[device, kind of its intent, rows of its points]` of each device. */
function devicesOf(intents: readonly Intent[]): unknown[] {
  return intents.map((intent) => {
    if (intent.kind !== 'subDevice') return intent.kind;
    const inner = intent.intents[0];
    if (inner === undefined) return [intent.name];
    const points = inner.kind === 'telemetry' ? inner.points : inner.kind === 'attributes' ? inner.values : null;
    return [intent.name, inner.kind, points?.keys.map((key, i) => [points.ts[i], key, points.values[i]])];
  });
}

describe('values of devices behind a gateway', () => {
  it('TB-89 telemetry of two devices in one message is stored for each', () => {
    const payload = '{"A":[{"ts":5,"values":{"a":1}},{"b":2.5}],"B":[{"c":"x"}]}';
    const { intents, refuse, close } = publish(TELEMETRY, payload);
    expect([refuse, close]).toEqual([null, null]);
    expect(devicesOf(intents)).toEqual([
      [
        'A',
        'telemetry',
        [
          [5, 'a', 1],
          [NOW, 'b', 2.5],
        ],
      ],
      ['B', 'telemetry', [[NOW, 'c', 'x']]],
    ]);
  });

  it('TB-89 client attributes of two devices in one message are stored for each', () => {
    expect(devicesOf(publish(ATTRIBUTES, '{"A":{"k":"v","ts":1},"B":{}}').intents)).toEqual([
      [
        'A',
        'attributes',
        [
          [NOW, 'k', 'v'],
          [NOW, 'ts', 1],
        ],
      ],
      ['B'],
    ]);
  });

  it('an empty list only connects the device', () => {
    expect(publish(TELEMETRY, '{"A":[]}').intents).toEqual([{ kind: 'subDevice', name: 'A', type: null, intents: [] }]);
  });

  it('the metadata of an element is removed', () => {
    const metadata = '"metadata":{"connector":"c","receivedTs":1,"publishedTs":2}';
    expect(devicesOf(publish(TELEMETRY, `{"A":[{"ts":5,"values":{"a":1},${metadata}}]}`).intents)).toEqual([
      ['A', 'telemetry', [[5, 'a', 1]]],
    ]);
  });

  it('is read leniently, and names are plain data', () => {
    expect(devicesOf(publish(TELEMETRY, "{A:[{a:1}]; '__proto__'=[{b:2}]}").intents)).toEqual([
      ['A', 'telemetry', [[NOW, 'a', 1]]],
      ['__proto__', 'telemetry', [[NOW, 'b', 2]]],
    ]);
  });

  it('members that are no arrays are left out; none left closes with 0x83', () => {
    expect(devicesOf(publish(TELEMETRY, '{"A":[{"a":1}],"B":{"b":1},"C":5,"D":null}').intents)).toEqual([
      ['A', 'telemetry', [[NOW, 'a', 1]]],
    ]);
    for (const payload of ['{}', '{"B":{"b":1}}', '{"C":5,"D":"x","E":null}']) {
      for (const level of [4, 5] as const) {
        expect(fateOf(publish(TELEMETRY, payload, open(level))), payload).toBe('closed 0x83');
      }
    }
  });

  it('anything but an object closes with 0x83, on every topic', () => {
    for (const topic of ['connect', 'disconnect', 'telemetry', 'attributes', 'attributes/request', 'rpc', 'claim']) {
      for (const payload of ['[]', '"x"', '5', 'null', '{"":[{"a":1}]}', '{}']) {
        const disposition = publish(`v1/gateway/${topic}`, payload);
        expect(fateOf(disposition), `${topic} ${payload}`).toBe('closed 0x83');
        expect(disposition.refuse?.reasonCode).toBe(0x83);
      }
    }
  });

  it('what cannot be read of one device is told with 0x99, and the others are served', () => {
    const payload = '{"A":[{"a":1}],"B":[5],"C":[{"ts":"x","values":{"a":1}}],"D":[{"d":1}]}';
    for (const qos of [0, 1, 2] as const) {
      const disposition = publish(TELEMETRY, payload, open(), qos);
      expect(fateOf(disposition)).toBe('refused 0x99');
      expect(devicesOf(disposition.intents).map((row) => (row as unknown[])[0])).toEqual(['A', 'D']);
    }
    const closed = publish(TELEMETRY, payload, open(4));
    expect(fateOf(closed)).toBe('closed 0x99');
    expect(closed.intents).toHaveLength(2);
    expect(fateOf(publish(TELEMETRY, payload, open(4, { sendAckOnValidationException: true })))).toBe('refused 0x99');
    expect(fateOf(publish(ATTRIBUTES, '{"A":{"a":1},"B":[]}'))).toBe('refused 0x99');
    expect(fateOf(publish(TELEMETRY, '{"A":['))).toBe('refused 0x99');
  });

  it('a bad key of a value never closes', () => {
    const disposition = publish(TELEMETRY, '{"A":[{"":1}],"B":[{"b":1}]}', open(4));
    expect(fateOf(disposition)).toBe('refused 0x99');
    expect(devicesOf(disposition.intents)).toEqual([['B', 'telemetry', [[NOW, 'b', 1]]]]);
  });

  it('a message names a thousand devices at most [B5]', () => {
    const devices = (count: number) => `{${Array.from({ length: count }, (_, i) => `"d${i}":[{"a":1}]`).join(',')}}`;
    expect(publish(TELEMETRY, devices(1000)).intents).toHaveLength(1000);
    const refused = publish(TELEMETRY, devices(1001));
    expect(fateOf(refused)).toBe('refused 0x99');
    expect(refused.intents).toEqual([]);
  });

  it('QoS 0 is served like the others', () => {
    expect(publish(TELEMETRY, '{"A":[{"a":1}]}', open(), 0)).toMatchObject({ refuse: null, close: null });
  });
});

describe('connecting devices behind a gateway', () => {
  it('connect asks for the device in the profile that it names', () => {
    const connected = (payload: string) => publish('v1/gateway/connect', payload).intents;
    const device = { kind: 'subDevice', name: 'A', intents: [] };
    expect(connected('{"device":"A","type":"Sensor"}')).toEqual([{ ...device, type: 'Sensor' }]);
    for (const type of ['', ',"type":null', ',"type":""', ',"type":" "', ',"type":{}']) {
      expect(connected(`{"device":"A"${type}}`), type).toEqual([{ ...device, type: null }]);
    }
  });

  it('an empty, too long or missing name closes with 0x83', () => {
    for (const name of ['""', '" "', 'null', '{}', JSON.stringify('n'.repeat(256)), '"a\\u0000"', '"a\\nb"']) {
      for (const topic of ['connect', 'disconnect', 'rpc', 'attributes/request']) {
        const payload = `{"device":${name},"id":1,"data":1,"client":true,"key":"k"}`;
        expect(fateOf(publish(`v1/gateway/${topic}`, payload)), `${topic} ${name}`).toBe('closed 0x83');
      }
    }
  });
});

describe('requests for devices behind a gateway', () => {
  it('a request that lacks something closes with 0x83', () => {
    for (const payload of [
      '{"device":"A","client":true,"key":"k"}',
      '{"id":"x","device":"A","client":true,"key":"k"}',
      '{"id":1,"device":"A","key":"k"}',
      '{"id":1,"device":"A","client":true}',
      '{"id":1,"device":"A","client":true,"keys":[]}',
      '{"id":1,"device":"A","client":true,"keys":"k"}',
      '{"id":1,"device":"A","client":true,"keys":[1]}',
      '{"id":1,"device":"A","client":{}}',
    ]) {
      expect(fateOf(publish(REQUEST, payload)), payload).toBe('closed 0x83');
    }
    expect(fateOf(publish('v1/gateway/rpc', '{"device":"A","data":1}'))).toBe('closed 0x83');
    expect(fateOf(publish('v1/gateway/rpc', '{"device":"A","id":1}'))).toBe('closed 0x83');
  });

  it('TB-91 one key is answered with value, several with values', () => {
    const attribute = (key: string, value: number): Attribute => {
      return { scope: 'CLIENT', key, kind: ValueKind.Double, value, lastUpdateTs: 0 };
    };
    const answer = (payload: string, found: readonly Attribute[], shared: readonly Attribute[] = []) => {
      const session = open();
      const intent = publish(REQUEST, payload, session).intents[0];
      const inner = intent?.kind === 'subDevice' ? intent.intents[0] : undefined;
      if (inner?.kind !== 'attributesRequest') throw new TypeError(payload);
      const reply: DeviceReply = { kind: 'attributes', ref: inner.ref, subDevice: 'A"', client: found, shared };
      return sentTexts(session.reply(reply))[0]?.slice(0, 2);
    };
    const topic = 'v1/gateway/attributes/response';
    const one = '{"id":7,"device":"A","client":true,"key":"k"}';
    const several = '{"id":7,"device":"A","client":true,"keys":["k","l"]}';
    const arrays = '{"id":7,"device":"A","client":["k"],"shared":["k","l"]}';
    expect(answer(one, [attribute('k', 1)])).toEqual([topic, '{"id":7,"device":"A\\"","value":1.0}']);
    expect(answer(one, [])).toEqual([topic, '{"id":7,"device":"A\\""}']);
    expect(answer(several, [attribute('k', 1)])).toEqual([topic, '{"id":7,"device":"A\\"","values":{"k":1.0}}']);
    expect(answer(several, [])).toEqual([topic, '{"id":7,"device":"A\\""}']);
    expect(answer(arrays, [attribute('k', 1)], [attribute('k', 2), attribute('l', 3)])).toEqual([
      topic,
      '{"id":7,"device":"A\\"","values":{"k":1.0,"l":3.0}}',
    ]);
  });

  it('a claim opens the window of each device, with defaults where it says nothing', () => {
    const inner = (payload: string) =>
      publish('v1/gateway/claim', payload).intents.map((intent) => intent.kind === 'subDevice' && intent.intents);
    expect(inner('{"A":{"secretKey":"s","durationMs":5},"B":{}}')).toEqual([
      [{ kind: 'claim', secretKey: 's', durationMs: 5 }],
      [{ kind: 'claim', secretKey: '', durationMs: null }],
    ]);
    expect(fateOf(publish('v1/gateway/claim', '{"A":{"durationMs":"soon"}}'))).toBe('refused 0x99');
  });

  it('the answer to an RPC may be any JSON', () => {
    for (const data of ['{"a":1.0}', '[1]', '"x"', '5', 'null', 'false']) {
      expect(publish('v1/gateway/rpc', `{"device":"A","id":"3","data":${data}}`).intents).toEqual([
        { kind: 'subDevice', name: 'A', type: null, intents: [{ kind: 'rpcResponse', id: '3', payload: data }] },
      ]);
    }
  });
});

describe('commands for devices behind a gateway', () => {
  const call = { kind: 'rpc', id: '3', method: 'm"', params: '[1.0]' } as const;
  const change = {
    kind: 'sharedAttributes',
    values: new Map([['k', { kind: ValueKind.Long, value: 1 }]]),
    deleted: null,
  } as const;

  it('an RPC carries its id in the payload', () => {
    const body = '{"device":"A","data":{"id":3,"method":"m\\"","params":[1.0]}}';
    expect(sentTexts(open().subDeviceCommand('A', call))).toEqual([['v1/gateway/rpc', body, 1]]);
    expect(open().subDeviceCommand('A', { ...call, id: 'x' })).toBe('notSupported');
  });

  it('changes of shared attributes arrive on v1/gateway/attributes', () => {
    expect(sentTexts(open().subDeviceCommand('A', { ...change, deleted: ['a'] }))).toEqual([
      ['v1/gateway/attributes', '{"device":"A","data":{"k":1}}', 1],
      ['v1/gateway/attributes', '{"device":"A","data":{"deleted":["a"]}}', 1],
    ]);
  });

  it('are sent without a subscription, and with its QoS where there is one', () => {
    const session = open();
    session.subscribe('v1/gateway/rpc', options(0));
    expect(sentTexts(session.subDeviceCommand('A', call))).toEqual([['v1/gateway/rpc', expect.any(String), 0]]);
    expect(sentTexts(session.subDeviceCommand('A', change))).toEqual([[ATTRIBUTES, expect.any(String), 1]]);
  });

  it('a device that is no gateway takes none', () => {
    const session = open();
    session.deviceChanged(deviceRef({ gateway: false }));
    expect(session.subDeviceCommand('A', call)).toBe('notSupported');
    expect(fateOf(publish(TELEMETRY, '{"A":[{"a":1}]}', session))).toBe('refused 0x87');
  });

  it('the end of a session is told on 5.0 alone', () => {
    const ended = (level: ProtocolLevel) => sentTexts(open(level).subDeviceClosed('A', ReasonCode.MessageRateTooHigh));
    expect(ended(5)).toEqual([['v1/gateway/disconnect', '{"device":"A","reason":150}', 1]]);
    expect(ended(4)).toEqual([]);
  });
});

it('a gateway keeps the API of a device', () => {
  const session = open();
  expect(fateOf(publish('v1/devices/me/telemetry', '{"a":1}', session))).toBe('telemetry');
  expect(fateOf(publish('v1/gateway/unknown', '{}', session))).toBe('refused 0x90');
  const wide = open(5, { telemetryTopic: '#' });
  expect(fateOf(publish(TELEMETRY, '{"A":[{"a":1}]}', wide))).toBe('subDevice');
});

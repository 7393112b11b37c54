import { type Intent, type JsonObject, type ProfileSettings, ValueKind, ValueReader } from '@moorage/core';
import { deviceLink, dialectMessage, fateOf, sentTexts } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AlibabaSession } from './session.ts';
import { DEVICE_NAME, LAMP, NO_LINKS, PRODUCT_KEY, SYSTEM } from './testing/lamp.ts';

const NOW = 1_700_000_000_000;
const reader = new ValueReader();

function open(parameters = '_ss=1,ext=0', thingModel: JsonObject | null = null): AlibabaSession {
  const alibaba = {
    productKey: PRODUCT_KEY,
    productSecret: null,
    dynamicRegistration: false,
    topicClasses: [],
    thingModel,
  };
  const settings: ProfileSettings = { ...LAMP.settings, alibaba };
  const link = deviceLink(4, `base|${parameters},securemode=3|`);
  const identity = { productKey: PRODUCT_KEY, deviceName: DEVICE_NAME };
  return new AlibabaSession(
    { reader, now: () => NOW, links: NO_LINKS, shadowControl: () => null },
    { ...LAMP, settings },
    identity,
    link,
    true,
  );
}

function say(session: AlibabaSession, suffix: string, payload: string | Uint8Array | object) {
  const body = typeof payload === 'string' || payload instanceof Uint8Array ? payload : JSON.stringify(payload);
  return session.publish(dialectMessage(SYSTEM + suffix, body, { receivedAt: NOW }));
}

/** The reply once everything is stored, as `[topic behind /sys/pk/dn/, body]`; null: none is owed. */
function told(
  session: AlibabaSession,
  disposition: ReturnType<typeof say>,
  outcome: 'stored' | 'full' | 'failed' | 'refused' = 'stored',
) {
  if (disposition.tell === undefined) return null;
  const [message] = sentTexts(session.reply({ kind: 'outcome', ref: disposition.tell, outcome }));
  return message === undefined ? null : ([message[0].slice(SYSTEM.length), JSON.parse(message[1])] as const);
}

/** Points as `ts key value`. */
function stored(intents: readonly Intent[]): string[] {
  return intents.flatMap((intent) => {
    if (intent.kind !== 'telemetry') return [];
    const { ts, keys, values } = intent.points;
    return keys.map((key, index) => `${ts[index]} ${key} ${values[index]}`);
  });
}

const POST = 'thing/event/property/post';

describe('envelope', () => {
  it('ALI-46 a reply has id as string, numeric code, data and message', () => {
    const session = open();
    const reply = told(
      session,
      say(session, POST, { id: '123', version: '1.0', params: { a: 1 }, method: 'thing.event.property.post' }),
    );
    expect(reply).toEqual([
      'thing/event/property/post_reply',
      { id: '123', code: 200, data: {}, message: 'success', method: 'thing.event.property.post', version: '1.0' },
    ]);
  });

  it('the reply tells what became of the values', () => {
    const session = open();
    const disposition = say(session, POST, { id: '1', params: { a: 1 } });
    expect(
      (['stored', 'full', 'failed', 'refused'] as const).map(
        (outcome) => told(session, disposition, outcome)?.[1].code,
      ),
    ).toEqual([200, 500, 500, 429]);
  });

  it.each([
    ['ALI-47', '"1|exp-topic|/sys/a1b2C3d4E5f/lamp-01/thing/event/property/post_reply"'],
    ['ALI-48', '123'],
    ['ALI-48', '1234567890123456789012'],
  ])('%s the identifier %s goes back as a string of the same characters', (_title, id) => {
    const session = open();
    const { tell = '' } = say(session, POST, `{"id":${id},"params":{"a":1}}`);
    const [message] = sentTexts(session.reply({ kind: 'outcome', ref: tell, outcome: 'stored' }));
    expect(message?.[1]).toContain(id.startsWith('"') ? `"id":${id}` : `"id":"${id}"`);
  });

  it('ALI-49 method, version and sys may be missing, and so may the identifier', () => {
    const session = open();
    const disposition = say(session, POST, { params: { a: 1 } });
    expect(stored(disposition.intents)).toEqual([`${NOW} a 1`]);
    expect(told(session, disposition)?.[1]).toMatchObject({ id: '', code: 200, method: 'thing.event.property.post' });
  });

  it('ALI-50 sys.ack 0 suppresses the reply', () => {
    const session = open();
    const asked = (sys: unknown) => told(session, say(session, POST, { id: '1', sys, params: { a: 1 } })) !== null;
    expect([asked({ ack: 0 }), asked({ ack: 1 }), asked({}), asked(7)]).toEqual([false, true, true, true]);
    expect(stored(say(session, POST, { id: '1', sys: { ack: 0 }, params: { a: 1 } }).intents)).toEqual([`${NOW} a 1`]);
  });

  it.each(['', '{"id":"1",}', '[]', '7', 'id', '{"id":"1","params":{"a":}}'])(
    'ALI-51 %j on a topic with a reply gives 460',
    (payload) => {
      const session = open();
      const disposition = say(session, POST, payload);
      expect(disposition.intents).toEqual([]);
      expect(told(session, disposition)?.[1]).toMatchObject({ id: '', code: 460, data: {} });
    },
  );

  it('an identifier that is too long to keep is left out', () => {
    const session = open();
    expect(told(session, say(session, POST, { id: 'x'.repeat(1000), params: { a: 1 } }))?.[1].id).toBe('');
  });

  it('no reply to a device that does not listen for it', () => {
    const session = open('ext=0');
    expect(told(session, say(session, POST, { id: '1', params: { a: 1 } }))).toBeNull();
    const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    session.subscribe(`${SYSTEM}thing/event/+/post_reply`, options);
    expect(told(session, say(session, POST, { id: '1', params: { a: 1 } }))?.[1].code).toBe(200);
  });
});

describe('posts', () => {
  it('ALI-52 bare values and values with a time are stored with the right time stamps', () => {
    const params =
      '{"Power":"on","WF":{"value":23.6,"time":1524448722000},"n":10.0,"t":{"value":1,"time":"1524448722000"}}';
    const { intents } = say(open(), POST, `{"id":"1","params":${params}}`);
    expect(stored(intents)).toEqual([`${NOW} Power on`, `${NOW} n 10`, '1524448722000 WF 23.6', '1524448722000 t 1']);
    const [intent] = intents;
    if (intent?.kind !== 'telemetry') throw new TypeError('no telemetry');
    expect(intent.points.kinds).toEqual([ValueKind.String, ValueKind.Double, ValueKind.Double, ValueKind.Long]);
  });

  it('structures, arrays and numeric texts stay what they are', () => {
    const params = { place: { x: 1, value: 2 }, list: [1, { value: 3 }], date: '1524448722000', none: null };
    expect(stored(say(open(), POST, { id: '1', params }).intents)).toEqual([
      `${NOW} place {"x":1,"value":2}`,
      `${NOW} list [1,{"value":3}]`,
      `${NOW} date 1524448722000`,
    ]);
  });

  it('ALI-53 an event with value and time and one with a bare object are the same', () => {
    const session = open();
    const event = (params: unknown) => say(session, 'thing/event/alarm/post', { id: '1', params });
    const output = { level: 3, text: 'hot' };
    const json = `alarm ${JSON.stringify(output)}`;
    expect(stored(event({ value: output, time: NOW }).intents)).toEqual([`${NOW} ${json}`]);
    expect(stored(event(output).intents)).toEqual([`${NOW} ${json}`]);
    expect(stored(event({ value: output, time: 5 }).intents)).toEqual([`5 ${json}`]);
    expect(told(session, event(output))).toMatchObject([
      'thing/event/alarm/post_reply',
      { method: 'thing.event.alarm.post' },
    ]);
  });

  it('a batch stores each point under its time', () => {
    const params = {
      properties: {
        Power: [
          { value: 'on', time: 1000 },
          { value: 'off', time: 2000 },
        ],
        WF: [{ value: 3, time: 1000 }],
      },
      events: { alarm: [{ value: { level: 1 }, time: 3000 }] },
    };
    expect(stored(say(open(), 'thing/event/property/batch/post', { id: '1', params }).intents)).toEqual([
      '1000 Power on',
      '1000 WF 3',
      '2000 Power off',
      '3000 alarm {"level":1}',
    ]);
  });

  it("a history and a pack store each point of the device under its time; another device's data is 520", () => {
    const session = open();
    const identity = { productKey: PRODUCT_KEY, deviceName: DEVICE_NAME };
    const entry = {
      identity,
      properties: [{ Power: { value: 'on', time: 1000 } }, { Power: { value: 'off', time: 2000 } }],
      events: [{ alarm: { value: { level: 1 }, time: 3000 } }],
    };
    const history = (params: unknown) => say(session, 'thing/event/property/history/post', { id: '1', params });
    const expected = ['1000 Power on', '2000 Power off', '3000 alarm {"level":1}'];
    expect(stored(history([entry]).intents)).toEqual(expected);
    const pack = (subDevices: unknown[]) => {
      const properties = { Power: { value: 'on', time: 1000 } };
      const events = { alarm: { value: { level: 1 }, time: 3000 } };
      return say(session, 'thing/event/property/pack/post', { id: '1', params: { properties, events, subDevices } });
    };
    expect(stored(pack([]).intents)).toEqual(['1000 Power on', '3000 alarm {"level":1}']);
    for (const other of [history([{ ...entry, identity: { ...identity, deviceName: 'x' } }]), pack([{ identity }])]) {
      expect([other.intents, told(session, other)?.[1].code]).toEqual([[], 520]);
    }
    expect(told(session, history({}))?.[1].code).toBe(6301);
    expect(told(session, history([{ properties: 7 }]))?.[1].code).toBe(460);
  });

  it('ALI-62 identifiers with a module are kept apart', () => {
    const params = { Power: 1, 'm:Power': 2 };
    expect(stored(say(open(), POST, { id: '1', params }).intents)).toEqual([`${NOW} Power 1`, `${NOW} m:Power 2`]);
    expect(stored(say(open(), 'thing/event/m:alarm/post', { id: '1', params: { a: 1 } }).intents)).toEqual([
      `${NOW} m:alarm {"a":1}`,
    ]);
  });

  it.each([
    ['no params', {}, 460],
    ['params that are a text', { params: 'x' }, 6301],
    ['params that are a list', { params: [] }, 6301],
    ['201 properties', { params: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`p${n}`, n])) }, 6106],
    ['a time that is none', { params: { a: { value: 1, time: 'soon' } } }, 460],
    ['a time more than a day ahead', { params: { a: { value: 1, time: NOW + 86_400_001 } } }, 460],
    ['a blank identifier', { params: { '': 1 } }, 6301],
  ])('%s: nothing is stored', (_title, request, code) => {
    const session = open();
    const disposition = say(session, POST, { id: '1', ...request });
    expect(disposition.intents).toEqual([]);
    expect(told(session, disposition)?.[1]).toMatchObject({ id: '1', code });
  });

  it('200 properties are stored, and a number that no type holds is told', () => {
    const session = open();
    const params = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`p${n}`, n]));
    expect(stored(say(session, POST, { id: '1', params }).intents)).toHaveLength(200);
    expect(told(session, say(session, POST, '{"id":"1","params":{"a":99999999999999999999}}'))?.[1].code).toBe(6316);
  });

  it('names of the prototype are plain data', () => {
    const payload = '{"id":"1","params":{"__proto__":1,"constructor":{"value":2,"time":5}}}';
    expect(stored(say(open(), POST, payload).intents)).toEqual([`${NOW} __proto__ 1`, '5 constructor 2']);
  });
});

describe('services', () => {
  const call = (method: string, params = '{}', id = '5') => ({ kind: 'rpc', id, method, params }) as const;
  const request = (session: AlibabaSession, method: string, params?: string) => {
    const [message] = sentTexts(session.command(call(method, params)));
    return [message?.[0].slice(SYSTEM.length), message?.[1]];
  };

  it.each(['thing.service.property.set', 'property.set'])(
    'ALI-55 %s reaches the device with a string id, and its reply completes the call',
    (method) => {
      const session = open();
      expect(request(session, method, '{"temperature":30.5}')).toEqual([
        'thing/service/property/set',
        '{"id":"5","version":"1.0","params":{"temperature":30.5},"method":"thing.service.property.set"}',
      ]);
      const reply = say(session, 'thing/service/property/set_reply', { id: '5', code: 200, data: {} });
      expect(reply.intents).toEqual([{ kind: 'rpcResponse', id: '5', payload: '{}' }]);
    },
  );

  it('an asynchronous service is answered on its reply topic', () => {
    const session = open();
    const body = '{"id":"5","version":"1.0","params":{"at":1},"method":"thing.service.restart"}';
    expect(request(session, 'restart', '{"at":1}')).toEqual(['thing/service/restart', body]);
    expect(request(session, 'thing.service.restart', '{"at":1}')).toEqual(['thing/service/restart', body]);
    const answer = (body: object) => say(session, 'thing/service/restart_reply', body).intents;
    expect(answer({ id: '5', code: 200, data: { ok: 1 } })).toEqual([
      { kind: 'rpcResponse', id: '5', payload: '{"ok":1}' },
    ]);
    expect(answer({ id: 5, data: [1] })).toEqual([{ kind: 'rpcResponse', id: '5', payload: '[1]' }]);
    expect(answer({ id: '5', code: 5001, message: 'no', data: {} })).toEqual([
      { kind: 'rpcResponse', id: '5', payload: '{"error":{"code":5001,"message":"no","data":{}}}' },
    ]);
  });

  it('an answer with an identifier that no call has answers nothing', () => {
    const session = open();
    for (const body of [{ code: 200 }, { id: 'x' }, { id: '2147483648' }, { id: '-1' }]) {
      expect(fateOf(say(session, 'thing/service/property/set_reply', body))).toBe('acknowledged');
    }
    expect(fateOf(say(session, 'thing/service/property/set_reply', 'not json'))).toBe('refused 0x99');
  });

  it('properties are asked for with a list', () => {
    expect(request(open(), 'property.get', '["power"]')).toEqual([
      'thing/service/property/get',
      '{"id":"5","version":"1.0","params":["power"],"method":"thing.service.property.get"}',
    ]);
  });

  const MODEL = {
    properties: [
      { identifier: 'temperature', dataType: { type: 'float' } },
      { identifier: 'level', dataType: { type: 'double' } },
      { identifier: 'count', dataType: { type: 'int' } },
      null,
    ],
    services: [
      { identifier: 'reboot', callType: 'sync' },
      { identifier: 'later', callType: 'async' },
    ],
  };

  it('ALI-61 float properties are written with a decimal point', () => {
    const session = open('_ss=1', MODEL);
    const [, text] = request(session, 'property.set', '{"temperature":10,"level":-3,"count":10,"x":1.5}');
    expect(text).toContain('"params":{"temperature":10.0,"level":-3.0,"count":10,"x":1.5}');
    const values = new Map([
      ['level', { kind: ValueKind.Long, value: 4 }],
      ['x', { kind: ValueKind.Double, value: 2 }],
    ]);
    const pushed = session.command({ kind: 'sharedAttributes', values, deleted: null });
    expect(sentTexts(pushed)).toEqual([
      [`${SYSTEM}thing/service/property/set`, expect.stringContaining('{"level":4.0,"x":2.0}'), 1],
    ]);
  });

  it('ALI-57 a synchronous service goes by /ext/rrpc if bit 0 of ext is set, else by rrpc/request', () => {
    const body = '{"id":"5","version":"1.0","params":{},"method":"thing.service.reboot"}';
    for (const ext of ['ext=1', 'ext=3']) {
      const sent = open(`_ss=1,${ext}`, MODEL).command(call('reboot'));
      expect(sentTexts(sent)).toEqual([[`/ext/rrpc/5${SYSTEM}thing/service/reboot`, body, 1]]);
    }
    for (const ext of ['ext=0', 'ext=2', 'ext=x', '']) {
      const sent = open(`_ss=1,${ext}`, MODEL).command(call('reboot'));
      expect(sentTexts(sent)).toEqual([[`${SYSTEM}rrpc/request/5`, body, 1]]);
    }
    expect(request(open('_ss=1,ext=1', MODEL), 'later')[0]).toBe('thing/service/later');
  });

  it('the answer of a synchronous service is its data, by both forms', () => {
    const answer = '{"id":"5","code":200,"data":{"took":3}}';
    const expected = [{ kind: 'rpcResponse', id: '5', payload: '{"took":3}' }];
    const system = open('_ss=1', MODEL);
    system.command(call('reboot'));
    expect(say(system, 'rrpc/response/5', answer).intents).toEqual(expected);
    const custom = open('_ss=1,ext=1', MODEL);
    custom.command(call('reboot'));
    const topicName = `/ext/rrpc/5${SYSTEM}thing/service/reboot`;
    expect(custom.publish(dialectMessage(topicName, answer, { qos: 0 })).intents).toEqual(expected);
  });

  it('what the protocol has no word for is said so', () => {
    const session = open();
    for (const method of ['', 'a/b', '+', '#', 'x'.repeat(65)])
      expect(session.command(call(method))).toBe('notSupported');
  });
});

describe('RRPC', () => {
  const rrpc = (params: object) =>
    ({ kind: 'rpc', id: '889455', method: 'rrpc', params: JSON.stringify(params) }) as const;

  it('the system form carries any payload, and the answer comes back as it is', () => {
    const session = open();
    expect(sentTexts(session.command(rrpc({ payload: 'ping' })))).toEqual([
      [`${SYSTEM}rrpc/request/889455`, 'ping', 1],
    ]);
    expect(sentTexts(session.command(rrpc({ payload: { a: [1] } })))).toEqual([
      [`${SYSTEM}rrpc/request/889455`, '{"a":[1]}', 1],
    ]);
    const answers = ['pong', '{"id":"5","code":200,"data":1}', Uint8Array.of(0xff, 0)].map(
      (payload) => say(session, 'rrpc/response/889455', payload).intents,
    );
    expect(answers).toEqual(
      ['"pong"', '{"id":"5","code":200,"data":1}', '{"payloadBase64":"/wA="}'].map((payload) => [
        { kind: 'rpcResponse', id: '889455', payload },
      ]),
    );
  });

  it('the custom form works only with bit 0 of ext', () => {
    const topic = `${PRODUCT_KEY}/${DEVICE_NAME}/user/get`;
    expect(open('_ss=1,ext=0').command(rrpc({ topic, payload: 'x' }))).toBe('notSupported');
    const session = open('_ss=1,ext=1');
    expect(sentTexts(session.command(rrpc({ topic, payload: 'x' })))).toEqual([[`/ext/rrpc/889455/${topic}`, 'x', 1]]);
    const answer = session.publish(dialectMessage(`/ext/rrpc/889455/${topic}`, 'y', { qos: 0 }));
    expect(answer.intents).toEqual([{ kind: 'rpcResponse', id: '889455', payload: '"y"' }]);
    expect(answer.route).toBe(false);
    for (const bad of ['+/a', 'a/#', 'x'.repeat(200)]) {
      expect(session.command(rrpc({ topic: bad }))).toBe('notSupported');
    }
    expect(session.command({ ...rrpc({}), params: '[]' })).toBe('notSupported');
  });

  it('a message identifier that is none of the server is refused', () => {
    expect(fateOf(say(open(), 'rrpc/response/x', '{}'))).toBe('refused 0x87');
    expect(fateOf(say(open(), 'rrpc/response/1/2', '{}'))).toBe('refused 0x87');
  });
});

describe('desired properties and tags', () => {
  const attribute = (scope: 'CLIENT' | 'SHARED', key: string, value: string | number, lastUpdateTs: number) => ({
    scope,
    key,
    kind: typeof value === 'string' ? ValueKind.String : ValueKind.Long,
    value,
    lastUpdateTs,
  });
  const answered = (
    session: AlibabaSession,
    suffix: string,
    body: object,
    client: ReturnType<typeof attribute>[],
    shared: ReturnType<typeof attribute>[],
  ) => {
    const [intent] = say(session, suffix, body).intents;
    if (intent?.kind !== 'attributesRequest') throw new TypeError('no request');
    const { ref, clientKeys, sharedKeys } = intent;
    const [message] = sentTexts(session.reply({ kind: 'attributes', ref, subDevice: null, client, shared }));
    return { clientKeys, sharedKeys, topic: message?.[0].slice(SYSTEM.length), body: JSON.parse(message?.[1] ?? '') };
  };

  it('ALI-58 desired/get returns value and version, and leaves out what is not set', () => {
    const session = open();
    const shared = [attribute('SHARED', 'power', 'on', 17)];
    const { body, ...asked } = answered(
      session,
      'thing/property/desired/get',
      { id: '3', params: ['power', 'temperature'] },
      [],
      shared,
    );
    expect(asked).toEqual({
      clientKeys: null,
      sharedKeys: ['power', 'temperature'],
      topic: 'thing/property/desired/get_reply',
    });
    expect(body).toMatchObject({ id: '3', code: 200, data: { power: { value: 'on', version: 17 } } });
    for (const params of [undefined, {}, []]) {
      expect(answered(session, 'thing/property/desired/get', { id: '3', params }, [], []).sharedKeys).toBe('all');
    }
  });

  it('201 desired identifiers give 6104, other forms 6301', () => {
    const session = open();
    const code = (params: unknown) =>
      told(session, say(session, 'thing/property/desired/get', { id: '3', params }))?.[1].code;
    expect(code(Array(201).fill('a'))).toBe(6104);
    expect([code([1]), code('x'), code({ a: 1 })]).toEqual([6301, 6301, 6301]);
  });

  it('ALI-58 an online device is told of a desired value at once, and a value taken away is nothing to set', () => {
    const session = open();
    const values = new Map([['power', { kind: ValueKind.String, value: 'on' }]]);
    const ids = [1, 2].map(() => {
      const [message] = sentTexts(session.command({ kind: 'sharedAttributes', values, deleted: null }));
      if (typeof message !== 'object') throw new TypeError('nothing was sent');
      expect(message[0]).toBe(`${SYSTEM}thing/service/property/set`);
      const request = JSON.parse(message[1]);
      expect(request).toMatchObject({ version: '1.0', params: { power: 'on' }, method: 'thing.service.property.set' });
      return request.id;
    });
    expect(ids).toEqual(['2147483648', '2147483649']);
    expect(fateOf(say(session, 'thing/service/property/set_reply', { id: ids[0], code: 200, data: {} }))).toBe(
      'acknowledged',
    );
    expect(session.command({ kind: 'sharedAttributes', values: null, deleted: ['power'] })).toBe('notSupported');
  });

  it('ALI-59 tags are client attributes: 200 of a request, 201 give 460', () => {
    const session = open();
    const tags = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ attrKey: `k${n}`, attrValue: `v${n}`, domain: 'SYSTEM' }));
    const [intent] = say(session, 'thing/deviceinfo/update', { id: '1', params: tags(200) }).intents;
    expect(intent).toMatchObject({ kind: 'attributes', scope: 'CLIENT' });
    if (intent?.kind !== 'attributes') throw new TypeError('no attributes');
    expect([intent.values.keys.at(-1), intent.values.values.at(-1), intent.values.length]).toEqual([
      'k199',
      'v199',
      200,
    ]);
    for (const params of [tags(201), {}, [{ attrValue: 'x' }], [7]]) {
      expect(told(session, say(session, 'thing/deviceinfo/update', { id: '1', params }))?.[1].code).toBe(460);
    }
    const client = [attribute('CLIENT', 'k', 'v', 1), attribute('CLIENT', 'n', 3, 1)];
    const { clientKeys, body } = answered(
      session,
      'thing/deviceinfo/get',
      { id: '1', params: { attrKeys: ['k', 'n'] } },
      client,
      [],
    );
    expect(clientKeys).toEqual(['k', 'n']);
    expect(body.data).toEqual([
      { attrKey: 'k', attrValue: 'v' },
      { attrKey: 'n', attrValue: '3' },
    ]);
  });
});

describe('the rest of the system', () => {
  it('ALI-73 log entries are stored at their own times, and the mode of reporting is told', () => {
    const session = open();
    const entry = {
      utcTime: '2020-01-01T08:00:00.000+0800',
      logLevel: 'INFO',
      module: 'ABC',
      code: '200',
      logContent: 'x',
    };
    const disposition = say(session, 'thing/log/post', {
      id: '1',
      params: [entry, entry, { ...entry, utcTime: 'soon' }],
    });
    expect(stored(disposition.intents).map((line) => line.split(' ').slice(0, 2))).toEqual([
      ['1577836800000', 'log'],
      ['1577836800001', 'log'],
      [String(NOW), 'log'],
    ]);
    expect(told(session, disposition)?.[1].code).toBe(200);
    const [intent] = say(session, 'thing/config/log/get', { id: '2', params: {} }).intents;
    if (intent?.kind !== 'attributesRequest') throw new TypeError('no request');
    const mode = { scope: 'SHARED', key: 'logMode', kind: ValueKind.Long, value: 1, lastUpdateTs: 1 } as const;
    for (const [shared, expected] of [
      [[], 0],
      [[mode], 1],
    ] as const) {
      const [message] = sentTexts(
        session.reply({ kind: 'attributes', ref: intent.ref, subDevice: null, client: [], shared }),
      );
      expect(JSON.parse(message?.[1] ?? '').data).toEqual({ getType: 'content', content: { mode: expected } });
    }
  });

  it('ALI-72 an answer to a configuration push that is not JSON is logged only; any other answers the call', () => {
    const session = open();
    expect(fateOf(say(session, 'thing/config/push_reply', '"id":"1","code":400'))).toBe('refused 0x99');
    expect(fateOf(say(session, 'thing/config/push_reply', { id: '1', code: 200 }))).toBe('rpcResponse');
  });

  it('the model of the product is told', () => {
    const session = open('_ss=1', { properties: [] });
    for (const suffix of ['thing/dsltemplate/get', 'thing/dynamicTsl/get']) {
      expect(told(session, say(session, suffix, { id: '1', params: {} }))?.[1].data).toEqual({ properties: [] });
    }
  });

  it('raw bytes pass in both directions as Base64', () => {
    const session = open();
    expect(stored(say(session, 'thing/model/up_raw', Uint8Array.of(0xff, 0, 1)).intents)).toEqual([`${NOW} raw /wAB`]);
    const down = session.command({ kind: 'rpc', id: '9', method: 'down_raw', params: '"/wAB"' });
    if (typeof down === 'string') throw new TypeError(down);
    expect(down).toEqual([{ topicName: `${SYSTEM}thing/model/down_raw`, payload: Uint8Array.of(0xff, 0, 1), qos: 1 }]);
    const answer = () => say(session, 'thing/model/down_raw_reply', Uint8Array.of(2)).intents;
    expect([answer(), answer()]).toEqual([[{ kind: 'rpcResponse', id: '9', payload: '"Ag=="' }], []]);
    for (const params of ['"/wA B"', '7', '"A"']) {
      expect(session.command({ kind: 'rpc', id: '9', method: 'down_raw', params })).toBe('notSupported');
    }
  });

  it('what takes reading and writing goes to the dialect, and its answer to the device', () => {
    const session = open();
    for (const suffix of ['thing/property/desired/delete', 'thing/deviceinfo/delete', 'thing/config/get']) {
      const [intent] = say(session, suffix, { id: '4', params: { a: {} } }).intents;
      expect(intent).toMatchObject({ kind: 'dialectRequest', request: suffix, params: '{"a":{}}' });
      if (intent?.kind !== 'dialectRequest') throw new TypeError('no request');
      const reply = {
        kind: 'dialect',
        ref: intent.ref,
        subDevice: null,
        payload: '{"code":6710,"data":{"b":1}}',
      } as const;
      const [message] = sentTexts(session.reply(reply));
      expect(message?.[0]).toBe(`${SYSTEM}${suffix}_reply`);
      expect(JSON.parse(message?.[1] ?? '')).toMatchObject({ id: '4', code: 6710, data: { b: 1 } });
    }
  });

  it('network diagnosis is a point', () => {
    const params = { p: { wifi: { rssi: -40 } }, model: 'simple' };
    expect(stored(say(open(), '_thing/diag/post', { id: '1', params }).intents)).toEqual([
      `${NOW} diag ${JSON.stringify(params)}`,
    ]);
  });
});

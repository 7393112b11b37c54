import { readFileSync } from 'node:fs';
import { DEFAULT_PROFILE_SETTINGS, type JsonObject, ValueKind, ValueReader } from '@moorage/core';
import type { Disposition, ProtocolLevel, QoS } from '@moorage/dialect-api';
import { deviceLink, dialectMessage, payloadText } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { anonymousRights, applicationRights, DEVICE_RIGHTS, type Rights } from './rights.ts';
import { PlainSession } from './session.ts';

interface TopicRow {
  readonly rule: string;
  readonly topicName: string;
  readonly device: string;
  readonly application: string;
  readonly anonymous: string;
}

const topicRows = JSON.parse(
  readFileSync(new URL('./fixtures/publish-topics.json', import.meta.url), 'utf8'),
) as readonly TopicRow[];

const NOW = 1_700_000_000_000;
const TELEMETRY = 'moorage/me/telemetry';
const ALL = { publish: ['#'], subscribe: ['#'], command: true };
const reader = new ValueReader();
const { Long: L, Json: J, String: S } = ValueKind;

const device = {
  id: 'id',
  tenantId: 'tenant',
  name: 'boiler',
  profileId: 'profile',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

function session(rights: Rights = DEVICE_RIGHTS, level: ProtocolLevel = 5): PlainSession {
  return new PlainSession(reader, rights, rights.self ? device : null, deviceLink(level));
}
const asApplication = (configuration: JsonObject = ALL) => session(applicationRights(configuration));
const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;
const granted = (to: PlainSession, topicFilter: string, qos: QoS = 2) => to.subscribe(topicFilter, options(qos));

function publish(topicName: string, payload: string | Uint8Array, to = session(), qos: QoS = 1): Disposition {
  return to.publish(dialectMessage(topicName, payload, { qos, receivedAt: NOW }));
}

function fate({ route, intents, refuse, close }: Disposition): string {
  expect(close).toBeNull();
  if (refuse !== null) return `0x${refuse.reasonCode.toString(16)}`;
  if (route) return 'routed';
  return intents[0]?.kind ?? 'acknowledged';
}

function rows(disposition: Disposition): unknown[] {
  const intent = disposition.intents[0];
  if (intent?.kind !== 'telemetry' && intent?.kind !== 'attributes') return [];
  const { ts, keys, kinds, values } = intent.kind === 'telemetry' ? intent.points : intent.values;
  return keys.map((key, i) => [ts[i], key, kinds[i], values[i]]);
}

describe('topics of a PUBLISH', () => {
  it.each(topicRows)(
    '$rule $topicName: $device for a device, $application for an application',
    ({ topicName, ...expected }) => {
      const payload = '{"method":"m","result":1}';
      expect(fate(publish(topicName, payload))).toBe(expected.device);
      expect(fate(publish(topicName, payload, asApplication()))).toBe(expected.application);
      expect(fate(publish(topicName, payload, session(anonymousRights([]))))).toBe(expected.anonymous);
    },
  );

  it('PL-15 routes free topics with any payload and on every QoS', () => {
    for (const qos of [0, 1, 2] as const)
      expect(fate(publish('a/b', Uint8Array.of(0xff, 0), session(), qos))).toBe('routed');
  });

  it('PL-16 an application publishes only where its configuration allows', () => {
    const to = asApplication({ publish: ['plant/+/set', 'x/#'] });
    for (const topicName of ['plant/1/set', 'x', 'x/y/z'])
      expect(fate(publish(topicName, '', to)), topicName).toBe('routed');
    for (const topicName of ['plant/1/get', 'y', 'plant/1/2/set'])
      expect(fate(publish(topicName, '', to)), topicName).toBe('0x87');
  });

  it('PL-21 a configuration that is no list of filters allows nothing; a missing one allows all', () => {
    for (const publishFilters of ['#', 5, {}, [], ['a/#/b'], [7]]) {
      expect(fate(publish('a', '', asApplication({ publish: publishFilters })))).toBe('0x87');
    }
    expect(fate(publish('a', '', asApplication({})))).toBe('routed');
  });
});

describe('telemetry and attributes of a device', () => {
  it('PL-22 takes an object, an object with its time, and an array of these', () => {
    expect(rows(publish(TELEMETRY, '{"a":1,"b":{"c":[1.0]}}'))).toEqual([
      [NOW, 'a', L, 1],
      [NOW, 'b', J, '{"c":[1.0]}'],
    ]);
    expect(rows(publish(TELEMETRY, '{"ts":5,"values":{"a":1}}'))).toEqual([[5, 'a', L, 1]]);
    expect(rows(publish(TELEMETRY, '[{"a":1},{"ts":5,"values":{"a":2}}]'))).toEqual([
      [NOW, 'a', L, 1],
      [5, 'a', L, 2],
    ]);
  });

  it('PL-23 attributes take the same forms and become client attributes', () => {
    const disposition = publish('moorage/me/attributes', '{"ts":5,"values":{"firmware":"1.2"}}');
    expect(disposition.intents).toMatchObject([{ kind: 'attributes', scope: 'CLIENT' }]);
    expect(rows(disposition)).toEqual([[5, 'firmware', ValueKind.Double, 1.2]]);
  });

  it('PL-24 strings are cast only if the profile says so', () => {
    const to = session();
    expect(rows(publish(TELEMETRY, '{"a":"1"}', to))).toEqual([[NOW, 'a', L, 1]]);
    to.deviceChanged({ ...device, settings: { ...DEFAULT_PROFILE_SETTINGS, castStrings: false } });
    expect(rows(publish(TELEMETRY, '{"a":"1"}', to))).toEqual([[NOW, 'a', S, '1']]);
  });

  it('PL-25 an empty object or list is acknowledged and stores nothing', () => {
    for (const payload of ['{}', '[]', '{"a":null}']) expect(fate(publish(TELEMETRY, payload))).toBe('acknowledged');
  });

  it('PL-30 a bad payload is refused with 0x99 and never closes, on every version and QoS', () => {
    const payloads = [
      '',
      'x',
      '{a:1}',
      '[1]',
      '{"":1}',
      '{"ts":"x","values":{}}',
      `{"a":${'['.repeat(10_000)}`,
      `{"a":${'9'.repeat(600)}}`,
    ];
    for (const level of [3, 4, 5] as const) {
      for (const qos of [0, 1, 2] as const) {
        for (const payload of payloads) {
          expect(fate(publish(TELEMETRY, payload, session(DEVICE_RIGHTS, level), qos)), payload.slice(0, 20)).toBe(
            '0x99',
          );
        }
        expect(fate(publish(TELEMETRY, Uint8Array.of(0x7b, 0xff, 0x7d), session(DEVICE_RIGHTS, level), qos))).toBe(
          '0x99',
        );
      }
    }
  });

  it('PL-32 a message of more than 20,000 values is refused', () => {
    const values = (count: number) => `[${Array.from({ length: count }, () => '{"a":1}').join(',')}]`;
    expect(fate(publish(TELEMETRY, values(20_000)))).toBe('telemetry');
    expect(fate(publish(TELEMETRY, values(20_001)))).toBe('0x99');
  });
});

describe('commands', () => {
  const call = { kind: 'rpc', id: '7', method: 'set"Led', params: '{"on":1.0}' } as const;

  it('PL-26 a device that subscribed gets commands pushed with the granted QoS', () => {
    const to = session();
    expect(to.command(call)).toBe('notSubscribed');
    for (const topicFilter of ['moorage/me/rpc/request/+', 'moorage/me/rpc/request/#', 'moorage/me/#']) {
      expect(granted(to, topicFilter, 1)).toEqual({ reasonCode: 1, enter: [] });
      const messages = to.command(call);
      if (typeof messages === 'string') throw new TypeError(messages);
      expect(messages.map((m) => [m.topicName, payloadText(m.payload), m.qos])).toEqual([
        ['moorage/me/rpc/request/7', '{"method":"set\\"Led","params":{"on":1.0}}', 1],
      ]);
      expect(to.unsubscribe(topicFilter)).toBe(0);
      expect(to.unsubscribe(topicFilter)).toBeNull();
      expect(to.command(call)).toBe('notSubscribed');
    }
  });

  it('PL-31 there is no push of shared attributes, and no command to an application', () => {
    expect(session().command({ kind: 'sharedAttributes', values: new Map(), deleted: null })).toBe('notSupported');
    expect(asApplication().command(call)).toBe('notSupported');
  });

  it('PL-27 the answer is what stands in result, else the whole', () => {
    const answer = (payload: string) => publish('moorage/me/rpc/response/7', payload).intents;
    expect(answer('{"result": {"a" : 1.0}}')).toEqual([{ kind: 'rpcResponse', id: '7', payload: '{"a":1.0}' }]);
    for (const payload of ['{"error":{"code":1}}', '{"ok":true}', 'true', '[1]']) {
      expect(answer(payload)).toEqual([{ kind: 'rpcResponse', id: '7', payload }]);
    }
    for (const payload of ['', 'x', '{"result":1'])
      expect(fate(publish('moorage/me/rpc/response/7', payload))).toBe('0x99');
  });

  it('PL-28 an application commands a device by its percent-encoded name', () => {
    const topicName = 'moorage/devices/hall%2F1%25 gr%C3%BCn/rpc/request/my-id';
    expect(publish(topicName, '{"method":"m","params":[1.0]}', asApplication()).intents).toEqual([
      { kind: 'rpcRequest', deviceName: 'hall/1% grün', id: 'my-id', method: 'm', params: '[1.0]' },
    ]);
    expect(publish('moorage/devices/b/rpc/request/1', '{"method":"m"}', asApplication()).intents).toMatchObject([
      { params: 'null' },
    ]);
    for (const name of ['%', '%zz', '%ff']) {
      expect(fate(publish(`moorage/devices/${name}/rpc/request/1`, '{"method":"m"}', asApplication()))).toBe('0x90');
    }
  });

  it('PL-28 a command without method, or that is no JSON, is refused with 0x99', () => {
    for (const payload of [
      '',
      '[]',
      '{}',
      '{"method":1}',
      '{"method":""}',
      '{"method":null}',
      `{"method":"${'m'.repeat(256)}"}`,
    ]) {
      expect(fate(publish('moorage/devices/b/rpc/request/1', payload, asApplication())), payload.slice(0, 20)).toBe(
        '0x99',
      );
    }
  });

  it('PL-29 commanding needs the right to', () => {
    const topicName = 'moorage/devices/b/rpc/request/1';
    for (const command of [false, undefined, 'true', 1]) {
      const to = asApplication({ publish: ['#'], ...(command === undefined ? {} : { command }) });
      expect(fate(publish(topicName, '{"method":"m"}', to))).toBe('0x87');
    }
  });
});

describe('subscriptions', () => {
  it('PL-33 free filters are entered as asked, with the QoS asked for, shared ones too', () => {
    for (const topicFilter of ['a', '#', '+/b', 'moorage', '$share/g/a/#', '/moorage/#']) {
      for (const qos of [0, 1, 2] as const) {
        expect(granted(session(), topicFilter, qos)).toEqual({ reasonCode: qos, enter: [topicFilter] });
      }
    }
  });

  it('PL-34 $ topics and what nobody receives are refused with 0x87', () => {
    const filters = [
      '$SYS/#',
      '$SYS/+',
      '$share/g/$SYS/#',
      'moorage/x',
      'moorage/me/telemetry',
      'moorage/me/attributes',
      '$share/g/moorage/me/#',
    ];
    for (const to of [session(), asApplication(), session(anonymousRights([]))]) {
      for (const topicFilter of filters)
        expect(granted(to, topicFilter), topicFilter).toEqual({ reasonCode: 0x87, enter: [] });
    }
  });

  it('PL-41 an application with `sys` may subscribe below $SYS/ and receives it; nobody else does', () => {
    const filters = ['$SYS/#', '$SYS/broker/uptime', '$SYS/+/clients/#', '$share/g/$SYS/#'];
    const administrator = asApplication({ subscribe: ['plant/#'], sys: true });
    for (const topicFilter of filters) {
      expect(granted(administrator, topicFilter, 1), topicFilter).toEqual({ reasonCode: 1, enter: [topicFilter] });
    }
    expect(administrator.mayReceive('$SYS/broker/uptime')).toBe(true);
    const otherTenant = session(applicationRights({ sys: true }, false));
    const notTrue = [false, 'true', 1, null].map((sys) => asApplication({ subscribe: ['#', '$SYS/#'], sys }));
    for (const to of [session(), otherTenant, ...notTrue, session(anonymousRights([]))]) {
      for (const topicFilter of filters) {
        expect(granted(to, topicFilter), topicFilter).toEqual({ reasonCode: 0x87, enter: [] });
      }
      expect(to.mayReceive('$SYS/broker/uptime')).toBe(false);
    }
  });

  it('PL-41 `sys` opens no other topic that begins with $, and none to publish to', () => {
    const administrator = asApplication({ publish: ['#', '$SYS/#'], sys: true });
    for (const topicFilter of ['$SYS', '$SYSTEM/#', '$other/#', '$share/g/$other']) {
      expect(granted(administrator, topicFilter).reasonCode, topicFilter).toBe(0x87);
    }
    for (const topicName of ['$SYS', '$other/x', '$SYSTEM/x']) {
      expect(administrator.mayReceive(topicName), topicName).toBe(false);
    }
    expect(fate(publish('$SYS/broker/uptime', 'x', administrator))).toBe('0x87');
    expect(administrator.mayPublishWill('$SYS/broker/uptime')).toBe(false);
  });

  it('PL-35 a device may not subscribe to topics about devices, an application may', () => {
    for (const topicFilter of [
      'moorage/devices/#',
      'moorage/devices/boiler/telemetry',
      'moorage/#',
      'moorage/+/+/telemetry',
      '$share/g/moorage/devices/#',
    ]) {
      expect(granted(session(), topicFilter).reasonCode, topicFilter).toBe(0x87);
      expect(granted(asApplication(), topicFilter).reasonCode, topicFilter).toBe(2);
      expect(granted(session(anonymousRights([])), topicFilter).reasonCode, topicFilter).toBe(2);
    }
    expect(granted(asApplication(), 'moorage/me/rpc/request/+').reasonCode).toBe(0x87);
  });

  it('PL-36 a wildcard of a device catches no topic below moorage/', () => {
    for (const topicName of ['moorage/devices/boiler/telemetry', 'moorage/me/telemetry', 'moorage/x']) {
      expect(session().mayReceive(topicName), topicName).toBe(false);
    }
    for (const topicName of ['a', 'moorage', 'moorages/x', '/moorage/x'])
      expect(session().mayReceive(topicName)).toBe(true);
    expect(asApplication().mayReceive('moorage/devices/boiler/telemetry')).toBe(true);
    expect(asApplication().mayReceive('moorage/me/telemetry')).toBe(false);
  });

  it('PL-37 an application subscribes only to filters that its configuration covers, and receives nothing else', () => {
    const to = asApplication({ subscribe: ['plant/+/data', 'x/#'] });
    for (const topicFilter of ['plant/1/data', 'plant/+/data', 'x', 'x/+/y', '$share/g/x/#']) {
      expect(granted(to, topicFilter).reasonCode, topicFilter).toBe(2);
    }
    for (const topicFilter of ['#', '+/1/data', 'plant/#', 'y', 'moorage/devices/#']) {
      expect(granted(to, topicFilter).reasonCode, topicFilter).toBe(0x87);
    }
    expect(to.mayReceive('plant/1/data')).toBe(true);
    expect(to.mayReceive('plant/1/set')).toBe(false);
    expect(to.mayReceive('moorage/devices/boiler/telemetry')).toBe(false);
    const watcher = asApplication({ subscribe: ['moorage/devices/+/telemetry'] });
    expect(watcher.mayReceive('moorage/devices/boiler/telemetry')).toBe(true);
    expect(watcher.mayReceive('moorage/devices/boiler/events')).toBe(false);
  });

  it('PL-38 a denied filter is refused to anonymous clients with 0x80, and its topics are not delivered through a wider one', () => {
    const to = session(anonymousRights(['test/nosubscribe', 'secret/#']));
    for (const topicFilter of ['test/nosubscribe', 'secret/#', 'secret/a', '$share/g/secret/+']) {
      expect(granted(to, topicFilter), topicFilter).toEqual({ reasonCode: 0x80, enter: [] });
    }
    expect(granted(to, '#').reasonCode).toBe(2);
    expect(to.mayReceive('test/nosubscribe')).toBe(false);
    expect(to.mayReceive('secret/a')).toBe(false);
    expect(to.mayReceive('test/other')).toBe(true);
  });
});

describe('Will', () => {
  it('PL-39 a Will may go where its sender may publish, never below moorage/ or to $', () => {
    expect(session().mayPublishWill('a/b')).toBe(true);
    for (const topicName of [TELEMETRY, 'moorage/devices/b/rpc/request/1', '$SYS/x']) {
      expect(asApplication().mayPublishWill(topicName), topicName).toBe(false);
      expect(session().mayPublishWill(topicName), topicName).toBe(false);
    }
    expect(asApplication({ publish: ['a/#'] }).mayPublishWill('b')).toBe(false);
    expect(asApplication({ publish: ['a/#'] }).mayPublishWill('a/b')).toBe(true);
  });
});

import type { Completion, PointList } from '@moorage/core';
import type { DialectSession, Principal, ProtocolLevel, QoS } from '@moorage/dialect-api';
import { connectPacket, connectVia, deviceLink, dialectMessage, fateOf } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import {
  type ApplicationFields,
  application,
  device,
  examples,
  lookupOf,
  openDialect,
  type TestDialect,
} from './testing/tools.ts';

function open(
  configuration: ApplicationFields['configuration'] = {},
  level: ProtocolLevel = 4,
): TestDialect & { readonly principal: Principal; readonly session: DialectSession } {
  const test = openDialect();
  const packet = connectPacket({
    level,
    clientId: 'foobar/abc',
    username: examples.appId,
    password: new TextEncoder().encode(examples.appSecret),
  });
  const registry = lookupOf(application(configuration === undefined ? {} : { configuration }));
  const answer = test.dialect.authenticate(packet, connectVia(), registry);
  if (answer instanceof Promise || answer.outcome !== 'accepted') throw new TypeError('not accepted');
  const { principal } = answer;
  return Object.assign(test, {
    principal,
    session: test.dialect.openSession(principal, deviceLink(level, 'foobar/abc')),
  });
}

function granted(session: DialectSession, topicFilter: string, qos: QoS = 1) {
  return session.subscribe(topicFilter, { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 });
}

const TOPICS = ['users/foobar/devices', '/users/foobar/devices'];

describe('subscriptions', () => {
  it('SEN-10 SEN-14 both forms of the topic are granted, with QoS 1 at most, also shared', () => {
    const { session } = open();
    for (const topic of TOPICS) {
      for (const topicFilter of [topic, `$share/group/${topic}`]) {
        expect(granted(session, topicFilter, 0)).toEqual({ reasonCode: 0, enter: [topicFilter] });
        expect(granted(session, topicFilter, 1)).toEqual({ reasonCode: 1, enter: [topicFilter] });
        expect(granted(session, topicFilter, 2)).toEqual({ reasonCode: 1, enter: [topicFilter] });
      }
      expect(session.mayReceive(topic)).toBe(true);
    }
  });

  it('every other filter is refused and enters nothing, on all versions', () => {
    const filters = [
      'users/other/devices',
      '#',
      'users/+/devices',
      'users/#',
      'users/foobar/devices/#',
      'users/foobar/devices/',
      '//users/foobar/devices',
      '$share/group/#',
      '$share/group/users/+/devices',
      '$share/group/users/other/devices',
      '$SYS/#',
    ];
    for (const level of [3, 4, 5] as const) {
      const { session } = open({ allowUplink: true }, level);
      for (const topicFilter of filters)
        expect(granted(session, topicFilter), topicFilter).toEqual({ reasonCode: 0x87, enter: [] });
    }
    const { session } = open();
    for (const topic of ['users/other/devices', 'users/foobar/devices/x', 'users/foobar'])
      expect(session.mayReceive(topic)).toBe(false);
  });
});

describe('publishing', () => {
  const UP = `users/foobar/devices/${examples.sn}/up`;

  it('is acknowledged and dropped on 3.x, refused with 0x87 on 5.0, whatever the topic', () => {
    for (const level of [3, 4, 5] as const) {
      const { session } = open({}, level);
      for (const topic of [...TOPICS, UP, 'a', 'users/other/devices']) {
        expect(session.publish(dialectMessage(topic, examples.plainPush))).toMatchObject({
          route: false,
          intents: [],
          refuse: { reasonCode: 0x87 },
          close: null,
        });
        expect(session.mayPublishWill(topic)).toBe(false);
      }
    }
  });

  it('commands are nothing for applications', () => {
    const { session } = open();
    expect(session.command({ kind: 'rpc', id: '1', method: 'm', params: '{}' })).toBe('notSupported');
  });

  /** What became of messages that were handed back to the dialect. */
  async function carryOut(test: ReturnType<typeof open>, ...messages: readonly [topic: string, payload: string][]) {
    const outcomes: string[] = [];
    for (const [topic, payload] of messages) {
      const { intents } = test.session.publish(dialectMessage(topic, payload));
      for (const intent of intents) {
        if (intent.kind !== 'dialectWork') throw new TypeError(intent.kind);
        let holds = 0;
        const completion: Completion = { hold: () => void holds++, release: (outcome) => void outcomes.push(outcome) };
        test.dialect.work(test.principal, intent.work, completion);
        expect(holds).toBeGreaterThan(0);
      }
    }
    for (let i = 0; i < 50; i++) await Promise.resolve();
    return outcomes;
  }

  function rows(points: PointList | undefined): unknown[] {
    return (points?.keys ?? []).map((key, index) => [
      points?.ts[index],
      key,
      points?.kinds[index],
      points?.values[index],
    ]);
  }

  it('of a push-format object stores its data for the device, where that is allowed', async () => {
    const test = open({ allowUplink: true });
    const [first, second] = [device(1), device(2)];
    test.platform.add(first, second);
    test.platform.attribute(first, 'SERVER', 'sensoro.sn', examples.sn);
    const outcomes = await carryOut(
      test,
      [UP, examples.plainPush],
      [UP.toLowerCase(), '{"createdTime":"","data":{"humidity":20.0,"place":{"a":[1]}}}'],
      [`users/foobar/devices/${second.id.replaceAll('-', '').slice(-16)}/up`, '{"data":{"leak":true}}'],
    );
    expect(test.platform.uplinks.map(([name]) => name)).toEqual(['device 1', 'device 1', 'device 2']);
    expect(rows(test.platform.uplinks[0]?.[1])).toEqual([
      [1467018792599, 'battery', 2, 95],
      [1467018792599, 'interval', 2, 300],
      [1467018792599, 'temperature', 3, 20.5],
      [1467018792599, 'humidity', 3, 50.25],
    ]);
    expect(rows(test.platform.uplinks[1]?.[1])).toEqual([
      [1_700_000_000_000, 'humidity', 3, 20],
      [1_700_000_000_000, 'place', 5, '{"a":[1]}'],
    ]);
    expect(new Set(outcomes)).toEqual(new Set(['stored']));
  });

  it('for a device that is unknown, or none of the application, is acknowledged, counted and stored nowhere', async () => {
    const test = open({ allowUplink: true, devices: [device(2).id] });
    const first = device(1);
    test.platform.add(first);
    test.platform.attribute(first, 'SERVER', 'sensoro.sn', examples.sn);
    expect(await carryOut(test, [UP, examples.plainPush], ['users/foobar/devices/X/up', '{"data":{"a":1}}'])).toEqual([
      'stored',
      'stored',
    ]);
    expect(test.counted).toEqual(['sensoro_uplink_unknown 1', 'sensoro_uplink_unknown 1']);
    expect(test.platform.uplinks).toEqual([]);
  });

  it('is not acknowledged while devices cannot be looked up', async () => {
    const test = open({ allowUplink: true });
    test.platform.add(device(1));
    test.platform.fails = true;
    expect(await carryOut(test, [UP, examples.plainPush])).toEqual(['failed']);
    expect(test.faults).toEqual([new TypeError('no store')]);
    test.platform.fails = false;
    expect(await carryOut(test, [UP, examples.plainPush])).toEqual(['stored']);
  });

  it('of more than 1,000 readings that wait is not acknowledged', async () => {
    const test = open({ allowUplink: true });
    const messages = Array.from({ length: 1_001 }, (): [string, string] => [UP, '{"data":{"a":1}}']);
    const outcomes = await carryOut(test, ...messages);
    expect(outcomes.filter((outcome) => outcome === 'failed')).toHaveLength(1);
    expect(test.counted).toContain('sensoro_uplink_overflow 1');
  });

  it('of what is no push-format object is refused with 0x99', () => {
    const { session } = open({ allowUplink: true });
    for (const payload of ['', '{}', '[]', 'x', '{"data":1}', '{"data":{"a":1', `{"data":${'['.repeat(10_000)}`]) {
      expect(fateOf(session.publish(dialectMessage(UP, payload))), payload.slice(0, 20)).toBe('refused 0x99');
    }
    expect(fateOf(session.publish(dialectMessage(UP, '{"data":{}}')))).toBe('acknowledged');
    for (const topic of [
      'users/foobar/devices/up',
      'users/foobar/devices//up',
      'users/foobar/devices/a/b/up',
      ...TOPICS,
    ])
      expect(fateOf(session.publish(dialectMessage(topic, '{"data":{"a":1}}'))), topic).toBe('refused 0x87');
  });
});

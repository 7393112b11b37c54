import type { AttributesIntent, WaveshareAttribute } from '@moorage/core';
import type { DialectSession, Disposition } from '@moorage/dialect-api';
import { connectPacket, connectVia, deviceLink, deviceRef, dialectMessage } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { WaveshareDialect } from './dialect.ts';
import { MODEM, pubTopic, type TestDevice, testRegistry } from './testing/test-registry.ts';

const NOW = 1_700_000_000_000;

const attribute = (fields: Partial<WaveshareAttribute> & { readonly identifier: string }): WaveshareAttribute => ({
  name: null,
  type: 'int',
  unit: null,
  minimum: null,
  maximum: null,
  step: null,
  values: null,
  access: 'rw',
  ...fields,
});

function withAttributes(attributes: readonly WaveshareAttribute[]): TestDevice {
  const waveshare = { n2: '37', attributes, downlinkMaxPacket: 256, holdLast: false };
  return { ...MODEM, device: deviceRef({ id: MODEM.device.id }, { waveshare }) };
}

function openSession(one: TestDevice = MODEM): DialectSession {
  const registry = testRegistry([one]);
  const dialect = new WaveshareDialect({ credentials: registry, now: () => NOW, sampleResource: false });
  const answer = dialect.authenticate(connectPacket({ clientId: one.clientId }), connectVia(), registry);
  if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
  return dialect.openSession(answer.principal, deviceLink(4, one.clientId));
}

const uplink = (session: DialectSession, payload: string | Uint8Array, receivedAt = NOW): Disposition =>
  session.publish(dialectMessage(pubTopic(MODEM), payload, { receivedAt }));

function attributesIn({ intents }: Disposition): Record<string, unknown> {
  const written = intents.filter((intent): intent is AttributesIntent => intent.kind === 'attributes');
  expect(written.every(({ scope }) => scope === 'CLIENT')).toBe(true);
  return Object.fromEntries(written.flatMap(({ values }) => values.keys.map((key, at) => [key, values.values[at]])));
}

const kindsIn = ({ intents }: Disposition): string[] => intents.map(({ kind }) => kind);

describe('what is stored of an uplink (section 4.5)', () => {
  it('WS-28 the properties as telemetry of one time, and the message goes on', () => {
    const disposition = uplink(openSession(), '{"data":{"Latitude":22.5431,"Longitude":114.0579,"batteryLevel":4.1}}');
    expect(disposition).toMatchObject({ route: true, refuse: null, close: null });
    const [telemetry] = disposition.intents;
    if (telemetry?.kind !== 'telemetry') throw new TypeError('no telemetry');
    expect(telemetry.points.keys).toEqual(['Latitude', 'Longitude', 'batteryLevel']);
    expect(telemetry.points.ts).toEqual([NOW, NOW, NOW]);
  });

  it('WS-29 a message without properties stores none, is forwarded, and is shown as the last one', () => {
    const disposition = uplink(openSession(), '{"ID":"9c1b5749"}');
    expect(disposition).toMatchObject({ route: true, refuse: null, close: null });
    expect(kindsIn(disposition)).toEqual(['attributes']);
    expect(attributesIn(disposition)).toEqual({ lastReceived: '{"ID":"9c1b5749"}' });
  });

  it('WS-31, WS-32 text and bytes that are no JSON are forwarded and shown', () => {
    const session = openSession();
    for (const [payload, shown] of [
      ['hello', 'hello'],
      [Uint8Array.of(0xff, 1), 'ff01'],
    ] as const) {
      const disposition = uplink(session, payload);
      expect(disposition.route).toBe(true);
      expect(kindsIn(disposition)).toEqual(['telemetry', 'attributes']);
      expect(attributesIn(disposition)).toEqual({ lastReceived: shown });
    }
  });

  it('the last payload is shown up to 4 KiB, whole or not at all', () => {
    const session = openSession();
    expect(attributesIn(uplink(session, 'x'.repeat(4096)))).toEqual({ lastReceived: 'x'.repeat(4096) });
    expect(attributesIn(uplink(session, 'x'.repeat(4097)))).toEqual({});
    expect(attributesIn(uplink(session, ''))).toEqual({});
  });

  it('what is shown is written when it changes, in short bursts at once, in a stream every ten seconds', () => {
    const session = openSession();
    const shown = (count: number, at: number) => attributesIn(uplink(session, `{"data":{"n":${count}}}`, at));
    for (let count = 0; count < 5; count++) expect(shown(count, NOW + count)).toHaveProperty('lastReceived');
    expect(shown(4, NOW + 9)).toEqual({});
    let written = 0;
    for (let second = 1; second <= 600; second++) {
      if ('lastReceived' in shown(1000 + second, NOW + second * 1000)) written++;
    }
    expect(written).toBeGreaterThanOrEqual(59);
    expect(written).toBeLessThanOrEqual(61);
    // A clock that was put back by an hour does not silence it.
    expect(shown(9999, NOW - 3_600_000)).toHaveProperty('lastReceived');
  });

  it('equal payloads are written once for a connection', () => {
    const session = openSession();
    expect(attributesIn(uplink(session, '{"ID":"x"}'))).toHaveProperty('lastReceived');
    expect(attributesIn(uplink(session, '{"ID":"x"}', NOW + 60_000))).toEqual({});
  });
});

describe('values that contradict the product (section 4.5)', () => {
  const definitions = [
    attribute({ identifier: 'count', minimum: 0, maximum: 10 }),
    attribute({ identifier: 'level', type: 'float', maximum: 1 }),
    attribute({ identifier: 'on', type: 'bool' }),
    attribute({ identifier: 'name', type: 'string' }),
    attribute({ identifier: 'mode', type: 'enum', values: ['auto', 2] }),
    attribute({ identifier: 'more', type: 'json' }),
  ];
  const marked = (data: string) =>
    attributesIn(uplink(openSession(withAttributes(definitions)), `{"data":${data}}`)).outOfDefinition;

  it('are stored, marked and forwarded', () => {
    const disposition = uplink(openSession(withAttributes(definitions)), '{"data":{"count":11,"level":0.5}}');
    expect(disposition.route).toBe(true);
    const [telemetry] = disposition.intents;
    expect(telemetry?.kind === 'telemetry' && telemetry.points.values).toEqual([11, 0.5]);
    expect(attributesIn(disposition).outOfDefinition).toBe('["count"]');
  });

  it('are of another type or out of range; a board’s 1 and 0 are booleans', () => {
    expect(marked('{"count":1,"level":1,"on":1,"name":"x","mode":2,"more":[1],"other":{}}')).toBeUndefined();
    expect(marked('{"count":0.5,"level":"1","on":2,"name":5,"mode":"off"}')).toBe(
      '["count","level","on","name","mode"]',
    );
    expect(marked('{"count":-1,"level":1.5,"on":true,"mode":"auto"}')).toBe('["count","level"]');
    expect(marked('{"on":"true"}')).toBe('["on"]');
    expect(marked('{"count":9007199254740993}')).toBe('["count"]');
  });

  it('are marked again only when others do', () => {
    const session = openSession(withAttributes(definitions));
    const mark = (payload: string) => attributesIn(uplink(session, payload)).outOfDefinition;
    expect(mark('{"data":{"count":11}}')).toBe('["count"]');
    expect(mark('{"data":{"count":12}}')).toBeUndefined();
    expect(mark('{"data":{"count":1}}')).toBeUndefined();
    expect(mark('{"data":{"level":7}}')).toBe('["level"]');
  });

  it('follow the profile of a device that is connected', () => {
    const session = openSession();
    expect(attributesIn(uplink(session, '{"data":{"count":11}}')).outOfDefinition).toBeUndefined();
    session.deviceChanged?.(withAttributes(definitions).device);
    expect(attributesIn(uplink(session, '{"data":{"count":11}}')).outOfDefinition).toBe('["count"]');
  });
});

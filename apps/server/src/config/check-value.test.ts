import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { checkText, checkValue, wanted } from './check-value.ts';
import { configurationSchema } from './schema.ts';
import { SETTINGS } from './setting.ts';

const value = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    false,
    '',
    'off',
    'full',
    'info',
    'a@b',
    [],
    ['a'],
    [1],
    {},
    [null],
    -1,
    0,
    1,
    5,
    90,
  ),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.array(fc.string()),
);

describe('checkValue', () => {
  it('agrees with TypeBox on every setting', () => {
    for (const { schema } of SETTINGS) {
      // Topic Filters are a rule of their own.
      if (schema.topicFilters === true) continue;
      fc.assert(
        fc.property(value, (given) => {
          expect(checkValue(schema, given).ok).toBe(Value.Check(schema, given));
        }),
        { numRuns: 100 },
      );
    }
  });

  it('accepts every default, and the whole schema accepts them together', () => {
    for (const { schema } of SETTINGS) expect(checkValue(schema, schema.default)).toMatchObject({ ok: true });
    expect(Value.Check(configurationSchema, Value.Create(configurationSchema))).toBe(true);
  });

  it.each([
    ['a/#', true],
    ['#', true],
    ['+/b/+', true],
    ['/', true],
    ['a#', false],
    ['#/a', false],
    ['a/b+', false],
    ['a\0', false],
  ])('takes %j for a Topic Filter: %s [MQTT-4.7.1-1] [MQTT-4.7.1-2]', (filter, good) => {
    const schema = SETTINGS.find(({ key }) => key === 'plain.denySubscribe')?.schema ?? {};
    expect(checkValue(schema, [filter]).ok).toBe(good);
  });
});

describe('checkText', () => {
  const schemaOf = (key: string) => SETTINGS.find((setting) => setting.key === key)?.schema ?? {};

  it.each([
    ['mqtt.port', '1884', 1884],
    ['mqtt.port', '0', 0],
    ['mqtt.serverKeepAlive', '60', 60],
    ['plain.anonymous', 'true', true],
    ['plain.anonymous', 'false', false],
    ['plain.denySubscribe', 'a/#, b/+ ,', ['a/#', 'b/+']],
    ['plain.denySubscribe', '', []],
    ['host', '::1', '::1'],
    ['storage.durability', 'normal', 'normal'],
  ])('reads %s from %j', (key, text, expected) => {
    expect(checkText(schemaOf(key), text)).toEqual({ ok: true, value: expected });
  });

  it.each([
    ['mqtt.port', ''],
    ['mqtt.port', '65536'],
    ['mqtt.port', '-1'],
    ['mqtt.port', '1e3'],
    ['mqtt.port', ' 1883'],
    ['mqtt.port', '0x50'],
    ['mqtt.serverKeepAlive', '0'],
    ['mqtt.serverKeepAlive', 'null'],
    ['plain.anonymous', '1'],
    ['plain.anonymous', 'TRUE'],
    ['host', ''],
    ['mqtt.flapping', 'sometimes'],
    ['adminEmail', 'nobody'],
    ['adminPassword', 'short'],
  ])('refuses %s from %j', (key, text) => {
    const schema = schemaOf(key);
    expect(checkText(schema, text)).toEqual({ ok: false, wants: wanted(schema) });
  });
});

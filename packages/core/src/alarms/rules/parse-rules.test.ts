import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../model/entities.ts';
import { definition, duration, numeric, operand, repeating, rule } from '../testing/test-alarms.ts';
import { alarmRulesProblem, parseAlarmRules } from './parse-rules.ts';

const FINE = rule([numeric('t', 'GREATER', 5)]);
const problem = (alarms: Json): string | null => alarmRulesProblem({ alarms })?.message ?? null;
const withRule = (given: Json): string | null => problem([definition({ MAJOR: given })]);
const ONE = 'profileData.alarms[0]';
const RULE = `${ONE}.createRules.MAJOR`;
const FILTER = `${RULE}.condition.condition[0]`;
const filter = (parts: JsonObject): Json => rule([{ ...numeric('t', 'GREATER', 5), ...parts }]);

describe('alarm rules of a profile', () => {
  it('are none where nothing is said', () => {
    for (const alarms of [null, []]) expect(parseAlarmRules({ alarms })).toEqual({ ok: true, value: null });
    expect(parseAlarmRules({})).toEqual({ ok: true, value: null });
  });

  it('are taken in the form of ThingsBoard, and say which values they need', () => {
    const parsed = parseAlarmRules({
      alarms: [
        definition(
          {
            WARNING: rule([numeric('t', 'LESS', 1)], repeating(3, 'n')),
            CRITICAL: rule([numeric('t', 'LESS', 0, 'l')], duration(1, 'DAYS')),
          },
          rule([
            {
              key: { type: 'ENTITY_FIELD', key: 'name' },
              valueType: 'STRING',
              predicate: { type: 'STRING', operation: 'EQUAL', value: operand('x') },
            },
          ]),
        ),
      ],
    });
    if (!parsed.ok || parsed.value === null) throw new TypeError('refused');
    const { definitions, seriesKeys, attributeKeys, usesFields } = parsed.value;
    expect(definitions[0]?.createRules.map(({ severity }) => severity)).toEqual(['CRITICAL', 'WARNING']);
    expect([[...seriesKeys], [...attributeKeys], usesFields]).toEqual([['t'], ['l', 'n'], true]);
  });

  it.each<[Json, string]>([
    [{}, 'profileData.alarms must be a list'],
    [Array(101).fill(definition({ MAJOR: FINE })), 'profileData.alarms must not have more than 100 alarm rules'],
    [[5], `${ONE} must be an object`],
    [[{ ...definition({ MAJOR: FINE }), alarmType: ' ' }], `${ONE}.alarmType must be a text and not blank`],
    [[{ ...definition({ MAJOR: FINE }), alarmType: '<i>' }], `${ONE}.alarmType is malformed`],
    [[{ ...definition({ MAJOR: FINE }), id: 5 }], `${ONE}.id must be a text of 1 to 255 characters`],
    [
      [{ ...definition({ MAJOR: FINE }), propagateRelationTypes: [5] }],
      `${ONE}.propagateRelationTypes must be a list of at most 100 texts`,
    ],
    [[definition({})], `${ONE}.createRules must have at least one severity`],
    [
      [definition({ BAD: FINE })],
      `${ONE}.createRules has a severity that is not one of CRITICAL, MAJOR, MINOR, WARNING, INDETERMINATE`,
    ],
    [[definition({ MAJOR: FINE }, 5)], `${ONE}.clearRule must be an object`],
    [
      [definition({ MAJOR: FINE }), definition({ MINOR: FINE })],
      'profileData.alarms[1].alarmType is the type of another alarm rule',
    ],
    [
      [definition({ MAJOR: FINE }), { ...definition({ MAJOR: FINE }, null, 'B'), id: 'rule High' }],
      'profileData.alarms[1].id is the id of another alarm rule',
    ],
    [
      Array.from({ length: 11 }, (_, n) =>
        definition({ MAJOR: rule(Array(50).fill(numeric('t', 'LESS', 1))) }, null, `T${n}`),
      ),
      'profileData.alarms must not have more than 500 conditions in all',
    ],
  ])('are refused with the member at fault: %#', (alarms, message) => {
    expect(problem(alarms)).toBe(`Validation error: ${message}`);
  });

  it.each<[Json, string]>([
    [5, `${RULE} must be an object`],
    [{}, `${RULE}.condition must be an object`],
    [rule([]), `${RULE}.condition.condition must be a list and not empty`],
    [rule(Array(51).fill(numeric('t', 'LESS', 1))), `${RULE}.condition.condition must not have more than 50 filters`],
    [filter({ key: 5 }), `${FILTER}.key must be an object`],
    [filter({ key: { type: 'TIME_SERIES', key: ' ' } }), `${FILTER}.key.key must be a text of 1 to 255 characters`],
    [
      filter({ key: { type: 'ALARM_FIELD', key: 'x' } }),
      `${FILTER}.key.type must be one of ATTRIBUTE, TIME_SERIES, ENTITY_FIELD, CONSTANT`,
    ],
    [
      filter({ key: { type: 'ENTITY_FIELD', key: 'x' } }),
      `${FILTER}.key.key must be one of name, type, label, createdTime`,
    ],
    [
      filter({ key: { type: 'CONSTANT', key: 'x' }, value: 'x' }),
      `${FILTER}.value must be a constant of the type NUMERIC`,
    ],
    [filter({ valueType: 'x' }), `${FILTER}.valueType must be one of STRING, NUMERIC, BOOLEAN, DATE_TIME`],
    [filter({ valueType: 'STRING' }), `${FILTER}.predicate.type does not fit the value type STRING`],
    [rule([numeric('t', 'GREATER', 'x')]), `${FILTER}.predicate.value.defaultValue must be a number`],
    [
      rule([numeric('t', 'GREATER', 5)], { type: 'OFTEN' }),
      `${RULE}.condition.spec.type must be one of SIMPLE, DURATION, REPEATING`,
    ],
    [
      rule([numeric('t', 'GREATER', 5)], duration(5, 'WEEKS')),
      `${RULE}.condition.spec.unit must be one of SECONDS, MINUTES, HOURS, DAYS`,
    ],
    [
      rule([numeric('t', 'GREATER', 5)], duration(0)),
      `${RULE}.condition.spec.predicate must be a number above 0 and at most 31622400`,
    ],
    [
      rule([numeric('t', 'GREATER', 5)], repeating(1.5)),
      `${RULE}.condition.spec.predicate must be a whole number above 0 and at most 1000000`,
    ],
    [rule([numeric('t', 'GREATER', 5)], { type: 'REPEATING' }), `${RULE}.condition.spec.predicate must be an object`],
    [
      rule([numeric('t', 'GREATER', 5)], { type: 'REPEATING', predicate: { defaultValue: 'x' } }),
      `${RULE}.condition.spec.predicate.defaultValue must be a number`,
    ],
    [
      rule([numeric('t', 'GREATER', 5)], null, { schedule: { type: 'CUSTOM' } }),
      `${RULE}.schedule.type must be ANY_TIME or SPECIFIC_TIME: CUSTOM is not supported`,
    ],
    [
      rule([numeric('t', 'GREATER', 5)], null, { alarmDetails: 5 }),
      `${RULE}.alarmDetails must be a text of at most 10000 characters`,
    ],
    [
      rule([numeric('t', 'GREATER', 5)], null, { dashboardId: { id: 'x' } }),
      `${RULE}.dashboardId must be the id of a dashboard`,
    ],
  ])('are refused with the member of the rule at fault: %#', (given, message) => {
    expect(withRule(given)).toBe(`Validation error: ${message}`);
  });

  it('do not take thresholds from customers or tenants', () => {
    for (const sourceType of ['CURRENT_CUSTOMER', 'CURRENT_TENANT']) {
      const value = { defaultValue: 5, dynamicValue: { sourceType, sourceAttribute: 'x', inherit: false } };
      expect(withRule(filter({ predicate: { type: 'NUMERIC', operation: 'LESS', value } }))).toBe(
        `Validation error: ${FILTER}.predicate.value.dynamicValue.sourceType must be CURRENT_DEVICE`,
      );
    }
  });

  it('take keys that name members of every object as plain keys', () => {
    const given: JsonObject = JSON.parse(
      JSON.stringify(definition({ MAJOR: rule([numeric('__proto__', 'GREATER', 5)]) })).replace(
        'rule High',
        '__proto__',
      ),
    );
    const parsed = parseAlarmRules({ alarms: [given] });
    expect(parsed.ok && [...(parsed.value?.seriesKeys ?? [])]).toEqual(['__proto__']);
    const odd: JsonObject = JSON.parse('{"alarmType":"A","createRules":{"__proto__":{}}}');
    expect(problem([odd])).toMatch(/createRules has a severity that is not one of/);
  });
});

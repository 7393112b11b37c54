import { type Result, success } from '../../errors.ts';
import type { Json, JsonObject } from '../../model/entities.ts';
import { invalid, memberOf, oneOf } from '../../predicates/json-members.ts';
import { type PredicateRules, parsePredicate, parseValueType } from '../../predicates/parse-predicate.ts';
import { dynamicValuesOf, type PredicateValueType } from '../../predicates/predicate.ts';
import { asNumber } from '../../predicates/subject.ts';
import { isList, isObject } from '../../values/json.ts';
import { type Value, ValueKind } from '../../values/value.ts';
import { valueFromJson } from '../../values/value-from-json.ts';
import { type AlarmRule, ENTITY_FIELDS, type RuleFilter, type RuleSpec, type Slot } from './alarm-rule.ts';
import { parseSchedule } from './schedule.ts';

/** Attributes of customers and tenants are not looked at. thingsboard-server.md, 8.2 */
const RULES: PredicateRules = { dynamicSources: ['CURRENT_DEVICE'] };
const MAX_FILTERS = 50;
const MAX_KEY_LENGTH = 255;
const MAX_DETAILS_LENGTH = 10_000;
const MAX_DURATION_MS = 366 * 86_400_000;
const MAX_REPEATS = 1_000_000;
const UNITS: Readonly<Record<string, number>> = { SECONDS: 1000, MINUTES: 60_000, HOURS: 3_600_000, DAYS: 86_400_000 };
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Reads one rule of `createRules`, or the clear rule; `path` begins the name of the member at fault in the refusal. */
export function parseRule(json: Json, path: string): Result<AlarmRule> {
  if (!isObject(json)) return invalid(path, 'must be an object');
  const condition = memberOf(json, 'condition');
  if (!isObject(condition)) return invalid(`${path}.condition`, 'must be an object');
  const filters = parseFilters(memberOf(condition, 'condition'), `${path}.condition.condition`);
  if (!filters.ok) return filters;
  const spec = parseSpec(memberOf(condition, 'spec'), `${path}.condition.spec`);
  if (!spec.ok) return spec;
  const schedule = parseSchedule(memberOf(json, 'schedule'), `${path}.schedule`);
  if (!schedule.ok) return schedule;
  const details = memberOf(json, 'alarmDetails');
  if (details !== null && (typeof details !== 'string' || details.length > MAX_DETAILS_LENGTH)) {
    return invalid(`${path}.alarmDetails`, `must be a text of at most ${MAX_DETAILS_LENGTH} characters`);
  }
  const dashboardId = parseDashboardId(memberOf(json, 'dashboardId'), `${path}.dashboardId`);
  if (!dashboardId.ok) return dashboardId;
  return success({
    filters: filters.value,
    spec: spec.value,
    schedule: schedule.value,
    details: details === '' ? null : details,
    dashboardId: dashboardId.value,
    conditionSlots: new Set(filters.value.flatMap(({ slot }) => slot ?? [])),
    operandSlots: operandSlots(filters.value, spec.value),
  });
}

function operandSlots(filters: readonly RuleFilter[], spec: RuleSpec): ReadonlySet<Slot> {
  const attributes = filters.flatMap(({ predicate }) =>
    dynamicValuesOf(predicate).map(({ sourceAttribute }) => sourceAttribute),
  );
  if (spec.type !== 'SIMPLE' && spec.attribute !== null) attributes.push(spec.attribute);
  return new Set(attributes.map((key): Slot => `attribute:${key}`));
}

function parseFilters(json: Json, path: string): Result<readonly RuleFilter[]> {
  if (!isList(json) || json.length === 0) return invalid(path, 'must be a list and not empty');
  if (json.length > MAX_FILTERS) return invalid(path, `must not have more than ${MAX_FILTERS} filters`);
  const filters: RuleFilter[] = [];
  for (const [index, one] of json.entries()) {
    const filter = parseFilter(one, `${path}[${index}]`);
    if (!filter.ok) return filter;
    filters.push(filter.value);
  }
  return success(filters);
}

function parseFilter(json: Json, path: string): Result<RuleFilter> {
  if (!isObject(json)) return invalid(path, 'must be an object');
  const given = memberOf(json, 'key');
  if (!isObject(given)) return invalid(`${path}.key`, 'must be an object');
  const key = memberOf(given, 'key');
  if (typeof key !== 'string' || key.trim() === '' || key.length > MAX_KEY_LENGTH) {
    return invalid(`${path}.key.key`, `must be a text of 1 to ${MAX_KEY_LENGTH} characters`);
  }
  const valueType = parseValueType(memberOf(json, 'valueType'), `${path}.valueType`);
  if (!valueType.ok) return valueType;
  const predicate = parsePredicate(memberOf(json, 'predicate'), valueType.value, `${path}.predicate`, RULES);
  if (!predicate.ok) return predicate;
  const found = { key, constant: null, predicate: predicate.value };
  switch (memberOf(given, 'type')) {
    case 'TIME_SERIES':
      return success({ ...found, slot: `series:${key}` });
    case 'ATTRIBUTE':
      return success({ ...found, slot: `attribute:${key}` });
    case 'ENTITY_FIELD': {
      const field = oneOf(ENTITY_FIELDS, key);
      if (field === undefined) return invalid(`${path}.key.key`, `must be one of ${ENTITY_FIELDS.join(', ')}`);
      return success({ ...found, slot: `field:${field}` });
    }
    case 'CONSTANT': {
      const constant = constantOf(memberOf(json, 'value'), valueType.value);
      if (constant === null) return invalid(`${path}.value`, `must be a constant of the type ${valueType.value}`);
      return success({ ...found, slot: null, constant });
    }
    default:
      return invalid(`${path}.key.type`, 'must be one of ATTRIBUTE, TIME_SERIES, ENTITY_FIELD, CONSTANT');
  }
}

function constantOf(json: Json, type: PredicateValueType): Value | null {
  switch (type) {
    case 'STRING':
      return typeof json === 'string' && json.length <= MAX_DETAILS_LENGTH
        ? { kind: ValueKind.String, value: json }
        : null;
    case 'BOOLEAN':
      return typeof json === 'boolean' ? { kind: ValueKind.Boolean, value: json } : null;
    default: {
      const number = typeof json === 'string' ? asNumber(json) : json;
      return typeof number === 'number' && Number.isFinite(number) ? valueFromJson(number, false) : null;
    }
  }
}

function parseSpec(json: Json, path: string): Result<RuleSpec> {
  if (json === null) return success({ type: 'SIMPLE' });
  if (!isObject(json)) return invalid(path, 'must be an object');
  switch (memberOf(json, 'type')) {
    case 'SIMPLE':
    case null:
      return success({ type: 'SIMPLE' });
    case 'DURATION': {
      const unit = memberOf(json, 'unit');
      const unitMs = typeof unit === 'string' && Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
      if (unitMs === undefined) return invalid(`${path}.unit`, `must be one of ${Object.keys(UNITS).join(', ')}`);
      const amount = parseAmount(json, path, MAX_DURATION_MS / unitMs, false);
      return amount.ok ? success({ type: 'DURATION', unitMs, ...amount.value }) : amount;
    }
    case 'REPEATING': {
      const amount = parseAmount(json, path, MAX_REPEATS, true);
      return amount.ok ? success({ type: 'REPEATING', ...amount.value }) : amount;
    }
    default:
      return invalid(`${path}.type`, 'must be one of SIMPLE, DURATION, REPEATING');
  }
}

/** The number of a spec has the form of a numeric predicate's value. */
function parseAmount(
  spec: JsonObject,
  path: string,
  most: number,
  whole: boolean,
): Result<{ readonly amount: number | null; readonly attribute: string | null }> {
  const value = memberOf(spec, 'predicate');
  if (!isObject(value)) return invalid(`${path}.predicate`, 'must be an object');
  const parsed = parsePredicate({ type: 'NUMERIC', operation: 'EQUAL', value }, null, `${path}.predicate`, RULES);
  if (!parsed.ok) return { ...parsed, message: parsed.message.replace('.predicate.value', '.predicate') };
  if (parsed.value.type !== 'NUMERIC') return invalid(`${path}.predicate`, 'must be a number');
  const { constant, dynamic } = parsed.value.operand;
  if (constant !== null && !(constant > 0 && constant <= most && (!whole || Number.isInteger(constant)))) {
    return invalid(`${path}.predicate`, `must be a ${whole ? 'whole ' : ''}number above 0 and at most ${most}`);
  }
  return success({ amount: constant, attribute: dynamic?.sourceAttribute ?? null });
}

function parseDashboardId(json: Json, path: string): Result<string | null> {
  if (json === null) return success(null);
  const id = isObject(json) ? memberOf(json, 'id') : json;
  if (typeof id !== 'string' || !UUID.test(id.toLowerCase())) return invalid(path, 'must be the id of a dashboard');
  return success(id.toLowerCase());
}

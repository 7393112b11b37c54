import { type PlatformError, type Result, success } from '../../errors.ts';
import type { Json, JsonObject } from '../../model/entities.ts';
import { invalid, memberOf } from '../../predicates/json-members.ts';
import { textProblem } from '../../registry/text-rules.ts';
import { isList, isObject } from '../../values/json.ts';
import { ALARM_SEVERITIES, type AlarmPropagation } from '../alarm.ts';
import type { AlarmDefinition, AlarmRule, ProfileRules } from './alarm-rule.ts';
import { parseRule } from './parse-rule.ts';
import { textFingerprint } from './text-fingerprint.ts';

const FIELD = 'profileData.alarms';
const MAX_DEFINITIONS = 100;
/** Conditions of all rules of a profile together. */
const MAX_CONDITIONS = 500;
const MAX_ID_LENGTH = 255;
const MAX_RELATION_TYPES = 100;

/** Refuses alarm rules that could not be run, and names the member at fault; null: they are fine. thingsboard-server.md, 8.2 */
export function alarmRulesProblem(profileData: JsonObject): PlatformError | null {
  const parsed = parseAlarmRules(profileData);
  return parsed.ok ? null : parsed;
}

/** The alarm rules of a profile; null: it has none. */
export function parseAlarmRules(profileData: JsonObject): Result<ProfileRules | null> {
  const given = memberOf(profileData, 'alarms');
  if (given === null) return success(null);
  if (!isList(given)) return invalid(FIELD, 'must be a list');
  if (given.length === 0) return success(null);
  if (given.length > MAX_DEFINITIONS) return invalid(FIELD, `must not have more than ${MAX_DEFINITIONS} alarm rules`);
  const definitions: AlarmDefinition[] = [];
  const ids = new Set<string>();
  const types = new Set<string>();
  for (const [index, one] of given.entries()) {
    const path = `${FIELD}[${index}]`;
    const parsed = parseDefinition(one, path);
    if (!parsed.ok) return parsed;
    const { id, alarmType } = parsed.value;
    if (types.has(alarmType)) return invalid(`${path}.alarmType`, 'is the type of another alarm rule');
    if (ids.has(id)) return invalid(`${path}.id`, 'is the id of another alarm rule');
    types.add(alarmType);
    ids.add(id);
    definitions.push(parsed.value);
  }
  const rules = definitions.flatMap(rulesOf);
  if (rules.reduce((sum, { filters }) => sum + filters.length, 0) > MAX_CONDITIONS) {
    return invalid(FIELD, `must not have more than ${MAX_CONDITIONS} conditions in all`);
  }
  const slots = rules.flatMap(({ conditionSlots, operandSlots }) => [...conditionSlots, ...operandSlots]);
  return success({
    fingerprint: textFingerprint(JSON.stringify(given)),
    definitions,
    seriesKeys: keysOf(slots, 'series:'),
    attributeKeys: keysOf(slots, 'attribute:'),
    usesFields: slots.some((slot) => slot.startsWith('field:')),
  });
}

function rulesOf({ createRules, clearRule }: AlarmDefinition): readonly AlarmRule[] {
  const rules = createRules.map(({ rule }) => rule);
  return clearRule === null ? rules : [...rules, clearRule];
}

function keysOf(slots: readonly string[], sort: string): ReadonlySet<string> {
  return new Set(slots.filter((slot) => slot.startsWith(sort)).map((slot) => slot.slice(sort.length)));
}

function parseDefinition(json: Json, path: string): Result<AlarmDefinition> {
  if (!isObject(json)) return invalid(path, 'must be an object');
  const alarmType = memberOf(json, 'alarmType');
  if (typeof alarmType !== 'string' || alarmType.trim() === '') {
    return invalid(`${path}.alarmType`, 'must be a text and not blank');
  }
  const malformed = textProblem(`${path}.alarmType`, alarmType);
  if (malformed !== null) return malformed;
  const id = memberOf(json, 'id') ?? alarmType;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) {
    return invalid(`${path}.id`, `must be a text of 1 to ${MAX_ID_LENGTH} characters`);
  }
  const createRules = parseCreateRules(memberOf(json, 'createRules'), `${path}.createRules`);
  if (!createRules.ok) return createRules;
  const given = memberOf(json, 'clearRule');
  const clearRule = given === null ? success(null) : parseRule(given, `${path}.clearRule`);
  if (!clearRule.ok) return clearRule;
  const propagation = parsePropagation(json, path);
  if (!propagation.ok) return propagation;
  return success({
    id,
    alarmType,
    fingerprint: textFingerprint(JSON.stringify(json)),
    createRules: createRules.value,
    clearRule: clearRule.value,
    ...propagation.value,
  });
}

function parseCreateRules(json: Json, path: string): Result<AlarmDefinition['createRules']> {
  if (!isObject(json)) return invalid(path, 'must be an object of severities');
  const given = Object.keys(json).filter((severity) => memberOf(json, severity) !== null);
  if (given.length === 0) return invalid(path, 'must have at least one severity');
  const unknown = given.find((severity) => !ALARM_SEVERITIES.some((known) => known === severity));
  if (unknown !== undefined) {
    return invalid(path, `has a severity that is not one of ${ALARM_SEVERITIES.join(', ')}`);
  }
  const rules: AlarmDefinition['createRules'][number][] = [];
  for (const severity of ALARM_SEVERITIES) {
    if (!given.includes(severity)) continue;
    const rule = parseRule(memberOf(json, severity), `${path}.${severity}`);
    if (!rule.ok) return rule;
    rules.push({ severity, rule: rule.value });
  }
  return success(rules);
}

function parsePropagation(json: JsonObject, path: string): Result<AlarmPropagation> {
  const relations = memberOf(json, 'propagateRelationTypes') ?? [];
  const valid = isList(relations) && relations.length <= MAX_RELATION_TYPES;
  if (!valid || !relations.every((one) => typeof one === 'string' && one.length <= MAX_ID_LENGTH)) {
    return invalid(`${path}.propagateRelationTypes`, `must be a list of at most ${MAX_RELATION_TYPES} texts`);
  }
  return success({
    propagate: memberOf(json, 'propagate') === true,
    propagateToOwner: memberOf(json, 'propagateToOwner') === true,
    propagateToTenant: memberOf(json, 'propagateToTenant') === true,
    propagateRelationTypes: relations.filter((one) => typeof one === 'string'),
  });
}

import { type Result, success } from '../errors.ts';
import type { Json, JsonObject } from '../model/entities.ts';
import { isList, isObject } from '../values/json.ts';
import { invalid, memberOf, oneOf } from './json-members.ts';
import type { DynamicValue, Operand, Predicate, PredicateValueType } from './predicate.ts';
import { asNumber, choicesOf } from './subject.ts';

/** What a place that has predicates allows. */
export interface PredicateRules {
  /** Source types of dynamic values; any other one is refused. */
  readonly dynamicSources: readonly string[];
}

/** COMPLEX predicates inside each other. */
export const MAX_PREDICATE_DEPTH = 8;
/** Predicates of one condition, nested ones included. */
export const MAX_PREDICATES = 100;
/** Characters of a text to compare with; a list for IN is one text. */
export const MAX_OPERAND_LENGTH = 10_000;
const MAX_ATTRIBUTE_LENGTH = 255;

const VALUE_TYPES = ['STRING', 'NUMERIC', 'BOOLEAN', 'DATE_TIME'] as const;
export const STRING_OPERATIONS = [
  'EQUAL',
  'NOT_EQUAL',
  'STARTS_WITH',
  'ENDS_WITH',
  'CONTAINS',
  'NOT_CONTAINS',
  'IN',
  'NOT_IN',
] as const;
export const NUMERIC_OPERATIONS = [
  'EQUAL',
  'NOT_EQUAL',
  'GREATER',
  'LESS',
  'GREATER_OR_EQUAL',
  'LESS_OR_EQUAL',
] as const;
const BOOLEAN_OPERATIONS = ['EQUAL', 'NOT_EQUAL'] as const;
const COMPLEX_OPERATIONS = ['AND', 'OR'] as const;

/** Reads the `valueType` beside a predicate; `path` names it in the refusal. */
export function parseValueType(json: Json, path: string): Result<PredicateValueType> {
  const type = oneOf(VALUE_TYPES, json);
  return type === undefined ? invalid(path, `must be one of ${VALUE_TYPES.join(', ')}`) : success(type);
}

/**
 * Reads a key filter predicate. `valueType` decides which simple predicates may occur, null: any; `path` is where it
 * stands and begins the name of the member at fault in the refusal, which is always `badRequest`.
 */
export function parsePredicate(
  json: Json,
  valueType: PredicateValueType | null,
  path: string,
  rules: PredicateRules,
): Result<Predicate> {
  return new PredicateReader(valueType, rules).read(json, path, 1);
}

class PredicateReader {
  readonly #valueType: PredicateValueType | null;
  readonly #rules: PredicateRules;
  #count = 0;

  constructor(valueType: PredicateValueType | null, rules: PredicateRules) {
    this.#valueType = valueType;
    this.#rules = rules;
  }

  read(json: Json, path: string, depth: number): Result<Predicate> {
    if (!isObject(json)) return invalid(path, 'must be an object');
    this.#count += 1;
    if (this.#count > MAX_PREDICATES) return invalid(path, `is more than ${MAX_PREDICATES} predicates`);
    switch (memberOf(json, 'type')) {
      case 'STRING':
        return this.#string(json, path);
      case 'NUMERIC':
        return this.#numeric(json, path);
      case 'BOOLEAN':
        return this.#boolean(json, path);
      case 'COMPLEX':
        return this.#complex(json, path, depth);
      default:
        return invalid(`${path}.type`, 'must be one of STRING, NUMERIC, BOOLEAN, COMPLEX');
    }
  }

  #string(json: JsonObject, path: string): Result<Predicate> {
    const operation = oneOf(STRING_OPERATIONS, memberOf(json, 'operation'));
    if (operation === undefined) return unknownOperation(path, STRING_OPERATIONS);
    if (!this.#fits('STRING')) return this.#misfit(path);
    const ignoreCase = memberOf(json, 'ignoreCase');
    if (ignoreCase !== null && typeof ignoreCase !== 'boolean') return invalid(`${path}.ignoreCase`, 'must be Boolean');
    const must = `must be a text of at most ${MAX_OPERAND_LENGTH} characters`;
    const common = { type: 'STRING', ignoreCase: ignoreCase === true } as const;
    if (operation === 'IN' || operation === 'NOT_IN') {
      const operand = this.#operand(json, path, readChoices, must);
      return operand.ok ? success({ ...common, operation, operand: operand.value }) : operand;
    }
    const operand = this.#operand(json, path, readText, must);
    return operand.ok ? success({ ...common, operation, operand: operand.value }) : operand;
  }

  #numeric(json: JsonObject, path: string): Result<Predicate> {
    const operation = oneOf(NUMERIC_OPERATIONS, memberOf(json, 'operation'));
    if (operation === undefined) return unknownOperation(path, NUMERIC_OPERATIONS);
    if (!this.#fits('NUMERIC') && !this.#fits('DATE_TIME')) return this.#misfit(path);
    const operand = this.#operand(json, path, readNumber, 'must be a number');
    return operand.ok ? success({ type: 'NUMERIC', operation, operand: operand.value }) : operand;
  }

  #boolean(json: JsonObject, path: string): Result<Predicate> {
    const operation = oneOf(BOOLEAN_OPERATIONS, memberOf(json, 'operation'));
    if (operation === undefined) return unknownOperation(path, BOOLEAN_OPERATIONS);
    if (!this.#fits('BOOLEAN')) return this.#misfit(path);
    const operand = this.#operand(json, path, readBoolean, 'must be Boolean');
    return operand.ok ? success({ type: 'BOOLEAN', operation, operand: operand.value }) : operand;
  }

  #complex(json: JsonObject, path: string, depth: number): Result<Predicate> {
    const operation = oneOf(COMPLEX_OPERATIONS, memberOf(json, 'operation'));
    if (operation === undefined) return unknownOperation(path, COMPLEX_OPERATIONS);
    if (depth > MAX_PREDICATE_DEPTH) return invalid(path, `is nested more than ${MAX_PREDICATE_DEPTH} deep`);
    const given = memberOf(json, 'predicates');
    if (!isList(given) || given.length === 0) return invalid(`${path}.predicates`, 'must be a list and not empty');
    const predicates: Predicate[] = [];
    for (const [index, one] of given.entries()) {
      const predicate = this.read(one, `${path}.predicates[${index}]`, depth + 1);
      if (!predicate.ok) return predicate;
      predicates.push(predicate.value);
    }
    return success({ type: 'COMPLEX', operation, predicates });
  }

  #fits(type: PredicateValueType): boolean {
    return this.#valueType === null || this.#valueType === type;
  }

  #misfit(path: string): Result<Predicate> {
    return invalid(`${path}.type`, `does not fit the value type ${this.#valueType}`);
  }

  #operand<T>(json: JsonObject, path: string, read: (json: Json) => T | null, must: string): Result<Operand<T>> {
    const value = memberOf(json, 'value');
    if (!isObject(value)) return invalid(`${path}.value`, 'must be an object');
    const dynamic = this.#dynamic(memberOf(value, 'dynamicValue'), `${path}.value.dynamicValue`);
    if (!dynamic.ok) return dynamic;
    // What a user chose for a stored filter beats what the filter came with.
    const member = memberOf(value, 'userValue') === null ? 'defaultValue' : 'userValue';
    const given = memberOf(value, member);
    if (given === null && dynamic.value !== null) return success({ constant: null, dynamic: dynamic.value });
    const constant = read(given);
    if (constant === null) return invalid(`${path}.value.${member}`, must);
    return success({ constant, dynamic: dynamic.value });
  }

  #dynamic(json: Json, path: string): Result<DynamicValue | null> {
    if (json === null) return success(null);
    if (!isObject(json)) return invalid(path, 'must be an object');
    const sourceType = memberOf(json, 'sourceType');
    const sourceAttribute = memberOf(json, 'sourceAttribute');
    // Clients send the member with nothing in it where no attribute was chosen.
    if (sourceType === null && (sourceAttribute === null || sourceAttribute === '')) return success(null);
    const { dynamicSources } = this.#rules;
    if (typeof sourceType !== 'string' || !dynamicSources.includes(sourceType)) {
      const allowed = dynamicSources.length === 0 ? 'is not supported here' : `must be ${dynamicSources.join(' or ')}`;
      return invalid(`${path}.sourceType`, allowed);
    }
    if (typeof sourceAttribute !== 'string' || sourceAttribute === '') {
      return invalid(`${path}.sourceAttribute`, 'must be the key of an attribute');
    }
    if (sourceAttribute.length > MAX_ATTRIBUTE_LENGTH) {
      return invalid(`${path}.sourceAttribute`, `must have at most ${MAX_ATTRIBUTE_LENGTH} characters`);
    }
    const inherit = memberOf(json, 'inherit');
    if (inherit !== null && inherit !== false) {
      return invalid(`${path}.inherit`, 'must be false: attributes of customers and tenants are not supported');
    }
    return success({ sourceType, sourceAttribute });
  }
}

function unknownOperation(path: string, allowed: readonly string[]): Result<Predicate> {
  return invalid(`${path}.operation`, `must be one of ${allowed.join(', ')}`);
}

/** Clients write numbers and Booleans where a text is wanted, and the other way round. */
function readText(json: Json): string | null {
  if (typeof json === 'number' || typeof json === 'boolean') return String(json);
  return typeof json === 'string' && json.length <= MAX_OPERAND_LENGTH ? json : null;
}

function readChoices(json: Json): readonly string[] | null {
  const text = readText(json);
  return text === null ? null : choicesOf(text);
}

function readNumber(json: Json): number | null {
  if (typeof json === 'number') return Number.isFinite(json) ? json : null;
  return typeof json === 'string' ? asNumber(json) : null;
}

function readBoolean(json: Json): boolean | null {
  if (typeof json === 'boolean') return json;
  return json === 'true' ? true : json === 'false' ? false : null;
}

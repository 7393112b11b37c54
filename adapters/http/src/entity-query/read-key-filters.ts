import { choicesOf, type KeyFilter, NUMERIC_OPERATIONS, type Predicate, STRING_OPERATIONS } from '@moorage/core';
import {
  flagMember,
  isRecord,
  type JsonRecord,
  listMember,
  recordMember,
  textMember,
  valueMember,
} from './json-members.ts';
import { QueryFault, readKey } from './read-keys.ts';

/** Reads conditions on values. thingsboard-server.md, 7.5 */
export function readKeyFilters(entries: readonly unknown[]): readonly KeyFilter[] | QueryFault {
  const filters: KeyFilter[] = [];
  for (const entry of entries) {
    if (!isRecord(entry)) return new QueryFault('A key filter is no object');
    const named = recordMember(entry, 'key');
    const key = named === null ? new QueryFault('A key filter has no key') : readKey(named);
    if (key instanceof QueryFault) return key;
    const predicate = readPredicate(recordMember(entry, 'predicate'));
    if (predicate instanceof QueryFault) return predicate;
    filters.push({ key, predicate });
  }
  return filters;
}

/** The nesting is bounded by the depth that JSON of clients may have. */
function readPredicate(predicate: JsonRecord | null): Predicate | QueryFault {
  if (predicate === null) return new QueryFault('A key filter has no predicate');
  const type = textMember(predicate, 'type').toUpperCase();
  const operation = textMember(predicate, 'operation').toUpperCase();
  if (type === 'COMPLEX') return readComplex(predicate, operation);
  const value = readValue(recordMember(predicate, 'value'));
  if (value instanceof QueryFault) return value;
  const unknown = new QueryFault(`Unknown predicate ${type.slice(0, 64)} ${operation.slice(0, 64)}`);
  switch (type) {
    case 'STRING': {
      const known = STRING_OPERATIONS.find((name) => name === operation);
      if (known === undefined) return unknown;
      const ignoreCase = flagMember(predicate, 'ignoreCase');
      if (known === 'IN' || known === 'NOT_IN') {
        const choices = readChoices(value);
        if (choices instanceof QueryFault) return choices;
        return { type, operation: known, ignoreCase, operand: constant(choices) };
      }
      const text = readText(value);
      if (text instanceof QueryFault) return text;
      return { type, operation: known, ignoreCase, operand: constant(text) };
    }
    case 'NUMERIC': {
      const known = NUMERIC_OPERATIONS.find((name) => name === operation);
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (known === undefined) return unknown;
      if (typeof number !== 'number' || !Number.isFinite(number)) {
        return new QueryFault('The value of a NUMERIC predicate is no number');
      }
      return { type, operation: known, operand: constant(number) };
    }
    case 'BOOLEAN': {
      if (operation !== 'EQUAL' && operation !== 'NOT_EQUAL') return unknown;
      if (typeof value !== 'boolean') return new QueryFault('The value of a BOOLEAN predicate is not true or false');
      return { type, operation, operand: constant(value) };
    }
    default:
      return unknown;
  }
}

function readComplex(predicate: JsonRecord, operation: string): Predicate | QueryFault {
  const predicates: Predicate[] = [];
  for (const entry of listMember(predicate, 'predicates')) {
    const inner = readPredicate(isRecord(entry) ? entry : null);
    if (inner instanceof QueryFault) return inner;
    predicates.push(inner);
  }
  if (predicates.length === 0) return new QueryFault('A COMPLEX predicate has no predicates');
  return { type: 'COMPLEX', operation: operation === 'OR' ? 'OR' : 'AND', predicates };
}

/** The user's value beats the default; one taken from an attribute is not offered. */
function readValue(value: JsonRecord | null): unknown {
  if (value === null) return new QueryFault('A predicate has no value');
  const dynamic = recordMember(value, 'dynamicValue');
  if (dynamic !== null && textMember(dynamic, 'sourceAttribute') !== '') {
    return new QueryFault('Values of predicates taken from attributes are not offered yet');
  }
  return valueMember(value, 'userValue') ?? valueMember(value, 'defaultValue');
}

function constant<T>(value: T): { readonly constant: T; readonly dynamic: null } {
  return { constant: value, dynamic: null };
}

/** Clients write numbers and Booleans where a text is wanted; nothing is the empty text. */
function readText(value: unknown): string | QueryFault {
  if (value === null) return '';
  if (typeof value === 'object') return new QueryFault('The value of a STRING predicate is no text');
  return String(value);
}

/** IN and NOT_IN name their choices in one text or as a list. */
function readChoices(value: unknown): readonly string[] | QueryFault {
  if (!Array.isArray(value)) {
    const text = readText(value);
    return text instanceof QueryFault ? text : choicesOf(text);
  }
  const choices: string[] = [];
  for (const entry of value) {
    const choice = readText(entry);
    if (choice instanceof QueryFault) return choice;
    choices.push(choice);
  }
  return choices;
}

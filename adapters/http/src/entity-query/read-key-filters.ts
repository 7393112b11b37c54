import type { KeyFilter, NumberOperation, TextOperation, ValuePredicate } from '@moorage/core';
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

const TEXT_OPERATIONS: readonly TextOperation[] = [
  'EQUAL',
  'NOT_EQUAL',
  'STARTS_WITH',
  'ENDS_WITH',
  'CONTAINS',
  'NOT_CONTAINS',
  'IN',
  'NOT_IN',
];
const NUMBER_OPERATIONS: readonly NumberOperation[] = [
  'EQUAL',
  'NOT_EQUAL',
  'GREATER',
  'LESS',
  'GREATER_OR_EQUAL',
  'LESS_OR_EQUAL',
];

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
function readPredicate(predicate: JsonRecord | null): ValuePredicate | QueryFault {
  if (predicate === null) return new QueryFault('A key filter has no predicate');
  const type = textMember(predicate, 'type').toUpperCase();
  const operation = textMember(predicate, 'operation').toUpperCase();
  if (type === 'COMPLEX') return readComplex(predicate, operation);
  const value = readValue(recordMember(predicate, 'value'));
  if (value instanceof QueryFault) return value;
  const unknown = new QueryFault(`Unknown predicate ${type.slice(0, 64)} ${operation.slice(0, 64)}`);
  switch (type) {
    case 'STRING': {
      const known = TEXT_OPERATIONS.find((name) => name === operation);
      if (known === undefined) return unknown;
      return { type, operation: known, values: textsOf(known, value), ignoreCase: flagMember(predicate, 'ignoreCase') };
    }
    case 'NUMERIC': {
      const known = NUMBER_OPERATIONS.find((name) => name === operation);
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (known === undefined) return unknown;
      if (typeof number !== 'number' || !Number.isFinite(number)) {
        return new QueryFault('The value of a NUMERIC predicate is no number');
      }
      return { type, operation: known, value: number };
    }
    case 'BOOLEAN': {
      if (operation !== 'EQUAL' && operation !== 'NOT_EQUAL') return unknown;
      if (typeof value !== 'boolean') return new QueryFault('The value of a BOOLEAN predicate is not true or false');
      return { type, operation, value };
    }
    default:
      return unknown;
  }
}

function readComplex(predicate: JsonRecord, operation: string): ValuePredicate | QueryFault {
  const predicates: ValuePredicate[] = [];
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

/** IN and NOT_IN name their choices in one text, separated by commas, or as a list. */
function textsOf(operation: TextOperation, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  const text = typeof value === 'string' ? value : value === null ? '' : String(value);
  if (operation !== 'IN' && operation !== 'NOT_IN') return [text];
  return text.split(',').map((part) => part.trim());
}

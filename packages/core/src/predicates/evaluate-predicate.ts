import type { Value } from '../values/value.ts';
import type {
  BooleanOperation,
  DynamicValue,
  NumericOperation,
  Operand,
  Predicate,
  StringOperation,
} from './predicate.ts';
import { type Subject, subjectBoolean, subjectNumber, subjectText } from './subject.ts';

/** The present value of an attribute that a predicate takes its operand from; null: there is none. */
export type DynamicLookup = (source: DynamicValue) => Value | null;

const NOTHING: DynamicLookup = () => null;

/**
 * Whether a predicate holds for a subject. It never holds for null (no value), for a subject that cannot be read as what
 * is compared, or where there is no operand; that goes for NOT_EQUAL as well.
 */
export function predicateHolds(predicate: Predicate, subject: Subject | null, lookup = NOTHING): boolean {
  if (subject === null) return false;
  switch (predicate.type) {
    case 'STRING': {
      const operand = operandOf(predicate.operand, lookup, subjectText);
      return operand !== null && textHolds(predicate, subjectText(subject), operand);
    }
    case 'NUMERIC': {
      const operand = operandOf<number | bigint>(predicate.operand, lookup, subjectNumber);
      const number = subjectNumber(subject);
      return operand !== null && number !== null && numberHolds(predicate.operation, number, operand);
    }
    case 'BOOLEAN': {
      const operand = operandOf(predicate.operand, lookup, subjectBoolean);
      const boolean = subjectBoolean(subject);
      return operand !== null && boolean !== null && booleanHolds(predicate.operation, boolean, operand);
    }
    case 'COMPLEX': {
      const holds = (one: Predicate): boolean => predicateHolds(one, subject, lookup);
      return predicate.operation === 'AND' ? predicate.predicates.every(holds) : predicate.predicates.some(holds);
    }
  }
}

function operandOf<T>(operand: Operand<T>, lookup: DynamicLookup, read: (value: Value) => T | null): T | null {
  if (operand.dynamic === null) return operand.constant;
  const value = lookup(operand.dynamic);
  return (value === null ? null : read(value)) ?? operand.constant;
}

function textHolds(
  { operation, ignoreCase }: { readonly operation: StringOperation; readonly ignoreCase: boolean },
  subject: string,
  operand: string,
): boolean {
  const text = ignoreCase ? subject.toLowerCase() : subject;
  const other = ignoreCase ? operand.toLowerCase() : operand;
  switch (operation) {
    case 'EQUAL':
      return text === other;
    case 'NOT_EQUAL':
      return text !== other;
    case 'STARTS_WITH':
      return text.startsWith(other);
    case 'ENDS_WITH':
      return text.endsWith(other);
    case 'CONTAINS':
      return text.includes(other);
    case 'NOT_CONTAINS':
      return !text.includes(other);
    case 'IN':
      return listOf(other).includes(text);
    case 'NOT_IN':
      return !listOf(other).includes(text);
  }
}

function numberHolds(operation: NumericOperation, number: number | bigint, other: number | bigint): boolean {
  // A Long may be a bigint here and a number there, so equality is asked by order.
  const equal = !(number < other || number > other);
  switch (operation) {
    case 'EQUAL':
      return equal;
    case 'NOT_EQUAL':
      return !equal;
    case 'GREATER':
      return number > other;
    case 'LESS':
      return number < other;
    case 'GREATER_OR_EQUAL':
      return number >= other;
    case 'LESS_OR_EQUAL':
      return number <= other;
  }
}

function booleanHolds(operation: BooleanOperation, boolean: boolean, other: boolean): boolean {
  return operation === 'EQUAL' ? boolean === other : boolean !== other;
}

/** Entries of a list: separated by commas, blanks around them do not count, quotes around one keep its commas. */
function listOf(text: string): readonly string[] {
  const entries: string[] = [];
  let entry = '';
  let quote = '';
  for (const character of text) {
    if (quote === '' && character === ',') {
      entries.push(entry.trim());
      entry = '';
    } else if (quote === '' && (character === '"' || character === "'") && entry.trim() === '') {
      quote = character;
    } else if (character === quote) {
      quote = '';
    } else {
      entry += character;
    }
  }
  entries.push(entry.trim());
  return entries;
}

import type { Value } from '../values/value.ts';
import {
  type BooleanOperation,
  type DynamicValue,
  isListPredicate,
  type NumericOperation,
  type Operand,
  type Predicate,
  type TextOperation,
} from './predicate.ts';
import { choicesOf, type Subject, subjectBoolean, subjectNumber, subjectText } from './subject.ts';

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
      const folded = predicate.ignoreCase ? lowerCase : asItIs;
      const text = folded(subjectText(subject));
      if (isListPredicate(predicate)) {
        const choices = operandOf(predicate.operand, lookup, (value) => choicesOf(subjectText(value)));
        if (choices === null) return false;
        return choices.some((choice) => folded(choice) === text) === (predicate.operation === 'IN');
      }
      const operand = operandOf(predicate.operand, lookup, subjectText);
      return operand !== null && textHolds(predicate.operation, text, folded(operand));
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

function asItIs(text: string): string {
  return text;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}

function textHolds(operation: TextOperation, text: string, other: string): boolean {
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

export type TextOperation = 'EQUAL' | 'NOT_EQUAL' | 'STARTS_WITH' | 'ENDS_WITH' | 'CONTAINS' | 'NOT_CONTAINS';
export type ListOperation = 'IN' | 'NOT_IN';
export type StringOperation = TextOperation | ListOperation;
export type NumericOperation = 'EQUAL' | 'NOT_EQUAL' | 'GREATER' | 'LESS' | 'GREATER_OR_EQUAL' | 'LESS_OR_EQUAL';
export type BooleanOperation = 'EQUAL' | 'NOT_EQUAL';

/** What a predicate compares; DATE_TIME is compared as a number, epoch milliseconds. thingsboard-server.md, 7.5 */
export type PredicateValueType = 'STRING' | 'NUMERIC' | 'BOOLEAN' | 'DATE_TIME';

/** A value taken from an attribute when the predicate is evaluated. thingsboard-server.md, 8.2 */
export interface DynamicValue {
  readonly sourceType: string;
  readonly sourceAttribute: string;
}

/** What a subject is compared with: the attribute where there is one, else the constant; neither: the predicate does not hold. */
export interface Operand<T> {
  readonly constant: T | null;
  readonly dynamic: DynamicValue | null;
}

/** Whether a text is among others. */
export interface ListPredicate {
  readonly type: 'STRING';
  readonly operation: ListOperation;
  readonly ignoreCase: boolean;
  /** The choices; clients write them as one text, see `choicesOf`. */
  readonly operand: Operand<readonly string[]>;
}

/** A condition on one value, of an alarm rule or of an entity query. thingsboard-server.md, 7.5 and 8.2 */
export type Predicate =
  | {
      readonly type: 'STRING';
      readonly operation: TextOperation;
      readonly ignoreCase: boolean;
      readonly operand: Operand<string>;
    }
  | ListPredicate
  | { readonly type: 'NUMERIC'; readonly operation: NumericOperation; readonly operand: Operand<number> }
  | { readonly type: 'BOOLEAN'; readonly operation: BooleanOperation; readonly operand: Operand<boolean> }
  | { readonly type: 'COMPLEX'; readonly operation: 'AND' | 'OR'; readonly predicates: readonly Predicate[] };

export function isListPredicate(predicate: Predicate): predicate is ListPredicate {
  return predicate.type === 'STRING' && (predicate.operation === 'IN' || predicate.operation === 'NOT_IN');
}

/** The dynamic values of a predicate, those of nested ones included. */
export function dynamicValuesOf(predicate: Predicate): readonly DynamicValue[] {
  if (predicate.type === 'COMPLEX') return predicate.predicates.flatMap(dynamicValuesOf);
  return predicate.operand.dynamic === null ? [] : [predicate.operand.dynamic];
}

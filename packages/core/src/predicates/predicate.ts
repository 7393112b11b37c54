export type StringOperation =
  | 'EQUAL'
  | 'NOT_EQUAL'
  | 'STARTS_WITH'
  | 'ENDS_WITH'
  | 'CONTAINS'
  | 'NOT_CONTAINS'
  | 'IN'
  | 'NOT_IN';
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

/** A condition on one value, checked and bounded by `parsePredicate`. thingsboard-server.md, 7.5 */
export type Predicate =
  | {
      readonly type: 'STRING';
      readonly operation: StringOperation;
      readonly ignoreCase: boolean;
      readonly operand: Operand<string>;
    }
  | { readonly type: 'NUMERIC'; readonly operation: NumericOperation; readonly operand: Operand<number> }
  | { readonly type: 'BOOLEAN'; readonly operation: BooleanOperation; readonly operand: Operand<boolean> }
  | { readonly type: 'COMPLEX'; readonly operation: 'AND' | 'OR'; readonly predicates: readonly Predicate[] };

/** The dynamic values of a predicate, those of nested ones included. */
export function dynamicValuesOf(predicate: Predicate): readonly DynamicValue[] {
  if (predicate.type === 'COMPLEX') return predicate.predicates.flatMap(dynamicValuesOf);
  return predicate.operand.dynamic === null ? [] : [predicate.operand.dynamic];
}

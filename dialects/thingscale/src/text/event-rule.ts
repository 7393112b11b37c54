import { isList, type Json, parseJson } from '@moorage/core';
import type { ThingscaleEvent } from '../data/account-data.ts';
import { plainNumber } from './plain-number.ts';

type Rule = Pick<ThingscaleEvent, 'source' | 'operator' | 'threshold'>;
type Leaf = string | number | boolean;

export interface RuleOutcome {
  readonly matched: boolean;
  /** The value that matched, else the first one that was looked at; null: the source is not in the point. */
  readonly value: Json;
}

const NUMBERS: Readonly<Record<ThingscaleEvent['operator'], (left: number, right: number) => boolean>> = {
  '<': (left, right) => left < right,
  '>': (left, right) => left > right,
  '<=': (left, right) => left <= right,
  '>=': (left, right) => left >= right,
  '=': (left, right) => left === right,
  '!=': (left, right) => left !== right,
};

/** The values at a path; an array is entered at every element and takes no step of the path. */
function* leaves(value: Json | undefined, path: readonly string[], step: number): Generator<Leaf> {
  if (value === undefined || value === null) return;
  if (isList(value)) {
    for (const element of value) yield* leaves(element, path, step);
    return;
  }
  const name = path[step];
  if (typeof value !== 'object') {
    if (name === undefined) yield value;
    return;
  }
  if (name !== undefined && Object.hasOwn(value, name)) yield* leaves(value[name], path, step + 1);
}

function numberOf(leaf: Leaf): number | undefined {
  if (typeof leaf === 'number') return leaf;
  const text = typeof leaf === 'string' ? plainNumber(leaf) : undefined;
  return text === undefined ? undefined : Number(text);
}

function holds({ operator, threshold }: Rule, leaf: Leaf): boolean {
  const left = numberOf(leaf);
  const right = numberOf(threshold);
  if (left !== undefined && right !== undefined) return NUMBERS[operator](left, right);
  if (operator === '=') return String(leaf) === threshold;
  return operator === '!=' && String(leaf) !== threshold;
}

/** Whether a point, JSON text of an object, meets the rule of an event. thingscale.md, 4.8 */
export function matches(event: Rule, valueText: string): RuleOutcome {
  let first: Leaf | null = null;
  for (const leaf of leaves(parseJson(valueText), event.source.split(':'), 0)) {
    if (holds(event, leaf)) return { matched: true, value: leaf };
    first ??= leaf;
  }
  return { matched: false, value: first };
}

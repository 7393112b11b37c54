import { seededRandom } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../model/entities.ts';
import { definition, duration, numeric, openTestAlarms, repeating, rule } from '../testing/test-alarms.ts';

type Spec = { readonly type: 'SIMPLE' } | { readonly type: 'DURATION' | 'REPEATING'; readonly amount: number };

interface PlainRule {
  readonly severity: string;
  readonly key: string;
  readonly above: boolean;
  readonly limit: number;
  readonly spec: Spec;
}

/** A moment that the rules were asked about: a message, or a second that passed. */
interface Step {
  readonly at: number;
  readonly keys: readonly string[];
  readonly values: Readonly<Record<string, number>>;
  winner: string | null;
}

/** The rules as they are told to people: everything is found anew from the whole past. */
class Reference {
  readonly told: string[] = [];
  #steps: Step[] = [];
  #severity: string | null = null;
  /** Step by which a repeating rule last raised. */
  #raised = new Map<string, number>();
  readonly #create: readonly PlainRule[];
  readonly #clear: PlainRule | null;
  readonly #keys: ReadonlySet<string>;

  constructor(create: readonly PlainRule[], clear: PlainRule | null) {
    this.#create = create;
    this.#clear = clear;
    this.#keys = new Set([...create, ...(clear === null ? [] : [clear])].map(({ key }) => key));
  }

  message(at: number, values: Readonly<Record<string, number>>): void {
    const keys = Object.keys(values);
    if (!keys.some((key) => this.#keys.has(key))) return;
    this.#judge({ at, keys, values: { ...this.#steps.at(-1)?.values, ...values }, winner: null });
  }

  second(at: number): void {
    const last = this.#steps.at(-1);
    if (last !== undefined) this.#judge({ at, keys: [], values: last.values, winner: null });
  }

  clearedByUser(): void {
    this.told.push('cleared');
    this.#forget();
  }

  get active(): boolean {
    return this.#severity !== null;
  }

  #judge(step: Step): void {
    this.#steps.push(step);
    const timer = step.keys.length === 0;
    const winner = this.#create.find(
      (one) => this.#matches(one, timer) && (!timer || this.#severity !== null || one.spec.type === 'DURATION'),
    );
    if (winner !== undefined) {
      const { severity } = winner;
      step.winner = severity;
      this.#raised.set(severity, this.#steps.length - 1);
      if (severity !== this.#severity) this.told.push(`${this.#severity === null ? 'created' : 'changed'} ${severity}`);
      this.#severity = severity;
      return;
    }
    if (this.#severity === null || this.#clear === null) return;
    if (timer && this.#clear.spec.type !== 'DURATION') return;
    if (!this.#clears(this.#clear)) return;
    this.told.push('cleared');
    this.#forget();
  }

  /** The values stay; what was counted does not. */
  #forget(): void {
    const last = this.#steps.at(-1);
    this.#steps = [];
    this.#severity = null;
    this.#raised = new Map();
    this.#before = last?.values ?? {};
  }

  set #before(values: Readonly<Record<string, number>>) {
    this.#steps = [{ at: Number.NEGATIVE_INFINITY, keys: [], values, winner: 'forgotten' }];
  }

  #holds({ key, above, limit }: PlainRule, { values, winner }: Step): boolean {
    const value = values[key];
    return winner !== 'forgotten' && value !== undefined && (above ? value > limit : value < limit);
  }

  /** The steps up to now for which it has held, from a message on. */
  #run(one: PlainRule, steps: readonly Step[]): readonly Step[] {
    const broken = steps.findLastIndex((step) => !this.#holds(one, step));
    const run = steps.slice(broken + 1);
    const begin = run.findIndex(({ keys }) => keys.length > 0);
    return begin < 0 ? [] : run.slice(begin);
  }

  #matches(one: PlainRule, timer: boolean): boolean {
    const run = this.#run(one, this.#steps);
    const [first] = run;
    if (first === undefined) return false;
    const now = this.#steps.at(-1)?.at ?? 0;
    switch (one.spec.type) {
      case 'SIMPLE':
        return true;
      case 'DURATION':
        return now - first.at >= one.spec.amount * 1000;
      case 'REPEATING': {
        const raised = this.#raised.get(one.severity);
        const step = raised === undefined ? undefined : this.#steps[raised];
        if (step !== undefined && run.includes(step)) return this.#severity !== null;
        return !timer || this.#severity !== null
          ? run.filter(({ keys }) => keys.includes(one.key)).length >= one.spec.amount
          : false;
      }
    }
  }

  #clears(one: PlainRule): boolean {
    const won = this.#steps.findLastIndex(({ winner }) => winner !== null);
    const run = this.#run(one, this.#steps.slice(won + 1));
    const [first] = run;
    if (first === undefined) return false;
    const now = this.#steps.at(-1)?.at ?? 0;
    if (one.spec.type === 'DURATION') return now - first.at >= one.spec.amount * 1000;
    return one.spec.type === 'SIMPLE' || run.filter(({ keys }) => keys.includes(one.key)).length >= one.spec.amount;
  }
}

const SEVERITIES = ['CRITICAL', 'MAJOR', 'WARNING'];

function randomSpec(random: () => number): Spec {
  const choice = random();
  if (choice < 0.4) return { type: 'SIMPLE' };
  if (choice < 0.7) return { type: 'DURATION', amount: 2 + Math.floor(random() * 8) };
  return { type: 'REPEATING', amount: 2 + Math.floor(random() * 3) };
}

function randomRule(random: () => number, severity: string, above: boolean): PlainRule {
  const key = random() < 0.75 ? 't' : 'h';
  return { severity, key, above, limit: Math.floor(random() * 8), spec: randomSpec(random) };
}

function ruleOf({ key, above, limit, spec }: PlainRule): JsonObject {
  const json =
    spec.type === 'SIMPLE' ? undefined : spec.type === 'DURATION' ? duration(spec.amount) : repeating(spec.amount);
  return rule([numeric(key, above ? 'GREATER' : 'LESS', limit)], json);
}

describe('rules in random sequences', () => {
  const seeds = Array.from({ length: 40 }, (_, seed) => seed + 1);

  it.each(seeds)('do what a naive reading of them does, deaths of the process included (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const create = SEVERITIES.filter(() => random() < 0.7).map((severity) => randomRule(random, severity, true));
    const rules = create.length > 0 ? create : [randomRule(random, 'MINOR', true)];
    const clear = random() < 0.8 ? randomRule(random, '', false) : null;
    const t = await openTestAlarms();
    const createRules = Object.fromEntries(rules.map((one) => [one.severity, ruleOf(one)]));
    const profile = await t.profile('ruled', [definition(createRules, clear === null ? null : ruleOf(clear))]);
    const { id } = await t.device('D1', profile);
    const reference = new Reference(rules, clear);
    const told: string[] = [];
    const collect = (): void => {
      for (const event of t.events.splice(0)) {
        if (event.kind === 'created') told.push(`created ${event.alarm.severity}`);
        else if (event.kind === 'severityChanged') told.push(`changed ${event.alarm.severity}`);
        else if (event.kind === 'cleared') told.push('cleared');
      }
    };
    for (let step = 0; step < 150; step++) {
      const seconds = Math.floor(random() * 6) + 1;
      for (let second = 0; second < seconds; second++) {
        await t.advance(1000);
        reference.second(t.time.now());
      }
      const values: Record<string, number> = {};
      if (random() < 0.8) values.t = Math.floor(random() * 10);
      if (random() < 0.3) values.h = Math.floor(random() * 10);
      const luck = random();
      if (luck < 0.05 && reference.active) {
        await t.alarms.clear(t.registry.admin, (await t.active(id))?.id ?? '');
        reference.clearedByUser();
      } else if (luck < 0.15) {
        await t.store(id, values, t.time.now());
        await t.crash();
        reference.message(t.time.now(), values);
      } else {
        await t.send(id, values);
        reference.message(t.time.now(), values);
        if (luck < 0.2) await t.crash();
      }
      collect();
      expect(told, `step ${step}`).toEqual(reference.told);
    }
    expect(t.faults).toEqual([]);
  });
});

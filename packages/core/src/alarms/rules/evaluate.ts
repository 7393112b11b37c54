import { predicateHolds } from '../../predicates/evaluate-predicate.ts';
import { subjectNumber } from '../../predicates/subject.ts';
import type { AlarmSeverity } from '../alarm.ts';
import type { AlarmDefinition, AlarmRule, RuleFilter, RuleSpec, Slot } from './alarm-rule.ts';
import { type DefinitionState, type Progress, resetDefinition, resetProgress } from './progress.ts';
import { activeSince, isActive, type SpecificTime } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';

/** What makes rules be looked at. */
export interface Moment {
  /**
   * `series`: new points came in. `replay`: the same, later than it should have been. `attributes`: some were written or
   * removed. `timer`: time has passed. `changed`: something is different, but no message says so; that does not count as
   * a repetition.
   */
  readonly kind: 'series' | 'replay' | 'attributes' | 'timer' | 'changed';
  /** Of the points, epoch milliseconds; now where there are none. */
  readonly ts: number;
  readonly now: number;
  readonly monotonic: number;
  /** What is new; of no meaning for `timer`. */
  readonly slots: ReadonlySet<Slot>;
}

export type Decision =
  | { readonly kind: 'raise' | 'keep'; readonly severity: AlarmSeverity; readonly rule: AlarmRule }
  | { readonly kind: 'clear'; readonly rule: AlarmRule }
  | { readonly kind: 'none' };

type Verdict = 'true' | 'notYet' | 'false';

const NONE: Decision = { kind: 'none' };

/** Whether the moment is about the rule at all. */
export function isConcerned(definition: AlarmDefinition, slots: ReadonlySet<Slot>): boolean {
  const looksAt = ({ conditionSlots, operandSlots }: AlarmRule): boolean =>
    haveCommon(slots, conditionSlots) || haveCommon(slots, operandSlots);
  if (definition.clearRule !== null && looksAt(definition.clearRule)) return true;
  return definition.createRules.some(({ rule }) => looksAt(rule));
}

/**
 * What becomes of the alarm of one rule; moves `state` on, except for `state.active`, which follows from what is stored.
 * Severities are tried from the worst down and the first that matches wins; with no match the clear rule is tried.
 * thingsboard-server.md, 8.2
 */
export function evaluate(
  definition: AlarmDefinition,
  state: DefinitionState,
  snapshot: Snapshot,
  moment: Moment,
): Decision {
  state.due = null;
  if (state.active === null) for (const progress of state.create.values()) progress.raised = false;
  let winner: AlarmDefinition['createRules'][number] | null = null;
  for (const entry of definition.createRules) {
    const progress = state.create.get(entry.severity);
    // Milder ones move on as well, so that they have counted when the worse one no longer holds.
    if (progress === undefined || judge(entry.rule, progress, state, snapshot, moment) !== 'true') continue;
    // Time alone brings nothing back that a user has cleared: for that a new value is needed.
    const raises = moment.kind !== 'timer' || state.active !== null || entry.rule.spec.type === 'DURATION';
    if (raises) winner ??= entry;
  }
  if (winner !== null) {
    const { severity, rule } = winner;
    resetProgress(state.clear);
    const progress = state.create.get(severity);
    if (rule.spec.type === 'REPEATING' && progress !== undefined) {
      progress.count = 0;
      progress.raised = true;
    }
    return { kind: state.active?.severity === severity ? 'keep' : 'raise', severity, rule };
  }
  const { clearRule } = definition;
  if (clearRule === null) return NONE;
  if (state.active === null) {
    resetProgress(state.clear);
    return NONE;
  }
  const clears = judge(clearRule, state.clear, state, snapshot, moment) === 'true';
  if (!clears || (moment.kind === 'timer' && clearRule.spec.type !== 'DURATION')) return NONE;
  resetDefinition(state);
  return { kind: 'clear', rule: clearRule };
}

function judge(
  rule: AlarmRule,
  progress: Progress,
  state: DefinitionState,
  snapshot: Snapshot,
  moment: Moment,
): Verdict {
  const { schedule, spec } = rule;
  const open = schedule === null || isActive(schedule, moment.ts);
  if (!open || !rule.filters.every((filter) => filterHolds(filter, snapshot))) {
    resetProgress(progress);
    return 'false';
  }
  switch (spec.type) {
    case 'SIMPLE':
      return 'true';
    case 'REPEATING': {
      if (progress.raised) return 'true';
      const counts = moment.kind !== 'timer' && moment.kind !== 'changed';
      if (counts && haveCommon(moment.slots, rule.conditionSlots)) progress.count += 1;
      const wanted = amountOf(spec, snapshot);
      return wanted !== null && progress.count >= wanted ? 'true' : 'notYet';
    }
    case 'DURATION':
      return judgeDuration(rule, spec, progress, state, snapshot, moment);
  }
}

/**
 * From point to point time is measured by their own stamps, so that a device with a wrong clock and one that sends what it
 * has buffered are both judged right; otherwise it is measured by the server's monotonic clock.
 */
function judgeDuration(
  { schedule }: AlarmRule,
  spec: Extract<RuleSpec, { type: 'DURATION' }>,
  progress: Progress,
  state: DefinitionState,
  snapshot: Snapshot,
  { kind, ts, now, monotonic }: Moment,
): Verdict {
  const heldAt = progress.heldAt ?? (kind === 'replay' ? monotonic - Math.max(now - ts, 0) : monotonic);
  progress.heldAt = heldAt;
  const stamped = kind === 'series' || kind === 'replay';
  if (stamped) progress.sinceTs ??= ts;
  const amount = amountOf(spec, snapshot);
  if (amount === null) return 'notYet';
  const wantedMs = amount * spec.unitMs;
  const byStamps = stamped ? ts - unbrokenSince(schedule, progress.sinceTs ?? ts, ts) : 0;
  const openNow = schedule === null || isActive(schedule, now);
  const byServer = openNow ? now - unbrokenSince(schedule, now - (monotonic - heldAt), now) : 0;
  // What came late says by its stamps how long it held then; how long ago that was says nothing.
  const elapsed = kind === 'replay' ? byStamps : Math.max(byStamps, byServer);
  if (elapsed >= wantedMs) return 'true';
  const due = monotonic + Math.max(wantedMs - byServer, 1);
  state.due = state.due === null ? due : Math.min(state.due, due);
  return 'notYet';
}

/** The moment since which the schedule is active without a break, but not before `from`. */
function unbrokenSince(schedule: SpecificTime | null, from: number, to: number): number {
  return schedule === null || from >= to ? from : activeSince(schedule, from, to);
}

function filterHolds({ slot, constant, predicate }: RuleFilter, snapshot: Snapshot): boolean {
  const subject = slot === null ? constant : snapshot.get(slot);
  return predicateHolds(predicate, subject, ({ sourceAttribute }) => snapshot.get(`attribute:${sourceAttribute}`));
}

function haveCommon(a: ReadonlySet<Slot>, b: ReadonlySet<Slot>): boolean {
  for (const slot of a) if (b.has(slot)) return true;
  return false;
}

/** null: the attribute says nothing and there is no other number. */
function amountOf(spec: Exclude<RuleSpec, { type: 'SIMPLE' }>, snapshot: Snapshot): number | null {
  const value = spec.attribute === null ? null : snapshot.get(`attribute:${spec.attribute}`);
  const amount = value === null ? null : subjectNumber(value);
  return amount !== null && amount > 0 ? Number(amount) : spec.amount;
}

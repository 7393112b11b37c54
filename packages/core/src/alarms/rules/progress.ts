import type { EntityId } from '../../model/entities.ts';
import type { AlarmSeverity } from '../alarm.ts';
import type { AlarmDefinition } from './alarm-rule.ts';

/** How far a condition that holds has come. */
export interface Progress {
  /** REPEATING: matching messages in a row since it last raised. */
  count: number;
  /** REPEATING: it raised the active alarm and its condition has held ever since. */
  raised: boolean;
  /** DURATION: monotonic time since which the condition holds; null: it does not hold. */
  heldAt: number | null;
  /** DURATION: the same moment by the stamps of the points, epoch milliseconds; null: no point has come since. */
  sinceTs: number | null;
}

/** The alarm of a rule that is not cleared. */
export interface ActiveAlarm {
  readonly id: EntityId;
  readonly severity: AlarmSeverity;
}

/** Everything that one alarm rule remembers of one device. */
export interface DefinitionState {
  readonly create: ReadonlyMap<AlarmSeverity, Progress>;
  readonly clear: Progress;
  active: ActiveAlarm | null;
  /** Monotonic time at which it is to be looked at without new data; null: not. */
  due: number | null;
}

export function newProgress(): Progress {
  return { count: 0, raised: false, heldAt: null, sinceTs: null };
}

export function resetProgress(progress: Progress): void {
  progress.count = 0;
  progress.raised = false;
  progress.heldAt = null;
  progress.sinceTs = null;
}

export function newDefinitionState(definition: AlarmDefinition): DefinitionState {
  const create = new Map(definition.createRules.map(({ severity }) => [severity, newProgress()]));
  return { create, clear: newProgress(), active: null, due: null };
}

/** The alarm is over: everything counts from the beginning. */
export function resetDefinition(state: DefinitionState): void {
  for (const progress of state.create.values()) resetProgress(progress);
  resetProgress(state.clear);
  state.due = null;
}

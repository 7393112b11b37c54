import type { Change, CommitOutcome } from '../../ports/repositories.ts';
import type { Crypto } from '../../ports/runtime.ts';
import type { AlarmRecords } from '../alarm-records.ts';
import { type AlarmStep, clearStep, createStep, ownerUpdate, updateStep } from '../alarm-steps.ts';
import type { OriginatorRecord, Originators } from '../originators.ts';
import type { AlarmDefinition } from './alarm-rule.ts';
import { detailsOf } from './details.ts';
import type { DeviceRules, Touch, Transition } from './device-rules.ts';
import { type BothClocks, putState } from './state-document.ts';

export interface TransitionTarget {
  readonly records: AlarmRecords;
  readonly originators: Originators;
  readonly crypto: Pick<Crypto, 'uuid'>;
  /** Whether the device exists still; asked in the turn in which the commit is sent. */
  readonly exists: (deviceId: string) => boolean;
  /** Told of the steps before they are stored. */
  readonly announce: (steps: readonly AlarmStep[]) => void;
}

/** `gone`: the device does not exist any more. */
export type ApplyOutcome = CommitOutcome | 'gone';

/**
 * Stores what rules decided about the alarms of a device together with what the rules remember, all or nothing. The
 * device is busy meanwhile.
 */
export async function applyTransitions(
  target: TransitionTarget,
  device: DeviceRules,
  transitions: readonly Transition[],
  clocks: BothClocks,
): Promise<ApplyOutcome> {
  const { records, originators } = target;
  const { id, tenantId } = device.device;
  for (const { decision, definition } of transitions) {
    if (decision.kind !== 'raise') continue;
    const refusal = await records.noteType(tenantId, definition.alarmType);
    if (refusal !== null) return refusal.code === 'storageFull' ? 'full' : 'failed';
  }
  const touches = [...device.touches];
  const owner = await originators.find({ entityType: 'DEVICE', id });
  if (owner === null) return 'gone';
  return records.locked(id, async () => {
    const steps: AlarmStep[] = [];
    for (const transition of transitions)
      steps.push(...(await transitionSteps(target, device, transition, owner, clocks)));
    for (const [definition, touch] of touches) {
      steps.push(...(await touchSteps(records, device, definition, touch, owner, clocks)));
    }
    if (!target.exists(id)) return 'gone';
    const record = device.record();
    const more: readonly Change[] = record === null ? [] : [putState(record, clocks)];
    target.announce(steps);
    const outcome = await records.commit(steps, more);
    if (outcome !== 'done') return outcome;
    device.version += 1;
    device.dirty = false;
    for (const [definition, touch] of touches) {
      if (device.touches.get(definition) === touch) device.touches.delete(definition);
    }
    return outcome;
  });
}

async function transitionSteps(
  { records, crypto }: TransitionTarget,
  device: DeviceRules,
  { definition, state, decision, ts }: Transition,
  owner: OriginatorRecord,
  { now }: BothClocks,
): Promise<readonly AlarmStep[]> {
  const snapshot = device.loaded?.snapshot;
  if (snapshot === undefined) return [];
  const alarm = await records.active(owner.id, definition.alarmType);
  if (decision.kind === 'clear') {
    state.active = null;
    return alarm === null ? [] : [clearStep(alarm, now, detailsOf(decision.rule, snapshot, alarm.details))];
  }
  const { severity, rule } = decision;
  const at = Math.min(ts, now);
  if (alarm !== null) {
    state.active = { id: alarm.id, severity };
    const details = detailsOf(rule, snapshot, alarm.details);
    const endTs = Math.max(alarm.endTs, at);
    return [updateStep(alarm, { severity, details, endTs, ...ownerUpdate(alarm, owner) }, now)];
  }
  const id = crypto.uuid();
  state.active = { id, severity };
  const { propagate, propagateToOwner, propagateToTenant, propagateRelationTypes, alarmType } = definition;
  const details = detailsOf(rule, snapshot, {});
  const originator = { entityType: 'DEVICE', id: owner.id };
  const members = { id, originator, type: alarmType, severity, startTs: at, endTs: at, details };
  const propagation = { propagate, propagateToOwner, propagateToTenant, propagateRelationTypes };
  return [createStep({ ...members, ...propagation }, owner, now)];
}

/** An alarm whose condition was met again shows when that was, and the values of then. */
async function touchSteps(
  records: AlarmRecords,
  device: DeviceRules,
  definition: AlarmDefinition,
  { rule, ts }: Touch,
  owner: OriginatorRecord,
  { now }: BothClocks,
): Promise<readonly AlarmStep[]> {
  const snapshot = device.loaded?.snapshot;
  const alarm = await records.active(owner.id, definition.alarmType);
  if (snapshot === undefined || alarm === null) return [];
  const endTs = Math.max(alarm.endTs, Math.min(ts, now));
  const details = detailsOf(rule, snapshot, alarm.details);
  return [updateStep(alarm, { endTs, details, ...ownerUpdate(alarm, owner) }, now)];
}

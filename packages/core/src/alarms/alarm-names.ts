import type { EntityId } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Alarm, AlarmAssignee, AlarmInfo } from './alarm.ts';
import type { OriginatorRecord } from './originators.ts';

/** Adds the names that lists show; each assignee is read once. */
export async function withNames(
  alarms: readonly Alarm[],
  owners: ReadonlyMap<EntityId, OriginatorRecord>,
  repositories: Pick<Repositories, 'user'>,
): Promise<readonly AlarmInfo[]> {
  const assignees = new Map<EntityId, AlarmAssignee | null>();
  for (const { assigneeId } of alarms) {
    if (assigneeId === null || assignees.has(assigneeId)) continue;
    const user = await repositories.user(assigneeId);
    const { id, firstName, lastName, email } = user ?? { id: '', firstName: null, lastName: null, email: '' };
    assignees.set(assigneeId, user === null ? null : { id, firstName, lastName, email });
  }
  return alarms.map((alarm) => {
    const owner = owners.get(alarm.originator.id);
    return {
      ...alarm,
      originatorName: owner?.name ?? null,
      originatorLabel: owner?.label ?? null,
      assignee: alarm.assigneeId === null ? null : (assignees.get(alarm.assigneeId) ?? null),
    };
  });
}

import {
  AlarmListeners,
  AlarmRecords,
  AlarmRuleEngine,
  type AlarmService,
  DeviceOriginators,
  deleteRuleState,
  type EntityId,
  type LiveHub,
  PlatformAlarms,
  type Registry,
  type WriteOutcome,
} from '@moorage/core';
import type { Runtime } from '../running-server.ts';
import type { Stores } from './stores.ts';

export interface AlarmsOptions {
  readonly runtime: Runtime;
  readonly stores: Stores;
  readonly registry: Registry;
  readonly live: LiveHub;
  readonly report: (error: unknown) => void;
}

/** Alarms and the rules of the profiles that raise them. */
export interface Alarms {
  readonly service: AlarmService;
  readonly rules: AlarmRuleEngine;
  /** Removes what a deleted device leaves behind; may be repeated. */
  removeOwner(owner: EntityId): Promise<WriteOutcome>;
}

/** Builds alarms and joins their rules with the registry. */
export function createAlarms({ runtime, stores, registry, live, report }: AlarmsOptions): Alarms {
  const { clock, scheduler, crypto } = runtime;
  const { repositories, telemetry } = stores;
  const listeners = new AlarmListeners(report);
  const originators = new DeviceOriginators(repositories);
  const records = new AlarmRecords({ repositories, crypto, clock, locks: registry.locks, originators, listeners });
  const rules = new AlarmRuleEngine({
    repositories,
    telemetry,
    attributes: telemetry,
    records,
    originators,
    listeners,
    deviceRef: (id) => registry.deviceRef(id),
    clock,
    scheduler,
    crypto,
    report,
  });
  listeners.add({
    alarmChanged({ kind, alarm }) {
      live.happened(alarm.originator.id, { ts: clock.now(), type: `alarm ${kind}`, detail: JSON.stringify(alarm) });
    },
  });
  registry.addListener({
    revoked(principalId, reason) {
      if (reason === 'deleted') rules.removed(principalId);
    },
    deviceChanged: (device) => rules.deviceChanged(device),
    profileChanged: (profileId) => rules.profileChanged(profileId),
    ownerChanged(deviceId) {
      records.refreshOwner(deviceId).catch(report);
    },
    sharedAttributesChanged() {},
  });
  return {
    service: new PlatformAlarms({ records, repositories, originators, crypto, clock }),
    rules,
    async removeOwner(owner) {
      const outcome = await records.removeAll(owner);
      if (outcome !== 'stored') return outcome;
      return (await deleteRuleState(repositories, owner)) === 'done' ? 'stored' : 'failed';
    },
  };
}

import type { DeviceRef } from '../../model/connect-registry.ts';
import type { EntityId } from '../../model/entities.ts';
import type { Repositories } from '../../ports/repositories.ts';
import type { Clock, Crypto, Scheduler } from '../../ports/runtime.ts';
import type { AttributeStore, TelemetryStore } from '../../ports/telemetry-store.ts';
import type { AlarmListeners } from '../alarm-events.ts';
import type { AlarmRecords } from '../alarm-records.ts';
import type { Originators } from '../originators.ts';

/** Bounds of the rules engine. */
export interface AlarmRuleLimits {
  /** Updates that wait, of all devices together; beyond, a device is judged by what is stored, later. */
  readonly maxBacklog: number;
  /** Updates that wait of one device; beyond, the same. */
  readonly maxBacklogPerDevice: number;
  /** Devices kept in memory beside those whose durations run. */
  readonly maxResident: number;
  /** Updates judged in one turn of the event loop. */
  readonly maxUpdatesPerTurn: number;
  /** How often counts, durations and positions are stored, milliseconds. */
  readonly saveIntervalMs: number;
}

export const DEFAULT_ALARM_RULE_LIMITS: AlarmRuleLimits = {
  maxBacklog: 50_000,
  maxBacklogPerDevice: 2000,
  maxResident: 50_000,
  maxUpdatesPerTurn: 500,
  saveIntervalMs: 10_000,
};

export interface AlarmRuleEngineOptions {
  readonly repositories: Repositories;
  readonly telemetry: Pick<TelemetryStore, 'seriesOf' | 'latest' | 'range'>;
  readonly attributes: Pick<AttributeStore, 'read'>;
  readonly records: AlarmRecords;
  readonly originators: Originators;
  /** Of the records. */
  readonly listeners: AlarmListeners;
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly crypto: Pick<Crypto, 'uuid'>;
  /** Told of what failed in the background; it is tried again. */
  readonly report: (error: unknown) => void;
  readonly limits?: Partial<AlarmRuleLimits>;
}

/** Since the start. */
export interface AlarmRuleCounters {
  /** Updates judged, those after a restart or an overflow included. */
  readonly judged: number;
  /** Alarms raised, changed or cleared by rules. */
  readonly transitions: number;
  /** Updates that were dropped because too many waited; their devices are judged by what is stored. */
  readonly overflowed: number;
  /** Updates taken from the store instead of from a message: after a restart, an overflow, or a failure. */
  readonly replayed: number;
  /** Moments of stored points that were too many to be judged one by one, at least; only their last values counted. */
  readonly skipped: number;
  /** Commits that did not succeed. */
  readonly failed: number;
  /** Updates that wait now. */
  readonly waiting: number;
  /** Devices in memory now. */
  readonly resident: number;
}

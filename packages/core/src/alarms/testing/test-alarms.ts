import {
  batchOf,
  deviceInput,
  FakeTime,
  MemoryTelemetryStore,
  openTestRegistry,
  profileInput,
  succeeded,
} from '@moorage/testkit';
import type { Device, DeviceProfile, EntityId, Json, JsonObject } from '../../model/entities.ts';
import type { Change, CommitOutcome, Repositories } from '../../ports/repositories.ts';
import type { AttributeScope } from '../../ports/telemetry-store.ts';
import { PointList } from '../../values/point-list.ts';
import type { Value } from '../../values/value.ts';
import { valueFromJson } from '../../values/value-from-json.ts';
import type { Alarm } from '../alarm.ts';
import { type AlarmEvent, AlarmListeners } from '../alarm-events.ts';
import { AlarmRecords } from '../alarm-records.ts';
import type { AlarmFilter, AlarmListQuery } from '../alarm-service.ts';
import { DeviceOriginators } from '../originators.ts';
import { PlatformAlarms } from '../platform-alarms.ts';
import type { AlarmRuleLimits } from '../rules/engine-options.ts';
import { AlarmRuleEngine } from '../rules/rule-engine.ts';

export type TestAlarms = Awaited<ReturnType<typeof openTestAlarms>>;

/** Alarms and rules on a registry, everything in memory and under the control of a test. */
export async function openTestAlarms(limits: Partial<AlarmRuleLimits> = {}) {
  const registry = await openTestRegistry();
  const { crypto, locks } = registry;
  let failing: CommitOutcome | null = null;
  const repositories = withFailures(registry.repositories, () => failing);
  const time = new FakeTime(registry.clock.time);
  const telemetry = new MemoryTelemetryStore();
  const faults: unknown[] = [];
  const report = (error: unknown): void => void faults.push(error);
  const listeners = new AlarmListeners(report);
  const originators = new DeviceOriginators(repositories);
  const records = new AlarmRecords({ repositories, crypto, clock: time, locks, originators, listeners });
  const alarms = new PlatformAlarms({ records, repositories, originators, crypto, clock: time });
  const events: AlarmEvent[] = [];
  listeners.add({ alarmChanged: (event) => events.push(event) });

  let life = 0;
  const newEngine = (): AlarmRuleEngine => {
    life += 1;
    const present = life;
    // What is set by an engine that has died never runs.
    const unlessDead = (task: () => void) => () => {
      if (present === life) task();
    };
    return new AlarmRuleEngine({
      repositories,
      telemetry,
      attributes: telemetry,
      records,
      originators,
      listeners,
      deviceRef: (id) => registry.deviceRef(id),
      clock: time,
      scheduler: {
        endOfTurn: (task) => time.endOfTurn(unlessDead(task)),
        every: (intervalMs, task) => time.every(intervalMs, unlessDead(task)),
        after: (delayMs, task) => time.after(delayMs, unlessDead(task)),
      },
      crypto,
      report,
      limits,
    });
  };
  let engine = newEngine();
  registry.addListener({
    revoked: (id) => engine.removed(id),
    deviceChanged: (device) => engine.deviceChanged(device),
    sharedAttributesChanged: () => {},
    profileChanged: (id) => engine.profileChanged(id),
  });
  await engine.start();

  const store = async (deviceId: EntityId, values: Readonly<Record<string, Json>>, ts: number): Promise<PointList> => {
    const points = pointsOf(values, ts);
    const series = await telemetry.intern(deviceId, points.keys);
    if (typeof series === 'string') throw new TypeError(series);
    const stored = points.keys.map((_, i) => ({
      series: series[i] ?? 0,
      ts,
      kind: points.kinds[i] ?? 3,
      value: points.values[i] ?? 0,
    }));
    await telemetry.append(batchOf(stored));
    return points;
  };
  const settled = async (): Promise<void> => {
    await engine.settled();
    time.endTurn();
  };

  return {
    registry,
    repositories,
    telemetry,
    time,
    records,
    alarms,
    listeners,
    events,
    faults,
    settled,
    store,
    /** What commits answer from now on; null: what the store says. */
    fail(outcome: CommitOutcome | null): void {
      failing = outcome;
    },
    get engine() {
      return engine;
    },
    /** What happened to alarms since the last call: kind, type and severity. */
    happened(): string[] {
      return events.splice(0).map(({ kind, alarm }) => `${kind} ${alarm.type} ${alarm.severity}`);
    },
    async profile(name: string, definitions: readonly Json[]): Promise<DeviceProfile> {
      const profileData = { alarms: definitions };
      return succeeded(await registry.profiles.save(registry.admin, profileInput(name, { profileData })));
    },
    async device(name: string, profile: DeviceProfile): Promise<Device> {
      const input = deviceInput(name, { deviceProfileId: profile.id });
      return succeeded(await registry.devices.save(registry.admin, input, { accessToken: null }));
    },
    /** A message of the device that is stored and told; without a time it is of now. */
    async send(deviceId: EntityId, values: Readonly<Record<string, Json>>, ts = time.now()): Promise<void> {
      engine.telemetryStored(deviceId, await store(deviceId, values, ts));
      await settled();
    },
    async write(deviceId: EntityId, scope: AttributeScope, values: Readonly<Record<string, Json>>): Promise<void> {
      const list = pointsOf(values, time.now());
      const changes = list.keys.map((key, i) => {
        const attribute = { kind: list.kinds[i] ?? 3, value: list.values[i] ?? 0, lastUpdateTs: time.now() };
        return { owner: deviceId, scope, key, attribute };
      });
      await telemetry.save(changes);
      engine.attributesStored(deviceId, scope, list);
      await settled();
    },
    /** Lets time pass; what becomes due is done. */
    async advance(ms: number): Promise<void> {
      time.advance(ms);
      await settled();
    },
    /** Ends without a word, as `kill -9` does, and starts again after `downMs`. */
    async crash(downMs = 0): Promise<void> {
      engine = newEngine();
      time.advance(downMs);
      await engine.start();
      await settled();
    },
    async active(deviceId: EntityId, type = 'High'): Promise<Alarm | null> {
      return records.active(deviceId, type);
    },
  };
}

/** The same repositories, whose commits fail while `failing` says how. */
function withFailures(repositories: Repositories, failing: () => CommitOutcome | null): Repositories {
  return new Proxy(repositories, {
    get(target, member) {
      if (member === 'commit') {
        return async (changes: readonly Change[]) => failing() ?? (await target.commit(changes));
      }
      const value: unknown = Reflect.get(target, member, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function pointsOf(values: Readonly<Record<string, Json>>, ts: number): PointList {
  const points = new PointList();
  for (const [key, json] of Object.entries(values)) {
    const value: Value | null = valueFromJson(json, false);
    if (value !== null) points.add(ts, key, value.kind, value.value);
  }
  return points;
}

/** A predicate's value. */
export function operand(defaultValue: Json, sourceAttribute: string | null = null): JsonObject {
  const dynamicValue =
    sourceAttribute === null ? null : { sourceType: 'CURRENT_DEVICE', sourceAttribute, inherit: false };
  return { defaultValue, userValue: null, dynamicValue };
}

/** A condition on a number of a series. */
export function numeric(
  key: string,
  operation: string,
  value: Json,
  sourceAttribute: string | null = null,
): JsonObject {
  return {
    key: { type: 'TIME_SERIES', key },
    valueType: 'NUMERIC',
    value: null,
    predicate: { type: 'NUMERIC', operation, value: operand(value, sourceAttribute) },
  };
}

/** A rule as profiles carry it. */
export function rule(condition: readonly Json[], spec: Json = { type: 'SIMPLE' }, more: JsonObject = {}): JsonObject {
  return { condition: { condition, spec }, schedule: null, alarmDetails: null, dashboardId: null, ...more };
}

export function duration(value: number, unit = 'SECONDS', sourceAttribute: string | null = null): JsonObject {
  return { type: 'DURATION', unit, predicate: operand(value, sourceAttribute) };
}

export function repeating(value: number, sourceAttribute: string | null = null): JsonObject {
  return { type: 'REPEATING', predicate: operand(value, sourceAttribute) };
}

/** An alarm rule as profiles carry it. */
export function definition(createRules: JsonObject, clearRule: Json = null, alarmType = 'High'): JsonObject {
  return {
    id: `rule ${alarmType}`,
    alarmType,
    createRules,
    clearRule,
    propagate: false,
    propagateToOwner: false,
    propagateToTenant: false,
    propagateRelationTypes: null,
  };
}

export const ALL_ALARMS: AlarmFilter = {
  searchStatuses: [],
  status: null,
  severities: [],
  types: [],
  assigneeId: null,
  startTime: null,
  endTime: null,
};

export function alarmQuery(parts: Partial<AlarmListQuery> = {}): AlarmListQuery {
  return { ...ALL_ALARMS, pageSize: 10, page: 0, textSearch: null, sortProperty: null, sortOrder: 'ASC', ...parts };
}

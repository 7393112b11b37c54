import type { DeviceRef } from '../../model/connect-registry.ts';
import type { EntityId } from '../../model/entities.ts';
import type { Repositories } from '../../ports/repositories.ts';
import type { AttributeScope, AttributeStore, TelemetryStore } from '../../ports/telemetry-store.ts';
import type { Point, Value } from '../../values/value.ts';
import { ALARMS, alarmOf, ofOriginator } from '../alarm-collection.ts';
import type { AlarmDefinition, ProfileRules, Slot } from './alarm-rule.ts';
import type { ActiveAlarm, DefinitionState } from './progress.ts';
import { Snapshot } from './snapshot.ts';
import {
  ALARM_RULE_STATES,
  type BothClocks,
  definitionStateOf,
  type Position,
  type StoredState,
  storedStateOf,
} from './state-document.ts';
import { textFingerprint } from './text-fingerprint.ts';

export interface LoadSources {
  readonly repositories: Pick<Repositories, 'document' | 'documents' | 'device'>;
  readonly telemetry: Pick<TelemetryStore, 'seriesOf' | 'latest' | 'range'>;
  readonly attributes: Pick<AttributeStore, 'read'>;
}

/** Values of one device and one moment. */
export interface PointGroup {
  readonly ts: number;
  readonly values: readonly (readonly [key: string, value: Value])[];
}

/** A device as it was when it was last judged, and what came since. */
export interface LoadedDevice {
  /** Without the groups. */
  readonly snapshot: Snapshot;
  readonly states: Map<AlarmDefinition, DefinitionState>;
  readonly position: Position;
  readonly attributes: Map<string, string>;
  readonly version: number;
  /** To be judged now, ascending by time. */
  readonly groups: readonly PointGroup[];
  /** No state of this device in this profile was stored: it is new, or its first state did not get there. */
  readonly unknown: boolean;
  /** Attributes that are not those that were judged last. */
  readonly changed: ReadonlySet<Slot>;
  /** Whether the point was read, so that it must not be judged again when it is told of. */
  readonly hasRead: (key: string, ts: number, value: Value) => boolean;
  /** Moments that were too many to be judged one by one. */
  readonly skippedGroups: number;
}

/** Moments of one device that are judged after a restart or an overflow; of more, the newest. */
export const MAX_REPLAYED = 1000;
/** How far back a device without a state is judged: longer than a message is on its way. */
const GRACE_MS = 60_000;
const EARLIEST = -8.64e15;
/** Active alarms of a device that rules care about. */
const MAX_ACTIVE = 1000;

/** Reads what is stored of a device. `since`: the rules are not asked about points before this moment. */
export async function loadDevice(
  sources: LoadSources,
  device: DeviceRef,
  rules: ProfileRules,
  since: number,
  clocks: BothClocks,
): Promise<LoadedDevice> {
  const { repositories } = sources;
  const document = await repositories.document(ALARM_RULE_STATES, device.id);
  const stored = document === null ? null : storedStateOf(document);
  const position = startOf(stored, device.profileId, since, clocks.now);
  const snapshot = new Snapshot();
  const { attributes, changed } = await readAttributes(sources, device.id, rules, snapshot, stored);
  if (rules.usesFields) await readFields(sources, device.id, snapshot);
  const groups = await readPoints(sources, device.id, rules, snapshot, position, clocks.now);
  const active = await activeAlarms(repositories, device.id);
  const states = new Map(
    rules.definitions.map((definition) => [
      definition,
      definitionStateOf(
        definition,
        stored?.definitions.get(definition.id),
        active.get(definition.alarmType) ?? null,
        clocks,
      ),
    ]),
  );
  const read = new Map(groups.map(({ ts, values }) => [ts, new Map(values)]));
  const skippedGroups = Math.max(groups.length - MAX_REPLAYED, 0);
  for (const { ts, values } of groups.splice(0, skippedGroups)) {
    for (const [key, value] of values) snapshot.setSeries(key, ts, value, clocks.now);
  }
  return {
    snapshot,
    states,
    position,
    attributes,
    version: stored?.version ?? 0,
    groups,
    unknown: stored?.profileId !== device.profileId,
    changed,
    hasRead: (key, ts, { kind, value }) => {
      const found = read.get(ts)?.get(key);
      return found !== undefined && found.kind === kind && found.value === value;
    },
    skippedGroups,
  };
}

/** Fields of a device may change at any time; missing devices have none. */
export async function readFields(
  { repositories }: Pick<LoadSources, 'repositories'>,
  deviceId: EntityId,
  snapshot: Snapshot,
): Promise<void> {
  const device = await repositories.device(deviceId);
  snapshot.setField('name', device?.name ?? null);
  snapshot.setField('type', device?.type ?? null);
  snapshot.setField('label', device?.label ?? null);
  snapshot.setField('createdTime', device?.createdTime ?? null);
}

/** Name of an attribute among those that were judged. */
export function attributeName(scope: AttributeScope, key: string): string {
  return `${scope} ${key}`;
}

export function valueFingerprint({ kind, value }: Value): string {
  return textFingerprint(`${kind} ${value}`);
}

/** The position of the state, unless it is of other rules: what those did not look at is not taken up now. */
function startOf(stored: StoredState | null, profileId: EntityId, since: number, now: number): Position {
  if (stored?.profileId !== profileId) return { ts: Math.max(since, now - GRACE_MS), keys: new Set() };
  if (stored.since === since) return stored.position;
  return stored.position.ts >= since ? stored.position : { ts: since, keys: new Set() };
}

async function readAttributes(
  { attributes: store }: LoadSources,
  deviceId: EntityId,
  rules: ProfileRules,
  snapshot: Snapshot,
  stored: StoredState | null,
): Promise<{ readonly attributes: Map<string, string>; readonly changed: ReadonlySet<Slot> }> {
  const attributes = new Map<string, string>();
  const changed = new Set<Slot>();
  if (rules.attributeKeys.size === 0) return { attributes, changed };
  for (const { scope, key, kind, value } of await store.read(deviceId, null, [...rules.attributeKeys])) {
    snapshot.setAttribute(scope, key, { kind, value });
    const name = attributeName(scope, key);
    const fingerprint = valueFingerprint({ kind, value });
    attributes.set(name, fingerprint);
    if (stored !== null && stored.attributes.get(name) !== fingerprint) changed.add(`attribute:${key}`);
  }
  for (const name of stored?.attributes.keys() ?? []) {
    const key = name.slice(name.indexOf(' ') + 1);
    if (!attributes.has(name) && rules.attributeKeys.has(key)) changed.add(`attribute:${key}`);
  }
  return { attributes, changed };
}

/** Puts what was judged into the snapshot; gives what was not, ascending by time. */
async function readPoints(
  { telemetry }: LoadSources,
  deviceId: EntityId,
  rules: ProfileRules,
  snapshot: Snapshot,
  position: Position,
  now: number,
): Promise<PointGroup[]> {
  const known = telemetry.seriesOf(deviceId);
  const series = [...rules.seriesKeys].flatMap((key) => {
    const id = known.get(key);
    return id === undefined ? [] : [{ key, id }];
  });
  const latest = series.length === 0 ? [] : await telemetry.latest(series.map(({ id }) => id));
  const groups = new Map<number, (readonly [string, Value])[]>();
  for (const [index, { key, id }] of series.entries()) {
    const newest = latest[index] ?? null;
    if (newest === null) continue;
    if (newest.ts < position.ts) {
      snapshot.setSeries(key, newest.ts, newest, now);
      continue;
    }
    // What was judged already is the state before the first point that was not.
    const judged = position.keys.has(key) ? position.ts + 1 : position.ts;
    const [before] = await telemetry.range({ series: id, from: EARLIEST, to: judged, order: 'desc', limit: 1 });
    if (before !== undefined) snapshot.setSeries(key, before.ts, before, now);
    const limit = MAX_REPLAYED + 1;
    const points =
      judged > now ? [] : await telemetry.range({ series: id, from: judged, to: now + 1, order: 'desc', limit });
    for (const point of points) addTo(groups, key, point);
  }
  return [...groups].map(([ts, values]) => ({ ts, values })).sort((a, b) => a.ts - b.ts);
}

function addTo(groups: Map<number, (readonly [string, Value])[]>, key: string, { ts, kind, value }: Point): void {
  const group = groups.get(ts);
  if (group === undefined) groups.set(ts, [[key, { kind, value }]]);
  else group.push([key, { kind, value }]);
}

async function activeAlarms(
  repositories: Pick<Repositories, 'documents'>,
  deviceId: EntityId,
): Promise<ReadonlyMap<string, ActiveAlarm>> {
  const { records } = await repositories.documents(ALARMS, {
    tenantId: null,
    conditions: [ofOriginator(deviceId), { member: 'cleared', is: '=', value: false }],
    textSearch: null,
    sort: 'id',
    descending: false,
    offset: 0,
    limit: MAX_ACTIVE,
  });
  return new Map(records.flatMap((document) => alarmOf(document) ?? []).map((alarm) => [alarm.type, alarm]));
}

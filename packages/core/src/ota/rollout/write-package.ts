import type { OtaPackage, OtaPackageType } from '../../model/ota.ts';
import { PointList } from '../../values/point-list.ts';
import { type Value, ValueKind } from '../../values/value.ts';
import type { DeviceOwner, DeviceValues, Written } from './device-values.ts';

const PREFIXES: Readonly<Record<OtaPackageType, string>> = { FIRMWARE: 'fw_', SOFTWARE: 'sw_' };
/** Shared attributes that go when nothing is assigned any more. thingsboard-device.md, 7.2 */
const ALL_KEYS = ['title', 'version', 'ts', 'state', 'size', 'checksum', 'checksum_algorithm', 'url', 'tag'];
/** Those that an assignment deletes where the package has no such value. */
const OPTIONAL_KEYS: readonly string[] = ['tag', 'size', 'checksum', 'checksum_algorithm', 'url'];

/** Epoch milliseconds: when the package was assigned, and now. */
export interface AssignmentTimes {
  readonly queuedAt: number;
  readonly now: number;
}

/**
 * Tells a device of the package it is to install, in the order of thingsboard-device.md, 7.2; null: of none. Does
 * nothing if its shared attributes say so already, so that work that is repeated does not start an update again.
 */
export async function writePackage(
  values: DeviceValues,
  device: DeviceOwner,
  type: OtaPackageType,
  assigned: OtaPackage | null,
  times: AssignmentTimes,
): Promise<Written> {
  const prefix = PREFIXES[type];
  const found = await values.readShared(
    device,
    ALL_KEYS.map((key) => prefix + key),
  );
  const present = new Map<string, Value>(found.map((attribute) => [attribute.key, attribute]));
  if (assigned === null) return present.size === 0 ? 'stored' : values.removeShared(device, [...present.keys()]);
  const wanted = packageAttributes(prefix, assigned);
  const stale = OPTIONAL_KEYS.map((key) => prefix + key).filter((key) => present.has(key) && !wanted.has(key));
  if (stale.length === 0 && [...wanted].every(([key, value]) => isSame(present.get(key), value))) return 'stored';
  const telemetry = await values.saveTelemetry(device, packageTelemetry(prefix, assigned, times));
  // A device that may have no further series still learns of its package.
  if (telemetry === 'full' || telemetry === 'failed') return telemetry;
  const removed = stale.length === 0 ? 'stored' : await values.removeShared(device, stale);
  return removed === 'stored' ? values.saveShared(device, wanted) : removed;
}

function packageTelemetry(prefix: string, assigned: OtaPackage, { queuedAt, now }: AssignmentTimes): PointList {
  // Two states of one series need two times, and what the device reports from now on must be newer than both.
  const queued = Math.min(queuedAt, now - 1);
  const points = new PointList();
  points.add(queued, `target_${prefix}title`, ValueKind.String, assigned.title);
  points.add(queued, `target_${prefix}version`, ValueKind.String, assigned.version);
  if (assigned.tag !== null) points.add(queued, `target_${prefix}tag`, ValueKind.String, assigned.tag);
  points.add(queued, `target_${prefix}ts`, ValueKind.Long, queued);
  points.add(queued, `${prefix}state`, ValueKind.String, 'QUEUED');
  points.add(now, `${prefix}state`, ValueKind.String, 'INITIATED');
  return points;
}

function packageAttributes(prefix: string, assigned: OtaPackage): ReadonlyMap<string, Value> {
  const attributes = new Map<string, Value>();
  const add = (key: string, value: string | number | null): void => {
    if (value === null) return;
    attributes.set(prefix + key, { kind: typeof value === 'number' ? ValueKind.Long : ValueKind.String, value });
  };
  add('title', assigned.title);
  add('version', assigned.version);
  add('tag', assigned.tag);
  add('size', assigned.dataSize);
  add('checksum_algorithm', assigned.checksumAlgorithm);
  add('checksum', assigned.checksum);
  add('url', assigned.url);
  return attributes;
}

function isSame(present: Value | undefined, wanted: Value): boolean {
  return present?.kind === wanted.kind && present.value === wanted.value;
}

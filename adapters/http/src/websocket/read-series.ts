import { type Caller, type EntityId, type Platform, type Point, type Result, success } from '@moorage/core';
import type { SeriesPart } from './commands.ts';

/** Reads a part of series; all keys that have values when `keys` is null. Newest first unless aggregated. */
export async function readSeries(
  { telemetry }: Pick<Platform, 'telemetry'>,
  caller: Caller,
  deviceId: EntityId,
  keys: readonly string[] | null,
  part: SeriesPart,
): Promise<Result<ReadonlyMap<string, readonly Point[]>>> {
  let wanted = keys;
  if (wanted === null) {
    const known = await telemetry.keys(caller, deviceId);
    if (!known.ok) return known;
    wanted = known.value;
  }
  return telemetry.range(caller, deviceId, { ...part, keys: wanted, order: 'desc' });
}

/** Latest points of the keys that have one. */
export async function readLatest(
  { telemetry }: Pick<Platform, 'telemetry'>,
  caller: Caller,
  deviceId: EntityId,
  keys: readonly string[] | null,
): Promise<Result<ReadonlyMap<string, readonly Point[]>>> {
  const latest = await telemetry.latest(caller, deviceId, keys);
  if (!latest.ok) return latest;
  return success(new Map(Array.from(latest.value, ([key, point]) => [key, point === null ? [] : [point]])));
}

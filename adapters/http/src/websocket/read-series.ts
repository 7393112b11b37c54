import { type Caller, type EntityId, type Point, type Result, success, type TelemetryService } from '@moorage/core';
import type { SeriesPart } from './commands.ts';

/** Reads a part of series; all keys that have values when `keys` is null. Newest first unless aggregated. */
export async function readSeries(
  telemetry: TelemetryService,
  caller: Caller,
  entityId: EntityId,
  keys: readonly string[] | null,
  part: SeriesPart,
): Promise<Result<ReadonlyMap<string, readonly Point[]>>> {
  let wanted = keys;
  if (wanted === null) {
    const known = await telemetry.keys(caller, entityId);
    if (!known.ok) return known;
    wanted = known.value;
  }
  return telemetry.range(caller, entityId, { ...part, keys: wanted, order: 'desc' });
}

/** Latest points of the keys that have one. */
export async function readLatest(
  telemetry: TelemetryService,
  caller: Caller,
  entityId: EntityId,
  keys: readonly string[] | null,
): Promise<Result<ReadonlyMap<string, readonly Point[]>>> {
  const latest = await telemetry.latest(caller, entityId, keys);
  if (!latest.ok) return latest;
  return success(new Map(Array.from(latest.value, ([key, point]) => [key, point === null ? [] : [point]])));
}

import { type Result, success } from '../../errors.ts';
import type { Json } from '../../model/entities.ts';
import { invalid, memberOf } from '../../predicates/json-members.ts';
import { isList, isObject } from '../../values/json.ts';
import { isTimeZone, zoneOffset } from '../../values/time-zone.ts';

/** A part of the day on some days of the week, by the clocks of a place. thingsboard-server.md, 8.2 */
export interface SpecificTime {
  /** IANA name. */
  readonly timeZone: string;
  /** 1 is Monday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /**
   * Milliseconds from midnight as the clocks show it, from inclusive, to exclusive. `endsOn` below `startsOn`: from
   * midnight to `endsOn` and from `startsOn` to midnight of each listed day.
   */
  readonly startsOn: number;
  readonly endsOn: number;
}

const DAY_MS = 86_400_000;
/** Days looked back for a break; a condition that held longer is taken as unbroken for so long. */
const MAX_DAYS_BACK = 400;

/** Reads a schedule; null: at any time. */
export function parseSchedule(json: Json, path: string): Result<SpecificTime | null> {
  if (json === null) return success(null);
  if (!isObject(json)) return invalid(path, 'must be an object');
  const type = memberOf(json, 'type');
  if (type === 'CUSTOM') return invalid(`${path}.type`, 'must be ANY_TIME or SPECIFIC_TIME: CUSTOM is not supported');
  if (type !== null && type !== 'ANY_TIME' && type !== 'SPECIFIC_TIME') {
    return invalid(`${path}.type`, 'must be ANY_TIME or SPECIFIC_TIME');
  }
  const dynamic = memberOf(json, 'dynamicValue');
  if (isObject(dynamic) && memberOf(dynamic, 'sourceType') !== null) {
    return invalid(`${path}.dynamicValue`, 'is not supported: schedules cannot be taken from attributes');
  }
  if (type !== 'SPECIFIC_TIME') return success(null);
  const timeZone = memberOf(json, 'timezone');
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    return invalid(`${path}.timezone`, 'must be the name of a time zone, as Europe/Berlin');
  }
  const days = memberOf(json, 'daysOfWeek');
  if (!isList(days) || days.length === 0 || days.length > 7 || !days.every(isDayOfWeek)) {
    return invalid(`${path}.daysOfWeek`, 'must be a list of days, from 1 for Monday to 7');
  }
  const startsOn = timeOfDay(memberOf(json, 'startsOn'));
  const endsOn = timeOfDay(memberOf(json, 'endsOn'));
  if (startsOn === null) return invalid(`${path}.startsOn`, 'must be milliseconds from midnight');
  if (endsOn === null) return invalid(`${path}.endsOn`, 'must be milliseconds from midnight');
  return success({ timeZone, daysOfWeek: new Set(days), startsOn, endsOn: endsOn === 0 ? DAY_MS : endsOn });
}

/** Whether a moment (epoch milliseconds) lies in the schedule. */
export function isActive(schedule: SpecificTime, at: number): boolean {
  const local = at + zoneOffset(schedule.timeZone, at);
  const day = Math.floor(local / DAY_MS);
  // The epoch began on a Thursday.
  if (!schedule.daysOfWeek.has(((((day + 3) % 7) + 7) % 7) + 1)) return false;
  const time = local - day * DAY_MS;
  const { startsOn, endsOn } = schedule;
  return startsOn <= endsOn ? startsOn <= time && time < endsOn : time < endsOn || startsOn <= time;
}

/** Since when the schedule is active without a break, but not before `from`. It is active at `to`, not before `from`. */
export function activeSince(schedule: SpecificTime, from: number, to: number): number {
  let since = to;
  let day = Math.floor((to + zoneOffset(schedule.timeZone, to)) / DAY_MS);
  for (let count = 0; count < MAX_DAYS_BACK; count += 1, day -= 1) {
    const edges = [schedule.endsOn, schedule.startsOn, 0].sort((a, b) => b - a);
    for (const time of edges) {
      const edge = epochOf(schedule.timeZone, day * DAY_MS + time);
      if (edge > to) continue;
      // Between two edges it is active or not throughout, so the moment before an edge speaks for all up to the last one.
      since = edge;
      if (edge <= from || !isActive(schedule, edge - 1)) return Math.max(edge, from);
    }
  }
  return Math.max(since, from);
}

/** The moment at which the clocks show `local`; around a change of clocks one of the two that are possible. */
function epochOf(timeZone: string, local: number): number {
  const guess = local - zoneOffset(timeZone, local);
  return local - zoneOffset(timeZone, guess);
}

function isDayOfWeek(json: Json): json is number {
  return typeof json === 'number' && Number.isInteger(json) && json >= 1 && json <= 7;
}

function timeOfDay(json: Json): number | null {
  return typeof json === 'number' && Number.isSafeInteger(json) && json >= 0 && json <= DAY_MS ? json : null;
}

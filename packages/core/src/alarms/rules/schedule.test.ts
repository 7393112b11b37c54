import { seededRandom } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../model/entities.ts';
import { activeSince, isActive, parseSchedule, type SpecificTime } from './schedule.ts';

const HOUR = 3_600_000;

function schedule(startsOn: number, endsOn: number, daysOfWeek: number[], timezone = 'Europe/Berlin'): SpecificTime {
  const parsed = parseSchedule({ type: 'SPECIFIC_TIME', timezone, daysOfWeek, startsOn, endsOn }, 's');
  if (!parsed.ok || parsed.value === null) throw new TypeError('no schedule');
  return parsed.value;
}

const at = (text: string) => Date.parse(text);
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

describe('schedules', () => {
  it('follow the clocks of their place, in summer and in winter', () => {
    const office = schedule(9 * HOUR, 17 * HOUR, [1, 2, 3, 4, 5]);
    expect(isActive(office, at('2024-01-15T07:59:59.999Z'))).toBe(false);
    expect(isActive(office, at('2024-01-15T08:00:00Z'))).toBe(true);
    expect(isActive(office, at('2024-01-15T16:00:00Z'))).toBe(false);
    expect(isActive(office, at('2024-07-15T07:00:00Z'))).toBe(true);
    expect(isActive(office, at('2024-07-15T15:00:00Z'))).toBe(false);
    expect(isActive(office, at('2024-01-14T10:00:00Z'))).toBe(false);
  });

  it('take the day of the place and not that of Greenwich', () => {
    const monday = schedule(0, 0, [1], 'Pacific/Auckland');
    expect(isActive(monday, at('2024-01-14T12:00:00Z'))).toBe(true);
    expect(isActive(monday, at('2024-01-15T12:00:00Z'))).toBe(false);
  });

  it('may reach over midnight', () => {
    const night = schedule(22 * HOUR, 6 * HOUR, EVERY_DAY, 'UTC');
    expect(
      ['21:59', '22:00', '00:00', '05:59', '06:00'].map((time) => isActive(night, at(`2024-01-15T${time}:00Z`))),
    ).toEqual([false, true, true, true, false]);
  });

  it('know offsets of a quarter of an hour', () => {
    const kathmandu = schedule(0, HOUR, EVERY_DAY, 'Asia/Kathmandu');
    expect(isActive(kathmandu, at('2024-01-14T18:15:00Z'))).toBe(true);
    expect(isActive(kathmandu, at('2024-01-14T18:14:59Z'))).toBe(false);
  });

  it('say since when they are active without a break, as a look at every minute does', () => {
    const random = seededRandom(7);
    const schedules = [
      schedule(9 * HOUR, 17 * HOUR, [1, 2, 3, 4, 5]),
      schedule(22 * HOUR, 6 * HOUR, EVERY_DAY),
      schedule(0, 0, [1, 2, 6, 7], 'America/New_York'),
      schedule(0, 0, EVERY_DAY, 'Australia/Lord_Howe'),
    ];
    let compared = 0;
    for (let round = 0; round < 200; round++) {
      const one = schedules[round % schedules.length];
      const minute = Math.floor((at('2024-03-25T00:00:00Z') + random() * 14 * 24 * HOUR) / 60_000);
      const to = minute * 60_000;
      if (one === undefined || !isActive(one, to)) continue;
      const from = to - Math.floor(random() * 4000) * 60_000;
      let since = to;
      while (since > from && isActive(one, since - 60_000)) since -= 60_000;
      expect(activeSince(one, from, to), `${round}`).toBe(since);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(80);
  });

  it.each<[Json, string]>([
    [5, 's must be an object'],
    [
      { type: 'CUSTOM', timezone: 'UTC', items: [] },
      's.type must be ANY_TIME or SPECIFIC_TIME: CUSTOM is not supported',
    ],
    [{ type: 'SOMETIMES' }, 's.type must be ANY_TIME or SPECIFIC_TIME'],
    [
      { type: 'ANY_TIME', dynamicValue: { sourceType: 'CURRENT_DEVICE', sourceAttribute: 'a' } },
      's.dynamicValue is not supported: schedules cannot be taken from attributes',
    ],
    [{ type: 'SPECIFIC_TIME', timezone: 'Mars/Base' }, 's.timezone must be the name of a time zone, as Europe/Berlin'],
    [
      { type: 'SPECIFIC_TIME', timezone: 'UTC', daysOfWeek: [0] },
      's.daysOfWeek must be a list of days, from 1 for Monday to 7',
    ],
    [
      { type: 'SPECIFIC_TIME', timezone: 'UTC', daysOfWeek: [1], startsOn: -1 },
      's.startsOn must be milliseconds from midnight',
    ],
    [
      { type: 'SPECIFIC_TIME', timezone: 'UTC', daysOfWeek: [1], startsOn: 0, endsOn: 86_400_001 },
      's.endsOn must be milliseconds from midnight',
    ],
  ])('are refused with the member at fault: %j', (json, message) => {
    expect(parseSchedule(json, 's')).toMatchObject({ ok: false, message: `Validation error: ${message}` });
  });

  it('are any time where nothing is said', () => {
    for (const json of [null, {}, { type: 'ANY_TIME', dynamicValue: null }]) {
      expect(parseSchedule(json, 's')).toEqual({ ok: true, value: null });
    }
  });
});

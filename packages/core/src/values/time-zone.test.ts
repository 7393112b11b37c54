import { describe, expect, it } from 'vitest';
import { isTimeZone, zoneOffset } from './time-zone.ts';

const HOUR_MS = 3_600_000;

describe('time zones', () => {
  it('are those that Intl knows, under names of at most 64 characters', () => {
    expect(['UTC', 'Asia/Tokyo', 'America/Argentina/ComodRivadavia'].every(isTimeZone)).toBe(true);
    expect(['', 'Tokyo', 'Mars/Base', `UTC${' '.repeat(70)}`, '<script>'].some(isTimeZone)).toBe(false);
  });

  it.each([
    ['UTC', '2026-07-01T00:00:00Z', 0],
    ['Asia/Tokyo', '2026-07-01T00:00:00Z', 9],
    ['Asia/Kathmandu', '2026-07-01T00:00:00Z', 5.75],
    ['America/New_York', '2026-01-01T12:00:00Z', -5],
    ['Europe/Berlin', '2026-03-29T00:59:59.999Z', 1],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', 2],
    ['Europe/Berlin', '2026-10-25T00:59:59.999Z', 2],
    ['Europe/Berlin', '2026-10-25T01:00:00Z', 1],
    ['Australia/Lord_Howe', '2026-01-01T00:00:00Z', 11],
    ['Australia/Lord_Howe', '2026-07-01T00:00:00Z', 10.5],
    ['Mars/Base', '2026-07-01T00:00:00Z', 0],
  ])('%s at %s is %d h ahead of UTC', (zone, at, hours) => {
    expect(zoneOffset(zone, Date.parse(at))).toBe(hours * HOUR_MS);
  });

  it('answer the same after more moments than are remembered, and before the epoch', () => {
    const at = Date.parse('1969-12-31T23:59:59Z');
    const first = zoneOffset('Asia/Tokyo', at);
    for (let index = 0; index < 5_001; index += 1) zoneOffset('UTC', index * 900_000);
    expect([first, zoneOffset('Asia/Tokyo', at)]).toEqual([9 * HOUR_MS, 9 * HOUR_MS]);
  });
});

import { describe, expect, it } from 'vitest';
import { isDeviceId, isTag } from './names.ts';
import { formatTime, parseTime } from './times.ts';
import { isZoneName } from './zone.ts';

const TOKYO = 'Asia/Tokyo';
const NEW_YORK = 'America/New_York';

function iso(text: string, zone: string, edge: 'start' | 'end' = 'start'): string | undefined {
  const at = parseTime(text, zone, edge);
  return at === undefined ? undefined : new Date(at).toISOString();
}

describe('times', () => {
  it.each([
    ['2016-11-18', '2016-11-17T15:00:00.000Z'],
    ['2016-11-18 19:07', '2016-11-18T10:07:00.000Z'],
    [' 2016-11-18  19:07:02 ', '2016-11-18T10:07:02.000Z'],
    ['2016-11-18T19:07:02', '2016-11-18T10:07:02.000Z'],
    ['2016-11-18T19:07:02.25', '2016-11-18T10:07:02.250Z'],
    ['2016-11-18T19:07:02+0900', '2016-11-18T10:07:02.000Z'],
    ['2016-11-18T19:07:02.123456789-03:30', '2016-11-18T22:37:02.123Z'],
    ['2016-11-18 19:07Z', '2016-11-18T19:07:00.000Z'],
    ['2016-11-18T19:07 +09', '2016-11-18T10:07:00.000Z'],
    ['2016-02-29', '2016-02-28T15:00:00.000Z'],
  ])('TS-41 %j is a time where clocks of Tokyo are meant', (text, wanted) => {
    expect(iso(text, TOKYO)).toBe(wanted);
  });

  it.each([
    ['', 'last', '2016-11', '2016-11-18 19', '2016-11-18 19:7', '18.11.2016', '2016-11-18Z', '1479463622'],
    ['2015-02-29', '2016-13-01', '2016-00-01', '2016-11-31', '2016-11-18 24:00', '2016-11-18 19:60', '0050-01-01'],
    ['2016-11-18 19:07:60', '2016-11-18T19:07+24:00', '2016-11-18T19:07+09:60', '2016-11-18T19:07:02.', '٢٠١٦-11-18'],
  ])('are not %j', (...texts) => {
    for (const text of texts) expect(iso(text, TOKYO), text).toBeUndefined();
  });

  it('at the end of a range cover the second that is shown', () => {
    expect(iso('2016-11-18 19:07:02', TOKYO, 'end')).toBe('2016-11-18T10:07:02.999Z');
    expect(iso('2016-11-18T19:07:02+0900', 'UTC', 'end')).toBe('2016-11-18T10:07:02.999Z');
    expect(iso('2016-11-18T19:07:02.5+0900', 'UTC', 'end')).toBe('2016-11-18T10:07:02.500Z');
  });

  it('that clocks skip lie behind the gap', () => {
    expect(iso('2024-03-10 01:59:59', NEW_YORK)).toBe('2024-03-10T06:59:59.000Z');
    expect(iso('2024-03-10 02:30', NEW_YORK)).toBe('2024-03-10T07:30:00.000Z');
    expect(iso('2024-03-10 03:00', NEW_YORK)).toBe('2024-03-10T07:00:00.000Z');
    expect(iso('2024-03-31 02:30', 'Europe/Berlin')).toBe('2024-03-31T01:30:00.000Z');
  });

  it('that clocks show twice are the first at the start of a range and the second at its end', () => {
    expect(iso('2024-11-03 01:30', NEW_YORK, 'start')).toBe('2024-11-03T05:30:00.000Z');
    expect(iso('2024-11-03 01:30', NEW_YORK, 'end')).toBe('2024-11-03T06:30:00.999Z');
    expect(iso('2024-11-03 00:59', NEW_YORK, 'end')).toBe('2024-11-03T04:59:00.999Z');
    expect(iso('2024-11-03 02:00', NEW_YORK, 'start')).toBe('2024-11-03T07:00:00.000Z');
  });

  it.each([
    [TOKYO, '2016-11-18T19:07:02+0900'],
    ['UTC', '2016-11-18T10:07:02+0000'],
    ['America/St_Johns', '2016-11-18T06:37:02-0330'],
    ['Asia/Kathmandu', '2016-11-18T15:52:02+0545'],
    ['Pacific/Kiritimati', '2016-11-19T00:07:02+1400'],
    ['Nowhere/Land', '2016-11-18T10:07:02+0000'],
  ])('TS-41 are shown in %s as %s', (zone, text) => {
    expect(formatTime(Date.UTC(2016, 10, 18, 10, 7, 2, 999), zone)).toBe(text);
  });

  it('that are shown can be asked for, on both sides of a change of clocks', () => {
    for (const zone of [TOKYO, NEW_YORK, 'Australia/Lord_Howe', 'Africa/Casablanca']) {
      for (let at = Date.UTC(2024, 0, 1); at < Date.UTC(2025, 0, 1); at += 21_599_000) {
        expect(parseTime(formatTime(at, zone), 'UTC', 'start')).toBe(at);
        const local = formatTime(at, zone).slice(0, 19);
        const both = [parseTime(local, zone, 'start'), (parseTime(local, zone, 'end') ?? 0) - 999];
        expect(both).toContain(at);
      }
    }
  });
});

it('time zones are those of the IANA, at most 64 characters long', () => {
  expect(['UTC', TOKYO, NEW_YORK].every(isZoneName)).toBe(true);
  expect(['', 'Tokyo', 'Mars/Base', '+09:00', `UTC${' '.repeat(70)}`, '<script>'].some(isZoneName)).toBe(false);
});

it('device IDs and tags are levels of a topic with bounds', () => {
  expect(['dev01', '日本', '00', 'a b', 'x'.repeat(128)].every(isDeviceId)).toBe(true);
  expect(['', '0', 'json', 'bin', 'binary', 'state', 'a/b', 'a+', '#', 'a\n', '日'.repeat(43)].some(isDeviceId)).toBe(
    false,
  );
  expect(['node1', '0', 'json', 'x'.repeat(64)].every(isTag)).toBe(true);
  expect(['', 'a/b', '\u0000', '\ud800', 'x'.repeat(65)].some(isTag)).toBe(false);
});

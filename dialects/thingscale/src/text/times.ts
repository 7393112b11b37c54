import { zoneOffset } from '@moorage/core';
import { momentOf } from './zone.ts';

const WRITTEN =
  /^(\d{4})-(\d\d)-(\d\d)(?:(?:T|t| +)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: *(Z|z|[+-]\d\d(?::?\d\d)?))?)?$/;
const MINUTE_MS = 60_000;
const SECOND_MS = 1000;

/** Where in a query a time stands. */
export type Edge = 'start' | 'end';

function calendarTime(text: readonly (string | undefined)[]): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.map((digits) => Number(digits ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(at);
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? at : undefined;
}

/** Milliseconds of an offset as `+0900`, `+09:00`, `+09` or `Z`; undefined: it is none. */
function writtenOffset(text: string): number | undefined {
  if (/^z$/i.test(text)) return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}

/**
 * Epoch milliseconds of `YYYY-MM-DD`, `YYYY-MM-DD hh:mm`, `YYYY-MM-DD hh:mm:ss` or ISO 8601; undefined: it is none of
 * them, or no such day. Without an offset clocks of the zone are meant. As the end of a range a time without a fraction
 * stands for its whole second, as points are shown, and one that clocks show twice for the later. thingscale.md, 4.8
 */
export function parseTime(text: string, zone: string, edge: Edge): number | undefined {
  const [, year, month, day, hour, minute, second, fraction, offset] = WRITTEN.exec(text.trim()) ?? [];
  const local = year === undefined ? undefined : calendarTime([year, month, day, hour, minute, second]);
  if (local === undefined) return undefined;
  const milliseconds = edge === 'end' ? SECOND_MS - 1 : 0;
  const within = fraction === undefined ? milliseconds : Number(fraction.padEnd(3, '0').slice(0, 3));
  if (offset === undefined) return momentOf(zone, local, edge === 'start' ? 'earlier' : 'later') + within;
  const ahead = writtenOffset(offset);
  return ahead === undefined ? undefined : local - ahead + within;
}

/** As `2016-11-18T19:07:02+0900`: clocks of the zone, whole seconds. thingscale.md, 4.8 */
export function formatTime(at: number, zone: string): string {
  const offset = zoneOffset(zone, at);
  const minutes = Math.floor(Math.abs(offset) / MINUTE_MS);
  const hoursAndMinutes = Math.floor(minutes / 60) * 100 + (minutes % 60);
  const local = new Date(at + offset).toISOString().replace(/\.\d{3}Z$/, '');
  return `${local}${offset < 0 ? '-' : '+'}${String(hoursAndMinutes).padStart(4, '0')}`;
}

import type { SeriesId } from '@moorage/core';

/** Whose points a series holds. null: of no tag, of no device. */
export interface SeriesName {
  readonly tag: string | null;
  readonly deviceId: string | null;
}

/** Key of a series of a channel: neither part has a solidus, and both together are at most 193 characters. */
export function seriesKey({ tag, deviceId }: SeriesName): string {
  return `${tag ?? ''}/${deviceId ?? ''}`;
}

export function parseSeriesKey(key: string): SeriesName {
  const solidus = key.indexOf('/');
  return { tag: key.slice(0, solidus) || null, deviceId: key.slice(solidus + 1) || null };
}

/** Identifier of a point, 24 lower-case hex digits as the vendor's: 8 of the second, 13 of the series, 3 of the millisecond. */
export function pointId(series: SeriesId, at: number): string {
  const milliseconds = ((at % 1000) + 1000) % 1000;
  const seconds = (((at - milliseconds) / 1000) % 0x1_0000_0000) + (at < 0 ? 0x1_0000_0000 : 0);
  return hex(seconds, 8) + hex(series, 13) + hex(milliseconds, 3);
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0').slice(-digits);
}

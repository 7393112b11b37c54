import { isTimeZone, zoneOffset } from '@moorage/core';

const DAY_MS = 86_400_000;

/** Whether a text is the IANA name of a zone; an offset in place of a name is none, though Intl may take it. */
export function isZoneName(name: string): boolean {
  return /^[A-Za-z]/.test(name) && isTimeZone(name);
}

/**
 * The moment at which clocks in a zone show `local` (as if it were UTC). A time that they show twice is the earlier or
 * the later one, as asked; a time that they skip is as far behind the gap as it is behind the gap's beginning.
 */
export function momentOf(zone: string, local: number, twice: 'earlier' | 'later'): number {
  const before = zoneOffset(zone, local - DAY_MS);
  const after = zoneOffset(zone, local + DAY_MS);
  const fits = [local - before, local - after].filter((at) => at + zoneOffset(zone, at) === local);
  if (fits.length === 0) return local - before;
  return twice === 'earlier' ? Math.min(...fits) : Math.max(...fits);
}

/** Zones change their clocks at quarters of an hour. */
const OFFSET_STEP_MS = 900_000;
const DAY_MS = 86_400_000;
/** Beyond it what was looked up is forgotten. */
const MAXIMUM_OFFSETS = 5_000;
const MAXIMUM_FORMATS = 100;
const MAXIMUM_NAME = 64;

const offsets = new Map<string, number>();
const formats = new Map<string, Intl.DateTimeFormat>();

export function isTimeZone(name: string): boolean {
  // An offset in place of a name is not one of the IANA, though Intl may take it.
  return /^[A-Za-z]/.test(name) && name.length <= MAXIMUM_NAME && formatOf(name) !== null;
}

/** null: nobody knows a zone of this name. */
function formatOf(zone: string): Intl.DateTimeFormat | null {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formats.size >= MAXIMUM_FORMATS) formats.clear();
    formats.set(zone, format);
    return format;
  } catch (error) {
    // Intl has no other way to say that it does not know a name.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** What clocks in a zone show more than UTC, in milliseconds; 0 for a zone that is not known. */
export function offsetAt(zone: string, at: number): number {
  const step = Math.floor(at / OFFSET_STEP_MS) * OFFSET_STEP_MS;
  const name = `${step} ${zone}`;
  const known = offsets.get(name);
  if (known !== undefined) return known;
  const format = formatOf(zone);
  if (format === null) return 0;
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(step)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - step;
  if (offsets.size >= MAXIMUM_OFFSETS) offsets.clear();
  offsets.set(name, offset);
  return offset;
}

/**
 * The moment at which clocks in a zone show `local` (as if it were UTC). A time that they show twice is the earlier or
 * the later one, as asked; a time that they skip is as far behind the gap as it is behind the gap's beginning.
 */
export function momentOf(zone: string, local: number, twice: 'earlier' | 'later'): number {
  const before = offsetAt(zone, local - DAY_MS);
  const after = offsetAt(zone, local + DAY_MS);
  const fits = [local - before, local - after].filter((at) => at + offsetAt(zone, at) === local);
  if (fits.length === 0) return local - before;
  return twice === 'earlier' ? Math.min(...fits) : Math.max(...fits);
}

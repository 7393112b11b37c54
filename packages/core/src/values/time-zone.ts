/** Zones change their clocks at quarters of an hour. */
const OFFSET_STEP_MS = 900_000;
/** Beyond it what was looked up is forgotten. */
const MAXIMUM_OFFSETS = 5_000;
const MAXIMUM_FORMATS = 100;
const MAXIMUM_NAME = 64;

const offsets = new Map<string, number>();
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the offsets of a zone are known: IANA names, and offsets such as `+02:00` where Intl takes them for a zone. */
export function isTimeZone(name: string): boolean {
  return name.length <= MAXIMUM_NAME && formatOf(name) !== null;
}

/** What clocks in a zone show more than UTC at a moment (epoch milliseconds), in milliseconds; 0 for an unknown zone. */
export function zoneOffset(zone: string, at: number): number {
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

/** So many of something in so many seconds. */
export interface RateWindow {
  readonly count: number;
  readonly seconds: number;
}

/** Windows that apply together; none: no limit. */
export type RateLimit = readonly RateWindow[];

export const NO_RATE_LIMIT: RateLimit = [];

const MAX_WINDOWS = 8;
const MAX_COUNT = 1_000_000_000;
/** A year. */
const MAX_SECONDS = 31_536_000;
const WINDOW = /^(\d{1,10}):(\d{1,10})$/;

/**
 * Reads `count:seconds` pairs, as `20:1,600:60`; the empty text is no limit. The sentence says what is wrong.
 * thingsboard-device.md, 4.5
 */
export function parseRateLimit(
  text: string,
): { readonly ok: true; readonly limit: RateLimit } | { readonly ok: false; readonly message: string } {
  if (text.trim() === '') return { ok: true, limit: NO_RATE_LIMIT };
  const parts = text.split(',', MAX_WINDOWS + 1);
  if (parts.length > MAX_WINDOWS) return fault(`A rate limit has at most ${MAX_WINDOWS} pairs of count:seconds`);
  const limit: RateWindow[] = [];
  for (const part of parts.map((one) => one.trim())) {
    const [, count = '', seconds = ''] = WINDOW.exec(part) ?? [];
    if (count === '') return fault(`'${part.slice(0, 40)}' is no pair of count:seconds, as in 20:1,600:60`);
    const window = { count: Number(count), seconds: Number(seconds) };
    if (window.count < 1 || window.count > MAX_COUNT) return fault(`The count in '${part}' must be 1 to ${MAX_COUNT}`);
    if (window.seconds < 1 || window.seconds > MAX_SECONDS)
      return fault(`The seconds in '${part}' must be 1 to ${MAX_SECONDS}`);
    if (limit.some((other) => other.seconds === window.seconds))
      return fault(`There are two counts for ${window.seconds} seconds`);
    limit.push(window);
  }
  return { ok: true, limit };
}

/** The text that `parseRateLimit` reads; empty: no limit. */
export function formatRateLimit(limit: RateLimit): string {
  return limit.map(({ count, seconds }) => `${count}:${seconds}`).join(',');
}

/** One limit that keeps both, which are well-formed; shorter windows first. */
export function strictestRateLimit(a: string, b: string): string {
  const counts = new Map<number, number>();
  for (const text of [a, b]) {
    const read = parseRateLimit(text);
    for (const { count, seconds } of read.ok ? read.limit : NO_RATE_LIMIT) {
      counts.set(seconds, Math.min(count, counts.get(seconds) ?? count));
    }
  }
  const windows = [...counts].map(([seconds, count]) => ({ count, seconds }));
  return formatRateLimit(windows.sort((one, other) => one.seconds - other.seconds));
}

function fault(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

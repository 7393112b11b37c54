/**
 * Options that this server understands; it makes no request depend on If-Match or If-None-Match. RFC 7252, 12.2;
 * RFC 7641, 2; RFC 7959, 6
 */
export const OptionNumber = {
  uriHost: 3,
  eTag: 4,
  observe: 6,
  uriPort: 7,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  size2: 28,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
} as const;

const KNOWN: ReadonlySet<number> = new Set(Object.values(OptionNumber));

/** Odd numbers are critical: whoever does not know them may not act on the message. RFC 7252, 5.4.1 */
export function isUnknownCritical(number: number): boolean {
  return (number & 1) === 1 && !KNOWN.has(number);
}

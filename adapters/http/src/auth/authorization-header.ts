import type { IncomingHttpHeaders } from 'node:http';

export type Authorization =
  | { readonly scheme: 'bearer' | 'apiKey'; readonly credential: string }
  | { readonly scheme: 'none' | 'unknown' };

const NONE: Authorization = { scheme: 'none' };
const UNKNOWN: Authorization = { scheme: 'unknown' };

/** `X-Authorization`, or `Authorization` if that one is blank or absent. thingsboard-server.md, 1.3 */
export function readAuthorization(headers: IncomingHttpHeaders): Authorization {
  const first = headers['x-authorization'];
  const own = typeof first === 'string' ? first.trim() : '';
  const header = own === '' ? (headers.authorization?.trim() ?? '') : own;
  if (header === '') return NONE;
  const space = header.indexOf(' ');
  const scheme = header.slice(0, Math.max(space, 0)).toLowerCase();
  const credential = header.slice(space + 1).trim();
  if (scheme === 'bearer') return { scheme: 'bearer', credential };
  if (scheme === 'apikey') return { scheme: 'apiKey', credential };
  return UNKNOWN;
}

import type { DeviceHttpAnswer } from '@moorage/dialect-api';

/** Error codes of the REST API and their status. thingscale.md, 6; the last four are ours. */
const STATUS = {
  AUTH_REQUIRED: 401,
  BAD_JSON_FORMAT: 400,
  BAD_TIME_FORMAT: 400,
  RANGE_TOO_LARGE: 400,
  NO_DEVICE: 404,
  NO_CHANNEL: 404,
  NO_EVENT: 404,
  DEVICE_INUSE: 403,
  CHANNEL_INUSE: 403,
  MAX_DEVICE_REACH: 403,
  DEVICE_DISABLED: 403,
  TOO_MANY_REQUESTS: 429,
  MAX_EVENT_REACH: 403,
  BODY_TOO_LARGE: 413,
  full: 503,
  failed: 500,
} as const;

export type RestError = keyof typeof STATUS;

/** What the store says in the vendor's manner. */
const STORE_CODES: Readonly<Partial<Record<RestError, string>>> = {
  full: 'STORAGE_FULL',
  failed: 'STORAGE_FAILED',
};

/** An answer of the REST API; `body` is JSON text. */
export function json(status: 200 | 201, body: string): DeviceHttpAnswer {
  return { status, contentType: 'application/json', body };
}

/** `{"error":"<CODE>"}`. thingscale.md, 2.4 */
export function error(code: RestError): DeviceHttpAnswer {
  return { status: STATUS[code], contentType: 'application/json', body: `{"error":"${STORE_CODES[code] ?? code}"}` };
}

/** The answer to a change that gives back `record`, JSON text. */
export function changed<Code extends RestError>(
  outcome: 'done' | Code,
  status: 200 | 201,
  record: () => string,
): DeviceHttpAnswer {
  return outcome === 'done' ? json(status, record()) : error(outcome);
}

import { type Value, ValueKind } from '@moorage/core';
import { ownMember } from '@moorage/dialect-api';
import type { OpenApiError } from './answers.ts';

/** Devices of one command. */
const MAXIMUM_SERIALS = 1_000;
const LEAST_INTERVAL = 60;
const TYPE_PATTERN = /^[a-z0-9_]{1,32}$/;
const ALARM_PATTERN = /^([a-z0-9_]{1,32})Alarm(High|Low)$/;
const HEX_PATTERN = /^([0-9A-Fa-f]{2}){1,256}$/;

/** Names that applications use for the keys of two kinds of readings. sensoro.md, 4.7 */
const KEYS: ReadonlyMap<string, string> = new Map([
  ['temp', 'temperature'],
  ['humi', 'humidity'],
]);

/** What devices are to be told. */
export interface SensoroCommand {
  readonly serials: readonly string[];
  readonly values: ReadonlyMap<string, Value>;
  /** Only devices of this type; null: of any. */
  readonly deviceType: string | null;
}

type Read = SensoroCommand | OpenApiError;

/** Each once, whatever its case; null: it is no list of texts, or a too long one. */
function serialsOf(value: unknown): readonly string[] | null {
  if (!Array.isArray(value) || value.length > MAXIMUM_SERIALS) return null;
  const serials = new Map<string, string>();
  for (const serial of value) {
    if (typeof serial !== 'string') return null;
    if (!serials.has(serial.toUpperCase())) serials.set(serial.toUpperCase(), serial);
  }
  return [...serials.values()];
}

/** `{"sns":[…],"cfg":{"interval":300}}` */
export function readInterval(body: unknown): Read {
  const serials = serialsOf(ownMember(body, 'sns'));
  if (serials === null) return 5020610;
  const interval = ownMember(ownMember(body, 'cfg'), 'interval');
  if (typeof interval !== 'number' || !Number.isSafeInteger(interval) || interval <= LEAST_INTERVAL) return 5020612;
  return { serials, values: new Map([['interval', { kind: ValueKind.Long, value: interval }]]), deviceType: null };
}

/** `{"sns":[…],"deviceType":"co","cfg":{"coAlarmHigh":50}}` */
export function readThreshold(body: unknown): Read {
  const serials = serialsOf(ownMember(body, 'sns'));
  if (serials === null) return 5020610;
  const deviceType = ownMember(body, 'deviceType');
  if (typeof deviceType !== 'string' || !TYPE_PATTERN.test(deviceType)) return 5020613;
  const values = alarmsOf(ownMember(body, 'cfg'));
  return values === null ? 5020614 : { serials, values, deviceType };
}

function alarmsOf(cfg: unknown): ReadonlyMap<string, Value> | null {
  if (typeof cfg !== 'object' || cfg === null || Array.isArray(cfg)) return null;
  const values = new Map<string, Value>();
  for (const [name, value] of Object.entries(cfg)) {
    const [, key = '', side = ''] = ALARM_PATTERN.exec(name) ?? [];
    if (key === '' || typeof value !== 'number' || !Number.isFinite(value)) return null;
    const kind = Number.isSafeInteger(value) ? ValueKind.Long : ValueKind.Double;
    values.set(`${KEYS.get(key) ?? key}Alarm${side}`, { kind, value });
  }
  return values.size === 0 ? null : values;
}

/** `{"sns":[…],"cfg":{"customerData":"00ff"}}`; the hex text may stand beside `sns`, and be called `cdata`. */
export function readCustomData(body: unknown): Read {
  const serials = serialsOf(ownMember(body, 'sns'));
  if (serials === null) return 5020610;
  const cfg = ownMember(body, 'cfg');
  const given = [cfg, body].flatMap((from) => [ownMember(from, 'customerData'), ownMember(from, 'cdata')]);
  const values = hexOf(given.find((value) => value !== undefined));
  return values === null ? 5020615 : { serials, values, deviceType: null };
}

/** `{"sn":"…","customerData":"00ff"}` */
export function readData(body: unknown): Read {
  const values = hexOf(ownMember(body, 'customerData'));
  if (values === null) return 5020615;
  const serial = ownMember(body, 'sn');
  return typeof serial === 'string' ? { serials: [serial], values, deviceType: null } : 5020404;
}

function hexOf(value: unknown): ReadonlyMap<string, Value> | null {
  if (typeof value !== 'string' || !HEX_PATTERN.test(value)) return null;
  return new Map([['customerData', { kind: ValueKind.String, value }]]);
}

import { type Result, refuse, success } from '../errors.ts';
import { isStorableKey } from '../telemetry/point-rules.ts';
import type { ImportColumn } from './bulk-import-service.ts';

/** Columns of which a file has at most one each. */
const FIELDS = [
  'NAME',
  'TYPE',
  'LABEL',
  'DESCRIPTION',
  'IS_GATEWAY',
  'ACCESS_TOKEN',
  'X509',
  'MQTT_CLIENT_ID',
  'MQTT_USER_NAME',
  'MQTT_PASSWORD',
] as const;
const VALUES = ['SHARED_ATTRIBUTE', 'SERVER_ATTRIBUTE', 'TIMESERIES'] as const;

export type FieldType = (typeof FIELDS)[number];
export type ValueType = (typeof VALUES)[number];

/** A column that has been checked. */
export type Column = { readonly field: FieldType } | { readonly value: ValueType; readonly key: string };

const MAX_COLUMNS = 1000;

/** Refuses a mapping with columns that are not offered, twice there, or without NAME. */
export function readColumns(columns: readonly ImportColumn[]): Result<readonly Column[]> {
  if (columns.length > MAX_COLUMNS) return refuse('badRequest', `A file can have at most ${MAX_COLUMNS} columns!`);
  const read: Column[] = [];
  const seen = new Set<string>();
  for (const { type, key } of columns) {
    const field = FIELDS.find((name) => name === type);
    const value = VALUES.find((name) => name === type);
    const name = type.slice(0, 64);
    if (field === undefined && value === undefined) {
      return refuse('badRequest', `Columns of type ${name} are not offered!`);
    }
    if (value !== undefined && (key === null || !isStorableKey(key))) {
      return refuse('badRequest', `A column of type ${name} has no valid key!`);
    }
    const identity = value === undefined ? name : `${name} ${key}`;
    if (seen.has(identity)) return refuse('badRequest', `The column ${identity} is there twice!`);
    seen.add(identity);
    if (field !== undefined) read.push({ field });
    else if (value !== undefined && key !== null) read.push({ value, key });
  }
  if (!seen.has('NAME')) return refuse('badRequest', 'There is no column of type NAME!');
  return success(read);
}

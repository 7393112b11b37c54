import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { CredentialsType } from '../model/entities.ts';
import type { CredentialsInput } from '../platform.ts';
import { isStorableValue } from '../telemetry/point-rules.ts';
import type { Value } from '../values/value.ts';
import { cellValue } from './cell-value.ts';
import type { Column, FieldType, ValueType } from './import-columns.ts';

/** What one line says about its device; null: nothing. */
export interface DeviceLine {
  readonly name: string;
  readonly type: string | null;
  readonly label: string | null;
  readonly description: string | null;
  readonly gateway: boolean | null;
  readonly credentials: CredentialsInput | null;
  readonly values: Readonly<Record<ValueType, ReadonlyMap<string, Value>>>;
}

/** Reads the cells of a line by the columns at their places; empty ones are as good as none. */
export function readDeviceLine(cells: readonly string[], columns: readonly Column[]): Result<DeviceLine> {
  const fields = new Map<FieldType, string>();
  const values = { SHARED_ATTRIBUTE: new Map(), SERVER_ATTRIBUTE: new Map(), TIMESERIES: new Map<string, Value>() };
  for (const [index, cell] of cells.entries()) {
    if (cell.trim() === '') continue;
    const column = columns[index];
    if (column === undefined) {
      return refuse('badRequest', `There are ${cells.length} cells for ${columns.length} columns`);
    }
    if ('field' in column) {
      fields.set(column.field, cell);
      continue;
    }
    const value = cellValue(cell);
    if (!isStorableValue(value.kind, value.value)) return refuse('badRequest', `Invalid value of key ${column.key}`);
    values[column.value].set(column.key, value);
  }
  const gateway = fields.get('IS_GATEWAY')?.trim().toLowerCase() ?? null;
  if (gateway !== null && gateway !== 'true' && gateway !== 'false') {
    return refuse('badRequest', 'IS_GATEWAY must be true or false');
  }
  const name = fields.get('NAME');
  if (name === undefined) return nameless();
  return success({
    name,
    type: fields.get('TYPE') ?? null,
    label: fields.get('LABEL') ?? null,
    description: fields.get('DESCRIPTION') ?? null,
    gateway: gateway === null ? null : gateway === 'true',
    credentials: credentialsOf(fields),
    values,
  });
}

/** The kind by the columns that are there: X509, else MQTT_*, else ACCESS_TOKEN. thingsboard-server.md, section 6 */
function credentialsOf(fields: ReadonlyMap<FieldType, string>): CredentialsInput | null {
  const certificate = fields.get('X509');
  if (certificate !== undefined) return credentials('X509_CERTIFICATE', null, certificate);
  const clientId = fields.get('MQTT_CLIENT_ID') ?? null;
  const userName = fields.get('MQTT_USER_NAME') ?? null;
  const password = fields.get('MQTT_PASSWORD') ?? null;
  if (clientId !== null || userName !== null || password !== null) {
    return credentials('MQTT_BASIC', null, JSON.stringify({ clientId, userName, password }));
  }
  const token = fields.get('ACCESS_TOKEN');
  return token === undefined ? null : credentials('ACCESS_TOKEN', token, null);
}

function credentials(
  credentialsType: CredentialsType,
  credentialsId: string | null,
  credentialsValue: string | null,
): CredentialsInput {
  return { id: null, credentialsType, credentialsId, credentialsValue, version: null };
}

function nameless(): PlatformError {
  return refuse('badRequest', 'Device name should be specified!');
}

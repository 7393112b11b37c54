import type { SqlValue } from '../sqlite/driver.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { ValueKind } from './value-kind.ts';

/** Text as a column value: TEXT, or the UTF-16 bytes where unpaired surrogates would not survive UTF-8. */
export function textColumn(text: string): string | Uint8Array {
  return text.isWellFormed() ? text : Buffer.from(text, 'utf16le');
}

/** The text of such a column. */
export function columnText(value: SqlValue | undefined): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return bufferOf(value).toString('utf16le');
  throw new StoreError('corrupt-record', `A text column holds ${typeof value}`);
}

/** A number column; null and other types mean a damaged row. */
export function columnNumber(value: SqlValue | undefined): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw new StoreError('corrupt-record', `A number column holds ${typeof value}`);
}

/** A BLOB column as a Buffer over the same bytes. */
export function columnBlob(value: SqlValue | undefined): Buffer<ArrayBuffer> {
  if (value instanceof Uint8Array) return bufferOf(value);
  throw new StoreError('corrupt-record', `A BLOB column holds ${typeof value}`);
}

function bufferOf(value: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * A value as a column of its own. Integers go as bigint, since SQLite is given every number as REAL. Doubles go as 8 bytes: SQLite turns a whole REAL of an untyped column into an
 * integer's storage and loses the sign of negative zero.
 */
export function valueColumn(kind: number, value: boolean | number | bigint | string): SqlParameter {
  if (typeof value === 'string') return textColumn(value);
  if (kind !== ValueKind.Double) return BigInt(value);
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(Number(value));
  return bytes;
}

type SqlParameter = string | number | bigint | Uint8Array;

/** The value of such a column, read with big integers. */
export function columnValue(kind: number, column: SqlValue | undefined): boolean | number | bigint | string {
  if (kind === ValueKind.String || kind === ValueKind.Json) return columnText(column);
  if (kind === ValueKind.Double) return columnBlob(column).readDoubleLE(0);
  if (typeof column !== 'bigint') throw new StoreError('corrupt-record', `A value column holds ${typeof column}`);
  if (kind === ValueKind.Boolean) return column !== 0n;
  const number = Number(column);
  return Number.isSafeInteger(number) ? number : column;
}

import type { NamedSchema } from '@moorage/api-types';
import { PointList, VALUE_FAULT_TEXTS, type Value, type ValueFault, ValueReader } from '@moorage/core';
import { Type } from 'typebox';

/** Values of one request. */
const MAX_VALUES = 100_000;

const SERIES = { castStrings: true, tolerant: false, nulls: 'skipped', maximumValues: MAX_VALUES } as const;
const ATTRIBUTES = { castStrings: true, tolerant: false, nulls: 'refused', maximumValues: MAX_VALUES } as const;

const BLANK_KEY = /"\s*"\s*:/;

/** Documents a body that the handler reads from its bytes, as no parsed number would keep every digit. */
export function rawBody(schema: NamedSchema) {
  return Type.Unsafe<unknown>(Type.Ref(schema.$id));
}

/** What was read, or the sentence for the sender. */
export type ReadResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

const fault = (message: string): { readonly ok: false; readonly message: string } => ({ ok: false, message });

const NO_BYTES = new Uint8Array(0);

function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : NO_BYTES;
}

/** Reads the bodies of the telemetry calls. thingsboard-server.md, 3.3 */
export class BodyReader {
  private readonly reader = new ValueReader();
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private readonly decoding = { text: (bytes: Uint8Array) => this.decode(bytes) };

  /** Points of any of the three forms; those without time get `receivedAt`. */
  series(body: unknown, receivedAt: number): ReadResult<PointList> {
    const points = new PointList();
    const found = this.reader.readSeries(bytesOf(body), this.decoding, SERIES, points, receivedAt);
    if (found !== null) return fault(`Unable to parse time series payload. ${VALUE_FAULT_TEXTS[found]}`);
    return points.length === 0 ? fault('No time series data found in request body!') : { ok: true, value: points };
  }

  attributes(body: unknown): ReadResult<ReadonlyMap<string, Value>> {
    const list = new PointList();
    const bytes = bytesOf(body);
    const found = this.reader.readObject(bytes, this.decoding, ATTRIBUTES, list, 0);
    if (found !== null) return fault(this.attributeFault(found, bytes));
    const values = new Map<string, Value>();
    for (let i = 0; i < list.length; i++) {
      const key = list.keys[i];
      const kind = list.kinds[i];
      const value = list.values[i];
      if (key !== undefined && kind !== undefined && value !== undefined) values.set(key, { kind, value });
    }
    return values.size === 0 ? fault('No attributes data found in request body!') : { ok: true, value: values };
  }

  private attributeFault(found: ValueFault, body: Uint8Array): string {
    switch (found) {
      case 'malformed':
        return 'Invalid JSON';
      case 'wrongShape':
        return 'Request is not a JSON object';
      case 'invalidKey':
        return BLANK_KEY.test(this.decode(body) ?? '') ? 'Key cannot be blank' : VALUE_FAULT_TEXTS.invalidKey;
      default:
        return VALUE_FAULT_TEXTS[found];
    }
  }

  private decode(bytes: Uint8Array): string | undefined {
    try {
      return this.decoder.decode(bytes);
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }
}

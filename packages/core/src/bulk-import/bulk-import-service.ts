import type { Result } from '../errors.ts';
import type { Caller } from '../platform.ts';

/** What a column of the file means; by its place. thingsboard-server.md, section 6 */
export interface ImportColumn {
  readonly type: string;
  /** Of attributes and series. */
  readonly key: string | null;
}

export interface BulkImportRequest {
  /** The whole CSV text; at most 16 MiB and 100,000 lines. */
  readonly file: string;
  readonly columns: readonly ImportColumn[];
  /** One character; null: a comma. */
  readonly delimiter: string | null;
  /** Whether attributes and series of devices that exist are written; their own fields always are. */
  readonly update: boolean;
  /** The first line names the columns and is skipped. */
  readonly header: boolean;
  /** Checks every line and writes nothing. */
  readonly dryRun: boolean;
}

export interface BulkImportReport {
  readonly created: number;
  readonly updated: number;
  readonly errors: number;
  /** `Line 3: …`, counted from 1 in the file with the header; the first 10,000, then how many there are more. */
  readonly errorsList: readonly string[];
}

export interface BulkImportService {
  /** A bad line is reported and stops no other one. One import of a tenant at a time. */
  devices(caller: Caller, request: BulkImportRequest): Promise<Result<BulkImportReport>>;
}

import { type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller } from '../platform.ts';
import type { Scheduler } from '../ports/runtime.ts';
import { authorizeRole } from '../registry/authorize.ts';
import type { CredentialForm } from '../registry/credentials/credential-form.ts';
import { readCredentials } from '../registry/credentials/read-credentials.ts';
import type { BulkImportReport, BulkImportRequest, BulkImportService } from './bulk-import-service.ts';
import { clashesOf } from './credential-clashes.ts';
import { type DeviceLine, readDeviceLine } from './device-line.ts';
import { DryTarget, type DryTargetOptions } from './dry-target.ts';
import { type Column, readColumns } from './import-columns.ts';
import { type ImportTarget, SavingTarget, type SavingTargetOptions } from './import-target.ts';
import { countLines, readCsv } from './read-csv.ts';

const MAX_LENGTH = 16_777_216;
const MAX_LINES = 100_000;
/** Lines that are under way at once; the event loop turns between two such slices. */
const SLICE = 32;
const MAX_LISTED = 10_000;
const MAX_MESSAGE_LENGTH = 300;

export interface BulkImportOptions extends SavingTargetOptions, DryTargetOptions {
  readonly devices: SavingTargetOptions['devices'];
  readonly scheduler: Pick<Scheduler, 'endOfTurn'>;
  /** Told of what broke while a line was being saved. */
  readonly report: (error: unknown) => void;
}

interface WaitingLine {
  readonly line: number;
  readonly device: DeviceLine;
}

/** Devices from CSV files. thingsboard-server.md, section 6 */
export class BulkImport implements BulkImportService {
  readonly #options: BulkImportOptions;
  readonly #running = new Set<EntityId>();

  constructor(options: BulkImportOptions) {
    this.#options = options;
  }

  async devices(caller: Caller, request: BulkImportRequest): Promise<Result<BulkImportReport>> {
    const role = authorizeRole(caller, 'create', 'device');
    if (role !== null) return role;
    const columns = readColumns(request.columns);
    if (!columns.ok) return columns;
    const delimiter = request.delimiter ?? ',';
    if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
      return refuse('badRequest', 'The delimiter must be one character, and neither a quote nor a line break!');
    }
    if (request.file.length > MAX_LENGTH || countLines(request.file) > MAX_LINES + (request.header ? 1 : 0)) {
      return refuse('badRequest', `A file can have at most ${MAX_LINES} lines!`);
    }
    const { tenantId } = caller;
    if (this.#running.has(tenantId)) return refuse('tooManyRequests', 'Another import is still running!');
    this.#running.add(tenantId);
    try {
      const target = request.dryRun
        ? new DryTarget(this.#options, caller)
        : new SavingTarget(this.#options, caller, request.update);
      return success(await this.#run(request, delimiter, columns.value, target));
    } finally {
      this.#running.delete(tenantId);
    }
  }

  async #run(
    { file, header }: BulkImportRequest,
    delimiter: string,
    columns: readonly Column[],
    target: ImportTarget,
  ): Promise<BulkImportReport> {
    const outcome = new Outcome();
    const slice: WaitingLine[] = [];
    const taken = new Set<string>();
    let isHeader = header;
    let unread = 0;
    const flush = async () => {
      await Promise.all(slice.splice(0).map((waiting) => this.#take(waiting, target, outcome)));
      taken.clear();
      unread = 0;
      await new Promise<void>((resolve) => this.#options.scheduler.endOfTurn(resolve));
    };
    for (const { line, cells, fault } of readCsv(file, delimiter)) {
      if (isHeader) {
        isHeader = false;
        continue;
      }
      const read = fault === null ? readDeviceLine(cells, columns) : refuse('badRequest', fault);
      if (!read.ok) {
        outcome.failed(line, read.message);
        unread += 1;
        if (unread >= SLICE) await flush();
        continue;
      }
      const form = this.#credentialOf(read.value);
      const keys = [`name ${read.value.name}`, ...(form === null ? [] : [`credential ${form.credentialsId}`])];
      // The lines of one device, and of one credential, have their effect in the order of the file.
      const isAlone = form !== null && this.#isHeldByOther(form, read.value.name);
      if (slice.length >= SLICE || isAlone || keys.some((key) => taken.has(key))) await flush();
      for (const key of keys) taken.add(key);
      slice.push({ line, device: read.value });
      if (isAlone) await flush();
    }
    await flush();
    return outcome.report();
  }

  /** null: none, or one that is refused anyway. */
  #credentialOf({ credentials }: DeviceLine): CredentialForm | null {
    const read = credentials === null ? null : readCredentials(credentials, this.#options.crypto);
    return read?.ok === true ? read.value : null;
  }

  /** The credential is one that another device still has, which an earlier or later line may change. */
  #isHeldByOther(form: CredentialForm, name: string): boolean {
    return clashesOf(form, this.#options.credentials).some(({ credential }) => credential.device?.name !== name);
  }

  async #take({ line, device }: WaitingLine, target: ImportTarget, outcome: Outcome): Promise<void> {
    try {
      const result = await target.take(device);
      if (result.ok) outcome.done(result.value);
      else outcome.failed(line, result.message);
    } catch (error) {
      this.#options.report(error);
      outcome.failed(line, 'The device could not be saved');
    }
  }
}

/** What became of the lines so far. */
class Outcome {
  readonly #counts = { created: 0, updated: 0 };
  readonly #failed: { readonly line: number; readonly text: string }[] = [];
  #errors = 0;

  done(how: 'created' | 'updated'): void {
    this.#counts[how] += 1;
  }

  failed(line: number, message: string): void {
    this.#errors += 1;
    if (this.#failed.length >= MAX_LISTED) return;
    this.#failed.push({ line, text: `Line ${line}: ${message.slice(0, MAX_MESSAGE_LENGTH)}` });
  }

  report(): BulkImportReport {
    const errorsList = this.#failed.sort((a, b) => a.line - b.line).map(({ text }) => text);
    if (this.#errors > errorsList.length) errorsList.push(`${this.#errors - errorsList.length} more lines failed`);
    return { ...this.#counts, errors: this.#errors, errorsList };
  }
}

import { StoreFile, VACUUM_PAGES } from '../sqlite/store-file.ts';
import type { StoreState } from '../sqlite/writer-messages.ts';
import { OTHER } from './columns.ts';
import type { Operation, OperationResult, RoundReply, RoundRequest, TelemetryWriterOptions } from './messages.ts';
import { FILE_NAME, FREEING } from './messages.ts';
import { RoundBuffer } from './round-buffer.ts';
import { TELEMETRY_MIGRATIONS } from './schema.ts';
import { TelemetryTables } from './telemetry-tables.ts';
import { ValueKind } from './value-kind.ts';

const LARGEST_TIME = 8.64e15;

interface Attempt {
  readonly refused: number[];
  readonly results: OperationResult[];
}

/** The only writer of the data file. Runs in a thread of its own, or directly in a test. */
export class TelemetryWriter {
  readonly tables: TelemetryTables;
  readonly #file: StoreFile<TelemetryTables>;
  readonly #slots = new Map<number, RoundBuffer>();

  private constructor(file: StoreFile<TelemetryTables>) {
    this.#file = file;
    this.tables = file.memory;
  }

  /** Opens or creates the file and reads it. Throws `StoreError`. */
  static open(options: TelemetryWriterOptions): TelemetryWriter {
    const particular = {
      name: FILE_NAME,
      migrations: TELEMETRY_MIGRATIONS,
      cacheKib: 2_000,
      walPages: 4_096,
      trial: 'INSERT INTO log (id, b) VALUES (-1, zeroblob(262144))',
      // The caller's thread spaces the attempts, and free pages are given back after what makes room.
      probeIntervalMs: 0,
      vacuumSlices: 0,
    };
    const { headBudgetPoints } = options;
    return new TelemetryWriter(
      StoreFile.open({ ...options, ...particular }, (database) => new TelemetryTables(database, headBudgetPoints)),
    );
  }

  get state(): StoreState {
    return this.#file.state;
  }

  get reason(): string {
    return this.#file.reason;
  }

  /** Stores a round in one commit. Never throws: what goes wrong is the outcome. */
  round(request: RoundRequest): RoundReply {
    if (request.memory !== undefined) this.#slots.set(request.slot, new RoundBuffer(request.memory));
    const points = this.#slots.get(request.slot) ?? NO_POINTS;
    const frees = request.operations.some((operation) => FREEING.has(operation.type));
    const file = this.#file;
    if (file.state === 'ok' || file.recover() || frees) {
      for (let tries = 0; tries < 2; tries++) {
        const attempt = this.#attempt(request, points);
        if (attempt !== null) {
          if (file.state !== 'ok') this.#giveBack();
          return this.#reply('stored', attempt);
        }
        // A full disk may only be a large WAL: if a checkpoint makes room, the round gets its second chance.
        if (!file.recover()) break;
      }
    }
    return this.#reply(file.state === 'full' ? 'full' : 'failed', { refused: [], results: [] });
  }

  #reply(outcome: RoundReply['outcome'], attempt: Attempt): RoundReply {
    const { refused, results } = attempt;
    return { type: 'round', outcome, refused, results, state: this.#file.state, reason: this.#file.reason };
  }

  #attempt(request: RoundRequest, points: RoundBuffer): Attempt | null {
    const refused: number[] = [];
    const results: OperationResult[] = [];
    return this.#file.transact(() => {
      this.#file.begin();
      this.tables.store.begin();
      let start = 0;
      let other = 0;
      let next = 0;
      let range = 0;
      const { ends, operations, otherIndex, expiring } = request;
      for (let batch = 0; batch <= ends.length; batch++) {
        for (let operation = operations[next]; operation?.before === batch; operation = operations[++next]) {
          results.push(this.#operate(operation));
        }
        const end = ends[batch] ?? start;
        const valid = this.#valid(request, points, start, end, other);
        if (valid) this.#append(request, points, start, end, other);
        else refused.push(batch);
        if (valid && (range < expiring.length || !this.tables.expiry.empty))
          this.#noteExpiries(request, points, start, end, range);
        while ((expiring[range]?.from ?? end) < end) range++;
        while (other < otherIndex.length && (otherIndex[other] ?? 0) < end) other++;
        start = end;
      }
      this.tables.store.end();
      return { refused, results };
    });
  }

  /** After points were removed from a full file: returns its free pages to the file system. */
  #giveBack(): void {
    const file = this.#file;
    if (!file.checkpoint()) return;
    for (let pages = Number(file.database.pragma('freelist_count')); pages > 0; pages -= VACUUM_PAGES) {
      try {
        file.database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
      } catch (error) {
        file.fail(error);
        return;
      }
      if (!file.checkpoint()) return;
    }
    file.recover();
  }

  #operate(operation: Operation): OperationResult {
    const { erasure } = this.tables;
    switch (operation.type) {
      case 'intern':
        this.tables.intern(operation.owner, operation.ids, operation.keys);
        return { type: 'done' };
      case 'attributes':
        this.tables.attributes.apply(operation.changes);
        return { type: 'done' };
      case 'erase':
        return erasure.erase(operation.series, operation.from, operation.to, operation.latestAfter);
      case 'removeOwner':
        erasure.removeOwner(operation.owner);
        return { type: 'done' };
      case 'retention':
        return erasure.retain(operation.olderThan, operation.budgetMs);
      case 'expire':
        return erasure.expire(operation.series, operation.now, operation.budgetMs);
    }
  }

  #valid(request: RoundRequest, points: RoundBuffer, start: number, end: number, firstOther: number): boolean {
    const { ts, num, series, kind } = points;
    const highest = this.tables.store.highestSeries;
    let other = firstOther;
    let nextOther = request.otherIndex[other] ?? -1;
    for (let at = start; at < end; at++) {
      const time = ts[at] ?? 0;
      const id = series[at] ?? 0;
      if (Math.floor(time) !== time || time > LARGEST_TIME || time < -LARGEST_TIME || id < 1 || id > highest)
        return false;
      if (at === nextOther) {
        if (!otherFits(kind[at] ?? 0, request.otherValue[other])) return false;
        nextOther = request.otherIndex[++other] ?? -1;
      } else if (!numberFits(kind[at] ?? 0, num[at] ?? 0)) return false;
    }
    return true;
  }

  #append(request: RoundRequest, points: RoundBuffer, start: number, end: number, firstOther: number): void {
    const { ts, num, series, kind } = points;
    const { store } = this.tables;
    let other = firstOther;
    let nextOther = request.otherIndex[other] ?? -1;
    for (let at = start; at < end; at++) {
      // Adding zero makes negative zero positive.
      const time = (ts[at] ?? 0) + 0;
      const id = series[at] ?? 0;
      const plain = kind[at] ?? 0;
      if (at !== nextOther) {
        store.append(id, time, plain, num[at] ?? 0, undefined);
        continue;
      }
      const value = request.otherValue[other];
      nextOther = request.otherIndex[++other] ?? -1;
      const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
      if (Number.isSafeInteger(number)) store.append(id, time, plain, number, undefined);
      else store.append(id, time, plain | OTHER, 0, value);
    }
  }

  /** Keeps when the points of a batch are due; one that is written without a time to live stays. */
  #noteExpiries({ expiring }: RoundRequest, points: RoundBuffer, start: number, end: number, firstRange: number): void {
    const { expiry, store } = this.tables;
    let range = firstRange;
    for (let at = start; at < end; at++) {
      while ((expiring[range]?.to ?? end) <= at) range++;
      const current = expiring[range];
      const series = points.series[at] ?? 0;
      const ts = (points.ts[at] ?? 0) + 0;
      if (current !== undefined && at >= current.from) {
        if (store.heads.alive(series)) expiry.put(series, ts, current.at);
      } else if (expiry.has(series)) expiry.clear(series, ts);
    }
  }

  /** True if there is background work. */
  get pending(): boolean {
    return this.#file.state === 'ok' && (!this.#file.ballastHeld || this.tables.erasure.pending);
  }

  /** Does a slice of background work. */
  background(): void {
    if (!this.pending) return;
    this.#file.growBallast();
    if (this.#file.state !== 'ok' || !this.tables.erasure.pending) return;
    this.#file.transact(() => {
      this.#file.begin();
      this.tables.store.begin();
      this.tables.erasure.step();
      this.tables.store.end();
    });
  }

  /** Bytes of all files of the store. */
  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  /** Writes the WAL back into the file and closes it. */
  close(): void {
    this.#file.close();
  }
}

const NO_POINTS = RoundBuffer.allocate(0);

function numberFits(kind: number, value: number): boolean {
  if (kind === ValueKind.Double) return value - value === 0;
  if (kind === ValueKind.Long) return Number.isSafeInteger(value);
  return kind === ValueKind.Boolean && (value === 0 || value === 1);
}

function otherFits(kind: number, value: string | bigint | undefined): boolean {
  if (typeof value === 'string') return kind === ValueKind.String || kind === ValueKind.Json;
  return typeof value === 'bigint' && kind === ValueKind.Long && BigInt.asIntN(64, value) === value;
}

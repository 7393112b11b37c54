import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqliteDriver } from './driver.ts';
import { type Extent, type FileMemory, StoreFile, type StoreFileOptions } from './store-file.ts';

const MIB = 1_048_576;

/** Counts the rows of a table. */
class Counted implements FileMemory {
  readonly #database: SqliteDriver;
  count = 0;

  constructor(database: SqliteDriver) {
    this.#database = database;
  }

  reload(): void {
    this.count = Number(this.#database.prepare('SELECT count(*) AS count FROM item').get([])?.count);
  }

  add(sizeBytes: number): number {
    this.#database.prepare('INSERT INTO item VALUES (zeroblob(?))').run([sizeBytes]);
    return ++this.count;
  }
}

describe('the file of a writer', () => {
  let directory = '';
  let file: StoreFile<Counted>;
  const open = (more: Partial<StoreFileOptions> = {}) => {
    const options: StoreFileOptions = {
      directory,
      installationId: 'one',
      now: 0,
      durability: 'normal',
      ballastBytes: 0,
      maxPages: 0,
      name: 'some',
      migrations: [{ name: '2026-01-01-item', up: (database) => database.exec('CREATE TABLE item (b)') }],
      cacheKib: 2_000,
      walPages: 1_000,
      trial: 'INSERT INTO item VALUES (zeroblob(262144))',
      probeIntervalMs: 0,
      vacuumSlices: 8,
      ...more,
    };
    file = StoreFile.open(options, (database) => new Counted(database));
  };
  /** A round that adds an item where the extent is one of those that may; notes the extents that were tried. */
  const add = (sizeBytes: number, may: readonly Extent[], tried: Extent[] = []) =>
    file.round((extent) => {
      tried.push(extent);
      if (!may.includes(extent)) return file.memory.count;
      file.begin();
      return file.memory.add(sizeBytes);
    });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-file-'));
  });
  afterEach(() => {
    file.database.close();
    rmSync(directory, { recursive: true });
  });

  it('F3 tries a round that does not fit again, then only what shrinks, then only what reads', () => {
    open({ maxPages: 100 });
    expect(add(1_000, ['all'])).toEqual({ outcome: 'stored', done: 1 });
    const tried: Extent[] = [];
    expect(add(MIB, ['all'], tried)).toEqual({ outcome: 'stored', done: 1 });
    expect([tried, file.state]).toEqual([['all', 'all', 'shrinking'], 'full']);
    const deeper: Extent[] = [];
    expect(add(MIB, ['all', 'shrinking'], deeper)).toEqual({ outcome: 'full', done: 1 });
    expect([deeper, file.state]).toEqual([['all', 'all', 'shrinking', 'reading'], 'full']);
    expect(add(1_000, ['all'])).toEqual({ outcome: 'stored', done: 2 });
    expect([file.state, file.reason]).toEqual(['ok', '']);
  });

  it('F3 waits between two attempts to leave the state full', () => {
    open({ maxPages: 100, probeIntervalMs: 1e9 });
    expect(add(MIB, ['all']).outcome).toBe('stored');
    const tried: Extent[] = [];
    expect(add(1, ['all'], tried)).toEqual({ outcome: 'stored', done: 0 });
    expect([tried, file.state]).toEqual([['shrinking'], 'full']);
  });

  it('has neither in the file nor in memory what a round did before it failed', () => {
    open();
    let failures = 0;
    const failing = (most: number) =>
      file.round((extent) => {
        if (extent === 'reading') return -1;
        file.begin();
        const count = file.memory.add(10);
        if (failures++ < most) throw new TypeError('no');
        return count;
      });
    expect(failing(1)).toEqual({ outcome: 'stored', done: 1 });
    expect([file.state, file.memory.count]).toEqual(['ok', 1]);
    failures = 0;
    expect(failing(2)).toEqual({ outcome: 'failed', done: -1 });
    expect([file.state, file.reason, file.memory.count]).toEqual(['failed', 'no', 1]);
    file.close();
    open();
    expect(file.memory.count).toBe(1);
  });

  it('takes its ballast piece by piece, and counts it to its size', () => {
    open({ ballastBytes: 2 * MIB });
    file.growBallast();
    expect([file.ballastHeld, file.state]).toEqual([false, 'ok']);
    file.growBallast();
    expect(file.ballastHeld).toBe(true);
    expect(file.sizeBytes).toBeGreaterThan(2 * MIB);
    file.close();
  });

  it('is removed with its ballast at a close that finds it useless', () => {
    open({ ballastBytes: MIB });
    file.growBallast();
    file.close(() => false);
    expect(readdirSync(directory).sort()).toEqual(['some.ballast', 'some.sqlite']);
    open({ ballastBytes: MIB });
    file.close(() => {
      throw new TypeError('not known');
    });
    expect(readdirSync(directory).sort()).toEqual(['some.ballast', 'some.sqlite']);
    open({ ballastBytes: MIB });
    file.close(() => file.memory.count === 0);
    expect(readdirSync(directory)).toEqual([]);
  });
});

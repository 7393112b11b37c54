import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';

const STRACE = '/usr/bin/strace';

/** Runs of a child process that writes into a store, in a directory of its own for each test. */
export class ChildRuns {
  readonly #file: string;
  #cache = '';
  #directory = '';

  /** To be made within `describe`. `file` is the program of the child. */
  constructor(file: URL) {
    this.#file = fileURLToPath(file);
    this.#cache = mkdtempSync(join(tmpdir(), 'moorage-cache-'));
    afterAll(() => rmSync(this.#cache, { recursive: true }));
    beforeEach(() => {
      this.#directory = mkdtempSync(join(tmpdir(), 'moorage-durability-'));
    });
    afterEach(() => rmSync(this.#directory, { recursive: true }));
  }

  get directory(): string {
    return this.#directory;
  }

  /** Starts the child: number of the first change, how many it makes (0: until killed). */
  start(first: number, count: number, before: readonly string[] = []): ChildProcess {
    // Otherwise each of these processes spends most of its time on stripping types.
    const env = { ...process.env, NODE_COMPILE_CACHE: this.#cache };
    const [program = '', ...rest] = [...before, process.execPath, this.#file];
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'], env });
    child.stdin?.end(`${first} ${count} ${this.#directory}`);
    return child;
  }

  /** Starts it under strace; `syncsOf` counts afterwards how often a file was synced. */
  startTraced(first: number, count: number): { child: ChildProcess; syncsOf(fileName: string): number } {
    const trace = join(this.#directory, 'trace');
    const child = this.start(first, count, [STRACE, '-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', trace]);
    const syncsOf = (fileName: string) => {
      const sync = new RegExp(`f(?:data)?sync\\(\\d+<[^>]*${fileName.replaceAll('.', '\\.')}>`, 'g');
      return readFileSync(trace, 'utf8').match(sync)?.length ?? 0;
    };
    return { child, syncsOf };
  }
}

/**
 * False where there is no strace: there the test that PRAGMA synchronous reads back FULL must do. Where releases are built
 * it has to be there.
 */
export function canTrace(): boolean {
  if (existsSync(STRACE)) return true;
  expect(process.env.CI, `${STRACE} is needed: apt-get install strace`).toBeUndefined();
  return false;
}

/** The signal that ended the child, or else its exit code. */
export function endOf(child: ChildProcess): Promise<string | number | null> {
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
}

/** Hands on the lines the child says, from bytes that have arrived; the last one may be cut off by a kill. */
export function linesOf(child: ChildProcess, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    if (child.stdout === null) return resolve();
    const lines = createInterface({ input: child.stdout });
    lines.on('line', onLine);
    lines.on('close', resolve);
  });
}

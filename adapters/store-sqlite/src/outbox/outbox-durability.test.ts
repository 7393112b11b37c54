import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

const CHILD = fileURLToPath(new URL('./outbox-durability.child.ts', import.meta.url));
/** The short form; 200 rounds are the long one. */
const ROUNDS = Number(process.env.MOORAGE_KILL_ROUNDS ?? 3);
const STRACE = '/usr/bin/strace';
const ROUND_STEP = 1_000_000;

describe('webhooks on the outbox store', () => {
  let directory = '';
  const cache = mkdtempSync(join(tmpdir(), 'moorage-cache-'));
  afterAll(() => rmSync(cache, { recursive: true }));
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-durability-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const runChild = (first: number, count = 0, command = [process.execPath, CHILD]): ChildProcess => {
    const env = { ...process.env, NODE_COMPILE_CACHE: cache };
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env });
    child.stdin?.end(`${first} ${count} ${directory}`);
    return child;
  };
  const ended = (child: ChildProcess) =>
    new Promise<string | number | null>((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
  /** Whole lines as their fields; what the kill has cut off is no line. */
  const lines = (child: ChildProcess, onLine: (fields: string[]) => void): Promise<void> =>
    new Promise((resolve) => {
      if (child.stdout === null) return resolve();
      const reader = createInterface({ input: child.stdout });
      reader.on('line', (line) => line.endsWith(';') && onLine(line.slice(0, -1).split(',')));
      reader.on('close', resolve);
    });

  it(`N7 SEN-38 every acknowledged message is delivered or dead, and in order, when killed with SIGKILL at random moments, ${ROUNDS} rounds`, {
    timeout: 20_000 + ROUNDS * 10_000,
  }, async () => {
    const acknowledged: string[] = [];
    const got = new Map<string, number[]>();
    const note = ([what = '', key = '', number = '']: string[]) => {
      if (what === 'ack') acknowledged.push(`${key} ${number}`);
      const known = got.get(key) ?? [];
      got.set(key, known);
      // Repetitions are allowed: receivers tell them by the event id.
      if (what === 'got' && !known.includes(Number(number))) known.push(Number(number));
    };
    for (let round = 1; round <= ROUNDS; round++) {
      const child = runChild(round * ROUND_STEP);
      const end = ended(child);
      let count = 0;
      await lines(child, (fields) => {
        note(fields);
        if (++count === 30) setTimeout(() => child.kill('SIGKILL'), Math.random() * 1_000);
      });
      expect(await end).toBe('SIGKILL');
    }
    const last = runChild(0);
    const end = ended(last);
    const dead = new Set<string>();
    let left = -1;
    await lines(last, (fields) => {
      if (fields[0] === 'dead') dead.add(`${fields[1]} ${fields[2]}`);
      else if (fields[0] === 'left') left = Number(fields[1]);
      else note(fields);
    });
    expect(await end).toBe(0);
    expect(left).toBe(0);
    const reached = new Set([...got].flatMap(([key, numbers]) => numbers.map((number) => `${key} ${number}`)));
    expect(acknowledged.filter((event) => !reached.has(event) && !dead.has(event))).toEqual([]);
    for (const [key, numbers] of got) {
      expect(numbers, `order of ${key}`).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS * 30);
    expect(reached.size).toBeGreaterThan(ROUNDS * 20);
  });

  it('syncs every commit: strace sees a sync of the WAL for what is acknowledged', async () => {
    if (!existsSync(STRACE)) {
      expect(process.env.CI, `${STRACE} is needed: apt-get install strace`).toBeUndefined();
      return;
    }
    const trace = join(directory, 'trace');
    const options = ['-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', trace];
    const child = runChild(1, 40, [STRACE, ...options, process.execPath, CHILD]);
    const end = ended(child);
    let acknowledged = 0;
    await lines(child, ([what]) => {
      if (what === 'ack') acknowledged += 1;
    });
    expect(await end).toBe(0);
    expect(acknowledged).toBe(240);
    // Each key waits for each of its messages, so there were at least as many commits.
    const syncs = readFileSync(trace, 'utf8').match(/f(?:data)?sync\(\d+<[^>]*outbox\.sqlite-wal>/g)?.length ?? 0;
    expect(syncs).toBeGreaterThanOrEqual(40);
  });
});

import type { ChildProcess } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ChildRuns, canTrace, endOf, linesOf } from '../testing/child-runs.ts';

/** The short form; 200 rounds are the long one. */
const ROUNDS = Number(process.env.MOORAGE_KILL_ROUNDS ?? 3);
const ROUND_STEP = 1_000_000;

describe('webhooks on the outbox store', () => {
  const runs = new ChildRuns(new URL('./outbox-durability.child.ts', import.meta.url));
  /** Whole lines as their fields; what the kill has cut off is no line. */
  const fieldsOf = (child: ChildProcess, onLine: (fields: string[]) => void) =>
    linesOf(child, (line) => line.endsWith(';') && onLine(line.slice(0, -1).split(',')));

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
      const child = runs.start(round * ROUND_STEP, 0);
      const end = endOf(child);
      let count = 0;
      await fieldsOf(child, (fields) => {
        note(fields);
        if (++count === 30) setTimeout(() => child.kill('SIGKILL'), Math.random() * 1_000);
      });
      expect(await end).toBe('SIGKILL');
    }
    const last = runs.start(0, 0);
    const end = endOf(last);
    const dead = new Set<string>();
    let left = -1;
    await fieldsOf(last, (fields) => {
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
    if (!canTrace()) return;
    const { child, syncsOf } = runs.startTraced(1, 40);
    const end = endOf(child);
    let acknowledged = 0;
    await fieldsOf(child, ([what]) => {
      if (what === 'ack') acknowledged += 1;
    });
    expect(await end).toBe(0);
    expect(acknowledged).toBe(240);
    // Each key waits for each of its messages, so there were at least as many commits.
    expect(syncsOf('outbox.sqlite-wal')).toBeGreaterThanOrEqual(40);
  });
});

import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { RestoredSession } from '@moorage/mqtt-broker';
import { describe, expect, it } from 'vitest';
import { ChildRuns, canTrace, endOf, linesOf } from '../testing/child-runs.ts';
import { damagedCopies, expectRefusals } from '../testing/damaged-files.ts';
import {
  heldOf,
  keyOf,
  LANES,
  messageOf,
  QUEUE_LENGTH,
  QUEUES,
  retainedOf,
  SPACE,
  subscriptionOf,
} from './session-lanes.ts';
import { SqliteSessionStore } from './sqlite-session-store.ts';

/** The short form; 200 rounds are the long one. */
const ROUNDS = Number(process.env.MOORAGE_KILL_ROUNDS ?? 3);
/** Divisible by what the lanes count with. */
const ROUND_STEP = 1_000_000;

type Acknowledged = Map<string, number>;

function openStore(directory: string, installationId = 'durability'): Promise<SqliteSessionStore> {
  return SqliteSessionStore.open({ directory, installationId, now: () => 1_700_000_000_000, ballastBytes: 0 });
}

/** Notes what the child says; a last line that the kill has cut off names a smaller number, which changes nothing. */
function listen(child: ChildProcess, acknowledged: Acknowledged, onLine: () => void): Promise<void> {
  return linesOf(child, (line) => {
    const [lane = '', number = ''] = line.split(',');
    acknowledged.set(lane, Math.max(acknowledged.get(lane) ?? 0, Number(number)));
    onLine();
  });
}

/** What each lane looks like in the store, by its name. */
async function lanesOf(
  store: SqliteSessionStore,
  sessions: readonly RestoredSession[],
  first: number,
): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const lane of LANES) {
    const session = sessions.find((one) => one.record.key === keyOf(lane, first));
    if (lane.startsWith('retained')) {
      const [message = null] = await store.retained.match(SPACE, `topic/${lane}`, 0).read(2);
      found.set(lane, message);
    } else if (session === undefined) found.set(lane, undefined);
    else if (lane.startsWith('filter')) found.set(lane, session.subscriptions[0] ?? null);
    else found.set(lane, (await store.flights(session.claim)).incoming);
  }
  return found;
}

function stateOf(lane: string, number: number): unknown {
  if (lane.startsWith('retained')) return retainedOf(lane, number);
  return lane.startsWith('filter') ? subscriptionOf(number) : heldOf(number);
}

function same(one: unknown, other: unknown): boolean {
  try {
    expect(one).toEqual(other);
    return true;
  } catch {
    return false;
  }
}

/** Every message of a queue that was acknowledged and not settled is there with its value, and no settled one. */
async function expectQueue(
  store: SqliteSessionStore,
  session: RestoredSession | undefined,
  name: string,
  last: number,
) {
  if (session === undefined) throw new TypeError(`The Session of ${name} was acknowledged and is lost`);
  const deliveries = await store.read(session.claim, 0, 10_000);
  const sequences = deliveries.map((delivery) => delivery.sequence);
  const newest = sequences.at(-1) ?? 0;
  expect(newest - last, `${name}: newest ${newest}, acknowledged ${last}`).toBeGreaterThanOrEqual(0);
  expect(newest - last).toBeLessThanOrEqual(1);
  const oldest = Math.max(1, newest - QUEUE_LENGTH + 1);
  expect(sequences).toEqual(Array.from({ length: newest - oldest + 1 }, (_, at) => oldest + at));
  for (const { sequence, message, qos, subscriptionIdentifiers } of deliveries) {
    expect(message).toEqual(messageOf(name, sequence));
    expect([qos, subscriptionIdentifiers]).toEqual([sequence % 2 === 0 ? 1 : 2, [sequence]]);
  }
  expect(session).toMatchObject({ lastSequence: newest, queuedMessages: sequences.length });
}

describe('durability of the session store', () => {
  const runs = new ChildRuns(new URL('./session-durability.child.ts', import.meta.url));

  it(`F1 N2 N3 loses no acknowledged change when killed with SIGKILL at random moments, ${ROUNDS} rounds`, {
    timeout: 10_000 + ROUNDS * 10_000,
  }, async () => {
    let before = new Map<string, unknown>();
    let compared = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const first = round * ROUND_STEP;
      const acknowledged: Acknowledged = new Map();
      const child = runs.start(first, 0);
      const end = endOf(child);
      let lines = 0;
      await listen(child, acknowledged, () => {
        if (++lines === 30) setTimeout(() => child.kill('SIGKILL'), Math.random() * 1_000);
      });
      expect(await end).toBe('SIGKILL');
      const store = await openStore(runs.directory);
      await store.retained.load();
      const sessions = await store.load();
      const found = await lanesOf(store, sessions, first);
      for (const lane of LANES) {
        const last = acknowledged.get(lane);
        const allowed =
          last === undefined
            ? [lane.startsWith('hold') ? [] : before.get(lane), undefined, stateOf(lane, first)]
            : [stateOf(lane, last), stateOf(lane, last + 1)];
        expect(
          allowed.some((state) => same(found.get(lane), state)),
          `${lane} after ${last} is ${JSON.stringify(found.get(lane))}`,
        ).toBe(true);
        compared += (last ?? first) - first;
      }
      for (const name of QUEUES) {
        const last = acknowledged.get(name);
        if (last === undefined) continue;
        const session = sessions.find((one) => one.record.key === keyOf(name, first));
        await expectQueue(store, session, name, last);
        compared += last;
      }
      before = found;
      await store.close();
    }
    expect(compared).toBeGreaterThan(ROUNDS * 50);
  });

  it('F2 keeps everything acknowledged before a torn end of the WAL, and a prefix when the WAL is cut', async () => {
    const acknowledged: Acknowledged = new Map();
    const child = runs.start(ROUND_STEP, 0);
    const end = endOf(child);
    let lines = 0;
    await listen(child, acknowledged, () => {
      if (++lines === 2_000) child.kill('SIGKILL');
    });
    await end;
    for (const { damage, whole, directory } of damagedCopies(runs.directory, 'session.sqlite')) {
      const store = await openStore(directory);
      await store.retained.load();
      const sessions = await store.load();
      const found = await lanesOf(store, sessions, ROUND_STEP);
      for (const queue of QUEUES) {
        const session = sessions.find((one) => one.record.key === keyOf(queue, ROUND_STEP));
        const last = whole ? (acknowledged.get(queue) ?? 0) : (session?.lastSequence ?? 0);
        if (whole || session !== undefined) await expectQueue(store, session, queue, last);
      }
      for (const lane of whole ? LANES : []) {
        const last = acknowledged.get(lane) ?? ROUND_STEP;
        const states = [stateOf(lane, last), stateOf(lane, last + 1)];
        expect(
          states.some((state) => same(found.get(lane), state)),
          `${damage}: ${lane}`,
        ).toBe(true);
      }
      await store.close();
    }
  });

  it('F2 refuses a file that is no database, of another installation, or of a newer version', async () => {
    await (await openStore(runs.directory)).close();
    const file = join(runs.directory, 'session.sqlite');
    await expectRefusals(file, 'durability', (installationId) => openStore(runs.directory, installationId));
  });

  it('syncs every commit: strace sees a sync of the WAL for each', async () => {
    if (!canTrace()) return;
    const { child, syncsOf } = runs.startTraced(1, 40);
    child.stdout?.resume();
    await endOf(child);
    // Every lane waits for each of its 40 changes, so there were at least as many commits.
    expect(syncsOf('session.sqlite-wal')).toBeGreaterThanOrEqual(40);
  });
});

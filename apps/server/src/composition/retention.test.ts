import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { startRetention } from './retention.ts';

const DAY_MS = 86_400_000;

function setUp() {
  const time = new FakeTime();
  const start = time.now();
  const retention: number[] = [];
  const expiry: number[] = [];
  const answers = { more: [] as boolean[], fail: false };
  const errors: unknown[] = [];
  const stop = startRetention({
    telemetry: {
      async applyRetention(before) {
        retention.push(before - start);
        return { removedChunks: 1, more: answers.more.shift() ?? false };
      },
      async applyExpiry(now) {
        expiry.push(now - start);
        if (answers.fail) throw new TypeError('broken');
        return { removedPoints: 1, more: false };
      },
    },
    clock: time,
    scheduler: time,
    log: { debug: () => undefined, error: (error: unknown) => void errors.push(error) },
    days: 30,
  });
  const advance = async (ms: number, steps: number): Promise<void> => {
    for (let step = 0; step < steps; step++) {
      time.advance(ms);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  return { time, retention, expiry, answers, errors, stop, advance };
}

describe('retention', () => {
  it('looks for old telemetry every hour, at once again while there is more', async () => {
    const t = setUp();
    t.answers.more.push(true, false);
    await t.advance(60_000, 1);
    await t.advance(100, 1);
    expect(t.retention).toEqual([60_000 - 30 * DAY_MS, 60_100 - 30 * DAY_MS]);
    await t.advance(3_599_999, 1);
    expect(t.retention).toHaveLength(2);
    await t.advance(1, 1);
    expect(t.retention).toHaveLength(3);
    t.stop();
    expect(t.time.timers).toBe(0);
  });

  it('looks for what has outlived its time every ten seconds, also after a failure', async () => {
    const t = setUp();
    t.answers.fail = true;
    await t.advance(10_000, 1);
    t.answers.fail = false;
    await t.advance(10_000, 2);
    expect([t.expiry, t.errors.length]).toEqual([[10_000, 20_000, 30_000], 1]);
    t.stop();
    await t.advance(10_000, 2);
    expect(t.expiry).toHaveLength(3);
  });
});

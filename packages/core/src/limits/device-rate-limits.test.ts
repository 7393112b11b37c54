import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeviceRateLimits } from './device-rate-limits.ts';
import { parseRateLimit, type RateLimit } from './rate-limit-text.ts';

function limit(text: string): RateLimit {
  const read = parseRateLimit(text);
  if (!read.ok) throw new RangeError(read.message);
  return read.limit;
}

function setUp(messages: string, telemetryMessages = '', telemetryDataPoints = '') {
  const clock = { time: 5_000_000_000, monotonic: () => clock.time };
  const limits = new DeviceRateLimits(
    {
      messages: limit(messages),
      telemetryMessages: limit(telemetryMessages),
      telemetryDataPoints: limit(telemetryDataPoints),
    },
    clock,
  );
  const take = (kind: 'message' | 'telemetry' = 'message', points = 0, device = 'd1'): boolean => {
    const state = limits.of(device);
    return state === null || limits.take(state, kind, points);
  };
  return { clock, limits, take };
}

describe('rate limits of a device', () => {
  it('cost nothing when there are none', () => {
    const { limits } = setUp('');
    expect(limits.active).toBe(false);
    expect(limits.of('d1')).toBeNull();
    expect(limits.texts).toEqual({ messages: '', telemetryMessages: '', telemetryDataPoints: '' });
  });

  it('let two telemetry messages a second pass and not the third', () => {
    const { clock, limits, take } = setUp('', '2:1');
    expect([1, 2, 3].map(() => take('telemetry', 1))).toEqual([true, true, false]);
    expect(limits.texts.telemetryMessages).toBe('2:1');
    clock.time += 500;
    expect([take('telemetry', 1), take('telemetry', 1)]).toEqual([true, false]);
    clock.time += 1000;
    expect([1, 2, 3].map(() => take('telemetry', 1))).toEqual([true, true, false]);
  });

  it('count devices apart and hold over connections', () => {
    const { limits, take } = setUp('1:1');
    expect([take(), take(), take('message', 0, 'd2')]).toEqual([true, false, true]);
    expect(limits.of('d1')).toBe(limits.of('d1'));
    limits.removed('d1');
    expect(take()).toBe(true);
  });

  it('apply all windows together', () => {
    const { clock, take } = setUp('2:1,3:60');
    expect([take(), take(), take()]).toEqual([true, true, false]);
    clock.time += 1000;
    expect([take(), take()]).toEqual([true, false]);
    clock.time += 18_000;
    expect(take()).toBe(false);
    clock.time += 1000;
    expect([take(), take()]).toEqual([true, false]);
  });

  it('count telemetry with values by messages and data points, everything else as messages', () => {
    const { take } = setUp('1:1', '10:1', '5:1');
    expect([take('telemetry', 3), take('telemetry', 3), take('telemetry', 2)]).toEqual([true, false, true]);
    expect([take('telemetry', 0), take('message', 0)]).toEqual([true, false]);
  });

  it('count nothing of a message that is refused', () => {
    const { take } = setUp('', '2:1', '10:1');
    expect([take('telemetry', 11), take('telemetry', 5), take('telemetry', 5)]).toEqual([false, true, true]);
  });

  it('allow each burst exactly, whatever the numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 100_000 }), (count, seconds) => {
        const { clock, take } = setUp(`${count}:${seconds}`);
        for (let round = 0; round < 2; round++) {
          for (let i = 0; i < count; i++) if (!take()) return false;
          if (take()) return false;
          clock.time += seconds * 1000;
        }
        return true;
      }),
      { numRuns: 40 },
    );
  });

  it('never allow more than the count and what has filled since', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });
    fc.assert(
      fc.property(pauses, (waits) => {
        const { clock, take } = setUp('5:1');
        const start = clock.time;
        let taken = 0;
        for (const wait of waits) {
          clock.time += wait;
          if (take()) taken += 1;
          expect(taken).toBeLessThanOrEqual(5 + Math.floor((clock.time - start) / 200));
        }
      }),
    );
  });
});

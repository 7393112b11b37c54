import { describe, expect, it } from 'vitest';
import { NodeClock } from './node-clock.ts';

describe('NodeClock', () => {
  it('tells epoch milliseconds and a time that never goes back', () => {
    const clock = new NodeClock();
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000);
    let last = clock.monotonic();
    for (let step = 0; step < 1000; step++) {
      const now = clock.monotonic();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});

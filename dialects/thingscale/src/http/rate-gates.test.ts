import { describe, expect, it } from 'vitest';
import { DeviceBuckets, RequestWindow } from './rate-gates.ts';

describe('requests of an account', () => {
  it('are at most the limit in any second, those of other accounts apart', () => {
    const window = new RequestWindow(3);
    const at = (key: string, times: readonly number[]) => times.map((time) => window.admits(key, time));
    expect(at('a', [0, 400, 900, 950, 999])).toEqual([true, true, true, false, false]);
    expect(at('b', [999])).toEqual([true]);
    expect(at('a', [1000, 1001, 1400, 1401, 1900])).toEqual([true, false, true, false, true]);
  });
});

describe('messages of a device', () => {
  it('are one per second after a burst', () => {
    const buckets = new DeviceBuckets(2, 100);
    const at = [0, 0, 0, 500, 1000, 1001, 9000, 9000, 9000].map((time) => buckets.admits('a', time));
    expect(at).toEqual([true, true, false, false, true, false, true, true, false]);
  });

  it('are counted for so many devices at once, those that speak rather than those that do not', () => {
    const buckets = new DeviceBuckets(1, 2);
    for (const key of ['a', 'b', 'a', 'c', 'a']) buckets.admits(key, 0);
    expect([buckets.admits('a', 0), buckets.admits('b', 0)]).toEqual([false, true]);
  });
});

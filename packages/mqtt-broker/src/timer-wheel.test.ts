import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerWheel, WheelTimer } from './timer-wheel.ts';

describe('TimerWheel', () => {
  it('fires every timer once, never early and at most one tick late', () => {
    const timers = fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 50 });
    const steps = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(timers, steps, (deadlines, advances) => {
        const wheel = new TimerWheel(100, 0);
        const fired = new Map<number, number>();
        deadlines.forEach((deadline, index) => {
          wheel.schedule(new WheelTimer((nowMs) => fired.set(index, nowMs)), deadline);
        });
        let now = 0;
        let before = 0;
        for (const step of advances) {
          before = now;
          now += step;
          wheel.advance(now);
          deadlines.forEach((deadline, index) => {
            const at = fired.get(index);
            if (at !== undefined) expect(at).toBeGreaterThanOrEqual(deadline);
            else expect(deadline).toBeGreaterThan(now - 100 - 1);
            if (at === now) expect(deadline).toBeGreaterThan(before - 200);
          });
        }
        expect(wheel.size).toBe(deadlines.length - fired.size);
      }),
      { numRuns: 200 },
    );
  });

  it('does not fire what was cancelled, not even within the tick that makes it due', () => {
    const wheel = new TimerWheel(10, 0);
    const fired: string[] = [];
    const second = new WheelTimer(() => fired.push('second'));
    const first = new WheelTimer(() => {
      fired.push('first');
      wheel.cancel(second);
    });
    wheel.schedule(second, 10);
    wheel.schedule(first, 10);
    wheel.advance(50);
    expect(fired).toEqual(['first']);
    expect(wheel.size).toBe(0);
  });

  it('fires a timer at its new time when it was moved', () => {
    const wheel = new TimerWheel(10, 0);
    const at: number[] = [];
    const timer = new WheelTimer((nowMs) => at.push(nowMs));
    wheel.schedule(timer, 20);
    wheel.schedule(timer, 500_000);
    wheel.advance(100);
    expect(at).toEqual([]);
    wheel.advance(500_000);
    expect(at).toEqual([500_000]);
    expect(timer.scheduled).toBe(false);
  });

  it('lets a timer set itself again', () => {
    const wheel = new TimerWheel(10, 0);
    let count = 0;
    const timer: WheelTimer = new WheelTimer((nowMs) => {
      count++;
      wheel.schedule(timer, nowMs + 10);
    });
    wheel.schedule(timer, 10);
    for (let now = 10; now <= 100; now += 10) wheel.advance(now);
    expect(count).toBe(10);
  });
});

import { describe, expect, it } from 'vitest';
import { GuessLimiter } from './guess-limiter.ts';

describe('slowing down guessers (recognition.md, section 5)', () => {
  it('delays from the eleventh failure of one pair within 60 s on', () => {
    const limiter = new GuessLimiter();
    const delays = Array.from({ length: 12 }, (_, index) => limiter.failed('10.0.0.1', 'name', index * 100));
    expect(delays).toEqual([...Array(10).fill(0), 5000, 5000]);
  });

  it('REC-36 failures of one name never delay another name of the same address', () => {
    const limiter = new GuessLimiter();
    for (let index = 0; index < 120; index++) limiter.failed('10.0.0.1', 'bad', index * 500);
    expect(limiter.failed('10.0.0.1', 'good', 60_000)).toBe(0);
  });

  it('forgets after the window and after a success', () => {
    const limiter = new GuessLimiter();
    for (let index = 0; index < 11; index++) limiter.failed('a', 'n', 0);
    expect(limiter.failed('a', 'n', 60_000)).toBe(0);
    for (let index = 0; index < 11; index++) limiter.failed('a', 'n', 60_001);
    limiter.succeeded('a', 'n');
    expect(limiter.failed('a', 'n', 60_002)).toBe(0);
  });

  it('remembers a bounded number of pairs', () => {
    const limiter = new GuessLimiter({ maximumPairs: 2, failures: 1 });
    limiter.failed('a', '1', 0);
    limiter.failed('a', '2', 0);
    limiter.failed('a', '3', 0);
    expect(limiter.failed('a', '3', 1)).toBe(5000);
    expect(limiter.failed('a', '1', 1)).toBe(0);
  });
});

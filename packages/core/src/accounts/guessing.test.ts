import { SteppedClock } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { LoginThrottle } from './login-throttle.ts';
import { normaliseEmail, passwordProblem } from './password-policy.ts';
import { VerificationQueue } from './verification-queue.ts';

describe('the count of guesses', () => {
  const tries = (throttle: LoginThrottle, count: number) =>
    Array.from({ length: count }, () => throttle.begin('e', 'a')).filter((allowed) => allowed).length;

  it('allows 10 guesses of a pair, then none until 60 s after the tenth', () => {
    const clock = new SteppedClock();
    const throttle = new LoginThrottle(clock);
    expect(tries(throttle, 9)).toBe(9);
    clock.advance(50_000);
    expect(tries(throttle, 5)).toBe(1);
    clock.advance(59_999);
    expect(tries(throttle, 1)).toBe(0);
    clock.advance(1);
    expect(tries(throttle, 20)).toBe(10);
  });

  it('is not moved by the wall clock', () => {
    const clock = new SteppedClock();
    const throttle = new LoginThrottle(clock);
    tries(throttle, 10);
    clock.time += 3_600_000;
    expect(tries(throttle, 1)).toBe(0);
  });

  it('forgets after success and gives undecided guesses back', () => {
    const throttle = new LoginThrottle(new SteppedClock());
    tries(throttle, 9);
    throttle.succeed('e', 'a');
    expect(tries(throttle, 9)).toBe(9);
    throttle.withdraw('e', 'a');
    expect(tries(throttle, 9)).toBe(2);
  });

  it('remembers a bounded number of pairs', () => {
    const throttle = new LoginThrottle(new SteppedClock());
    tries(throttle, 10);
    for (let pair = 0; pair < 10_000; pair += 1) throttle.begin(`e${pair}`, 'a');
    expect(tries(throttle, 1)).toBe(1);
  });
});

describe('the queue of comparisons', () => {
  it('runs two at a time, in order, with a share for each address', async () => {
    const queue = new VerificationQueue();
    const gates: (() => void)[] = [];
    const started: number[] = [];
    const enter = (number: number, address: string) =>
      queue.run(address, () => {
        started.push(number);
        return new Promise<number>((resolve) => gates.push(() => resolve(number)));
      });
    const all = Array.from({ length: 9 }, (_, number) => enter(number, 'one'));
    expect(await all[8]).toBeNull();
    const other = enter(100, 'two');
    expect(started).toEqual([0, 1]);
    for (let round = 0; round < 9; round += 1) {
      gates.shift()?.();
      await Promise.race(all.slice(round, round + 1));
      await Promise.resolve();
    }
    expect(await other).toBe(100);
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 100]);
    expect(await queue.run('one', async () => 'free')).toBe('free');
  });

  it('passes the place on after a comparison that failed', async () => {
    const queue = new VerificationQueue();
    const failing = Array.from({ length: 4 }, () => queue.run('a', () => Promise.reject(new RangeError('no'))));
    for (const one of failing) await expect(one).rejects.toThrow('no');
    expect(await queue.run('a', async () => 1)).toBe(1);
  });

  it('is bounded over all addresses', async () => {
    const queue = new VerificationQueue();
    const gate = Promise.withResolvers<number>();
    const all = Array.from({ length: 200 }, (_, address) => queue.run(String(address), () => gate.promise));
    gate.resolve(1);
    const results = await Promise.all(all);
    expect(results.filter((result) => result === null)).toHaveLength(70);
  });
});

describe('the password policy', () => {
  it.each(['correct horse', 'пароль-12', '🔑🔑🔑🔑🔑🔑🔑x'])('takes %s', (password) => {
    expect(passwordProblem(password, 'somebody@example.org')).toBeNull();
  });

  it.each(['', 'seven77', '🔑🔑🔑🔑', 'aaaaaaaa', 'Somebody@example.org', ' SOMEBODY ', 'p'.repeat(257)])(
    'refuses %s',
    (password) => {
      expect(passwordProblem(password, 'somebody@example.org')).toMatchObject({ code: 'passwordViolation' });
    },
  );

  it('keeps e-mails in lower case without blanks around', () => {
    expect(normaliseEmail(' A.B@Example.ORG ')).toBe('a.b@example.org');
    for (const text of ['a', 'a@', '@b', 'a@b@', 'a b@c', 'a@b\n']) {
      expect(normaliseEmail(text) === undefined || text.trim() !== text).toBe(true);
    }
  });
});

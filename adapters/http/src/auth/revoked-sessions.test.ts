import { describe, expect, it } from 'vitest';
import { RevokedSessionsInMemory } from './revoked-sessions.ts';

describe('revoked sessions in memory', () => {
  it('forgets a session once its tokens have expired', async () => {
    let now = 1000;
    const sessions = new RevokedSessionsInMemory(() => now);
    await sessions.add('a', 2000);
    expect(sessions.has('a')).toBe(true);
    now = 2001;
    await sessions.add('b', 3000);
    expect(sessions.has('a')).toBe(false);
    expect(sessions.has('b')).toBe(true);
  });

  it('keeps the newest 100,000', async () => {
    const sessions = new RevokedSessionsInMemory(() => 0);
    for (let i = 0; i < 100_001; i++) await sessions.add(`s${i}`, 1);
    expect(sessions.has('s0')).toBe(false);
    expect(sessions.has('s1')).toBe(true);
    expect(sessions.has('s100000')).toBe(true);
  });
});

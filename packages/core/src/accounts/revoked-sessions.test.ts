import { MemoryRepositories, SteppedClock } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { RevokedSessions } from './revoked-sessions.ts';

const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

describe('revoked sessions', () => {
  it('stay revoked after a restart, until their tokens have expired', async () => {
    const repositories = new MemoryRepositories();
    const clock = new SteppedClock();
    const sessions = await RevokedSessions.open(repositories, clock);
    expect((await sessions.add(id(1), clock.now() + 1000)).ok).toBe(true);
    expect((await sessions.add(id(2), clock.now() + 5000)).ok).toBe(true);
    expect((await sessions.add(id(1), clock.now() + 1000)).ok).toBe(true);
    const next = await RevokedSessions.open(repositories, clock);
    expect([1, 2, 3].map((number) => next.has(id(number)))).toEqual([true, true, false]);
    clock.advance(1000);
    const last = await RevokedSessions.open(repositories, clock);
    expect([1, 2].map((number) => last.has(id(number)))).toEqual([false, true]);
  });

  it('are in force at once, also where they could not be stored', async () => {
    const repositories = new MemoryRepositories();
    const clock = new SteppedClock();
    const sessions = await RevokedSessions.open(repositories, clock);
    repositories.troubles.push('failed');
    const adding = sessions.add(id(1), clock.now() + 1000);
    expect(sessions.has(id(1))).toBe(true);
    expect(await adding).toMatchObject({ ok: false, code: 'storageFailed' });
    expect(sessions.has(id(1))).toBe(true);
  });

  it('are bounded: the oldest are forgotten first, also when read from the store', async () => {
    const repositories = new MemoryRepositories();
    const clock = new SteppedClock();
    const sessions = await RevokedSessions.open(repositories, clock, 3);
    for (let number = 1; number <= 4; number += 1) await sessions.add(id(number), clock.now() + number);
    expect([1, 2, 3, 4].map((number) => sessions.has(id(number)))).toEqual([false, true, true, true]);
    const next = await RevokedSessions.open(repositories, clock, 3);
    expect([1, 2, 3, 4].map((number) => next.has(id(number)))).toEqual([false, true, true, true]);
    await next.add(id(5), clock.now() + 5);
    expect([2, 3].map((number) => next.has(id(number)))).toEqual([false, true]);
  });

  it('leave nothing in the store for long', async () => {
    const repositories = new MemoryRepositories();
    const clock = new SteppedClock();
    const sessions = await RevokedSessions.open(repositories, clock);
    const swept: number[] = [];
    const commit = repositories.commit.bind(repositories);
    repositories.commit = (changes) => {
      swept.push(changes.filter(({ kind }) => kind === 'deleteDocuments').length);
      return commit(changes);
    };
    for (let number = 0; number < 1000; number += 1) await sessions.add(id(number), clock.now() + 1);
    expect(swept.filter((count) => count > 0)).toHaveLength(2);
  });
});

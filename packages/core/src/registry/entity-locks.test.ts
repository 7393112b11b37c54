import { describe, expect, it } from 'vitest';
import { EntityLocks } from './entity-locks.ts';

describe('locks of entities', () => {
  it('runs tasks of one key in order and of other keys at once', async () => {
    const locks = new EntityLocks();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = locks.run('a', async () => {
      log.push('a1');
      await gate.promise;
      log.push('a1 end');
    });
    const second = locks.run('a', async () => log.push('a2'));
    await locks.run('b', async () => log.push('b'));
    expect(log).toEqual(['a1', 'b']);
    gate.resolve();
    await Promise.all([first, second]);
    expect(log).toEqual(['a1', 'b', 'a1 end', 'a2']);
  });

  it('goes on after a task that failed, and passes its error on', async () => {
    const locks = new EntityLocks();
    const failing = locks.run('a', () => Promise.reject(new RangeError('no')));
    const next = locks.run('a', async () => 5);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(5);
  });
});

import { describe, expect, it } from 'vitest';
import { ReadCache } from './read-cache.ts';

describe('reads that are kept', () => {
  function counting() {
    const reads: string[] = [];
    const read = (key: string, value: number | null = 1) => {
      reads.push(key);
      return Promise.resolve(value);
    };
    return { reads, read, cache: new ReadCache<number | null>(2) };
  }

  it('serve everybody who asks at once or later', async () => {
    const { reads, read, cache } = counting();
    expect(await Promise.all([cache.get('a', () => read('a')), cache.get('a', () => read('a', 2))])).toEqual([1, 1]);
    expect(await cache.get('a', () => read('a', 3))).toBe(1);
    expect(reads).toEqual(['a']);
  });

  it('are bounded in number: the oldest goes', async () => {
    const { reads, read, cache } = counting();
    for (const key of ['a', 'b', 'c', 'c', 'b', 'a']) await cache.get(key, () => read(key));
    expect(reads).toEqual(['a', 'b', 'c', 'a']);
  });

  it('do not come back after a change that they began before', async () => {
    const { cache } = counting();
    const { promise, resolve } = Promise.withResolvers<number | null>();
    const early = cache.get('a', () => promise);
    cache.forget('a');
    const late = cache.get('a', async () => 2);
    resolve(1);
    expect(await Promise.all([early, late])).toEqual([1, 2]);
    expect(await cache.get('a', async () => 3)).toBe(2);
  });

  it('are none where the read failed or its value is not to be kept', async () => {
    const { cache } = counting();
    await expect(cache.get('a', () => Promise.reject(new RangeError('disk')))).rejects.toThrow('disk');
    const present = (value: number | null) => value !== null;
    expect(await cache.get('a', async () => null, present)).toBeNull();
    await Promise.resolve();
    expect(await cache.get('a', async () => 4, present)).toBe(4);
  });
});

import { seededRandom } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { DueTimes } from './due-times.ts';

describe('what is due when', () => {
  it('comes in the order of time, as moved last', () => {
    const due = new DueTimes<string>();
    due.put('a', 5);
    due.put('b', 3);
    due.put('c', 4);
    due.put('b', 9);
    due.put('c', null);
    expect([due.next, due.size]).toEqual([5, 2]);
    expect(due.take(4)).toEqual([]);
    expect(due.take(9)).toEqual(['a', 'b']);
    expect([due.next, due.size]).toEqual([null, 0]);
  });

  it('is what a sorted list gives, after any changes', () => {
    const random = seededRandom(3);
    const due = new DueTimes<number>();
    const plain = new Map<number, number>();
    for (let step = 0; step < 20_000; step++) {
      const thing = Math.floor(random() * 50);
      if (random() < 0.1) {
        const now = Math.floor(random() * 1000);
        const expected = [...plain].filter(([, at]) => at <= now).map(([one]) => one);
        expect(due.take(now).toSorted()).toEqual(expected.toSorted());
        for (const one of expected) plain.delete(one);
      } else if (random() < 0.2) {
        due.put(thing, null);
        plain.delete(thing);
      } else {
        const at = Math.floor(random() * 1000);
        due.put(thing, at);
        plain.set(thing, at);
      }
      expect(due.next).toBe(plain.size === 0 ? null : Math.min(...plain.values()));
    }
  });
});

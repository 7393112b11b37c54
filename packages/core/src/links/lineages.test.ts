import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { Lineages } from './lineages.ts';

const lineage = (hop: number, ...fired: string[]) => ({ hop, fired: new Set(fired) });

describe('Lineages', () => {
  it('gives what was noted for a key of a device, the oldest first, and shares what has fired', () => {
    const lineages = new Lineages(new FakeTime());
    const first = lineage(3, 'l1');
    lineages.note('d', 'k', first);
    lineages.note('d', 'k', lineage(1, 'l2'));
    lineages.note('d', 'other', lineage(2));
    expect(lineages.of('d', 'k').map(({ hop }) => hop)).toEqual([3, 1]);
    lineages.of('d', 'k')[0]?.fired.add('l9');
    expect(first.fired.has('l9')).toBe(true);
    expect(lineages.of('e', 'k')).toEqual([]);
  });

  it('takes a note back', () => {
    const lineages = new Lineages(new FakeTime());
    lineages.note('d', 'k', lineage(1));
    const undo = lineages.note('d', 'k', lineage(2));
    lineages.note('d', 'k', lineage(3));
    undo();
    undo();
    expect(lineages.of('d', 'k').map(({ hop }) => hop)).toEqual([1, 3]);
    expect(lineages.size).toBe(2);
  });

  it('forgets each after 10 s, and sweeps what is over', () => {
    const time = new FakeTime();
    const lineages = new Lineages(time);
    lineages.note('d', 'k', lineage(1));
    time.advance(4_000);
    lineages.note('d', 'k', lineage(2));
    lineages.note('e', 'k', lineage(3));
    time.advance(6_000);
    expect(lineages.of('d', 'k').map(({ hop }) => hop)).toEqual([2]);
    lineages.sweep();
    expect(lineages.size).toBe(2);
    time.advance(4_000);
    expect(lineages.of('e', 'k')).toEqual([]);
    lineages.sweep();
    expect(lineages.size).toBe(0);
  });

  it('keeps 64 of a key, and no more than it may in all: what is oldest goes first', () => {
    const lineages = new Lineages(new FakeTime(), 66);
    for (let hop = 0; hop < 200; hop++) lineages.note('d', 'k', lineage(hop));
    expect(lineages.of('d', 'k').map(({ hop }) => hop)).toEqual(Array.from({ length: 64 }, (_, i) => 136 + i));
    for (const device of ['a', 'b']) lineages.note(device, 'k', lineage(1));
    expect(lineages.size).toBe(66);
    lineages.note('c', 'k', lineage(1));
    expect([lineages.size, lineages.of('d', 'k')]).toEqual([3, []]);
  });
});

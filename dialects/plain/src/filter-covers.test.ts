import { topicMatches } from '@moorage/dialect-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterCovers } from './filter-covers.ts';

describe('filterCovers', () => {
  it.each([
    ['#', 'a/b'],
    ['#', '#'],
    ['#', '+/a'],
    ['a/#', 'a'],
    ['a/#', 'a/#'],
    ['a/#', 'a/b/+'],
    ['+/b', 'a/b'],
    ['+/+', '+/b'],
    ['$SYS/#', '$SYS/x'],
  ])('%s covers %s', (allowed, topicFilter) => {
    expect(filterCovers(allowed, topicFilter)).toBe(true);
  });

  it.each([
    ['a/#', '#'],
    ['a/+', 'a/#'],
    ['a/+', 'a'],
    ['a/+', 'a/b/c'],
    ['a/b', 'a/+'],
    ['+', '#'],
    ['#', '$SYS/#'],
    ['+/x', '$SYS/x'],
    ['a', 'a/#'],
  ])('%s does not cover %s', (allowed, topicFilter) => {
    expect(filterCovers(allowed, topicFilter)).toBe(false);
  });

  it('never covers a filter that matches a topic the allowed one does not', () => {
    const level = fc.constantFrom('a', 'b', '', '$c');
    const filter = fc
      .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'))
      .filter((text) => text !== '');
    const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'));
    fc.assert(
      fc.property(filter, filter, topic, (allowed, topicFilter, topicName) => {
        if (topicName === '' || !filterCovers(allowed, topicFilter) || !topicMatches(topicFilter, topicName)) return;
        expect(topicMatches(allowed, topicName), `${allowed} ${topicFilter} ${topicName}`).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});

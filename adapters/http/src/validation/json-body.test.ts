import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeeperThan } from './json-body.ts';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe('depth of a JSON text', () => {
  it('is that of the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(8), (value, limit) => {
        expect(isDeeperThan(JSON.stringify(value), limit)).toBe(depthOf(value) > limit);
      }),
      { numRuns: 500 },
    );
  });

  it('does not count brackets in strings', () => {
    expect(isDeeperThan('["[[[[","\\"[[[","\\\\"]', 1)).toBe(false);
    expect(isDeeperThan('["\\\\",[1]]', 1)).toBe(true);
  });

  it('is told of texts that are not JSON', () => {
    expect(isDeeperThan('"[[[[[', 1)).toBe(false);
    expect(isDeeperThan(']]]][[', 1)).toBe(false);
    expect(isDeeperThan('[[[', 2)).toBe(true);
  });
});

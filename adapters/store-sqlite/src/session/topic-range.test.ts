import { topicMatches } from '@moorage/mqtt-codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicRange } from './topic-range.ts';

const level = fc.constantFrom('', 'a', 'b', 'ab', '$x', 'ü', '0', '-', '\u{1f600}');
const name = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topicName) => topicName !== '');
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
  .filter((topicFilter) => topicFilter !== '');

describe('TopicRange', () => {
  it('finds the names that a Topic Filter matches, and no others [MQTT-4.7.1-2] [MQTT-4.7.2-1]', () => {
    fc.assert(
      fc.property(filter, name, (topicFilter, topicName) => {
        const range = new TopicRange(topicFilter);
        const { prefix, behind, parent } = range;
        const bytes = Buffer.from(topicName);
        const inRange =
          prefix !== null &&
          Buffer.compare(bytes, Buffer.from(prefix)) >= 0 &&
          Buffer.compare(bytes, Buffer.from(behind)) < 0;
        const found = topicName === parent || (inRange && range.matches(topicName));
        expect(found, `${topicFilter} ${topicName}`).toBe(topicMatches(topicFilter, topicName));
      }),
      { numRuns: 5_000 },
    );
  });
});

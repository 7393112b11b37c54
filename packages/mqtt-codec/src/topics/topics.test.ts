import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../protocol-error.ts';
import { BAD_FILTERS } from '../vectors/subscribe-vectors.ts';
import { isTopicFilter, parseSharedFilter } from './topic-filter.ts';
import { topicMatches } from './topic-matches.ts';
import { countTopicLevels, isTopicName } from './topic-name.ts';

describe('Topic Names', () => {
  it.each(['a', '/', '//', ' ', 'a/b', '/a', 'a/', 'sport/tennis/player1', '$SYS/x', '温度/é', 'x'.repeat(65_535)])(
    'accepts %s [MQTT-4.7.3-1]',
    (name) => {
      expect(isTopicName(name)).toBe(true);
    },
  );

  it.each(['', '+', '#', 'a/+', 'a/#', 'a+', 'a#b', 'a\0b', 'a\u0001', '\ud800', 'x'.repeat(65_536)])(
    'refuses "%s" [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3]',
    (name) => {
      expect(isTopicName(name)).toBe(false);
    },
  );
});

describe('Topic Filters', () => {
  it.each([
    '#',
    '+',
    '/',
    '+/#',
    '+/+',
    '/+',
    '+/',
    '/#',
    'a/#',
    'a/+/b',
    '+/a/#',
    'a//#',
    '$SYS/#',
    '$share',
    'a/$share/b',
  ])('accepts %s [MQTT-4.7.1-1] [MQTT-4.7.1-2]', (filter) => {
    expect(isTopicFilter(filter)).toBe(true);
  });

  it.each(BAD_FILTERS)('O-9 refuses "%s" [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] [MQTT-4.8.2-2]', (filter) => {
    expect(isTopicFilter(filter)).toBe(false);
  });

  it.each(['a\0', 'a\u0007/#', '\udfff', `${'x'.repeat(65_534)}/#`])(
    'refuses characters and lengths that no string may have [MQTT-4.7.3-2] [MQTT-4.7.3-3]',
    (filter) => {
      expect(isTopicFilter(filter)).toBe(false);
    },
  );
});

describe('Shared Subscriptions', () => {
  it.each([
    ['$share/g/a', 'g', 'a'],
    ['$share/g/#', 'g', '#'],
    ['$share/g/+/b/#', 'g', '+/b/#'],
    ['$share/g//', 'g', '/'],
    ['$share/group name/$SYS/x', 'group name', '$SYS/x'],
  ])('splits %s [MQTT-4.8.2-1] [MQTT-4.8.2-2]', (filter, shareName, topicFilter) => {
    expect(parseSharedFilter(filter)).toEqual({ shareName, topicFilter });
    expect(isTopicFilter(filter)).toBe(true);
  });

  it.each(['a', '$share', '$SHARE/g/a', '$shared/g/a', '/$share/g/a', ''])(
    'takes %s for no Shared Subscription',
    (filter) => {
      expect(parseSharedFilter(filter)).toBeNull();
    },
  );

  it.each(BAD_FILTERS.filter((filter) => filter.startsWith('$share/')))(
    'O-9 refuses %s with 0x81 [MQTT-4.8.2-1] [MQTT-4.8.2-2]',
    (filter) => {
      const error = parseSharedFilter(filter);
      expect(error).toBeInstanceOf(ProtocolError);
      expect(error).toMatchObject({ reasonCode: 0x81 });
    },
  );
});

describe('levels', () => {
  it.each([
    ['a', 1],
    ['/', 2],
    ['/a', 2],
    ['a/b/c', 3],
    ['a//', 3],
  ])('U-25 counts empty levels: %s has %i', (text, levels) => {
    expect(countTopicLevels(text)).toBe(levels);
  });
});

describe('matching', () => {
  it.each([
    ['a', 'a'],
    ['a/b', 'a/b'],
    ['#', 'a'],
    ['#', '/'],
    ['#', 'a/b/c'],
    ['a/#', 'a'],
    ['a/#', 'a/'],
    ['a/#', 'a/b/c'],
    ['a/b/#', 'a/b'],
    ['+', 'a'],
    ['+/+', '/a'],
    ['+/+', '/'],
    ['/+', '/a'],
    ['/+', '/'],
    ['a/+', 'a/'],
    ['a/+/c', 'a//c'],
    ['a/+/c', 'a/b/c'],
    ['+/#', 'a'],
    ['+/#', '/a'],
    ['+/b/#', 'a/b'],
    ['$SYS/#', '$SYS/x'],
    ['$SYS/#', '$SYS'],
    ['$SYS/+', '$SYS/x'],
    ['a/$x', 'a/$x'],
    ['+/$x', 'a/$x'],
    ['a/#', 'a/$x'],
    ['温/+', '温/é'],
  ])('U-25 %s matches %s', (filter, name) => {
    expect(topicMatches(filter, name)).toBe(true);
  });

  it.each([
    ['a', 'A'],
    ['a', '/a'],
    ['/a', 'a'],
    ['a/', 'a'],
    ['a', 'a/'],
    ['a', 'ab'],
    ['ab', 'a'],
    ['a/b', 'a'],
    ['a/b', 'a/b/c'],
    ['a/b/c', 'a/b'],
    ['+', '/'],
    ['+', '/a'],
    ['+', 'a/b'],
    ['a/+', 'a'],
    ['a/+', 'a/b/c'],
    ['a/+/c', 'a/b/d'],
    ['a/#', 'ab'],
    ['a/#', 'b'],
    ['a/b/#', 'a'],
    ['+/b/#', 'a'],
    ['é', 'e\u0301'],
  ])('U-25 %s does not match %s [MQTT-4.7.3-4]', (filter, name) => {
    expect(topicMatches(filter, name)).toBe(false);
  });

  it.each([
    ['#', '$SYS'],
    ['#', '$SYS/x'],
    ['+/x', '$SYS/x'],
    ['+', '$SYS'],
    ['+/#', '$SYS/x'],
  ])('K-12 %s does not match %s [MQTT-4.7.2-1]', (filter, name) => {
    expect(topicMatches(filter, name)).toBe(false);
  });

  it('agrees with a matcher that compares level by level', () => {
    const byLevels = (filter: readonly string[], name: readonly string[]): boolean => {
      const [wanted, ...restOfFilter] = filter;
      if (wanted === undefined) return name.length === 0;
      if (wanted === '#') return true;
      const [level, ...restOfName] = name;
      if (level === undefined) return false;
      return (wanted === '+' || wanted === level) && byLevels(restOfFilter, restOfName);
    };
    const level = fc.constantFrom('', 'a', 'b', 'ab', '$s');
    const names = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
    const filters = fc
      .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));
    fc.assert(
      fc.property(filters, names, (filter, name) => {
        fc.pre(filter.length > 0 && name.length > 0);
        const hidden = name.startsWith('$') && /^[+#]/.test(filter);
        expect(isTopicFilter(filter)).toBe(true);
        expect(isTopicName(name)).toBe(true);
        expect(topicMatches(filter, name)).toBe(!hidden && byLevels(filter.split('/'), name.split('/')));
      }),
      { numRuns: 2_000 },
    );
  });
});

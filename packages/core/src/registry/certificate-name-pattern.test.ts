import { describe, expect, it } from 'vitest';
import { compileNamePattern, nameFromCommonName, namePatternProblem } from './certificate-name-pattern.ts';

const nameOf = (pattern: string, commonName: string) => {
  const compiled = compileNamePattern(pattern);
  return compiled === null ? null : nameFromCommonName(compiled, commonName);
};

describe('the pattern for names of devices', () => {
  it.each([
    ['(.*)\\.company.com', 'DeviceA.company.com', 'DeviceA'],
    ['([^@]+)', 'pump@yard', 'pump'],
    ['^device-([0-9]{4})$', 'device-0042', '0042'],
    ['CN-(?:a|b)-(\\w+)', 'CN-b-x1', 'x1'],
    ['^([a-z]+)-([a-z]+)-(.+)$', 'a-b-c', 'a'],
    ['(?<name>[\\w-]+)\\.(?:test|live)?$', 'x-1.live', 'x-1'],
    ['(.+)', '(a+)+', '(a+)+'],
    ['^((?:[a-f0-9]{2}:){5}[a-f0-9]{2})$', '00:11:22:33:44:ff', '00:11:22:33:44:ff'],
    ['[(]([)+*]+)\\x41', '(+*)A', '+*)'],
  ])('accepts %s', (pattern, commonName, name) => {
    expect(namePatternProblem(pattern)).toBeNull();
    expect(nameOf(pattern, commonName)).toBe(name);
  });

  it('gives no name without a match, without the group, and for a name that no certificate has', () => {
    expect(nameOf('^x(.*)', 'y')).toBeNull();
    expect(nameOf('a|(b)', 'a')).toBeNull();
    expect(nameOf('(.*)', 'a'.repeat(65))).toBeNull();
    expect(nameOf('(.*)', 'a'.repeat(64))).toBe('a'.repeat(64));
  });

  it.each([
    ['(', 'is not a regular expression'],
    ['[b-a]()', 'is not a regular expression'],
    ['.*', 'has no capture group'],
    [`(${'a'.repeat(256)})`, 'is longer than 256 characters'],
    ['(a)(?=b)', 'has look-around or flags inside'],
    ['(a)(?<!b)', 'has look-around or flags inside'],
    ['(a)\\1', 'has back-references or Unicode classes'],
    ['(\\p{L}+)', 'has back-references or Unicode classes'],
  ])('refuses %s', (pattern, problem) => {
    expect(namePatternProblem(pattern)).toBe(problem);
  });

  it.each([
    '(a+)+$',
    '((a*)*)b',
    '(a|a)*b',
    '(a|aa)+$',
    '(?:x(a?b)){2,}',
    '((?:[a-z]+\\.)*)x',
    '(?:(?:a{1,9}){1,9})(b)',
  ])('refuses nested quantifiers: %s', (pattern) => {
    expect(namePatternProblem(pattern)).toBe('has nested quantifiers');
  });

  it.each(['(.*.*)x', '(a*a*)b', '(\\w+\\d+)x', '(a*)b?a*c', '(.*)[^x]+y', '((?:a*a+)|b)c', 'a{0,60}(a{0,60})b'])(
    'refuses overlapping quantifiers: %s',
    (pattern) => {
      expect(namePatternProblem(pattern)).toBe('has overlapping quantifiers');
    },
  );

  it('refuses many open quantifiers and many choices', () => {
    expect(namePatternProblem('(.*)a.*a.*a')).toBeNull();
    expect(namePatternProblem('(.*)a.*a.*a.*b')).toBe('has too many quantifiers');
    expect(namePatternProblem('(a?)b?c?')).toBeNull();
    expect(namePatternProblem(`(x)${'a?'.repeat(30)}${'a'.repeat(30)}`)).toBe(
      'has too many alternatives and optional parts',
    );
    expect(namePatternProblem(`(x)${'(?:a|b)'.repeat(4)}`)).toBe('has too many alternatives and optional parts');
  });
});

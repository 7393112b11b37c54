import { expect, it } from 'vitest';
import { formatRateLimit, parseRateLimit, strictestRateLimit } from './rate-limit-text.ts';

it.each([
  ['', []],
  ['  ', []],
  ['20:1', [[20, 1]]],
  [
    '20:1,600:60',
    [
      [20, 1],
      [600, 60],
    ],
  ],
  [
    ' 1:1 , 2:3 ',
    [
      [1, 1],
      [2, 3],
    ],
  ],
])('reads %j', (text, windows) => {
  const read = parseRateLimit(text);
  expect(read).toEqual({ ok: true, limit: windows.map(([count, seconds]) => ({ count, seconds })) });
});

it.each([
  ['20', "'20' is no pair of count:seconds, as in 20:1,600:60"],
  ['20:1,', "'' is no pair of count:seconds, as in 20:1,600:60"],
  ['-1:1', "'-1:1' is no pair of count:seconds, as in 20:1,600:60"],
  ['1.5:1', "'1.5:1' is no pair of count:seconds, as in 20:1,600:60"],
  ['0:0', "The count in '0:0' must be 1 to 1000000000"],
  ['1000000001:1', "The count in '1000000001:1' must be 1 to 1000000000"],
  ['1:0', "The seconds in '1:0' must be 1 to 31536000"],
  ['1:31536001', "The seconds in '1:31536001' must be 1 to 31536000"],
  ['1:1,2:1', 'There are two counts for 1 seconds'],
  ['1:1,2:2,3:3,4:4,5:5,6:6,7:7,8:8,9:9', 'A rate limit has at most 8 pairs of count:seconds'],
  ['x'.repeat(1000), `'${'x'.repeat(40)}' is no pair of count:seconds, as in 20:1,600:60`],
])('refuses %.40s', (text, message) => {
  expect(parseRateLimit(text)).toEqual({ ok: false, message });
});

it('writes what it reads', () => {
  for (const text of ['', '20:1', '20:1,600:60']) {
    const read = parseRateLimit(text);
    expect(read.ok && formatRateLimit(read.limit)).toBe(text);
  }
});

it.each([
  ['', '', ''],
  ['20:1', '', '20:1'],
  ['', '20:1', '20:1'],
  ['20:1,600:60', '10:1', '10:1,600:60'],
  ['600:60', '10:1', '10:1,600:60'],
])('the strictest of %j and %j is %j', (a, b, both) => {
  expect(strictestRateLimit(a, b)).toBe(both);
});

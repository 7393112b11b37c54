import { describe, expect, it } from 'vitest';
import { readAuthorization } from './authorization-header.ts';

describe('authorization header', () => {
  it.each([
    [{}, { scheme: 'none' }],
    [{ authorization: '  ' }, { scheme: 'none' }],
    [{ authorization: 'Bearer a.b' }, { scheme: 'bearer', credential: 'a.b' }],
    [{ authorization: 'bearer  a.b ' }, { scheme: 'bearer', credential: 'a.b' }],
    [
      { 'x-authorization': 'ApiKey k', authorization: 'Bearer a' },
      { scheme: 'apiKey', credential: 'k' },
    ],
    [
      { 'x-authorization': '', authorization: 'Bearer a' },
      { scheme: 'bearer', credential: 'a' },
    ],
    [{ 'x-authorization': ['Bearer a', 'Bearer b'] }, { scheme: 'none' }],
    [{ authorization: 'Basic YTpi' }, { scheme: 'unknown' }],
    [{ authorization: 'Bearer' }, { scheme: 'unknown' }],
  ])('TBS-5 reads %j', (headers, expected) => {
    expect(readAuthorization(headers)).toEqual(expected);
  });
});

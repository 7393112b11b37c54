import { describe, expect, it } from 'vitest';
import { normaliseAddress } from './remote-address.ts';

describe('normaliseAddress', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:10.1.2.3', '10.1.2.3'],
    ['2001:DB8::1', '2001:db8::1'],
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['', ''],
  ])('spells %s as %s', (given, expected) => {
    expect(normaliseAddress(given)).toBe(expected);
  });
});

import { expect, it } from 'vitest';
import { crc16 } from './crc16.ts';

it('ALI-79 the checksums of section 5', () => {
  expect(crc16(new TextEncoder().encode('123456789'))).toBe(0xbb3d);
  expect(crc16(new TextEncoder().encode('hello'))).toBe(0x34d2);
});

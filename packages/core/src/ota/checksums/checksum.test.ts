import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../../model/ota.ts';
import { checksumAlgorithm, startChecksum } from './checksum.ts';

const crypto = {
  digest: (algorithm: string) => {
    const hash = createHash(algorithm);
    return { update: (bytes: Uint8Array) => void hash.update(bytes), hex: () => hash.digest('hex') };
  },
};

function checksum(algorithm: ChecksumAlgorithm, ...parts: Uint8Array[]): string {
  const running = startChecksum(algorithm, crypto);
  for (const part of parts) running.update(part);
  return running.hex();
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const FOX = 'The quick brown fox jumps over the lazy dog';

const mask = 0xffff_ffff_ffff_ffffn;
const rotate = (word: bigint, bits: bigint): bigint => ((word << bits) | (word >> (64n - bits))) & mask;

/** MurmurHash3_x64_128 as Appleby wrote it, in 64-bit words. */
function reference128(bytes: Uint8Array): string {
  const c1 = 0x87c37b91114253d5n;
  const c2 = 0x4cf5ad432745937fn;
  const word = (at: number): bigint => {
    let value = 0n;
    for (let index = 7; index >= 0; index -= 1) value = (value << 8n) | BigInt(bytes[at + index] ?? 0);
    return value;
  };
  let h1 = 0n;
  let h2 = 0n;
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < bytes.length; at += 16) {
    h1 ^= (rotate((word(at) * c1) & mask, 31n) * c2) & mask;
    if (at < whole) h1 = ((((rotate(h1, 27n) + h2) & mask) * 5n) & mask) + 0x52dce729n;
    h1 &= mask;
    h2 ^= (rotate((word(at + 8) * c2) & mask, 33n) * c1) & mask;
    if (at < whole) h2 = ((((rotate(h2, 31n) + h1) & mask) * 5n) & mask) + 0x38495ab5n;
    h2 &= mask;
  }
  const finish = (value: bigint): bigint => {
    let k = ((value ^ (value >> 33n)) * 0xff51afd7ed558ccdn) & mask;
    k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & mask;
    return k ^ (k >> 33n);
  };
  const length = BigInt(bytes.length);
  h1 ^= length;
  h2 ^= length;
  h1 = (h1 + h2) & mask;
  h2 = (h2 + h1) & mask;
  h1 = finish(h1);
  h2 = finish(h2);
  h1 = (h1 + h2) & mask;
  h2 = (h2 + h1) & mask;
  const out = Buffer.alloc(16);
  out.writeBigUInt64LE(h1, 0);
  out.writeBigUInt64LE(h2, 8);
  return out.toString('hex');
}

describe('checksums of packages', () => {
  it('TBS-75 prints CRC32 of 123456789 as its bytes, the least significant first', () => {
    expect(checksum('CRC32', text('123456789'))).toBe('2639f4cb');
  });

  // MD5: RFC 1321, A.5. SHA-2: FIPS 180-4 examples. Murmur: values of the reference implementation, byte by byte.
  it.each([
    ['MD5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['SHA256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'SHA384',
      'abc',
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    ],
    [
      'SHA512',
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    ['CRC32', '', '00000000'],
    ['CRC32', FOX, '39a34f41'],
    ['MURMUR3_32', '', '00000000'],
    ['MURMUR3_32', 'hello', '47fa8b24'],
    ['MURMUR3_32', FOX, '23f74f2e'],
    ['MURMUR3_128', '', '00000000000000000000000000000000'],
    ['MURMUR3_128', 'hello', '029bbd41b3a7d8cb191dae486a901e5b'],
    ['MURMUR3_128', FOX, '6c1b07bc7bbc4be347939ac4a93c437a'],
  ] as const)('TB-84 %s of "%s"', (algorithm, value, expected) => {
    expect(checksum(algorithm, text(value))).toBe(expected);
  });

  it('CRC32 agrees with zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const expected = Buffer.alloc(4);
        expected.writeUInt32LE(crc32(bytes));
        expect(checksum('CRC32', bytes)).toBe(expected.toString('hex'));
      }),
    );
  });

  it('MURMUR3_128 agrees with the same in 64-bit words, also where every carry runs over', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.constantFrom(0, 255, 128, 127), { maxLength: 200 }).map((list) => Uint8Array.from(list)),
    );
    fc.assert(fc.property(bytes, (value) => checksum('MURMUR3_128', value) === reference128(value)));
  });

  it.each(CHECKSUM_ALGORITHMS)('%s does not depend on how the bytes are cut', (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }), (parts) => {
        const joined = Uint8Array.from(parts.flatMap((part) => [...part]));
        expect(checksum(algorithm, ...parts)).toBe(checksum(algorithm, joined));
      }),
    );
  });

  it('finds algorithms by name in any case', () => {
    expect(checksumAlgorithm('murmur3_128')).toBe('MURMUR3_128');
    expect(checksumAlgorithm('Sha256')).toBe('SHA256');
    expect(checksumAlgorithm('SHA1')).toBeUndefined();
    expect(checksumAlgorithm('__proto__')).toBeUndefined();
  });
});

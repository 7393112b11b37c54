import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../../model/ota.ts';
import type { Crypto } from '../../ports/runtime.ts';
import { Crc32 } from './crc32.ts';
import { Murmur3x32 } from './murmur3-32.ts';
import { Murmur3x64 } from './murmur3-128.ts';
import type { RunningChecksum } from './running-checksum.ts';

/** The algorithm of this name in any case; undefined: there is none. */
export function checksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  const upper = name.toUpperCase();
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === upper);
}

/** Starts a checksum in the form that devices compare with. thingsboard-device.md, 7.1 */
export function startChecksum(algorithm: ChecksumAlgorithm, crypto: Pick<Crypto, 'digest'>): RunningChecksum {
  switch (algorithm) {
    case 'CRC32':
      return new Crc32();
    case 'MURMUR3_32':
      return new Murmur3x32();
    case 'MURMUR3_128':
      return new Murmur3x64();
    default:
      return crypto.digest(algorithm);
  }
}

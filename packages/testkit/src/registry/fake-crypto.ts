import { createHash } from 'node:crypto';
import type { Crypto } from '@moorage/core';

/**
 * Cryptography for tests: quick, readable, and the same in every run with the same `seed`. Hashes and seals protect
 * nothing; `hashes` counts the costly calls.
 */
export class FakeCrypto implements Crypto {
  readonly #key: string;
  #state: number;
  #seals = 0;
  hashes = 0;
  verifications = 0;

  constructor(seed = 1, key = 'fake') {
    this.#state = seed >>> 0 || 1;
    this.#key = key;
  }

  uuid(): string {
    const hex = Array.from(this.randomBytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** Marsaglia's xorshift. */
  randomBytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index += 1) {
      this.#state ^= this.#state << 13;
      this.#state ^= this.#state >>> 17;
      this.#state ^= this.#state << 5;
      bytes[index] = this.#state >>> 8;
    }
    return bytes;
  }

  async hashPassword(password: string): Promise<string> {
    this.hashes += 1;
    return `hashed:${createHash('sha256').update(password).digest('hex')}`;
  }

  async verifyPassword(password: string, hash: string): Promise<boolean> {
    this.verifications += 1;
    return hash === `hashed:${createHash('sha256').update(password).digest('hex')}`;
  }

  sha3_256(text: string): string {
    return createHash('sha3-256').update(text).digest('hex');
  }

  digest(algorithm: 'MD5' | 'SHA256' | 'SHA384' | 'SHA512'): { update(bytes: Uint8Array): void; hex(): string } {
    const hash = createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  }

  equal(a: string, b: string): boolean {
    return a === b;
  }

  /** Different every time, and without the secret as readable text. */
  seal(secret: string): string {
    this.#seals += 1;
    return `sealed:${this.#key}:${this.#seals}:${Buffer.from(secret).toString('hex')}`;
  }

  /** Throws for text that another key has sealed. */
  open(sealed: string): string {
    const [mark, key, , hex] = sealed.split(':');
    if (mark !== 'sealed' || key !== this.#key || hex === undefined) throw new RangeError('sealed by another key');
    return Buffer.from(hex, 'hex').toString();
  }
}

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hash,
  type KeyObject,
  randomBytes,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';
import type { Crypto } from '@moorage/core';
import { hashPassword, verifyPassword } from './password-hash.ts';

const VERSION = 'v1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Hashes of passwords that run at the same time: each needs 19 MiB and one of the few threads of Node's pool. */
const PARALLEL_HASHES = 2;

/** A sealed secret cannot be opened: it was sealed under another key, or it has been changed. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code = 'sealBroken';
}

/** Node's cryptography. Secrets are sealed by AES-256-GCM under the key of this installation (32 bytes). */
export class NodeCrypto implements Crypto {
  readonly #key: KeyObject;
  readonly #waiting: (() => void)[] = [];
  #hashing = 0;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  uuid(): string {
    return randomUUID();
  }

  randomBytes(length: number): Uint8Array {
    return new Uint8Array(randomBytes(length));
  }

  hashPassword(password: string): Promise<string> {
    return this.#limited(() => hashPassword(password));
  }

  verifyPassword(password: string, hashText: string): Promise<boolean> {
    return this.#limited(() => verifyPassword(password, hashText));
  }

  sha3_256(text: string): string {
    return hash('sha3-256', text, 'hex');
  }

  digest(algorithm: 'MD5' | 'SHA256' | 'SHA384' | 'SHA512'): { update(bytes: Uint8Array): void; hex(): string } {
    const running = createHash(algorithm);
    return { update: (bytes) => void running.update(bytes), hex: () => running.digest('hex') };
  }

  equal(a: string, b: string): boolean {
    // Digests have one length, so that the time does not tell the length of the secret either.
    return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
  }

  seal(secret: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const body = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return VERSION + body.toString('base64url');
  }

  open(sealed: string): string {
    const body = Buffer.from(sealed.slice(VERSION.length), 'base64url');
    if (!sealed.startsWith(VERSION) || body.length < NONCE_BYTES + TAG_BYTES) {
      throw new SealError('the text is not a sealed secret');
    }
    const tagAt = body.length - TAG_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, body.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(body.subarray(tagAt));
    try {
      return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, tagAt)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new SealError('the secret was sealed under another key or has been changed', { cause });
    }
  }

  async #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#hashing >= PARALLEL_HASHES) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#hashing++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#hashing--;
      else next();
    }
  }
}

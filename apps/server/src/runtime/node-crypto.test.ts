import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeCrypto, SealError } from './node-crypto.ts';
import { hashPassword, verifyPassword } from './password-hash.ts';

const crypto = new NodeCrypto(new Uint8Array(32).fill(1));

describe('NodeCrypto', () => {
  it('makes lower-case version 4 UUIDs', () => {
    expect(crypto.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(crypto.uuid()).not.toBe(crypto.uuid());
  });

  it('makes random bytes of the length asked for', () => {
    expect(crypto.randomBytes(20)).toHaveLength(20);
    expect(crypto.randomBytes(20)).not.toEqual(crypto.randomBytes(20));
  });

  it('hashes with SHA3-256 (FIPS 202, empty message)', () => {
    expect(crypto.sha3_256('')).toBe('a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a');
    expect(crypto.sha3_256('é')).toBe(createHash('sha3-256').update('é', 'utf8').digest('hex'));
  });

  it.each(['MD5', 'SHA256', 'SHA384', 'SHA512'] as const)('computes a running digest by %s', (algorithm) => {
    const running = crypto.digest(algorithm);
    running.update(Buffer.from('ab'));
    running.update(Buffer.from('c'));
    expect(running.hex()).toBe(createHash(algorithm).update('abc').digest('hex'));
  });

  it('compares texts, also of different length', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(crypto.equal(a, b)).toBe(a === b);
        expect(crypto.equal(a, a)).toBe(true);
      }),
      { numRuns: 60 },
    );
    expect(crypto.equal('secret', 'secret ')).toBe(false);
  });

  it('opens what it sealed, and the text differs every time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (secret) => {
        const sealed = crypto.seal(secret);
        expect(crypto.open(sealed)).toBe(secret);
        expect(sealed).not.toBe(crypto.seal(secret));
        expect(sealed).toMatch(/^v1\.[\w-]+$/);
      }),
      { numRuns: 60 },
    );
  });

  it('opens nothing that was changed, cut, or sealed under another key', () => {
    const sealed = crypto.seal('device secret');
    for (let at = 0; at < sealed.length - 1; at++) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      expect(() => crypto.open(sealed.slice(0, at) + other + sealed.slice(at + 1))).toThrow(SealError);
      expect(() => crypto.open(sealed.slice(0, at))).toThrow(SealError);
    }
    expect(() => new NodeCrypto(new Uint8Array(32).fill(2)).open(sealed)).toThrow(SealError);
  });

  it('hashes and verifies passwords, more at once than may run at once', async () => {
    const passwords = ['', 'a', 'correct horse', '密码', 'x'.repeat(1000)];
    const hashes = await Promise.all(passwords.map((password) => crypto.hashPassword(password)));
    const right = await Promise.all(passwords.map((password, at) => crypto.verifyPassword(password, hashes[at] ?? '')));
    expect(right).toEqual([true, true, true, true, true]);
    expect(await crypto.verifyPassword('wrong', hashes[0] ?? '')).toBe(false);
    expect(new Set(hashes).size).toBe(5);
  });
});

describe('password hashes', () => {
  it.each(['argon2id', 'scrypt'] as const)('%s carries its parameters and a salt of its own', async (algorithm) => {
    const [first, second] = await Promise.all([hashPassword('pw', algorithm), hashPassword('pw', algorithm)]);
    const form =
      algorithm === 'argon2id'
        ? /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/
        : /^\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/;
    expect(first).toMatch(form);
    expect(first).not.toBe(second);
    expect(await verifyPassword('pw', first)).toBe(true);
    expect(await verifyPassword('pW', first)).toBe(false);
  });

  it('accepts a character however the keyboard composed it', async () => {
    expect(await verifyPassword('e\u0301', await hashPassword('\u00e9', 'scrypt'))).toBe(true);
  });

  it.each([
    '',
    'plain text',
    '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$',
    '$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA',
    '$argon2id$v=19$m=19456,t=999,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA',
    '$argon2id$v=19$m=1,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA',
    '$scrypt$ln=40,r=8,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA',
    '$scrypt$ln=15,r=0,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA',
  ])('takes %j for no hash', async (hash) => {
    expect(await verifyPassword('', hash)).toBe(false);
  });
});

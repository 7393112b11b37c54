import { X509Certificate } from 'node:crypto';
import { CERTIFICATES } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { commonNameOf, describeCertificate, isChain } from './presented-certificate.ts';
import { SUBJECTS } from './testing/subjects.ts';

const read = (pem: string) => describeCertificate(new X509Certificate(pem));

describe('description of a certificate', () => {
  it.each([
    ['the first of two names', SUBJECTS.twoNames, 'first'],
    ['a name inside an attribute of several values', SUBJECTS.manyAttributes, 'sensor-7'],
    ['a name in UTF-8', SUBJECTS.unicode, 'Pumpe Köln №7 水'],
    ['a name with characters that are escaped in text', SUBJECTS.escaped, 'a+b, "c" \\ / =d<;>'],
    ['no name', SUBJECTS.nameless, null],
  ])('has %s', (_title, pem, name) => {
    expect(read(pem)?.commonName).toBe(name);
  });

  it('has the base64 text and its SHA3-256 (thingsboard-device.md, 1.4)', () => {
    const described = read(CERTIFICATES.device.certificate);
    expect(described?.text).toBe(CERTIFICATES.device.certificate.replace(/-----[^-]+-----|\s/g, ''));
    // openssl dgst -sha3-256 over the text.
    expect(described?.hash).toBe('9a22c8d89de235c7a91fe2b3e0dd158f9e1bf274db611de0a819a22d87c6d551');
  });

  it.each([
    ['64 characters', 'x'.repeat(64), 'x'.repeat(64)],
    ['64 characters outside the basic plane', '🚢'.repeat(64), '🚢'.repeat(64)],
    ['65 characters', 'x'.repeat(65), null],
    ['a very long text', 'x'.repeat(1_000_000), null],
    ['an empty text', '', null],
    ['a control character', 'a\u0000b', null],
    ['no text', 7, null],
    ['an empty list', [], null],
  ])('takes a name with %s as it should', (_title, CN, name) => {
    expect(commonNameOf({ CN })).toBe(name);
  });
});

describe('chain', () => {
  const certificate = (name: keyof typeof CERTIFICATES) => new X509Certificate(CERTIFICATES[name].certificate);

  it('is one where each is signed by the next', () => {
    expect(isChain([certificate('device'), certificate('intermediate'), certificate('ca')])).toBe(true);
    expect(isChain([certificate('stranger')])).toBe(true);
    expect(isChain([certificate('ca'), certificate('ca')])).toBe(true);
    expect(isChain([new X509Certificate(SUBJECTS.unicode)])).toBe(true);
  });

  it('is none with a gap, in another order, or with a foreign issuer', () => {
    expect(isChain([certificate('device'), certificate('ca')])).toBe(false);
    expect(isChain([certificate('intermediate'), certificate('device')])).toBe(false);
    expect(isChain([certificate('device'), certificate('intermediate'), certificate('stranger')])).toBe(false);
  });
});

import { createHash, type X509Certificate } from 'node:crypto';
import type { PresentedCertificate } from '@moorage/mqtt-broker';

/** ub-common-name of X.520; a longer name is none. RFC 5280, A.1 */
const MAXIMUM_NAME_LENGTH = 64;

/** What the registry needs of a certificate; undefined: it cannot be read. thingsboard-device.md, 1.4 */
export function describeCertificate(certificate: X509Certificate): PresentedCertificate | undefined {
  const text = certificate.raw.toString('base64');
  const validFrom = Date.parse(certificate.validFrom);
  const validTo = Date.parse(certificate.validTo);
  if (Number.isNaN(validFrom) || Number.isNaN(validTo)) return undefined;
  return {
    text,
    hash: createHash('sha3-256').update(text).digest('hex'),
    commonName: commonNameOf(certificate.toLegacyObject().subject),
    validFrom,
    validTo,
  };
}

/**
 * The first Common Name of a subject; null where there is none, it is empty or longer than 64 characters, or it has
 * control characters. `subject` has the attributes by name, without escapes; several values of one are an array.
 */
export function commonNameOf(subject: object): string | null {
  const names: unknown = Reflect.get(subject, 'CN');
  const name: unknown = Array.isArray(names) ? names[0] : names;
  if (typeof name !== 'string' || name === '' || /\p{Cc}/u.test(name)) return null;
  // A character outside the basic plane counts as one, as in the standard.
  return name.length <= 2 * MAXIMUM_NAME_LENGTH && [...name].length <= MAXIMUM_NAME_LENGTH ? name : null;
}

/** Tells whether each certificate, leaf first, is signed by the next one. */
export function isChain(certificates: readonly X509Certificate[]): boolean {
  return certificates.every((certificate, index) => {
    const issuer = certificates[index + 1];
    return issuer === undefined || isSignedBy(certificate, issuer);
  });
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key of a kind that OpenSSL does not know signs nothing.
    return false;
  }
}

import { type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

/** Years: as long as devices may carry it. */
const AUTHORITY_YEARS = 20;
/** What most clients accept at the longest. */
const SERVER_DAYS = 825;
const DAY_MS = 86_400_000;
/** Devices' clocks lag behind. */
const BACKDATED_MS = DAY_MS;

/** P-256 is small and quick; RSA is for firmware that knows nothing else. */
export type KeyKind = 'ec' | 'rsa';

/** A certificate and its key, in PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHMS = {
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
} as const;

/** Loads the package on first use; it reads its own types by decorators, which want the other package first. */
async function loadX509() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

/** Makes an authority of one's own. `name` is shown by clients that list authorities. */
export async function issueAuthority(name: string, kind: KeyKind, nowMs: number): Promise<IssuedCertificate> {
  const x509 = await loadX509();
  const algorithm = ALGORITHMS[kind];
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_YEARS * 365 * DAY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pemOf(certificate), key: await exportKey(keys.privateKey) };
}

/** Makes a certificate of a server for host names and addresses, the first of which is its common name. RFC 5280, 4.2.1.6 */
export async function issueServerCertificate(
  authority: { readonly certificate: string; readonly key: KeyObject },
  names: readonly string[],
  kind: KeyKind,
  nowMs: number,
): Promise<IssuedCertificate> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const algorithm = ALGORITHMS[kind];
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const signing = ALGORITHMS[authority.key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec'];
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    authority.key.export({ type: 'pkcs8', format: 'der' }),
    signing,
    false,
    ['sign'],
  );
  const usage = x509.KeyUsageFlags.digitalSignature | (kind === 'rsa' ? x509.KeyUsageFlags.keyEncipherment : 0);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // A common name holds 64 characters at most; the names that count are in the extension.
    subject: [{ CN: [(names[0] ?? 'moorage').slice(0, 64)] }],
    issuer: issuer.subjectName,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(Math.min(nowMs + SERVER_DAYS * DAY_MS, issuer.notAfter.getTime())),
    signingAlgorithm: signing,
    signingKey,
    publicKey: keys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usage, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? ('dns' as const) : ('ip' as const), value: name })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pemOf(certificate), key: await exportKey(keys.privateKey) };
}

function pemOf(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem').trimEnd()}\n`;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`;
}

/** Positive, at most 20 bytes, not to be guessed. RFC 5280, 4.1.2.2 */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

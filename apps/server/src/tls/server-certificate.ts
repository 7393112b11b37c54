import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsMaterial } from '@moorage/listeners';

/** Longest certificate or key file that is read. */
const MAX_FILE_BYTES = 1_048_576;

/** Where the certificate of the server lies. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | null;
}

/** A certificate that belongs to its key. */
export interface ServerCertificate {
  readonly material: TlsMaterial;
  /** The first certificate of the file, which is the server's own. */
  readonly leaf: X509Certificate;
}

export type CertificateReading =
  | { readonly ok: true; readonly certificate: ServerCertificate }
  | {
      readonly ok: false;
      /** What is wrong, with the name of the file. */
      readonly message: string;
    };

/** Reads certificate and key and checks that they fit. The dates are left to the caller: an expired one still works for devices without a clock. */
export function readServerCertificate(files: CertificateFiles): CertificateReading {
  const certificate = readText(files.certificate);
  if (!certificate.ok) return certificate;
  const key = readText(files.key);
  if (!key.ok) return key;
  const clientCa = files.clientCa === null ? null : readText(files.clientCa);
  if (clientCa !== null && !clientCa.ok) return clientCa;
  const leaf = attempt(() => new X509Certificate(certificate.text));
  if (leaf === null) return { ok: false, message: `${files.certificate} does not begin with a certificate in PEM` };
  const secret: KeyObject | null = attempt(() => createPrivateKey(key.text));
  if (secret === null) {
    return { ok: false, message: `${files.key} is no private key in PEM without a password` };
  }
  if (!leaf.checkPrivateKey(secret)) {
    return { ok: false, message: `the key ${files.key} does not belong to the certificate ${files.certificate}` };
  }
  if (clientCa !== null && attempt(() => new X509Certificate(clientCa.text)) === null) {
    return { ok: false, message: `${files.clientCa} does not begin with a certificate in PEM` };
  }
  const clientAuthorities = clientCa === null ? null : clientCa.text;
  return {
    ok: true,
    certificate: { material: { certificate: certificate.text, key: key.text, clientAuthorities }, leaf },
  };
}

/** Whether a certificate can be used at a time. `days` are whole ones. */
export function validity(
  leaf: X509Certificate,
  nowMs: number,
): { readonly state: 'early' | 'valid' | 'expired'; readonly days: number } {
  const until = Date.parse(leaf.validTo);
  const days = Math.floor((until - nowMs) / 86_400_000);
  if (nowMs < Date.parse(leaf.validFrom)) return { state: 'early', days };
  return { state: nowMs > until ? 'expired' : 'valid', days };
}

function readText(file: string): { readonly ok: true; readonly text: string } | { ok: false; message: string } {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MAX_FILE_BYTES) return { ok: false, message: `${file} is too big` };
    return { ok: true, text: bytes.toString('utf8') };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { ok: false, message: `${file} cannot be read: ${reason}` };
  }
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}

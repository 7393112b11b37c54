import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PresentedCertificate } from '@moorage/mqtt-broker';
import { describeCertificate, isChain } from './presented-certificate.ts';

/** More than any chain in use; the rest of a longer one is left out. */
const MAX_CERTIFICATES = 8;
const MAX_REMEMBERED = 10_000;

/**
 * Reads what clients presented. A resumed TLS session knows the leaf alone, so what was read in earlier handshakes is
 * remembered by the leaf, the latest 10,000; the keys of resumption live no longer than this memory.
 */
export class ClientCertificates {
  readonly #chains = new Map<string, readonly PresentedCertificate[]>();

  /**
   * Leaf first; null: the client has presented none; `broken`: one is not signed by the next, or cannot be read. Of a
   * chain that OpenSSL could verify it keeps the leaf alone, so what is above it is taken from the authorities.
   */
  read(socket: TLSSocket, authorities: readonly X509Certificate[]): readonly PresentedCertificate[] | 'broken' | null {
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return null;
    const remembered = socket.isSessionReused() ? this.#chains.get(leaf.fingerprint256) : undefined;
    if (remembered !== undefined) return remembered;
    const certificates = [...climb(leaf, authorities)];
    if (!isChain(certificates)) return 'broken';
    const chain = certificates.map(describeCertificate).filter((one) => one !== undefined);
    if (chain.length < certificates.length) return 'broken';
    this.#remember(leaf.fingerprint256, chain);
    return chain;
  }

  #remember(fingerprint: string, chain: readonly PresentedCertificate[]): void {
    this.#chains.delete(fingerprint);
    this.#chains.set(fingerprint, chain);
    if (this.#chains.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#chains.keys();
    if (oldest !== undefined) this.#chains.delete(oldest);
  }
}

/** The certificates of a file in PEM. Throws for one that is damaged. */
export function readAuthorities(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function* climb(leaf: X509Certificate, authorities: readonly X509Certificate[]): Generator<X509Certificate> {
  let certificate: X509Certificate | undefined = leaf;
  for (let count = 0; certificate !== undefined && count < MAX_CERTIFICATES; count++) {
    yield certificate;
    certificate = certificate.issuerCertificate ?? issuerAmong(authorities, certificate);
  }
}

function issuerAmong(
  authorities: readonly X509Certificate[],
  certificate: X509Certificate,
): X509Certificate | undefined {
  if (certificate.checkIssued(certificate)) return undefined;
  return authorities.find((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey));
}

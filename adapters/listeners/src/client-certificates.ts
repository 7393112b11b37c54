import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** More than any chain in use; the rest of a longer one is left out. */
const MAX_CERTIFICATES = 8;
const MAX_REMEMBERED = 10_000;

/**
 * Reads what clients presented. A resumed TLS session knows the leaf alone, so the chains of earlier handshakes are
 * remembered by their leaf, the latest 10,000; the keys of resumption live no longer than this memory.
 */
export class ClientCertificates {
  readonly #chains = new Map<string, readonly Uint8Array[]>();

  /**
   * DER, leaf first; null: the client has presented none. Of a chain that OpenSSL could verify it keeps the leaf alone,
   * so what is above it is taken from the authorities.
   */
  read(socket: TLSSocket, authorities: readonly X509Certificate[]): readonly Uint8Array[] | null {
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return null;
    const chain: Uint8Array[] = [];
    let certificate: X509Certificate | undefined = leaf;
    while (certificate !== undefined && chain.length < MAX_CERTIFICATES) {
      chain.push(new Uint8Array(certificate.raw));
      certificate = certificate.issuerCertificate ?? issuerAmong(authorities, certificate);
    }
    if (socket.isSessionReused()) return this.#chains.get(leaf.fingerprint256) ?? chain;
    if (chain.length > 1) this.#remember(leaf.fingerprint256, chain);
    return chain;
  }

  #remember(fingerprint: string, chain: readonly Uint8Array[]): void {
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

function issuerAmong(
  authorities: readonly X509Certificate[],
  certificate: X509Certificate,
): X509Certificate | undefined {
  if (certificate.checkIssued(certificate)) return undefined;
  return authorities.find((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey));
}

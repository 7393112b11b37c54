import type { ClientCertificate, CredentialLookup } from '@moorage/core';
import { notAuthorized, unavailable } from './codes.ts';
import { type Identification, identified } from './credentials.ts';

/** Epoch milliseconds; null: the server has no clock for this, and no certificate can be valid. */
export type Now = (() => number) | null;

/** Why a certificate does not hold now; null: it does. Section 1.4 */
function invalidity({ validFrom, validTo }: ClientCertificate, now: Now, which: string): string | null {
  if (now === null) return `The validity of the ${which} cannot be checked.`;
  const at = now();
  if (at > validTo) return `The ${which} is expired.`;
  return at < validFrom ? `The ${which} is not valid yet.` : null;
}

/**
 * The device of a client certificate: the one that has the leaf as its credential, else the one that a profile makes of
 * the chain. undefined: neither knows it. The chain is leaf first, and each certificate is signed by the next. Section 1.4
 */
export function identifyByCertificate(
  chain: readonly ClientCertificate[],
  registry: CredentialLookup,
  now: Now,
): Identification | Promise<Identification> | undefined {
  const leaf = chain[0];
  if (leaf === undefined) return undefined;
  const credential = registry.byCertificate(leaf.hash);
  if (credential !== undefined) {
    const reason = invalidity(leaf, now, 'client certificate');
    return reason === null ? identified(credential.device) : notAuthorized(reason);
  }
  const trusted = chain.findIndex(({ hash }) => registry.hasCertificateProfile(hash));
  if (trusted === -1) return undefined;
  for (const certificate of chain.slice(0, trusted + 1)) {
    const which = certificate === leaf ? 'client certificate' : 'issuer of the client certificate';
    const reason = invalidity(certificate, now, which);
    if (reason !== null) return notAuthorized(reason);
  }
  return deviceOfChain(chain, registry);
}

async function deviceOfChain(chain: readonly ClientCertificate[], registry: CredentialLookup): Promise<Identification> {
  const answer = await registry.deviceOfChain(chain);
  switch (answer.outcome) {
    case 'found':
      return identified(answer.device);
    case 'refused':
      return notAuthorized(answer.reason);
    default:
      return unavailable('The device of the certificate chain could not be stored.');
  }
}

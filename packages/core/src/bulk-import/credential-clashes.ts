import type { ConnectCredential, CredentialLookup, NameHolder } from '../model/connect-registry.ts';
import type { NameClaim } from '../ports/repositories.ts';
import type { CredentialForm } from '../registry/credentials/credential-form.ts';
import { CREDENTIAL_KINDS, namesOf } from '../registry/credentials/read-credentials.ts';
import { NameEntries } from '../registry/registration.ts';

export type CredentialNames = Pick<CredentialLookup, 'byCertificate' | 'byClientId' | 'byUsername'>;

/** A credential that stands in the way of another one; `claim` null: it is the same certificate. */
export interface CredentialClash {
  readonly credential: ConnectCredential;
  readonly claim: NameClaim | null;
  readonly dialect: string;
}

/** What the server has that cannot be beside this credential, by the rule of the index. recognition.md, section 1 */
export function clashesOf(form: CredentialForm, names: CredentialNames): readonly CredentialClash[] {
  const kind = CREDENTIAL_KINDS[form.credentialsType];
  const found: CredentialClash[] = [];
  for (const claim of form.generated ? [] : namesOf(form, kind)) {
    const holder = claim.list === 'username' ? names.byUsername(claim.name) : names.byClientId(claim.name);
    if (holder === undefined) continue;
    const { dialect } = holder;
    const isWhole = dialect !== claim.dialect || claim.exclusive;
    for (const credential of isWhole ? holder.credentials : pairOf(holder, form.clientId)) {
      found.push({ credential, claim, dialect });
    }
  }
  const certified = form.credentialsType === 'X509_CERTIFICATE' ? names.byCertificate(form.credentialsId) : undefined;
  if (certified !== undefined) found.push({ credential: certified, claim: null, dialect: kind.dialect });
  return found;
}

/** The credential with this Client Identifier, without a look at all those that a fleet has under one user name. */
function pairOf(holder: NameHolder, clientId: string | null): readonly ConnectCredential[] {
  if (!(holder instanceof NameEntries)) return holder.credentials.filter((one) => one.clientId === clientId);
  const found = holder.get(clientId);
  return found === undefined ? [] : [found];
}

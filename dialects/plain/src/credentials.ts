import type { ConnectCredential, NameHolder } from '@moorage/core';
import { type ConnectPacket, passwordMatches, type Refusal } from '@moorage/dialect-api';
import { badCredentials, disabled } from './codes.ts';
import { clientIdPrefix } from './rights.ts';

/** Compared with the password of an unknown name, so that it takes as long as a known one. PL-4 */
const NOBODYS_PASSWORD = 'nobody has this password';

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const GENERATED_LENGTH = 22;

/** Does for an unknown name the work that is done for a known one. */
export function pretendToCheck(password: Uint8Array | null): void {
  passwordMatches(password, NOBODYS_PASSWORD);
}

/** A Client Identifier made by the server: `auto-` and 22 letters or digits. recognition.md, section 6 */
export function generateClientId(randomBytes: (length: number) => Uint8Array): string {
  let text = 'auto-';
  for (const byte of randomBytes(GENERATED_LENGTH)) text += LETTERS_AND_DIGITS.charAt(byte % LETTERS_AND_DIGITS.length);
  return text;
}

/** The Client Identifier that a credential fixes is checked like a second password. */
function clientIdFits(credential: ConnectCredential, clientId: string): boolean {
  if (credential.clientId !== null && credential.clientId !== clientId) return false;
  if (credential.application === null || clientId === '') return true;
  return clientId.startsWith(clientIdPrefix(credential.application.configuration));
}

/** The credential that the CONNECT presents, or why it is refused. */
export function identify(connect: ConnectPacket, holder: NameHolder): ConnectCredential | Refusal {
  const credential =
    holder.credentials.find(({ clientId }) => clientId === connect.clientId) ??
    holder.credentials.find(({ clientId }) => clientId === null) ??
    holder.credentials[0];
  if (credential === undefined) return badCredentials('The user name has no credentials.');
  const name = credential.device?.name ?? credential.application?.name ?? '';
  const passwordFits = passwordMatches(connect.password, credential.password);
  if (!passwordFits) return badCredentials(`Wrong password for ${name}.`);
  if (!clientIdFits(credential, connect.clientId)) return badCredentials(`Wrong client ID for ${name}.`);
  if (credential.application?.enabled === false) return disabled(name);
  return credential;
}

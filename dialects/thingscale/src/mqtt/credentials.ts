import type { ConnectCredential } from '@moorage/core';
import { type ConnectPacket, encodeText, type Refusal } from '@moorage/dialect-api';
import { badClientId, badCredentials, disabled } from './codes.ts';
import { deviceTokens, isToken } from './tokens.ts';

const THINGSCALE_ID = /^U[0-9A-Za-z]{6}$/;
/** Bytes. thingscale.md, 4.2 */
const MAXIMUM_CLIENT_ID = 256;
const GENERATED_BYTES = 8;

/** Whether a User Name has the form of a ThingScale ID. thingscale.md, 4.1 */
export function isThingscaleId(username: string | null): boolean {
  return username !== null && THINGSCALE_ID.test(username);
}

/** A Client Identifier made by the server: `auto-` and 16 hex digits. thingscale.md, 4.2 */
export function generateClientId(randomBytes: (length: number) => Uint8Array): string {
  const digits = Array.from(randomBytes(GENERATED_BYTES), (byte) => byte.toString(16).padStart(2, '0'));
  return `auto-${digits.join('')}`;
}

/** Why the CONNECT of an account is refused; null: it is not. */
export function refusalOf(connect: ConnectPacket, credential: ConnectCredential, now: number): Refusal | null {
  const name = credential.application?.name ?? '';
  if (!isToken(connect.password, deviceTokens(credential, now)))
    return badCredentials(`Wrong device token for ${name}.`);
  if (credential.application?.enabled !== true) return disabled(name);
  return clientIdRefusal(connect);
}

/** recognition.md, section 6 */
function clientIdRefusal({ clientId, cleanStart, level }: ConnectPacket): Refusal | null {
  if (clientId === '' && level !== 5 && !cleanStart) {
    return badClientId('An empty client ID needs a clean session, or MQTT 5.0.');
  }
  return encodeText(clientId).length > MAXIMUM_CLIENT_ID
    ? badClientId(`The client ID is longer than ${MAXIMUM_CLIENT_ID} bytes.`)
    : null;
}

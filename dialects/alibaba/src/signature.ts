import { passwordMatches } from '@moorage/dialect-api';

export type HmacAlgorithm = 'md5' | 'sha1' | 'sha256';

/** Lower-case hex of the HMAC of a text; both in UTF-8. */
export type Hmac = (algorithm: HmacAlgorithm, key: string, text: string) => string;

/** What devices call the algorithms; case does not matter. Section 1.2 */
const METHODS: ReadonlyMap<string, HmacAlgorithm> = new Map<string, HmacAlgorithm>([
  ['hmacmd5', 'md5'],
  ['hmacsha1', 'sha1'],
  ['hmacsha256', 'sha256'],
]);

/** undefined: there is no such method. One that is not named is HMAC-MD5. */
export function signMethod(name: string | undefined): HmacAlgorithm | undefined {
  return name === undefined ? 'md5' : METHODS.get(name.toLowerCase());
}

/** A device as it calls itself. */
export interface LinkIdentity {
  readonly productKey: string;
  readonly deviceName: string;
}

/** The text that a device signs to connect; the time only if it was sent. Section 1.2 */
export function connectContent(identity: LinkIdentity, clientId: string, timestamp: string | undefined): string {
  const time = timestamp === undefined ? '' : `timestamp${timestamp}`;
  return `clientId${clientId}deviceName${identity.deviceName}productKey${identity.productKey}${time}`;
}

/** The text that a device signs with the secret of its product to be registered. Section 1.7 */
export function registerContent(identity: LinkIdentity, random: string): string {
  return `deviceName${identity.deviceName}productKey${identity.productKey}random${random}`;
}

/** Whether the password is this hex text, in upper or lower case. The time depends on the password's length alone. */
export function signatureMatches(presented: Uint8Array | null, hex: string): boolean {
  if (presented === null) return false;
  const lower = presented.map((byte) => (byte >= 0x41 && byte <= 0x46 ? byte | 0x20 : byte));
  return passwordMatches(lower, hex);
}

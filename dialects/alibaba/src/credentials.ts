import { type ConnectCredential, type CredentialLookup, type DeviceRef, parseJson } from '@moorage/core';
import { type ConnectPacket, ownMember, passwordMatches, type Refusal, textMember } from '@moorage/dialect-api';
import type { LinkClientId } from './client-id.ts';
import { badClientId, badCredentials, badKeepAlive, notAuthorized, wrongSignature } from './codes.ts';
import type { DeviceTokens } from './device-tokens.ts';
import { DIALECT_ID } from './manifest.ts';
import { connectContent, type Hmac, type LinkIdentity, signatureMatches, signMethod } from './signature.ts';

/** Characters; what devices send stays under about 200. Section 1.2 */
const LONGEST_CLIENT_ID = 512;

/** Seconds. Section 1.4 */
const SHORTEST_KEEP_ALIVE = 30;

/** TLS, plain TCP, and with a token in place of a signature. Section 1.2 */
const SECURE_MODES = ['2', '3', '-1'];
const PRE_AUTHENTICATED = '-1';
/** The mode of devices that were registered without being announced. Section 1.7 */
const TOKEN_MODE = '-2';
const TOKEN_LOG_IN = 'connwl';
const LONGEST_TOKEN = 128;

const PRODUCT_KEY = /^[A-Za-z0-9]{1,20}$/;
const DEVICE_NAME = /^[A-Za-z0-9_@.:-]{1,64}$/;

/** The device that a user name `deviceName&productKey` names; undefined: it has another form. Section 1.2 */
export function parseUsername(username: string | null): LinkIdentity | undefined {
  const at = username?.lastIndexOf('&') ?? -1;
  if (username === null || at === -1) return undefined;
  return parsePair(username.slice(at + 1), username.slice(0, at));
}

/** undefined: no device can be called so. Section 1.1 */
export function parsePair(productKey: string, deviceName: string): LinkIdentity | undefined {
  const identity = { productKey, deviceName };
  return isIdentity(identity) ? identity : undefined;
}

export function isIdentity({ productKey, deviceName }: LinkIdentity): boolean {
  return DEVICE_NAME.test(deviceName) && PRODUCT_KEY.test(productKey);
}

/** The secret in the value of credentials; null: the device waits for its registration. api-additions.md, 1 */
export function deviceSecretOf(credentialsValue: string | null): string | null {
  return textMember(parseJson(credentialsValue ?? ''), 'deviceSecret');
}

/** The token in the value of credentials; null: none was given out by registration. Section 1.7 */
export function deviceTokenOf(credentialsValue: string | null): string | null {
  const value = parseJson(credentialsValue ?? '');
  return ownMember(value, 'registered') === true ? textMember(value, 'deviceToken') : null;
}

/** A device that proved who it is. */
export interface ProvenDevice {
  readonly outcome: 'proven';
  readonly device: DeviceRef;
  readonly identity: LinkIdentity;
}

/** Identity comes from the user name, never from the Client Identifier. Sections 1.2 to 1.5 */
export function identify(
  connect: ConnectPacket,
  link: LinkClientId,
  registry: CredentialLookup,
  hmac: Hmac,
  tokens: Pick<DeviceTokens, 'check'>,
): ProvenDevice | Refusal {
  if (connect.clientId.length > LONGEST_CLIENT_ID) {
    return badClientId(`The client ID is longer than ${LONGEST_CLIENT_ID} characters.`);
  }
  const authType = link.parameters.get('authType');
  const showsToken = authType === TOKEN_LOG_IN;
  if (authType !== undefined && !showsToken)
    return badClientId(`The authType ${authType.slice(0, 32)} is not offered.`);
  const secureMode = link.parameters.get('securemode');
  const isMode = secureMode === undefined || SECURE_MODES.includes(secureMode);
  if (!isMode && !(showsToken && secureMode === TOKEN_MODE)) return unknownMode(secureMode);
  const methodName = link.parameters.get('signmethod');
  const algorithm = signMethod(methodName);
  if (algorithm === undefined) return badClientId(`The signmethod ${methodName?.slice(0, 32)} is not known.`);
  if (connect.keepAlive < SHORTEST_KEEP_ALIVE) return badKeepAlive(connect.keepAlive);
  const identity = parseUsername(connect.username);
  if (identity === undefined) return badCredentials('The user name is not deviceName&productKey.');
  const credential = credentialOf(identity, registry);
  if (credential?.device == null) return notAuthorized(unknownReason(identity, registry));
  const { device, password: secret } = credential;
  const proven = credential.enabled === false ? disabled(identity) : ({ outcome: 'proven', device, identity } as const);
  if (showsToken) {
    const token = credential.secret?.('deviceToken') ?? null;
    if (token === null) return badCredentials(`${identity.deviceName} has no deviceToken.`);
    return passwordMatches(connect.password, token) ? proven : badCredentials('The deviceToken is wrong.');
  }
  if (secret === null) {
    return notAuthorized(`${identity.deviceName} has no DeviceSecret yet: it waits for its dynamic registration.`);
  }
  if (secureMode === PRE_AUTHENTICATED) {
    // No token of a disabled device is good, so nobody could prove himself.
    if (credential.enabled === false) return proven;
    return tokens.check(identity, 'mqtt', asciiOf(connect.password)) === 'good'
      ? proven
      : badCredentials('The iotToken is wrong or has expired.');
  }
  const content = connectContent(identity, link.base, link.parameters.get('timestamp'));
  if (!signatureMatches(connect.password, hmac(algorithm, secret, content))) {
    return wrongSignature(identity, algorithm, content);
  }
  return proven;
}

/** Told to who has proven himself. Section 1.5 */
function disabled({ deviceName }: LinkIdentity): Refusal {
  return notAuthorized(`${deviceName} is disabled.`);
}

/** Tokens are of ASCII; anything else is none. */
function asciiOf(password: Uint8Array | null): string {
  return password === null || password.length > LONGEST_TOKEN ? '' : String.fromCharCode(...password);
}

/** The credential of a device of this dialect; comparisons are exact. */
export function credentialOf(identity: LinkIdentity, registry: CredentialLookup): ConnectCredential | undefined {
  const holder = registry.byUsername(`${identity.deviceName}&${identity.productKey}`);
  return holder?.dialect === DIALECT_ID ? holder.credentials[0] : undefined;
}

function unknownMode(secureMode: string): Refusal {
  return badClientId(
    secureMode === '8'
      ? 'The securemode 8, of devices with an ID² chip, is not supported.'
      : `The securemode ${secureMode.slice(0, 32)} is not offered.`,
  );
}

function unknownReason({ productKey, deviceName }: LinkIdentity, registry: CredentialLookup): string {
  return registry.product?.(DIALECT_ID, productKey) === undefined
    ? `Neither the product ${productKey} nor its device ${deviceName} is known.`
    : `The product ${productKey} has no device ${deviceName}.`;
}

import type { AlibabaSettings, CredentialLookup, DeviceRef, EntityId, ProductRef } from '@moorage/core';
import { credentialOf, isIdentity } from './credentials.ts';
import { DIALECT_ID } from './manifest.ts';
import type { LinkSecrets } from './secrets.ts';
import { type Hmac, type LinkIdentity, registerContent, signatureMatches, signMethod } from './signature.ts';

/** Longest random text; it is a number of times the same, so nothing is checked with it. Section 1.7 */
const MAXIMUM_RANDOM = 256;

/** Why a device is not registered. Section 1.7 */
export const REGISTRATION_ERRORS = {
  460: 'request parameter error',
  500: 'system error',
  6100: 'device not found',
  6204: 'device disabled',
  6250: 'product not found',
  6288: 'dynamic registration is off',
  6289: 'device already active',
  6292: 'sign method not supported',
  6600: 'sign check failed',
} as const;
export type RegistrationError = keyof typeof REGISTRATION_ERRORS;

/** A device that asks for its secret, as far as the request names it. */
export interface RegistrationRequest {
  readonly identity: LinkIdentity;
  readonly random: string;
  readonly sign: Uint8Array | null;
  readonly signMethod: string | undefined;
}

export interface Registered {
  readonly outcome: 'registered';
  readonly device: DeviceRef;
  /** What the device proves itself with from now on: a secret, or a token. */
  readonly secret: string;
}

/** `reason` is for the log of the server, where it knows more than the code says. */
export type RegistrationOutcome =
  | Registered
  | { readonly outcome: 'refused'; readonly error: RegistrationError; readonly reason?: string };

function refused(error: RegistrationError): RegistrationOutcome {
  return { outcome: 'refused', error };
}

/** The product whose secret signed the request; a number: there is none, or it does not offer this. Section 1.7 */
function askedOf(
  { identity, random, sign, signMethod: method }: RegistrationRequest,
  registry: CredentialLookup,
  hmac: Hmac,
  isOffered: (product: AlibabaSettings) => boolean,
): ProductRef | RegistrationError {
  if (!isIdentity(identity) || random === '' || random.length > MAXIMUM_RANDOM || sign === null) return 460;
  const found = registry.product?.(DIALECT_ID, identity.productKey);
  const product = found?.settings.alibaba;
  if (found === undefined || product === undefined || product.productSecret === null) return 6250;
  if (!isOffered(product)) return 6288;
  const algorithm = signMethod(method);
  if (algorithm === undefined) return 6292;
  const expected = hmac(algorithm, product.productSecret, registerContent(identity, random));
  return signatureMatches(sign, expected) ? found : 6600;
}

/** Gives a device that knows the secret of its product its own. Section 1.7 */
export async function register(
  request: RegistrationRequest,
  registry: CredentialLookup,
  hmac: Hmac,
  secrets: LinkSecrets,
): Promise<RegistrationOutcome> {
  const { identity } = request;
  const asked = askedOf(request, registry, hmac, ({ dynamicRegistration }) => dynamicRegistration);
  if (typeof asked === 'number') return refused(asked);
  const credential = credentialOf(identity, registry);
  const device = credential?.device ?? null;
  if (device === null) return refused(6100);
  if (credential?.enabled === false) return refused(6204);
  const issued = await secrets.issue(device);
  if (issued.outcome === 'issued') return { outcome: 'registered', device, secret: issued.secret };
  return refused(issued.outcome === 'active' ? 6289 : 500);
}

/** The same for a device that nobody announced: it is made, and gets a token. Section 1.7 */
export async function registerUnannounced(
  request: RegistrationRequest,
  registry: CredentialLookup,
  hmac: Hmac,
  secrets: LinkSecrets,
): Promise<RegistrationOutcome> {
  const { identity } = request;
  const asked = askedOf(request, registry, hmac, ({ registrationFree = false }) => registrationFree);
  if (typeof asked === 'number') return refused(asked);
  if (credentialOf(identity, registry)?.enabled === false) return refused(6204);
  const known = (): DeviceRef | null => credentialOf(identity, registry)?.device ?? null;
  const issued = await secrets.admit(asked.profileId, identity, known);
  if (issued.outcome === 'issued') return { outcome: 'registered', device: issued.device, secret: issued.token };
  if (issued.outcome === 'active') return refused(6289);
  const { reason } = issued;
  return reason === undefined ? refused(500) : { outcome: 'refused', error: 500, reason };
}

/** What the device is told over MQTT, and over HTTP as `data`: compact, since a library takes it apart by hand. */
export function registrationData({ productKey, deviceName }: LinkIdentity, deviceSecret: string): string {
  return JSON.stringify({ productKey, deviceName, deviceSecret });
}

/** The same for a device with a token. The Client Identifier says nothing, and is always the same for a device. */
export function tokenData({ productKey, deviceName }: LinkIdentity, deviceId: EntityId, deviceToken: string): string {
  return JSON.stringify({ productKey, deviceName, clientId: deviceId.replaceAll('-', ''), deviceToken });
}

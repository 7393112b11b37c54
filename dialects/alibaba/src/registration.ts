import type { CredentialLookup, DeviceRef } from '@moorage/core';
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

export type RegistrationOutcome =
  | { readonly outcome: 'registered'; readonly device: DeviceRef; readonly secret: string }
  | { readonly outcome: 'refused'; readonly error: RegistrationError };

function refused(error: RegistrationError): RegistrationOutcome {
  return { outcome: 'refused', error };
}

/** Gives a device that knows the secret of its product its own. Section 1.7 */
export async function register(
  request: RegistrationRequest,
  registry: CredentialLookup,
  hmac: Hmac,
  secrets: LinkSecrets,
): Promise<RegistrationOutcome> {
  const { identity, random, sign } = request;
  if (!isIdentity(identity) || random === '' || random.length > MAXIMUM_RANDOM || sign === null) return refused(460);
  const product = registry.product?.(DIALECT_ID, identity.productKey)?.settings.alibaba;
  if (product === undefined || product.productSecret === null) return refused(6250);
  if (!product.dynamicRegistration) return refused(6288);
  const algorithm = signMethod(request.signMethod);
  if (algorithm === undefined) return refused(6292);
  const expected = hmac(algorithm, product.productSecret, registerContent(identity, random));
  if (!signatureMatches(sign, expected)) return refused(6600);
  const device = credentialOf(identity, registry)?.device ?? null;
  if (device === null) return refused(6100);
  const issued = await secrets.issue(device);
  if (issued.outcome === 'issued') return { outcome: 'registered', device, secret: issued.secret };
  return refused(issued.outcome === 'active' ? 6289 : 500);
}

/** What the device is told over MQTT, and over HTTP as `data`: compact, since a library takes it apart by hand. */
export function registrationData({ productKey, deviceName }: LinkIdentity, deviceSecret: string): string {
  return JSON.stringify({ productKey, deviceName, deviceSecret });
}

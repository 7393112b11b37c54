import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { DeviceProfile, JsonObject } from '../model/entities.ts';
import type { Crypto } from '../ports/runtime.ts';
import { withoutProductSecret } from './alibaba-transport.ts';
import { namePatternProblem } from './certificate-name-pattern.ts';
import { certificateText } from './credentials/x509.ts';
import { randomLowerText } from './random-text.ts';
import { MAX_NAME_LENGTH, textProblem } from './text-rules.ts';

/** As in the vendor's examples. thingsboard-device.md, 6.1 */
const GENERATED_LENGTH = 20;

/** The members of a profile that provisioning decides about. */
export type ProvisioningMembers = Pick<DeviceProfile, 'provisionDeviceKey' | 'profileData'>;

/** What a profile's data says about provisioning; an empty object if it says nothing. */
export function provisionConfigurationOf(profileData: JsonObject): JsonObject {
  const value = Object.hasOwn(profileData, 'provisionConfiguration') ? profileData.provisionConfiguration : null;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/**
 * Key and configuration of a profile that is being saved. A strategy that is switched on without a key or a secret keeps
 * those the profile has, or gets new ones; the chain strategy's key is the hash of its certificate.
 * thingsboard-server.md, 2.4
 */
export function completeProvisioning(
  provisionType: string,
  profileData: JsonObject,
  givenKey: string | null,
  current: ProvisioningMembers | null,
  crypto: Crypto,
): Result<ProvisioningMembers> {
  const given = provisionConfigurationOf(profileData);
  const save = (provisionDeviceKey: string | null, members: JsonObject): Result<ProvisioningMembers> =>
    success({
      provisionDeviceKey,
      profileData: withMember(profileData, 'provisionConfiguration', { ...given, ...members, type: provisionType }),
    });
  if (provisionType === 'DISABLED') return save(null, {});
  if (provisionType === 'X509_CERTIFICATE_CHAIN') {
    const certificate = certificateText(nonBlank(given.provisionDeviceSecret) ?? '');
    if (certificate === undefined) return refuse('badRequest', 'Certificate is not a PEM text!');
    const problem = chainProblem(given);
    if (problem !== null) return problem;
    return save(crypto.sha3_256(certificate), {
      provisionDeviceSecret: certificate,
      allowCreateNewDevicesByX509Certificate: given.allowCreateNewDevicesByX509Certificate === true,
    });
  }
  const before = current === null ? {} : provisionConfigurationOf(current.profileData);
  // What belonged to a certificate is of no use to a strategy with a secret.
  const kept = before.type === 'X509_CERTIFICATE_CHAIN' ? null : current;
  const key = nonBlank(givenKey) ?? kept?.provisionDeviceKey ?? randomLowerText(crypto, GENERATED_LENGTH);
  const secret =
    nonBlank(given.provisionDeviceSecret) ??
    (kept === null ? null : nonBlank(before.provisionDeviceSecret)) ??
    randomLowerText(crypto, GENERATED_LENGTH);
  const problem =
    textProblem('provisionDeviceKey', key) ??
    (secret.length > MAX_NAME_LENGTH
      ? refuse(
          'badRequest',
          `Validation error: provisionDeviceSecret length must be equal or less than ${MAX_NAME_LENGTH}`,
        )
      : null);
  return problem ?? save(key, { provisionDeviceSecret: secret });
}

/** The profile without what lets devices in, for those who may only look at it. */
export function withoutProvisioningSecrets(profile: DeviceProfile): DeviceProfile {
  const configuration = provisionConfigurationOf(profile.profileData);
  const hidden = { ...configuration, provisionDeviceSecret: null };
  return {
    ...profile,
    provisionDeviceKey: null,
    profileData: withMember(withoutProductSecret(profile.profileData), 'provisionConfiguration', hidden),
  };
}

function chainProblem(given: JsonObject): PlatformError | null {
  const { certificateRegExPattern: pattern, allowCreateNewDevicesByX509Certificate: allow } = given;
  if (typeof pattern !== 'string' || pattern === '') {
    return refuse('badRequest', 'Certificate regular expression pattern should be specified!');
  }
  if (allow !== undefined && allow !== null && typeof allow !== 'boolean') {
    return refuse('badRequest', 'Validation error: allowCreateNewDevicesByX509Certificate is not a Boolean');
  }
  const problem = namePatternProblem(pattern);
  return problem === null ? null : refuse('badRequest', `Certificate regular expression pattern ${problem}!`);
}

function nonBlank(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** Built from entries, so that a member `__proto__` stays plain data. */
function withMember(object: JsonObject, member: string, value: JsonObject): JsonObject {
  return Object.fromEntries([...Object.entries(object).filter(([name]) => name !== member), [member, value]]);
}

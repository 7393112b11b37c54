import type { CredentialsType, ProvisionOutcome, ProvisionRequest } from '@moorage/core';
import { type Members, textMember } from './json-members.ts';
import type { Problem } from './payload-context.ts';

/** Types of credentials that may be asked for. Section 6.2 */
const CREDENTIALS_TYPES: readonly CredentialsType[] = ['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE'];

/** Members of a request beside the key and the secret that are text. Section 6.2 */
const OPTIONAL_MEMBERS = [
  'deviceName',
  'credentialsType',
  'token',
  'clientId',
  'username',
  'password',
  'hash',
] as const;

/** Most members of a request; unknown ones are ignored. */
export const MAXIMUM_PROVISION_MEMBERS = 64;

/** A request for an identity; null and empty members are absent. Section 6.2 */
export function decodeProvisionRequest(members: Members): ProvisionRequest | Problem {
  const deviceKey = textMember(members, 'provisionDeviceKey');
  const deviceSecret = textMember(members, 'provisionDeviceSecret');
  if (typeof deviceKey !== 'string' || typeof deviceSecret !== 'string') {
    return { problem: 'The provisioning request has no key or no secret.' };
  }
  const given = new Map<string, string>();
  for (const name of OPTIONAL_MEMBERS) {
    const text = textMember(members, name);
    if (text === undefined) return { problem: `The member ${name} is no text.` };
    if (text !== null && text !== '') given.set(name, text);
  }
  const wanted = given.get('credentialsType');
  const credentialsType = CREDENTIALS_TYPES.find((type) => type === wanted) ?? null;
  if (wanted !== undefined && credentialsType === null) return { problem: 'The type of credentials is not known.' };
  return {
    deviceKey,
    deviceSecret,
    deviceName: given.get('deviceName') ?? null,
    credentialsType,
    token: given.get('token') ?? null,
    clientId: given.get('clientId') ?? null,
    username: given.get('username') ?? null,
    password: given.get('password') ?? null,
    certificate: given.get('hash') ?? null,
    gateway: textMember(members, 'gateway') === 'true',
  };
}

/** The table of responses in section 6.2, as JSON text. */
export function formatProvisionOutcome(outcome: ProvisionOutcome): string {
  switch (outcome.status) {
    case 'SUCCESS': {
      const { credentialsType, credentialsValue } = outcome;
      const value = credentialsType === 'MQTT_BASIC' ? credentialsValue : JSON.stringify(credentialsValue);
      return `{"credentialsValue":${value},"credentialsType":"${credentialsType}","status":"SUCCESS"}`;
    }
    case 'NOT_FOUND':
      return '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}';
    default:
      return '{"errorMsg":"Failed to provision device!","status":"FAILURE"}';
  }
}

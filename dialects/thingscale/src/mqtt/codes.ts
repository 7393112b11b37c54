import { type Disposition, ReasonCode, type Refusal, refuseMessage } from '@moorage/dialect-api';

/** An unknown ThingScale ID, or a token that is not the account's. thingscale.md, 4.2 */
export function badCredentials(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 4, reasonCode: ReasonCode.BadUserNameOrPassword, reason };
}

/** The right token of an account that is switched off. thingscale.md, 4.2 */
export function disabled(name: string): Refusal {
  const reason = `The account ${name} is disabled.`;
  return { outcome: 'refused', returnCode: 5, reasonCode: ReasonCode.NotAuthorized, reason };
}

/** recognition.md, section 6 */
export function badClientId(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 2, reasonCode: ReasonCode.ClientIdentifierNotValid, reason };
}

/** The first level is no valid token of the account: 3.x is acknowledged all the same. thingscale.md, 4.3 */
export const TOKEN_MISMATCH: Disposition = refuseMessage(
  ReasonCode.NotAuthorized,
  'The first level of the topic is not the device token of this account.',
);

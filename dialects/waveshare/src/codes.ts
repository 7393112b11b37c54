import { type Disposition, ReasonCode, type Refusal, refuseMessage } from '@moorage/dialect-api';

/** A listener for this dialect alone, and no device has this Client Identifier. Section 4.3 */
export function unknownClientId(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 2, reasonCode: ReasonCode.ClientIdentifierNotValid, reason };
}

/** The device asks for a password, which is missing or wrong. Section 4.3 */
export function badPassword(name: string): Refusal {
  const reason = `The device ${name} has a password, and this is not it.`;
  return { outcome: 'refused', returnCode: 4, reasonCode: ReasonCode.BadUserNameOrPassword, reason };
}

/** `subject` is switched off. Section 4.3 */
export function disabled(subject: string): Refusal {
  return { outcome: 'refused', returnCode: 5, reasonCode: ReasonCode.NotAuthorized, reason: `${subject} is disabled.` };
}

/** Acknowledged on 3.x, told on 5.0, and dropped. Section 4.4 */
export function publishNotAllowed(topicName: string): Disposition {
  return refuseMessage(ReasonCode.NotAuthorized, `No right to publish to ${topicName}.`);
}

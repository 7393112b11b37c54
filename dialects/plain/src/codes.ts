import { type Disposition, ReasonCode, type Refusal, refuseMessage } from '@moorage/dialect-api';

/** One answer for a wrong password, a wrong Client Identifier and an unknown name, so that names cannot be probed. PL-4 */
export function badCredentials(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 5, reasonCode: ReasonCode.BadUserNameOrPassword, reason };
}

/** The right password of an application that is switched off. PL-7 */
export function disabled(name: string): Refusal {
  const reason = `The application ${name} is disabled.`;
  return { outcome: 'refused', returnCode: 5, reasonCode: ReasonCode.NotAuthorized, reason };
}

/** recognition.md, section 6 */
export function emptyClientId(): Refusal {
  const reason = 'An empty client ID needs MQTT 3.1.1 with clean session, or MQTT 5.0.';
  return { outcome: 'refused', returnCode: 2, reasonCode: ReasonCode.ClientIdentifierNotValid, reason };
}

export function publishNotAllowed(topicName: string): Disposition {
  return refuseMessage(ReasonCode.NotAuthorized, `No right to publish to ${topicName}.`);
}

/** The connection stays open on every version and QoS. PL-30 */
export function badPayload(reason: string): Disposition {
  return refuseMessage(ReasonCode.PayloadFormatInvalid, reason);
}

export function badTopic(reason: string): Disposition {
  return refuseMessage(ReasonCode.TopicNameInvalid, reason);
}

/** A listener for plain clients alone, and no user name. */
export function noCredentials(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 5, reasonCode: ReasonCode.NotAuthorized, reason };
}

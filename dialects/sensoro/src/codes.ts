import { type Disposition, ReasonCode, type Refusal, refuseMessage } from '@moorage/dialect-api';

/** The one code for whatever is wrong with a log-in, so that clients show what the vendor documents. sensoro.md, 4.3 */
export function notAuthorized(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 5, reasonCode: ReasonCode.NotAuthorized, reason };
}

/** sensoro.md, 6 */
export function tooManyConnections(appId: string): Refusal {
  const reason = `The application ${appId} has as many connections as it may have.`;
  return { outcome: 'refused', returnCode: 3, reasonCode: ReasonCode.QuotaExceeded, reason };
}

export function publishNotAllowed(topicName: string): Disposition {
  return refuseMessage(ReasonCode.NotAuthorized, `Applications may not publish to ${topicName}.`);
}

export function badUplink(reason: string): Disposition {
  return refuseMessage(ReasonCode.PayloadFormatInvalid, reason);
}

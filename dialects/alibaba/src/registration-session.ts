import {
  type DialectSession,
  type Disposition,
  encodeText,
  type OutboundMessage,
  ReasonCode,
  refuseMessage,
  type SessionPolicy,
  type SubscriptionDecision,
} from '@moorage/dialect-api';
import { sessionPolicy } from './policy.ts';

/** What a device is told, and on which topic. Section 1.7 */
export interface RegistrationNotice {
  readonly topicName: '/ext/register' | '/ext/regnwl';
  /** JSON text. */
  readonly data: string;
}

const REFUSED: SubscriptionDecision = { reasonCode: ReasonCode.NotAuthorized, enter: [] };

/** Long enough to be told, and no longer. Section 1.7 */
export function registrationPolicy(): SessionPolicy {
  return {
    ...sessionPolicy(4),
    persistence: 'never',
    maximumSessionExpiryInterval: 0,
    maximumPacketSize: 16_384,
    receiveMaximum: 10,
    topicAliasMaximum: 0,
    maximumSubscriptions: 10,
    queue: { messages: 10, bytes: 16_384, ageMs: 60_000 },
  };
}

/** A connection by which a device is told its secret, without having subscribed. It does nothing else. Section 1.7 */
export class RegistrationSession implements DialectSession {
  readonly openingMessages: readonly OutboundMessage[];
  readonly closeAfterReplyMs = 10_000;

  constructor({ topicName, data }: RegistrationNotice) {
    this.openingMessages = [{ topicName, payload: encodeText(data), qos: 0 }];
  }

  subscribe(): SubscriptionDecision {
    return REFUSED;
  }

  unsubscribe(): number {
    return ReasonCode.NoSubscriptionExisted;
  }

  publish(): Disposition {
    return refuseMessage(ReasonCode.NotAuthorized, 'A registration connection does not publish.');
  }

  command(): 'notSupported' {
    return 'notSupported';
  }

  mayReceive(): boolean {
    return false;
  }

  mayPublishWill(): boolean {
    return false;
  }
}

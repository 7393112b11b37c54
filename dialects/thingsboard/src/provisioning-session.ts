import type { ValueReader } from '@moorage/core';
import { VALUE_FAULT_TEXTS } from '@moorage/core';
import {
  type DeviceLink,
  type DeviceReply,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  encodeText,
  type OutboundMessage,
  perform,
  type QoS,
  ReasonCode,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { badPayload, payloadTooLarge, refusedForGood } from './codes.ts';
import { readMembers } from './json-members.ts';
import { isProblem } from './payload-context.ts';
import { MAXIMUM_PAYLOAD_SIZE } from './payloads.ts';
import { decodeProvisionRequest, formatProvisionOutcome, MAXIMUM_PROVISION_MEMBERS } from './provisioning.ts';

const REQUEST = '/provision/request';
const RESPONSE = '/provision/response';

/** One connection of somebody who asks for an identity and may do nothing else. Section 6.2 */
export class ProvisioningSession implements DialectSession {
  /** The device has a minute to read the answer, then it must come back under its own name. Section 6.2, 4 */
  readonly closeAfterReplyMs = 60_000;
  private readonly reader: ValueReader;
  private readonly link: DeviceLink;
  private granted: QoS | null = null;

  constructor(reader: ValueReader, link: DeviceLink) {
    this.reader = reader;
    this.link = link;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    if (topicFilter !== RESPONSE) return { reasonCode: ReasonCode.TopicFilterInvalid, enter: [] };
    this.granted = options.qos === 0 ? 0 : 1;
    return { reasonCode: this.granted, enter: [] };
  }

  unsubscribe(topicFilter: string): number {
    if (topicFilter !== RESPONSE || this.granted === null) return ReasonCode.NoSubscriptionExisted;
    this.granted = null;
    return ReasonCode.Success;
  }

  publish(message: DialectMessage): Disposition {
    const { payload, topicName, qos } = message;
    if (payload.length > MAXIMUM_PAYLOAD_SIZE) return payloadTooLarge(MAXIMUM_PAYLOAD_SIZE);
    if (topicName !== REQUEST) {
      return refusedForGood(ReasonCode.TopicNameInvalid, `A provisioning session may not use ${topicName}.`);
    }
    const members = readMembers(this.reader, payload, this.link, MAXIMUM_PROVISION_MEMBERS);
    if (typeof members === 'string') return badPayload(this.link.level, qos, false, VALUE_FAULT_TEXTS[members]);
    const request = decodeProvisionRequest(members);
    if (isProblem(request)) return refusedForGood(ReasonCode.ImplementationSpecificError, request.problem);
    return perform([{ kind: 'provision', request, ref: RESPONSE }]);
  }

  command(): 'notSupported' {
    return 'notSupported';
  }

  /** Pushed whether or not it was subscribed to. Section 0, 2 */
  reply(reply: DeviceReply): readonly OutboundMessage[] {
    if (reply.kind !== 'provision') return [];
    return [
      { topicName: RESPONSE, payload: encodeText(formatProvisionOutcome(reply.outcome)), qos: this.granted ?? 1 },
    ];
  }

  mayReceive(): boolean {
    return false;
  }

  mayPublishWill(): boolean {
    return false;
  }
}

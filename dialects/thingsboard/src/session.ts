import {
  type DeviceRef,
  VALUE_FAULT_TEXTS,
  type ValueFault,
  type ValueReader,
  type ValueReadOptions,
} from '@moorage/core';
import {
  type DeviceCommand,
  type DeviceLink,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  NOTHING,
  type OutboundMessage,
  perform,
  type QoS,
  ReasonCode,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { badPayload, droppedPayload, notGateway, payloadTooLarge, unknownTopic } from './codes.ts';
import {
  decodeAttributes,
  decodeTelemetry,
  encodeDeletedAttributes,
  encodeRpcRequest,
  encodeSharedAttributes,
  isFault,
  MAXIMUM_PAYLOAD_SIZE,
  type Reading,
  readOptions,
} from './payloads.ts';
import {
  attributesPushTopic,
  type DeviceTopics,
  isRequestId,
  rpcRequestTopic,
  type SubscribedTo,
  topicsFor,
} from './topics.ts';

interface Subscription {
  readonly to: SubscribedTo;
  readonly qos: QoS;
}

/** One connection of one ThingsBoard device. Nothing is routed: topics are commands to the server. Section 0, 1 */
export class ThingsboardSession implements DialectSession {
  private readonly reader: ValueReader;
  private readonly link: DeviceLink;
  private device: DeviceRef;
  private topics: DeviceTopics;
  private options: ValueReadOptions;
  /** In the order of use: the last one of a kind decides the form of pushes. Section 1.8 */
  private readonly subscriptions = new Map<string, Subscription>();

  constructor(reader: ValueReader, device: DeviceRef, link: DeviceLink) {
    this.reader = reader;
    this.link = link;
    this.device = device;
    this.topics = topicsFor(device.settings);
    this.options = readOptions(device.settings.castStrings);
  }

  deviceChanged(device: DeviceRef): void {
    this.device = device;
    this.topics = topicsFor(device.settings);
    this.options = readOptions(device.settings.castStrings);
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    const to = this.topics.subscribedTo(topicFilter);
    if (to === undefined) return { reasonCode: ReasonCode.TopicFilterInvalid, enter: [] };
    const qos = options.qos === 0 ? 0 : 1;
    this.subscriptions.delete(topicFilter);
    this.subscriptions.set(topicFilter, { to, qos });
    return { reasonCode: qos, enter: [] };
  }

  unsubscribe(topicFilter: string): number {
    return this.subscriptions.delete(topicFilter) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted;
  }

  publish(message: DialectMessage): Disposition {
    const { payload, topicName, receivedAt } = message;
    if (payload.length > MAXIMUM_PAYLOAD_SIZE) return payloadTooLarge(MAXIMUM_PAYLOAD_SIZE);
    const topic = this.topics.parse(topicName);
    switch (topic.kind) {
      case 'telemetry':
        return this.outcome(message, decodeTelemetry(this.reader, payload, this.link, this.options, receivedAt));
      case 'attributes':
        return this.outcome(message, decodeAttributes(this.reader, payload, this.link, this.options, receivedAt));
      case 'rpcResponse':
        return this.rpcResponse(message, topic.id);
      case 'gateway':
        return this.device.gateway ? unknownTopic(topicName) : notGateway(topicName);
      default:
        return unknownTopic(topicName);
    }
  }

  private outcome(message: DialectMessage, reading: Reading): Disposition {
    if (reading === null) return NOTHING;
    return isFault(reading) ? this.fault(message, reading) : perform([reading]);
  }

  private fault(message: DialectMessage, fault: ValueFault): Disposition {
    const reason = VALUE_FAULT_TEXTS[fault];
    return fault === 'invalidKey' ? droppedPayload(reason) : this.badPayload(message, reason);
  }

  private badPayload(message: DialectMessage, reason: string): Disposition {
    return badPayload(this.link.level, message.qos, this.device.settings.sendAckOnValidationException, reason);
  }

  /** Any text is an answer; who asked judges whether it is JSON. Section 4.1 */
  private rpcResponse(message: DialectMessage, id: string): Disposition {
    if (!isRequestId(id)) return this.badPayload(message, 'The identifier of an RPC answer is not a number.');
    const payload = this.link.text(message.payload);
    if (payload === undefined) return this.badPayload(message, 'The RPC answer is not UTF-8.');
    return perform([{ kind: 'rpcResponse', id, payload }]);
  }

  command(command: DeviceCommand): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed' {
    const used = this.lastUsed(command.kind === 'rpc' ? 'rpc' : 'attributes');
    if (used === undefined) return 'notSubscribed';
    const { topicFilter, qos } = used;
    if (command.kind === 'rpc') {
      if (!isRequestId(command.id)) return 'notSupported';
      const topicName = rpcRequestTopic(topicFilter, command.id);
      return [{ topicName, payload: encodeRpcRequest(command.method, command.params), qos }];
    }
    const topicName = attributesPushTopic(topicFilter);
    const messages: OutboundMessage[] = [];
    if (command.values !== null) messages.push({ topicName, payload: encodeSharedAttributes(command.values), qos });
    if (command.deleted !== null) messages.push({ topicName, payload: encodeDeletedAttributes(command.deleted), qos });
    return messages;
  }

  private lastUsed(to: SubscribedTo): { readonly topicFilter: string; readonly qos: QoS } | undefined {
    let found: { readonly topicFilter: string; readonly qos: QoS } | undefined;
    for (const [topicFilter, subscription] of this.subscriptions) {
      if (subscription.to === to) found = { topicFilter, qos: subscription.qos };
    }
    return found;
  }

  mayReceive(): boolean {
    return false;
  }

  mayPublishWill(): boolean {
    return false;
  }
}

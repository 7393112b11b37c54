import { type DeviceRef, VALUE_FAULT_TEXTS, type ValueReader, type ValueReadOptions } from '@moorage/core';
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
  ROUTE,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { badPayload, badTopic, publishNotAllowed } from './codes.ts';
import { decodeRpcRequest, decodeRpcResponse, decodeValues, encodeRpcRequest, readOptions } from './payloads.ts';
import { isDenied, mayPublish, mayReceive, maySubscribe, type Rights } from './rights.ts';
import { decodeDeviceName, parsePublishTopic, parseSubscribeTopic, rpcRequestTopic } from './topics.ts';

const NOT_AUTHORIZED: SubscriptionDecision = { reasonCode: ReasonCode.NotAuthorized, enter: [] };
/** Conformance suites expect this code where the operator has denied a filter. */
const DENIED: SubscriptionDecision = { reasonCode: ReasonCode.UnspecifiedError, enter: [] };

/** Shared by all connections. */
const CASTING = readOptions(true);
const NOT_CASTING = readOptions(false);

/** One connection of a plain MQTT client: free topics are routed, those below `moorage/` have a meaning. */
export class PlainSession implements DialectSession {
  private readonly reader: ValueReader;
  private readonly rights: Rights;
  private readonly link: DeviceLink;
  private options: ValueReadOptions;
  /** Granted QoS of the filters that ask for commands. */
  private rpcFilters: Map<string, QoS> | null = null;

  constructor(reader: ValueReader, rights: Rights, device: DeviceRef | null, link: DeviceLink) {
    this.reader = reader;
    this.rights = rights;
    this.link = link;
    this.options = (device?.settings.castStrings ?? true) ? CASTING : NOT_CASTING;
  }

  deviceChanged(device: DeviceRef): void {
    this.options = device.settings.castStrings ? CASTING : NOT_CASTING;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    const topic = parseSubscribeTopic(topicFilter);
    switch (topic.kind) {
      case 'rpcRequests':
        if (!this.rights.self) return NOT_AUTHORIZED;
        this.rpcFilters ??= new Map();
        this.rpcFilters.set(topicFilter, options.qos);
        return { reasonCode: options.qos, enter: [] };
      case 'sys':
        return this.rights.sys ? { reasonCode: options.qos, enter: [topicFilter] } : NOT_AUTHORIZED;
      case 'reserved':
        return NOT_AUTHORIZED;
      default:
        if (topic.kind === 'server' && !this.rights.serverTopics) return NOT_AUTHORIZED;
        if (isDenied(this.rights, topic.inner)) return DENIED;
        if (!maySubscribe(this.rights, topic.inner)) return NOT_AUTHORIZED;
        return { reasonCode: options.qos, enter: [topicFilter] };
    }
  }

  unsubscribe(topicFilter: string): number | null {
    return this.rpcFilters?.delete(topicFilter) === true ? ReasonCode.Success : null;
  }

  publish(message: DialectMessage): Disposition {
    const topic = parsePublishTopic(message.topicName);
    switch (topic.kind) {
      case 'free':
        return mayPublish(this.rights, message.topicName) ? ROUTE : publishNotAllowed(message.topicName);
      case 'rpcRequest':
        return this.rights.command ? this.rpcRequest(message, topic) : publishNotAllowed(message.topicName);
      case 'reserved':
        return publishNotAllowed(message.topicName);
      default:
        if (!this.rights.self) return publishNotAllowed(message.topicName);
        return topic.kind === 'rpcResponse' ? this.rpcResponse(message, topic.id) : this.values(message, topic.kind);
    }
  }

  private values(message: DialectMessage, kind: 'telemetry' | 'attributes'): Disposition {
    const points = decodeValues(this.reader, message.payload, this.link, this.options, message.receivedAt);
    if (typeof points === 'string') return badPayload(VALUE_FAULT_TEXTS[points]);
    if (points.length === 0) return NOTHING;
    return perform([kind === 'telemetry' ? { kind, points } : { kind, scope: 'CLIENT', values: points }]);
  }

  private rpcResponse(message: DialectMessage, id: string): Disposition {
    const payload = decodeRpcResponse(this.reader, message.payload, this.link);
    return payload === undefined
      ? badPayload('The RPC answer is not JSON.')
      : perform([{ kind: 'rpcResponse', id, payload }]);
  }

  private rpcRequest(
    message: DialectMessage,
    topic: { readonly encodedName: string; readonly id: string },
  ): Disposition {
    const deviceName = decodeDeviceName(topic.encodedName);
    if (deviceName === undefined) return badTopic('The device name in the topic is not percent-encoded UTF-8.');
    const request = decodeRpcRequest(this.reader, message.payload, this.link);
    if (request === undefined)
      return badPayload('The RPC request is not an object with a method of 1 to 255 characters.');
    return perform([{ kind: 'rpcRequest', deviceName, id: topic.id, ...request }]);
  }

  command(command: DeviceCommand): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed' {
    if (command.kind !== 'rpc' || !this.rights.self) return 'notSupported';
    if (this.rpcFilters === null || this.rpcFilters.size === 0) return 'notSubscribed';
    const qos = [...this.rpcFilters.values()].reduce<QoS>((highest, one) => (one > highest ? one : highest), 0);
    return [{ topicName: rpcRequestTopic(command.id), payload: encodeRpcRequest(command.method, command.params), qos }];
  }

  mayReceive(topicName: string): boolean {
    return mayReceive(this.rights, topicName);
  }

  mayPublishWill(topicName: string): boolean {
    return parsePublishTopic(topicName).kind === 'free' && mayPublish(this.rights, topicName);
  }
}

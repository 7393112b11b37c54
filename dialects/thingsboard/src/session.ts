import type { DeviceRef, ValueReader } from '@moorage/core';
import {
  type DeviceCommand,
  type DeviceLink,
  type DeviceReply,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  encodeText,
  NOTHING,
  type OutboundMessage,
  perform,
  ReasonCode,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import type { Answer } from './answer.ts';
import { encodeAttributes } from './attribute-requests.ts';
import { notGateway, payloadTooLarge, unknownTopic } from './codes.ts';
import { deviceCommand } from './device-commands.ts';
import { DeviceRequests } from './device-requests.ts';
import { gatewayCommand, gatewayDisconnect, gatewayReply } from './gateway/gateway-answers.ts';
import { gatewayMessage } from './gateway/gateway-messages.ts';
import { OtaRequests, otaAnswer } from './ota.ts';
import { faulty, type PayloadContext, payloadContext } from './payload-context.ts';
import { decodeAttributes, decodeTelemetry, isFault, MAXIMUM_PAYLOAD_SIZE, type Reading } from './payloads.ts';
import { writeAttributes, writeClientRpcAnswer } from './protobuf/platform-answers.ts';
import { ProtobufPayloads } from './protobuf/protobuf-payloads.ts';
import type { SchemaCache } from './protobuf/schema-cache.ts';
import { Subscriptions } from './subscriptions.ts';
import { type DeviceTopics, sentEncoding, topicsFor } from './topics.ts';

/** What all sessions of the dialect share. */
export interface SessionTools {
  readonly reader: ValueReader;
  readonly schemas: SchemaCache;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** One connection of one ThingsBoard device. Nothing is routed: topics are commands to the server. Section 0, 1 */
export class ThingsboardSession implements DialectSession {
  private readonly tools: SessionTools;
  private readonly link: DeviceLink;
  private readonly subscriptions = new Subscriptions();
  private topics: DeviceTopics;
  private context: PayloadContext;
  /** Made when they are first needed, as most connections send values and nothing else. */
  private requests: DeviceRequests | null = null;
  private ota: OtaRequests | null = null;

  constructor(tools: SessionTools, device: DeviceRef, link: DeviceLink) {
    this.tools = tools;
    this.link = link;
    this.topics = topicsFor(device.settings);
    this.context = payloadContext(tools.reader, link, device);
  }

  deviceChanged(device: DeviceRef): void {
    this.topics = topicsFor(device.settings);
    this.context = payloadContext(this.tools.reader, this.link, device);
    this.requests = null;
  }

  private get deviceRequests(): DeviceRequests {
    this.requests ??= new DeviceRequests(this.context, new ProtobufPayloads(this.context, this.tools.schemas));
    return this.requests;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    const granted = this.subscriptions.add(topicFilter, options.qos, this.context.device.settings);
    return { reasonCode: granted ?? ReasonCode.TopicFilterInvalid, enter: [] };
  }

  unsubscribe(topicFilter: string): number {
    return this.subscriptions.remove(topicFilter) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted;
  }

  publish(message: DialectMessage): Disposition {
    const { payload, topicName } = message;
    if (payload.length > MAXIMUM_PAYLOAD_SIZE) return payloadTooLarge(MAXIMUM_PAYLOAD_SIZE);
    const topic = this.topics.parse(topicName);
    switch (topic.kind) {
      case 'telemetry':
      case 'attributes': {
        if (topic.encoding !== 'json') {
          const disposition = this.deviceRequests.values(topic.kind, topic.encoding, message);
          if (disposition !== null) return disposition;
        }
        return this.jsonValues(topic.kind, message);
      }
      case 'attributesRequest':
        return this.deviceRequests.attributes(topic, message);
      case 'clientRpc':
        return this.deviceRequests.clientRpc(topic, message);
      case 'rpcResponse':
        return this.deviceRequests.rpcAnswer(topic, message);
      case 'claim':
        return this.deviceRequests.claim(topic.encoding, message);
      case 'otaChunk':
        this.ota ??= new OtaRequests();
        return this.ota.publish(topic, this.link.text(payload));
      case 'gateway':
        if (!this.context.device.gateway) return notGateway(topicName);
        return topic.topic === undefined ? unknownTopic(topicName) : gatewayMessage(this.context, topic.topic, message);
      default:
        return unknownTopic(topicName);
    }
  }

  private jsonValues(kind: 'telemetry' | 'attributes', message: DialectMessage): Disposition {
    const { reader, options } = this.context;
    const decode = kind === 'telemetry' ? decodeTelemetry : decodeAttributes;
    const reading: Reading = decode(reader, message.payload, this.link, options, message.receivedAt);
    if (reading === null) return NOTHING;
    return isFault(reading) ? faulty(this.context, message, reading) : perform([reading]);
  }

  command(command: DeviceCommand): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed' {
    const used = this.subscriptions.lastUsed(command.kind === 'rpc' ? 'rpc' : 'attributes');
    if (used === undefined) return 'notSubscribed';
    const { topicFilter, qos } = used;
    const { settings } = this.context.device;
    const answers = deviceCommand(command, topicFilter, settings, this.deviceRequests.protobuf, this.tools.now);
    return answers === undefined ? 'notSupported' : answers.map((answer) => ({ ...answer, qos }));
  }

  /** Sent to the connection that asked, whether or not it subscribed. Section 0, 2 */
  reply(reply: DeviceReply): readonly OutboundMessage[] {
    const answer = this.answerOf(reply);
    return answer === undefined ? [] : [this.outbound(answer)];
  }

  private answerOf(reply: DeviceReply): Answer | undefined {
    // This dialect asks for neither.
    if (reply.kind === 'outcome' || reply.kind === 'dialect') return undefined;
    if (reply.kind === 'provision') return undefined;
    if (reply.kind === 'otaChunk' || reply.kind === 'otaError') return otaAnswer(reply);
    if (reply.subDevice !== null) return gatewayReply(reply, reply.subDevice);
    const topicName = reply.ref;
    const id = topicName.slice(topicName.lastIndexOf('/') + 1);
    const encoding = sentEncoding(topicName, this.context.device.settings);
    if (reply.kind === 'clientRpc') {
      const { payload } = reply;
      return { topicName, payload: encoding === 'json' ? encodeText(payload) : writeClientRpcAnswer(id, payload) };
    }
    const { client, shared } = reply;
    const payload = encoding === 'json' ? encodeAttributes(client, shared) : writeAttributes(id, client, shared);
    return { topicName, payload };
  }

  subDeviceCommand(name: string, command: DeviceCommand): readonly OutboundMessage[] | 'notSupported' {
    if (!this.context.device.gateway) return 'notSupported';
    const answers = gatewayCommand(name, command);
    return answers === undefined ? 'notSupported' : answers.map((answer) => this.outbound(answer));
  }

  subDeviceClosed(name: string, reasonCode: ReasonCode): readonly OutboundMessage[] {
    return this.link.level === 5 ? [this.outbound(gatewayDisconnect(name, reasonCode))] : [];
  }

  private outbound({ topicName, payload }: Answer): OutboundMessage {
    return { topicName, payload, qos: this.subscriptions.qosOf(topicName) };
  }

  mayReceive(): boolean {
    return false;
  }

  mayPublishWill(): boolean {
    return false;
  }
}

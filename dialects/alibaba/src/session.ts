import { type DeviceIntent, type DeviceRef, PointList, ValueKind, type ValueReader } from '@moorage/core';
import {
  closeConnection,
  type DeviceCommand,
  type DeviceLink,
  type DeviceReply,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  encodeText,
  type OutboundMessage,
  perform,
  performAndTell,
  type QoS,
  ReasonCode,
  ROUTE,
  refuseMessage,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { base64Of } from './base64.ts';
import { parseClientId } from './client-id.ts';
import { AlinkCode } from './codes.ts';
import { type Downlink, desiredData, propertiesDownlink, rpcDownlink, tagsData } from './downlinks.ts';
import { writeReply } from './envelope.ts';
import { integerOf, JsonTexts } from './json-text.ts';
import { readNtpRequest, writeNtpResponse } from './ntp.ts';
import { otaUplink } from './ota.ts';
import { decodePending, encodePending, type PendingReply } from './pending-reply.ts';
import { isProperty, LOG_MODE_ATTRIBUTE } from './platform-keys.ts';
import { methodOf } from './requests.ts';
import { rrpcAnswer, rrpcServiceAnswer } from './rrpc.ts';
import { errorReply } from './shadow.ts';
import type { LinkIdentity } from './signature.ts';
import { SHADOW_REQUEST } from './stored-requests.ts';
import { Subscriptions } from './subscriptions.ts';
import { systemUplink } from './system-uplinks.ts';
import { ThingModel } from './thing-model.ts';
import { TopicClasses } from './topic-classes.ts';
import { DeviceTopics, isMessageId, isTooLong, parseUplink } from './topics.ts';

/** What all sessions of the dialect share. */
export interface SessionTools {
  readonly reader: ValueReader;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** QoS of what the server begins. */
const COMMAND_QOS: QoS = 1;
/** Calls whose answers may still come by `rrpc` or as bytes; as many as the platform keeps for one device. */
const MAXIMUM_OPEN_CALLS = 100;
/** Identifiers of pushed properties, above those of calls. Section 3 */
const FIRST_PUSH_ID = 0x80000000;
const LAST_PUSH_ID = 0xffffffff;
/** Bytes. Section 2.6 */
const MAXIMUM_SHADOW = 16_384;
const RRPC_RESPONSE = 'rrpc/response/';
const DOWN_RAW_REPLY = 'thing/model/down_raw_reply';
const SYNC_SERVICE = /^\/sys\/[^/]+\/[^/]+\/thing\/service\//;

/** One connection of one device. Custom topics are routed, those of the system are a conversation with the server. */
export class AlibabaSession implements DialectSession {
  readonly #tools: SessionTools;
  readonly #texts: JsonTexts;
  readonly #topics: DeviceTopics;
  readonly #subscriptions: Subscriptions;
  /** Bit 0 of `ext`: `/ext/rrpc/...` is understood. Section 4.3 */
  readonly #customRrpc: boolean;
  readonly openingIntents: readonly DeviceIntent[];
  /** Nobody subscribes for it, so what waits is sent as soon as the device is there. */
  readonly listensAtOnce: boolean;
  #classes: TopicClasses;
  #device: DeviceRef;
  #model: ThingModel;
  /** Synchronous services that were called by the system's form of RRPC. */
  readonly #serviceCalls = new Set<string>();
  /** Answers in bytes name no call, so they are taken in order. */
  readonly #rawCalls: string[] = [];
  #nextPush = FIRST_PUSH_ID;

  constructor(tools: SessionTools, device: DeviceRef, identity: LinkIdentity, link: DeviceLink, told: boolean) {
    const parameters = parseClientId(link.clientId)?.parameters ?? new Map<string, string>();
    this.#tools = tools;
    this.#texts = new JsonTexts(tools.reader, link);
    this.#topics = new DeviceTopics(identity);
    this.listensAtOnce = parameters.get('_ss') === '1';
    this.#subscriptions = new Subscriptions(this.#topics, this.listensAtOnce);
    this.#customRrpc = ((integerOf(parameters.get('ext')) ?? 0) & 1) === 1;
    this.openingIntents = told ? [] : libraryIntents(parameters, tools.now());
    this.#device = device;
    this.#classes = new TopicClasses(device);
    this.#model = new ThingModel(device.settings.alibaba?.thingModel ?? null);
  }

  deviceChanged(device: DeviceRef): void {
    if (device.settings !== this.#device.settings) {
      this.#classes = new TopicClasses(device);
      this.#model = new ThingModel(device.settings.alibaba?.thingModel ?? null);
    }
    this.#device = device;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    return this.#subscriptions.add(topicFilter, options.qos, this.#classes);
  }

  unsubscribe(topicFilter: string): number | null {
    return this.#subscriptions.remove(topicFilter);
  }

  publish(message: DialectMessage): Disposition {
    const { topicName } = message;
    // Section 2.3
    if (message.qos === 2) return closeConnection(ReasonCode.QoSNotSupported, 'QoS 2 is not supported.');
    if (isTooLong(topicName)) return refuseMessage(ReasonCode.TopicNameInvalid, 'The topic is longer than 128 bytes.');
    const uplink = parseUplink(topicName);
    if (uplink.kind === 'unknown') return notAllowed(topicName);
    if (uplink.kind === 'rrpc') return this.#rrpcAnswer(uplink.messageId, uplink.topic, message);
    if (!this.#topics.owns(uplink.owner)) return notAllowed(topicName);
    switch (uplink.kind) {
      case 'custom':
        return this.#classes.mayPublish(uplink.suffix) ? ROUTE : notAllowed(topicName);
      case 'system':
        return this.#system(uplink.suffix, message);
      case 'ntp':
        return this.#ntp(message);
      case 'shadow':
        return this.#shadow(message);
      case 'ota':
        return otaUplink(this.#texts, uplink.name, message) ?? notAllowed(topicName);
      default:
        return notAllowed(topicName);
    }
  }

  #system(suffix: string, message: DialectMessage): Disposition {
    if (suffix.startsWith(RRPC_RESPONSE)) {
      return this.#rrpcAnswer(suffix.slice(RRPC_RESPONSE.length), null, message);
    }
    if (suffix === DOWN_RAW_REPLY) return this.#rawAnswer(message);
    const system = { texts: this.#texts, topics: this.#topics, suffix, message };
    return systemUplink(system) ?? notAllowed(message.topicName);
  }

  /** `topic` of the custom form; null: the system's form. One that nobody waits for is ignored by the platform. */
  #rrpcAnswer(messageId: string, topic: string | null, { topicName, payload }: DialectMessage): Disposition {
    if (!isMessageId(messageId)) return notAllowed(topicName);
    const isService = this.#serviceCalls.delete(messageId) || (topic !== null && SYNC_SERVICE.test(topic));
    const answer = (isService ? rrpcServiceAnswer : rrpcAnswer)(this.#texts, payload);
    return perform([{ kind: 'rpcResponse', id: messageId, payload: answer }]);
  }

  #rawAnswer({ payload }: DialectMessage): Disposition {
    const id = this.#rawCalls.shift();
    return perform(id === undefined ? [] : [{ kind: 'rpcResponse', id, payload: JSON.stringify(base64Of(payload)) }]);
  }

  #ntp({ payload, receivedAt }: DialectMessage): Disposition {
    const request = readNtpRequest(this.#texts, payload);
    if (request === undefined) {
      return refuseMessage(ReasonCode.PayloadFormatInvalid, 'The NTP request has no deviceSendTime.');
    }
    const topicName = this.#topics.ntpResponse;
    const detail = String(receivedAt);
    const owed: PendingReply = { kind: 'ntp', topicName, qos: 0, id: request, code: AlinkCode.Success, detail };
    return performAndTell([], encodePending(owed));
  }

  /** Everything comes back on one topic, whatever was asked. Section 4.2 */
  #shadow({ payload, qos }: DialectMessage): Disposition {
    const topicName = this.#topics.shadowGet;
    const owed = { kind: 'shadow', topicName, qos: qos === 0 ? 0 : 1, id: '""', code: AlinkCode.Success } as const;
    const params =
      payload.length > MAXIMUM_SHADOW ? undefined : this.#texts.reader.readJson(payload, this.#texts.decoding);
    if (params === undefined) {
      const error = payload.length === 0 ? 407 : 400;
      return performAndTell([], encodePending({ ...owed, detail: errorReply(error, seconds(this.#tools.now())) }));
    }
    const ref = encodePending({ ...owed, detail: '' });
    return perform([{ kind: 'dialectRequest', request: SHADOW_REQUEST, params, ref }]);
  }

  command(command: DeviceCommand): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed' {
    const downlink = command.kind === 'rpc' ? rpcDownlink(this.#context, command) : this.#properties(command);
    if (downlink === undefined) return 'notSupported';
    const { topicName, payload } = downlink;
    const qos = this.#subscriptions.qosFor(topicName, COMMAND_QOS);
    if (qos === null) return 'notSubscribed';
    if (command.kind === 'rpc') this.#called(command.id, downlink);
    return [{ topicName, payload, qos }];
  }

  #properties({ values }: Extract<DeviceCommand, { kind: 'sharedAttributes' }>): Downlink | undefined {
    // A desired value that was taken away is nothing to set.
    const properties = new Map([...(values ?? [])].filter(([key]) => isProperty(key)));
    if (properties.size === 0) return undefined;
    const id = String(this.#nextPush);
    this.#nextPush = this.#nextPush === LAST_PUSH_ID ? FIRST_PUSH_ID : this.#nextPush + 1;
    return propertiesDownlink(this.#context, id, properties);
  }

  get #context() {
    return { texts: this.#texts, topics: this.#topics, model: this.#model, customRrpc: this.#customRrpc };
  }

  #called(id: string, { answer, topicName }: Downlink): void {
    if (answer === 'raw') {
      this.#rawCalls.push(id);
      if (this.#rawCalls.length > MAXIMUM_OPEN_CALLS) this.#rawCalls.shift();
    }
    if (answer !== 'service' || !topicName.startsWith(this.#topics.rrpcRequest)) return;
    this.#serviceCalls.add(id);
    const [oldest] = this.#serviceCalls;
    if (this.#serviceCalls.size > MAXIMUM_OPEN_CALLS && oldest !== undefined) this.#serviceCalls.delete(oldest);
  }

  reply(reply: DeviceReply): readonly OutboundMessage[] {
    const pending = decodePending(reply.ref);
    if (pending === undefined) return [];
    const qos = this.#subscriptions.qosFor(pending.topicName, pending.qos);
    if (qos === null) return [];
    return [{ topicName: pending.topicName, payload: this.#replyPayload(pending, reply), qos }];
  }

  #replyPayload(pending: PendingReply, reply: DeviceReply): Uint8Array {
    const { kind, id, topicName, detail } = pending;
    if (kind === 'ntp') return writeNtpResponse(id, detail, this.#tools.now());
    if (kind === 'shadow') return encodeText(reply.kind === 'dialect' ? reply.payload : detail);
    const method = methodOf(topicName.slice(this.#topics.system.length).replace(/_reply$/, ''));
    if (reply.kind === 'dialect') {
      const members = this.#texts.members(reply.payload, 8);
      const code = codeOf(members?.get('code'));
      return writeReply(id, code, method, members?.get('data'));
    }
    if (reply.kind === 'attributes')
      return writeReply(id, AlinkCode.Success, method, this.#attributesData(kind, reply));
    const code = pending.code === AlinkCode.Success ? outcomeCode(reply) : pending.code;
    const data = kind === 'model' ? JSON.stringify(this.#device.settings.alibaba?.thingModel ?? {}) : '{}';
    return writeReply(id, code, method, data);
  }

  #attributesData(kind: PendingReply['kind'], reply: Extract<DeviceReply, { kind: 'attributes' }>): string {
    switch (kind) {
      case 'desired':
        return desiredData(reply.shared.filter(({ key }) => isProperty(key)));
      case 'tags':
        return tagsData(reply.client);
      case 'logMode': {
        const mode = reply.shared.find(({ key }) => key === LOG_MODE_ATTRIBUTE);
        return `{"getType":"content","content":{"mode":${Number(mode?.value) === 1 ? 1 : 0}}}`;
      }
      default:
        return '{}';
    }
  }

  mayReceive(topicName: string): boolean {
    const { custom, broadcast } = this.#topics;
    if (topicName.startsWith(custom)) return this.#classes.mayReceive(topicName.slice(custom.length));
    return topicName.startsWith(broadcast);
  }

  mayPublishWill(topicName: string): boolean {
    const { custom } = this.#topics;
    return topicName.startsWith(custom) && this.#classes.mayPublish(topicName.slice(custom.length));
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function notAllowed(topicName: string): Disposition {
  return refuseMessage(ReasonCode.NotAuthorized, `The device may not publish to ${topicName.slice(0, 128)}.`);
}

function outcomeCode(reply: DeviceReply): AlinkCode {
  if (reply.kind !== 'outcome') return AlinkCode.Failed;
  if (reply.outcome === 'stored') return AlinkCode.Success;
  return reply.outcome === 'refused' ? AlinkCode.Throttled : AlinkCode.Failed;
}

function codeOf(text: string | undefined): AlinkCode {
  return Object.values(AlinkCode).find((code) => String(code) === text) ?? AlinkCode.Failed;
}

/** Which library the device was built with, as client attributes. Section 1.2 */
function libraryIntents(parameters: ReadonlyMap<string, string>, ts: number): readonly DeviceIntent[] {
  const values = new PointList();
  for (const [parameter, key] of [
    ['_v', 'sdkVersion'],
    ['lan', 'sdkLanguage'],
  ] as const) {
    const value = parameters.get(parameter);
    if (value) values.add(ts, key, ValueKind.String, value);
  }
  return values.length === 0 ? [] : [{ kind: 'attributes', scope: 'CLIENT', values }];
}

import {
  type DeviceIntent,
  type DeviceRef,
  PointList,
  type ReplyRef,
  type Value,
  ValueKind,
  type ValueReader,
} from '@moorage/core';
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
  toBase64,
} from '@moorage/dialect-api';
import { parseClientId } from './client-id.ts';
import { AlinkCode, outcomeCode } from './codes.ts';
import { type Downlink, desiredData, propertiesDownlink, rpcDownlink, tagsData } from './downlinks.ts';
import type { DownloadLinks } from './download-links.ts';
import { writeReply, writeRequest } from './envelope.ts';
import { blockContext, blockError, blockFrame } from './file-blocks.ts';
import { firmwareTask } from './firmware.ts';
import { integerOf, JsonTexts } from './json-text.ts';
import { readNtpRequest, writeNtpResponse } from './ntp.ts';
import { otaUplink, pendingFirmware } from './ota.ts';
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
  readonly links: DownloadLinks;
  /** The message to a device that has a shadow when values are desired of it; null: it has none. JSON text. */
  readonly shadowControl: (deviceId: string, values: ReadonlyMap<string, Value>) => string | null;
}

type SharedAttributes = Extract<DeviceCommand, { kind: 'sharedAttributes' }>;

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
  /** The last task that the device was told of unasked. */
  #pushedFirmware: string | null = null;

  constructor(tools: SessionTools, device: DeviceRef, identity: LinkIdentity, link: DeviceLink, told: boolean) {
    const parameters = parseClientId(link.clientId)?.parameters ?? new Map<string, string>();
    this.#tools = tools;
    this.#texts = new JsonTexts(tools.reader, link);
    this.#topics = new DeviceTopics(identity);
    this.listensAtOnce = parameters.get('_ss') === '1';
    this.#subscriptions = new Subscriptions(this.#topics, this.listensAtOnce);
    this.#customRrpc = ((integerOf(parameters.get('ext')) ?? 0) & 1) === 1;
    const library = told ? [] : libraryIntents(parameters, tools.now());
    this.openingIntents = [...library, pendingFirmware(this.#topics)];
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
        return otaUplink(this.#texts, this.#topics, uplink.name, message) ?? notAllowed(topicName);
      default:
        return notAllowed(topicName);
    }
  }

  #system(suffix: string, message: DialectMessage): Disposition {
    if (suffix.startsWith(RRPC_RESPONSE)) {
      return this.#rrpcAnswer(suffix.slice(RRPC_RESPONSE.length), null, message);
    }
    if (suffix === DOWN_RAW_REPLY) return this.#rawAnswer(message);
    const { gateway: isGateway } = this.#device;
    const system = { texts: this.#texts, topics: this.#topics, suffix, message, isGateway };
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
    return perform(id === undefined ? [] : [{ kind: 'rpcResponse', id, payload: JSON.stringify(toBase64(payload)) }]);
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
    if (command.kind === 'sharedAttributes') return this.#sharedAttributes(command);
    const downlink = rpcDownlink(this.#context, command);
    if (downlink === undefined) return 'notSupported';
    const { topicName, payload } = downlink;
    const qos = this.#subscriptions.qosFor(topicName, COMMAND_QOS);
    if (qos === null) return 'notSubscribed';
    this.#called(command.id, downlink);
    return [{ topicName, payload, qos }];
  }

  /** A desired value that was taken away is nothing to set. */
  #sharedAttributes({ values }: SharedAttributes): readonly OutboundMessage[] | 'notSupported' | 'notSubscribed' {
    const properties = new Map([...(values ?? [])].filter(([key]) => isProperty(key)));
    const messages: Pick<OutboundMessage, 'topicName' | 'payload'>[] = [];
    if (properties.size > 0) {
      messages.push(propertiesDownlink(this.#context, this.#pushId(), properties));
      const control = this.#tools.shadowControl(this.#device.id, properties);
      if (control !== null) messages.push({ topicName: this.#topics.shadowGet, payload: encodeText(control) });
    }
    const firmware = new Map(Array.from(values ?? [], ([key, { value }]) => [key, value]));
    const task = firmwareTask(firmware, this.#tools.links.linkOf(this.#topics.identity));
    if (task !== null) {
      const data = JSON.stringify(task);
      this.#pushedFirmware = data.replace(/"url":"[^"]*",/, '');
      messages.push({ topicName: this.#topics.ota('upgrade'), payload: upgrade(JSON.stringify(this.#pushId()), data) });
    }
    if (messages.length === 0) return 'notSupported';
    const heard = messages.flatMap((message): OutboundMessage[] => {
      const qos = this.#subscriptions.qosFor(message.topicName, COMMAND_QOS);
      return qos === null ? [] : [{ ...message, qos }];
    });
    return heard.length === 0 ? 'notSubscribed' : heard;
  }

  /** A word of the server's own, as `thing/disable`; nothing if the device does not listen. Section 6 */
  notice(suffix: string): readonly OutboundMessage[] {
    const topicName = this.#topics.system + suffix;
    const qos = this.#subscriptions.qosFor(topicName, COMMAND_QOS);
    const payload = writeRequest(this.#pushId(), methodOf(suffix), '{}');
    return qos === null ? [] : [{ topicName, payload, qos }];
  }

  #pushId(): string {
    const id = String(this.#nextPush);
    this.#nextPush = this.#nextPush === LAST_PUSH_ID ? FIRST_PUSH_ID : this.#nextPush + 1;
    return id;
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
    const payload = pending.kind === 'upgrade' ? this.#upgrade(pending, reply) : this.#replyPayload(pending, reply);
    return payload === null ? [] : [{ topicName: pending.topicName, payload, qos }];
  }

  /** Asked for: what there is. Unasked: a task that was not told on this connection, and nothing if there is none. */
  #upgrade({ id, detail }: PendingReply, reply: DeviceReply): Uint8Array | null {
    const data = reply.kind === 'dialect' ? this.#texts.members(reply.payload, 8)?.get('data') : undefined;
    if (data === undefined) return null;
    if (detail === 'asked') return upgrade(id, data);
    // Where the file lies is another text each time, so tasks are told apart by what they install.
    const task = data.replace(/"url":"[^"]*",/, '');
    if (data === '{}' || task === this.#pushedFirmware) return null;
    this.#pushedFirmware = task;
    return upgrade(JSON.stringify(this.#pushId()), data);
  }

  #replyPayload(pending: PendingReply, reply: DeviceReply): Uint8Array {
    const { kind, id, topicName, detail } = pending;
    if (kind === 'file') return filePayload(blockContext(id, detail), reply);
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

  /** Does this reply say that the request was not carried out? */
  isRefusal(ref: ReplyRef): boolean {
    return decodePending(ref)?.code !== AlinkCode.Success;
  }

  /** The QoS at which a message of the system is sent; null: the device does not listen. */
  qosFor(topicName: string, wanted: QoS): QoS | null {
    return this.#subscriptions.qosFor(topicName, wanted);
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

/** `id` is JSON text. Section 5, 2 */
function upgrade(id: string, data: string): Uint8Array {
  return encodeText(`{"id":${id},"code":"1000","message":"success","data":${data}}`);
}

function filePayload(context: ReturnType<typeof blockContext>, reply: DeviceReply): Uint8Array {
  if (reply.kind === 'otaChunk' && reply.payload instanceof Uint8Array) {
    return blockFrame(context, reply.payload, reply.fileSize ?? 0);
  }
  const isMissing = reply.kind === 'otaError' && (reply.error === 'notFound' || reply.error === 'elsewhere');
  return isMissing ? blockError(context, 404, 'file not found') : blockError(context, 400, 'block not available');
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function notAllowed(topicName: string): Disposition {
  return refuseMessage(ReasonCode.NotAuthorized, `The device may not publish to ${topicName.slice(0, 128)}.`);
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

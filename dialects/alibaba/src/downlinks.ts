import { formatValue, formatValues, jsonString, type Value } from '@moorage/core';
import { type DeviceCommand, fromBase64, isTopicName } from '@moorage/dialect-api';
import { writeRequest } from './envelope.ts';
import type { JsonTexts } from './json-text.ts';
import { methodOf } from './requests.ts';
import { RRPC_METHOD, readRrpcCall } from './rrpc.ts';
import type { ThingModel } from './thing-model.ts';
import { type DeviceTopics, EXT_RRPC, isTooLong } from './topics.ts';

type RpcCommand = Extract<DeviceCommand, { kind: 'rpc' }>;

const PROPERTY_SET = 'thing/service/property/set';
const PROPERTY_GET = 'thing/service/property/get';
const DOWN_RAW = 'thing/model/down_raw';
/** Names under which a user may call the services that every product has. */
const FIXED_SERVICES: ReadonlyMap<string, string> = new Map([
  ['thing.service.property.set', PROPERTY_SET],
  ['property.set', PROPERTY_SET],
  ['thing.service.property.get', PROPERTY_GET],
  ['property.get', PROPERTY_GET],
  // Sections 4.5, 4.6 and 6: what the server tells of its own accord.
  ...[
    'thing/config/push',
    'thing/config/log/push',
    'thing/topo/add/notify',
    'thing/topo/change',
    'thing/gateway/permit',
    'thing/disable',
    'thing/enable',
    'thing/delete',
  ].map((suffix) => [methodOf(suffix), suffix] as const),
]);
const RAW_METHODS = ['thing.model.down_raw', 'down_raw'];
const SERVICE_PREFIX = 'thing.service.';
/** Of a service, or `module:service`. */
const SERVICE_NAME = /^[A-Za-z0-9_:.-]{1,64}$/;

/** A message for the device. `answer`: how the device answers. */
export interface Downlink {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly answer: 'alink' | 'service' | 'free' | 'raw';
}

/** What the connection is like. */
export interface DownlinkContext {
  readonly texts: JsonTexts;
  readonly topics: DeviceTopics;
  readonly model: ThingModel;
  /** The device understands `/ext/rrpc/...`. Section 4.3 */
  readonly customRrpc: boolean;
}

/** The message that carries a call; undefined: the protocol has no word for it. Sections 4.3 and 4.4 */
export function rpcDownlink(context: DownlinkContext, command: RpcCommand): Downlink | undefined {
  const { topics } = context;
  const { method } = command;
  if (method === RRPC_METHOD) return freeRrpc(context, command);
  if (RAW_METHODS.includes(method)) return rawDownlink(context, command);
  const fixed = FIXED_SERVICES.get(method);
  const service = method.startsWith(SERVICE_PREFIX) ? method.slice(SERVICE_PREFIX.length) : method;
  if (fixed === undefined && !SERVICE_NAME.test(service)) return undefined;
  const suffix = fixed ?? `thing/service/${service}`;
  const params = paramsOf(context, suffix, command.params);
  const payload = writeRequest(command.id, methodOf(suffix), params);
  if (fixed === undefined && context.model.isSync(service)) {
    return { topicName: rrpcTopic(context, command.id, `${topics.system}${suffix}`), payload, answer: 'service' };
  }
  return { topicName: topics.system + suffix, payload, answer: 'alink' };
}

/** Desired values, told to a device that is there. `id` is none of a call's. Section 4.4 */
export function propertiesDownlink(context: DownlinkContext, id: string, values: ReadonlyMap<string, Value>): Downlink {
  const { texts, topics, model } = context;
  const params = model.withDecimals(texts, formatValues(values));
  return {
    topicName: topics.system + PROPERTY_SET,
    payload: writeRequest(id, methodOf(PROPERTY_SET), params),
    answer: 'alink',
  };
}

/** `{"power":{"value":"on","version":2}}` for those that are set. */
export function desiredData(
  attributes: readonly (Value & { readonly key: string; readonly lastUpdateTs: number })[],
): string {
  const members = attributes.map((attribute) => {
    const { key, lastUpdateTs } = attribute;
    return `${JSON.stringify(key)}:{"value":${formatValue(attribute)},"version":${lastUpdateTs}}`;
  });
  return `{${members.join(',')}}`;
}

/** `[{"attrKey":"k","attrValue":"v"}]`; values are texts. */
export function tagsData(attributes: readonly (Value & { readonly key: string })[]): string {
  return JSON.stringify(attributes.map(({ key, value }) => ({ attrKey: key, attrValue: String(value) })));
}

function paramsOf({ model, texts }: DownlinkContext, suffix: string, given: string): string {
  const params = given === '' || given === 'null' ? '{}' : given;
  return suffix === PROPERTY_SET ? model.withDecimals(texts, params) : params;
}

/** The custom form where the device understands it, else the system's. Section 4.3 */
function rrpcTopic({ topics, customRrpc }: DownlinkContext, id: string, topic: string): string {
  return customRrpc ? `${EXT_RRPC}${id}${topic}` : topics.rrpcRequest + id;
}

function freeRrpc(context: DownlinkContext, command: RpcCommand): Downlink | undefined {
  const call = readRrpcCall(context.texts, command.params);
  if (call === undefined || (call.topic !== null && !context.customRrpc)) return undefined;
  const { topics } = context;
  const topicName = call.topic === null ? topics.rrpcRequest + command.id : `${EXT_RRPC}${command.id}${call.topic}`;
  if (isTooLong(topicName) || !isTopicName(topicName)) return undefined;
  return { topicName, payload: call.payload, answer: 'free' };
}

/** `params` is Base64 as a JSON string. */
function rawDownlink({ topics }: DownlinkContext, { params }: RpcCommand): Downlink | undefined {
  const text = safeString(params);
  const payload = text === undefined ? undefined : fromBase64(text);
  return payload === undefined ? undefined : { topicName: topics.system + DOWN_RAW, payload, answer: 'raw' };
}

function safeString(params: string): string | undefined {
  return /^"[A-Za-z0-9+/=]*"$/.test(params) ? jsonString(params) : undefined;
}

import { ProtocolError, parseSharedFilter } from '@moorage/dialect-api';

/** First level of the topics that the platform keeps for itself. architecture.md, Spaces */
const RESERVED = 'moorage/';
const DEVICES = 'moorage/devices/';
const RPC_RESPONSE = 'moorage/me/rpc/response/';
const RPC_REQUEST = 'moorage/me/rpc/request/';
const LOWER_M = 0x6d;
const DOLLAR = 0x24;

/** Longest identifier of an RPC in characters. */
const MAXIMUM_ID_LENGTH = 128;

/** What a PUBLISH is, by its topic. */
export type PublishTopic =
  | { readonly kind: 'free' }
  | { readonly kind: 'telemetry' }
  | { readonly kind: 'attributes' }
  | { readonly kind: 'rpcResponse'; readonly id: string }
  | { readonly kind: 'rpcRequest'; readonly encodedName: string; readonly id: string }
  /** Nobody publishes here: server topics, unknown ones below `moorage/`, and `$` topics. */
  | { readonly kind: 'reserved' };

const FREE: PublishTopic = { kind: 'free' };
const TELEMETRY: PublishTopic = { kind: 'telemetry' };
const ATTRIBUTES: PublishTopic = { kind: 'attributes' };
const RESERVED_TOPIC: PublishTopic = { kind: 'reserved' };

/** Tells whether a topic stands below `moorage/`. Asked for every delivery, so the first character decides nearly always. */
export function isReserved(topicName: string): boolean {
  return topicName.charCodeAt(0) === LOWER_M && topicName.startsWith(RESERVED);
}

/** Tells whether a topic or filter begins with `$`. Asked for every delivery. */
export function isDollarTopic(topicName: string): boolean {
  return topicName.charCodeAt(0) === DOLLAR;
}

/** Tells whether a topic or filter stands below `$SYS/`. */
export function isSysTopic(topicName: string): boolean {
  return topicName.startsWith('$SYS/');
}

function isId(text: string): boolean {
  return text.length > 0 && text.length <= MAXIMUM_ID_LENGTH && !text.includes('/');
}

/** Sorts a Topic Name of a PUBLISH. */
export function parsePublishTopic(topicName: string): PublishTopic {
  if (isDollarTopic(topicName)) return RESERVED_TOPIC;
  if (!isReserved(topicName)) return FREE;
  if (topicName === 'moorage/me/telemetry') return TELEMETRY;
  if (topicName === 'moorage/me/attributes') return ATTRIBUTES;
  if (topicName.startsWith(RPC_RESPONSE)) {
    const id = topicName.slice(RPC_RESPONSE.length);
    return isId(id) ? { kind: 'rpcResponse', id } : RESERVED_TOPIC;
  }
  if (topicName.startsWith(DEVICES)) {
    const [encodedName, rpc, request, id, ...rest] = topicName.slice(DEVICES.length).split('/');
    if (encodedName && rpc === 'rpc' && request === 'request' && id !== undefined && isId(id) && rest.length === 0) {
      return { kind: 'rpcRequest', encodedName, id };
    }
  }
  return RESERVED_TOPIC;
}

/** The device's name in a topic, percent-decoded; undefined if it is not well-formed. architecture.md, Spaces */
export function decodeDeviceName(encodedName: string): string | undefined {
  if (!encodedName.includes('%')) return encodedName;
  try {
    return decodeURIComponent(encodedName);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** What a subscription asks for. */
export type SubscribeTopic =
  /** `inner` is the filter without the ShareName of a Shared Subscription. */
  | { readonly kind: 'free'; readonly inner: string }
  /** Topics of the server, such as `moorage/devices/#`. */
  | { readonly kind: 'server'; readonly inner: string }
  /** Commands to this device, pushed. */
  | { readonly kind: 'rpcRequests' }
  /** What the server tells about itself below `$SYS/`. */
  | { readonly kind: 'sys' }
  /** Nobody receives anything there. */
  | { readonly kind: 'reserved' };

const RESERVED_FILTER: SubscribeTopic = { kind: 'reserved' };
const SYS_FILTER: SubscribeTopic = { kind: 'sys' };
const RPC_FILTERS = [`${RPC_REQUEST}+`, `${RPC_REQUEST}#`, 'moorage/me/rpc/#', 'moorage/me/#'];
const SERVER_FILTER = /^moorage\/(?:devices|\+)(?:\/|$)|^moorage\/#$/;

/** Sorts a Topic Filter of a SUBSCRIBE. One that begins with a wildcard is free: deliveries are checked one by one. */
export function parseSubscribeTopic(topicFilter: string): SubscribeTopic {
  const shared = parseSharedFilter(topicFilter);
  if (shared instanceof ProtocolError) return RESERVED_FILTER;
  const inner = shared === null ? topicFilter : shared.topicFilter;
  if (isDollarTopic(inner)) return isSysTopic(inner) ? SYS_FILTER : RESERVED_FILTER;
  if (!isReserved(inner)) return { kind: 'free', inner };
  if (SERVER_FILTER.test(inner)) return { kind: 'server', inner };
  return shared === null && RPC_FILTERS.includes(inner) ? { kind: 'rpcRequests' } : RESERVED_FILTER;
}

/** Tells whether a topic is one that the server publishes about devices. */
export function isServerTopic(topicName: string): boolean {
  return topicName.startsWith(DEVICES);
}

/** Where a command of the server goes. */
export function rpcRequestTopic(id: string): string {
  return `${RPC_REQUEST}${id}`;
}

import type { ProfileSettings } from '@moorage/core';
import { isTopicFilter, topicMatches } from '@moorage/dialect-api';

/** What a PUBLISH of a device is, by its topic. */
export type PublishTopic =
  | { readonly kind: 'telemetry' }
  | { readonly kind: 'attributes' }
  | { readonly kind: 'rpcResponse'; readonly id: string }
  | { readonly kind: 'gateway' }
  | { readonly kind: 'unknown' };

/** What a subscription switches on; `other` is granted and only its QoS counts. Section 1.8 */
export type SubscribedTo = 'attributes' | 'rpc' | 'other';

/** Longest request identifier in digits, so that it stays an integer of 32 bits. */
const MAXIMUM_ID_DIGITS = 10;

const TELEMETRY: PublishTopic = { kind: 'telemetry' };
const ATTRIBUTES: PublishTopic = { kind: 'attributes' };
const GATEWAY: PublishTopic = { kind: 'gateway' };
const UNKNOWN: PublishTopic = { kind: 'unknown' };

const DEFAULT_TELEMETRY = 'v1/devices/me/telemetry';
const DEFAULT_ATTRIBUTES = 'v1/devices/me/attributes';

/** Topics that no profile replaces. Sections 2.1 and 3.1 */
const SHORT_TOPICS: ReadonlyMap<string, PublishTopic> = new Map<string, PublishTopic>([
  ['v2/t', TELEMETRY],
  ['v2/t/j', TELEMETRY],
  ['v2/a', ATTRIBUTES],
  ['v2/a/j', ATTRIBUTES],
]);
const DEFAULT_TOPICS: ReadonlyMap<string, PublishTopic> = new Map<string, PublishTopic>([
  [DEFAULT_TELEMETRY, TELEMETRY],
  [DEFAULT_ATTRIBUTES, ATTRIBUTES],
  ...SHORT_TOPICS,
]);

/** Section 4.1; the longest prefix first. */
const RPC_RESPONSE_PREFIXES = ['v1/devices/me/rpc/response/', 'v2/r/res/j/', 'v2/r/res/'];
const GATEWAY_PREFIX = 'v1/gateway/';

/** The table of section 1.8, without the filters of Protobuf. Filters are compared as text. */
const FILTERS: ReadonlyMap<string, SubscribedTo> = new Map<string, SubscribedTo>([
  [DEFAULT_ATTRIBUTES, 'attributes'],
  ['v2/a', 'attributes'],
  ['v2/a/j', 'attributes'],
  ['v2/a/p', 'other'],
  ['v1/devices/me/rpc/request/+', 'rpc'],
  ['v2/r/req/+', 'rpc'],
  ['v2/r/req/j/+', 'rpc'],
  ['v2/r/req/p/+', 'other'],
  ['v1/devices/me/attributes/response/+', 'other'],
  ['v2/a/res/+', 'other'],
  ['v2/a/res/j/+', 'other'],
  ['v2/a/res/p/+', 'other'],
  ['v1/devices/me/rpc/response/+', 'other'],
  ['v2/r/res/+', 'other'],
  ['v2/r/res/j/+', 'other'],
  ['v2/r/res/p/+', 'other'],
  ['v2/fw/response/+/chunk/+', 'other'],
  ['v2/fw/error', 'other'],
  ['v2/sw/response/+/chunk/+', 'other'],
  ['v2/sw/error', 'other'],
  ['v1/gateway/attributes', 'other'],
  ['v1/gateway/attributes/response', 'other'],
  ['v1/gateway/rpc', 'other'],
]);

/** Every filter that any device may subscribe to, in the order of section 1.8. */
export const ACCEPTED_FILTERS: readonly string[] = [...FILTERS.keys()];

/** Tells whether the last level of a topic is a request identifier: decimal digits. */
export function isRequestId(text: string): boolean {
  return text.length <= MAXIMUM_ID_DIGITS && /^\d+$/.test(text);
}

function rpcResponse(topicName: string): PublishTopic | undefined {
  for (const prefix of RPC_RESPONSE_PREFIXES) {
    if (topicName.startsWith(prefix)) return { kind: 'rpcResponse', id: topicName.slice(prefix.length) };
  }
  return undefined;
}

function gatewayOrUnknown(topicName: string): PublishTopic {
  return topicName.startsWith(GATEWAY_PREFIX) ? GATEWAY : UNKNOWN;
}

/** The topics of devices of one profile. */
export interface DeviceTopics {
  parse(topicName: string): PublishTopic;
  /** undefined: the filter is refused. */
  subscribedTo(topicFilter: string): SubscribedTo | undefined;
}

const DEFAULT_DEVICE_TOPICS: DeviceTopics = {
  parse: (topicName) => DEFAULT_TOPICS.get(topicName) ?? rpcResponse(topicName) ?? gatewayOrUnknown(topicName),
  subscribedTo: (topicFilter) => FILTERS.get(topicFilter),
};

/** A profile's filter; null where it has none or one that is no Topic Filter. */
function profileFilter(setting: string | null): string | null {
  return setting !== null && isTopicFilter(setting) ? setting : null;
}

/**
 * The topics that a profile leaves its devices. A replaced `v1/...` topic is unknown, the short ones and those of RPC
 * always work, and attributes are tried before telemetry. Section 1.9
 */
export function topicsFor(settings: ProfileSettings): DeviceTopics {
  const telemetry = profileFilter(settings.telemetryTopic);
  const attributes = profileFilter(settings.attributesTopic);
  const subscription = settings.attributesSubscribeTopic;
  if (telemetry === null && attributes === null && subscription === null) return DEFAULT_DEVICE_TOPICS;
  const attributesFilter = attributes ?? DEFAULT_ATTRIBUTES;
  const telemetryFilter = telemetry ?? DEFAULT_TELEMETRY;
  return {
    parse(topicName) {
      const fixed = SHORT_TOPICS.get(topicName) ?? rpcResponse(topicName);
      if (fixed !== undefined) return fixed;
      if (topicMatches(attributesFilter, topicName)) return ATTRIBUTES;
      return topicMatches(telemetryFilter, topicName) ? TELEMETRY : gatewayOrUnknown(topicName);
    },
    subscribedTo: (topicFilter) => (topicFilter === subscription ? 'attributes' : FILTERS.get(topicFilter)),
  };
}

/** Where shared attributes go, by the filter that asked for them; one with wildcards names no topic. Section 3.1 */
export function attributesPushTopic(topicFilter: string): string {
  return /[+#]/.test(topicFilter) ? DEFAULT_ATTRIBUTES : topicFilter;
}

/** Where an RPC goes, by the filter that asked for it. Section 4.1 */
export function rpcRequestTopic(topicFilter: string, id: string): string {
  return `${topicFilter.slice(0, -1)}${id}`;
}

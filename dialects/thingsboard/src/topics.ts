import type { OtaPackageType, ProfileSettings } from '@moorage/core';
import { isTopicFilter, topicMatches } from '@moorage/dialect-api';
import { type GatewayTopic, gatewayTopic } from './gateway/gateway-topics.ts';

/** How a payload is written; `either`: Protocol Buffers, and JSON where it cannot be read so. Section 2.1 */
export type Encoding = 'json' | 'protobuf' | 'either';

/** What a PUBLISH of a device is, by its topic. `answerTo` is the topic of the answer, in the form of the request. */
export type PublishTopic =
  | { readonly kind: 'telemetry'; readonly encoding: Encoding }
  | { readonly kind: 'attributes'; readonly encoding: Encoding }
  | { readonly kind: 'claim'; readonly encoding: Encoding }
  | { readonly kind: 'rpcResponse'; readonly encoding: Encoding; readonly id: string }
  | {
      readonly kind: 'attributesRequest' | 'clientRpc';
      readonly encoding: Encoding;
      readonly id: string;
      readonly answerTo: string;
    }
  | {
      readonly kind: 'otaChunk';
      readonly type: OtaPackageType;
      readonly requestId: string;
      readonly chunk: number;
      readonly answerTo: string;
    }
  | { readonly kind: 'gateway'; readonly topic: GatewayTopic | undefined }
  | { readonly kind: 'unknown' };

/** Longest request identifier in digits, so that it stays an integer of 32 bits. */
const MAXIMUM_ID_DIGITS = 10;

const UNKNOWN: PublishTopic = { kind: 'unknown' };
const DEFAULT_TELEMETRY = 'v1/devices/me/telemetry';
const DEFAULT_ATTRIBUTES = 'v1/devices/me/attributes';
const OTA_REQUEST = /^v2\/(fw|sw)\/request\/(\d{1,10})\/chunk\/(\d{1,10})$/;

/** The forms of a topic: as the profile says, always JSON, always Protocol Buffers. */
type Form = 'profile' | 'json' | 'protobuf';

/** Topics that end in a request identifier. Sections 3.1, 4.1 and 4.4; of two that fit, the longer comes first. */
const REQUESTS: readonly {
  readonly prefix: string;
  readonly kind: 'attributesRequest' | 'clientRpc' | 'rpcResponse';
  readonly form: Form;
  readonly answerTo: string;
}[] = [
  {
    prefix: 'v1/devices/me/attributes/request/',
    kind: 'attributesRequest',
    form: 'profile',
    answerTo: 'v1/devices/me/attributes/response/',
  },
  { prefix: 'v2/a/req/j/', kind: 'attributesRequest', form: 'json', answerTo: 'v2/a/res/j/' },
  { prefix: 'v2/a/req/p/', kind: 'attributesRequest', form: 'protobuf', answerTo: 'v2/a/res/p/' },
  { prefix: 'v2/a/req/', kind: 'attributesRequest', form: 'profile', answerTo: 'v2/a/res/' },
  {
    prefix: 'v1/devices/me/rpc/request/',
    kind: 'clientRpc',
    form: 'profile',
    answerTo: 'v1/devices/me/rpc/response/',
  },
  { prefix: 'v2/r/req/j/', kind: 'clientRpc', form: 'json', answerTo: 'v2/r/res/j/' },
  { prefix: 'v2/r/req/p/', kind: 'clientRpc', form: 'protobuf', answerTo: 'v2/r/res/p/' },
  { prefix: 'v2/r/req/', kind: 'clientRpc', form: 'profile', answerTo: 'v2/r/res/' },
  { prefix: 'v1/devices/me/rpc/response/', kind: 'rpcResponse', form: 'profile', answerTo: '' },
  { prefix: 'v2/r/res/j/', kind: 'rpcResponse', form: 'json', answerTo: '' },
  { prefix: 'v2/r/res/p/', kind: 'rpcResponse', form: 'protobuf', answerTo: '' },
  { prefix: 'v2/r/res/', kind: 'rpcResponse', form: 'profile', answerTo: '' },
];

/** Tells whether the last level of a topic is a request identifier: decimal digits. */
export function isRequestId(text: string): boolean {
  return text.length <= MAXIMUM_ID_DIGITS && /^\d+$/.test(text);
}

/** How a profile writes payloads of topics that do not say so themselves. */
function profileEncoding({ protobuf }: ProfileSettings): Encoding {
  if (protobuf === null) return 'json';
  return protobuf.acceptJson ? 'either' : 'protobuf';
}

/** How the server writes what it sends under this topic. Section 2.1 */
export function sentEncoding(topicName: string, { protobuf }: ProfileSettings): 'json' | 'protobuf' {
  const levels = topicName.split('/', 4);
  if (levels[0] === 'v2') {
    const form = levels[2] === 'req' || levels[2] === 'res' ? levels[3] : levels[2];
    if (form === 'j') return 'json';
    if (form === 'p') return 'protobuf';
    return protobuf === null ? 'json' : 'protobuf';
  }
  if (protobuf === null) return 'json';
  return protobuf.acceptJson && protobuf.jsonDownlinks ? 'json' : 'protobuf';
}

function request(topicName: string, encoding: Encoding): PublishTopic | undefined {
  for (const { prefix, kind, form, answerTo } of REQUESTS) {
    if (!topicName.startsWith(prefix)) continue;
    const id = topicName.slice(prefix.length);
    const written = form === 'profile' ? encoding : form;
    return kind === 'rpcResponse'
      ? { kind, encoding: written, id }
      : { kind, encoding: written, id, answerTo: answerTo + id };
  }
  return undefined;
}

function otaChunk(topicName: string): PublishTopic | undefined {
  const [, prefix, requestId = '', chunk = ''] = OTA_REQUEST.exec(topicName) ?? [];
  if (prefix === undefined) return undefined;
  return {
    kind: 'otaChunk',
    type: prefix === 'fw' ? 'FIRMWARE' : 'SOFTWARE',
    requestId,
    chunk: Number(chunk),
    answerTo: `v2/${prefix}/response/${requestId}/chunk/${chunk}`,
  };
}

function otherTopic(topicName: string): PublishTopic | undefined {
  if (topicName.startsWith('v1/gateway/')) return { kind: 'gateway', topic: gatewayTopic(topicName) };
  return otaChunk(topicName);
}

/** Topics that no profile replaces. Sections 2.1, 3.1 and 5.1 */
function fixedTopics(encoding: Encoding): Map<string, PublishTopic> {
  return new Map<string, PublishTopic>([
    ['v2/t', { kind: 'telemetry', encoding }],
    ['v2/t/j', { kind: 'telemetry', encoding: 'json' }],
    ['v2/t/p', { kind: 'telemetry', encoding: 'protobuf' }],
    ['v2/a', { kind: 'attributes', encoding }],
    ['v2/a/j', { kind: 'attributes', encoding: 'json' }],
    ['v2/a/p', { kind: 'attributes', encoding: 'protobuf' }],
    ['v1/devices/me/claim', { kind: 'claim', encoding }],
  ]);
}

/** The topics that devices of one profile publish. */
export interface DeviceTopics {
  parse(topicName: string): PublishTopic;
}

function standardTopics(encoding: Encoding): DeviceTopics {
  const topics = fixedTopics(encoding);
  topics.set(DEFAULT_TELEMETRY, { kind: 'telemetry', encoding });
  topics.set(DEFAULT_ATTRIBUTES, { kind: 'attributes', encoding });
  return {
    parse: (topicName) => topics.get(topicName) ?? request(topicName, encoding) ?? otherTopic(topicName) ?? UNKNOWN,
  };
}

const STANDARD_TOPICS: Readonly<Record<Encoding, DeviceTopics>> = {
  json: standardTopics('json'),
  protobuf: standardTopics('protobuf'),
  either: standardTopics('either'),
};

/** A profile's filter; null where it has none or one that is no Topic Filter. */
function profileFilter(setting: string | null): string | null {
  return setting !== null && isTopicFilter(setting) ? setting : null;
}

/**
 * The topics that a profile leaves its devices. A replaced `v1/...` topic is unknown, the short ones and those of
 * requests always work, and attributes are tried before telemetry. Section 1.9
 */
export function topicsFor(settings: ProfileSettings): DeviceTopics {
  const encoding = profileEncoding(settings);
  const telemetryFilter = profileFilter(settings.telemetryTopic);
  const attributesFilter = profileFilter(settings.attributesTopic);
  if (telemetryFilter === null && attributesFilter === null) return STANDARD_TOPICS[encoding];
  const fixed = fixedTopics(encoding);
  const telemetry: PublishTopic = { kind: 'telemetry', encoding };
  const attributes: PublishTopic = { kind: 'attributes', encoding };
  return {
    parse(topicName) {
      const known = fixed.get(topicName) ?? request(topicName, encoding) ?? otherTopic(topicName);
      if (known !== undefined) return known;
      if (topicMatches(attributesFilter ?? DEFAULT_ATTRIBUTES, topicName)) return attributes;
      return topicMatches(telemetryFilter ?? DEFAULT_TELEMETRY, topicName) ? telemetry : UNKNOWN;
    },
  };
}

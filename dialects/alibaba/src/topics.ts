import { encodeText } from '@moorage/dialect-api';
import type { LinkIdentity } from './signature.ts';

/** Bytes of a topic; both families of device libraries refuse longer ones. Section 2.6 */
const MAXIMUM_TOPIC_BYTES = 128;
const MAXIMUM_BYTES_PER_UNIT = 3;
/** `/ext/rrpc/{messageId}` stands before a whole topic. Section 4.3 */
export const EXT_RRPC = '/ext/rrpc/';
const RRPC_MARGIN = 32;

/** What a device publishes, by its topic. `owner` is the device that the topic names. Section 2.4 */
export type Uplink =
  | { readonly kind: 'custom'; readonly owner: LinkIdentity; readonly suffix: string }
  /** Behind `/sys/{productKey}/{deviceName}/`. */
  | { readonly kind: 'system'; readonly owner: LinkIdentity; readonly suffix: string }
  | { readonly kind: 'ota'; readonly owner: LinkIdentity; readonly name: string }
  | { readonly kind: 'ntp'; readonly owner: LinkIdentity }
  | { readonly kind: 'shadow'; readonly owner: LinkIdentity }
  | { readonly kind: 'session'; readonly owner: LinkIdentity; readonly action: string }
  /** An answer on `/ext/rrpc/{messageId}/<topic>`. */
  | { readonly kind: 'rrpc'; readonly messageId: string; readonly topic: string }
  /** Nobody publishes here. */
  | { readonly kind: 'unknown' };

const UNKNOWN: Uplink = { kind: 'unknown' };

/** True for topics that are longer than any device sends. */
export function isTooLong(topic: string): boolean {
  const limit = topic.startsWith(EXT_RRPC) ? MAXIMUM_TOPIC_BYTES + RRPC_MARGIN : MAXIMUM_TOPIC_BYTES;
  if (topic.length * MAXIMUM_BYTES_PER_UNIT <= limit) return false;
  return topic.length > limit || encodeText(topic).length > limit;
}

/** Everything from level `from` on. */
function rest(levels: readonly string[], from: number): string {
  return levels.slice(from).join('/');
}

/** Sorts a Topic Name of a PUBLISH. All of the vendor's begin with a solidus, so the first level is empty. */
export function parseUplink(topicName: string): Uplink {
  const levels = topicName.split('/');
  const [root, first = '', second = '', third = ''] = levels;
  if (root !== '') return UNKNOWN;
  switch (first) {
    case 'sys':
      return levels.length > 4
        ? { kind: 'system', owner: { productKey: second, deviceName: third }, suffix: rest(levels, 4) }
        : UNKNOWN;
    case 'ota': {
      const [productKey = '', deviceName = ''] = levels.slice(4);
      return second === 'device' && levels.length === 6
        ? { kind: 'ota', owner: { productKey, deviceName }, name: third }
        : UNKNOWN;
    }
    case 'shadow':
      return second === 'update' && levels.length === 5
        ? { kind: 'shadow', owner: { productKey: third, deviceName: levels[4] ?? '' } }
        : UNKNOWN;
    case 'ext':
      return extended(topicName, levels);
    case 'broadcast':
    case '':
      return UNKNOWN;
    default:
      return levels.length > 3
        ? { kind: 'custom', owner: { productKey: first, deviceName: second }, suffix: rest(levels, 3) }
        : UNKNOWN;
  }
}

function extended(topicName: string, levels: readonly string[]): Uplink {
  const [, , service, productKey = '', deviceName = ''] = levels;
  const owner = { productKey, deviceName };
  switch (service) {
    case 'ntp':
      return levels.length === 6 && levels[5] === 'request' ? { kind: 'ntp', owner } : UNKNOWN;
    case 'session':
      return levels.length === 7 && levels[5] === 'combine'
        ? { kind: 'session', owner, action: levels[6] ?? '' }
        : UNKNOWN;
    case 'rrpc': {
      const messageId = productKey;
      if (!isMessageId(messageId) || levels.length < 5) return UNKNOWN;
      return { kind: 'rrpc', messageId, topic: topicName.slice(EXT_RRPC.length + messageId.length) };
    }
    default:
      return UNKNOWN;
  }
}

/** The device that a topic of the system names, towards devices; null: none. Section 2.4 */
export function ownerOfDownlink(topicName: string): LinkIdentity | null {
  const [, first, second, ...others] = topicName.split('/');
  const at = first === 'sys' ? [second, others[0]] : first === 'ota' ? others.slice(1, 3) : others.slice(0, 2);
  const [productKey, deviceName] = at;
  return productKey === undefined || deviceName === undefined ? null : { productKey, deviceName };
}

/** Digits, as the server makes them. Section 4.3 */
export function isMessageId(text: string): boolean {
  return /^\d{1,20}$/.test(text);
}

/** Where the server sends to one device. */
export class DeviceTopics {
  readonly identity: LinkIdentity;
  /** `/sys/{productKey}/{deviceName}/` */
  readonly system: string;
  readonly custom: string;
  readonly broadcast: string;
  readonly ntpResponse: string;
  readonly shadowGet: string;
  readonly rrpcRequest: string;
  readonly #names: string;

  constructor(identity: LinkIdentity) {
    this.identity = identity;
    this.#names = `${identity.productKey}/${identity.deviceName}`;
    this.system = `/sys/${this.#names}/`;
    this.custom = `/${this.#names}/`;
    this.broadcast = `/broadcast/${identity.productKey}/`;
    this.ntpResponse = `/ext/ntp/${this.#names}/response`;
    this.shadowGet = `/shadow/get/${this.#names}`;
    this.rrpcRequest = `${this.system}rrpc/request/`;
  }

  ota(name: string): string {
    return `/ota/device/${name}/${this.#names}`;
  }

  owns({ productKey, deviceName }: LinkIdentity): boolean {
    return productKey === this.identity.productKey && deviceName === this.identity.deviceName;
  }
}

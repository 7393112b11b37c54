import { ProtocolError, parseSharedFilter } from '@moorage/dialect-api';

const DOLLAR = 0x24;
const PUB = 'Pub/';
const SUB = 'Sub/';

/** `Sub/<n1>/<n2>/<clientId>`. Section 4.2 */
const SUB_TOPIC = /^Sub\/[0-9]{1,10}\/[0-9]{1,10}\/([0-9A-Za-z_-]{1,64})$/;

/** What may be burnt into a device as its Client Identifier. Section 4.2 */
const CLIENT_ID = /^[0-9A-Za-z_-]{1,64}$/;

/** Tells whether a text may be the Client Identifier of a device. */
export function isClientId(text: string): boolean {
  return CLIENT_ID.test(text);
}

/** Tells whether a topic begins with `$`. Asked for every delivery. */
export function isDollarTopic(topicName: string): boolean {
  return topicName.charCodeAt(0) === DOLLAR;
}

/** Tells whether a topic belongs to no device and to no broker. Section 4.4 */
export function isFreeTopic(topicName: string): boolean {
  return !isDollarTopic(topicName) && !topicName.startsWith(PUB) && !topicName.startsWith(SUB);
}

/** Whose Sub topic this is by its name; null: nobody's. */
export function subTopicOwner(topicName: string): string | null {
  return SUB_TOPIC.exec(topicName)?.[1] ?? null;
}

/** A Topic Filter without its ShareName; null: a filter below `$`, for which nobody has a right. Section 4.4 */
export function plainFilter(topicFilter: string): { readonly inner: string; readonly shared: boolean } | null {
  const shared = parseSharedFilter(topicFilter);
  if (shared instanceof ProtocolError) return null;
  const inner = shared === null ? topicFilter : shared.topicFilter;
  return isDollarTopic(inner) ? null : { inner, shared: shared !== null };
}

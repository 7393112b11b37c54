import { ProtocolError, parseSharedFilter } from '@moorage/dialect-api';

/** Topic Names of pushes, as the vendor's text and the vendor's sample have them. sensoro.md, 4.4 */
export function topicNames(appId: string): readonly string[] {
  return [`users/${appId}/devices`, `/users/${appId}/devices`];
}

/** Filters that an application may subscribe to: the names themselves, also shared. */
export function isPushFilter(topicFilter: string, appId: string): boolean {
  if (!topicFilter.startsWith('$share/')) return topicNames(appId).includes(topicFilter);
  const shared = parseSharedFilter(topicFilter);
  if (shared === null || shared instanceof ProtocolError) return false;
  return topicNames(appId).includes(shared.topicFilter);
}

/** The serial number in `users/<AppID>/devices/<sn>/up`; null: it is another topic. */
export function uplinkSerial(topicName: string, appId: string): string | null {
  const prefix = `users/${appId}/devices/`;
  if (!topicName.startsWith(prefix) || !topicName.endsWith('/up')) return null;
  const serial = topicName.slice(prefix.length, -'/up'.length);
  return serial === '' || serial.includes('/') ? null : serial;
}

import { ProtocolError, parseSharedFilter } from '@moorage/dialect-api';
import type { DropCode } from '../data/account-data.ts';
import { isDeviceId, isTag } from '../text/names.ts';
import type { PayloadMode } from '../text/payload.ts';

/** Stands for the token inside the space of an account, so that all who write it otherwise meet. thingscale.md, 4.3 */
export const TOKEN_LEVEL = '~';

/** What a PUBLISH is, by the levels behind the token. thingscale.md, 4.4 */
export type PublishTopic =
  | { readonly kind: 'data'; readonly mode: PayloadMode; readonly deviceId: string; readonly tag: string | null }
  | { readonly kind: 'state'; readonly deviceId: string }
  /** For a device; never data. */
  | { readonly kind: 'command' }
  | { readonly kind: 'other'; readonly code: DropCode };

const COMMAND: PublishTopic = { kind: 'command' };
const NOT_DATA: PublishTopic = { kind: 'other', code: 'TOPIC_NOT_DATA' };
const ID_ZERO: PublishTopic = { kind: 'other', code: 'DEVICE_ID_ZERO' };

const DATA_MODES: ReadonlyMap<string, PayloadMode> = new Map([
  ['json', 'json'],
  ['binary', 'binary'],
  ['bin', 'binary'],
]);

/** Splits off the first level; `rest` begins with the solidus, or is empty. */
export function splitToken(topic: string): { readonly token: string; readonly rest: string } {
  const solidus = topic.indexOf('/');
  return solidus === -1 ? { token: topic, rest: '' } : { token: topic.slice(0, solidus), rest: topic.slice(solidus) };
}

/** Sorts what stands behind the token, with its solidus. The first row of the table that fits decides. */
export function parsePublishTopic(rest: string): PublishTopic {
  const [, first = '', second, third, ...more] = rest.split('/');
  if (more.length > 0) return NOT_DATA;
  const mode = DATA_MODES.get(first);
  if (mode !== undefined && second !== undefined) return dataTopic(mode, second, third || null);
  if (third !== undefined) return NOT_DATA;
  if (first === 'state' && second !== undefined) return stateTopic(second);
  if (second === 'subscribe') return COMMAND;
  return second === undefined ? dataTopic('legacy', first, null) : NOT_DATA;
}

function dataTopic(mode: PayloadMode, deviceId: string, tag: string | null): PublishTopic {
  if (deviceId === '0') return ID_ZERO;
  if (!isDeviceId(deviceId) || (tag !== null && !isTag(tag))) return NOT_DATA;
  return { kind: 'data', mode, deviceId, tag };
}

function stateTopic(deviceId: string): PublishTopic {
  if (deviceId === '0') return ID_ZERO;
  return isDeviceId(deviceId) ? { kind: 'state', deviceId } : NOT_DATA;
}

/** Where commands for a device go, in the space of its account. */
export function commandTopic(deviceId: string): string {
  return `${TOKEN_LEVEL}/${deviceId}/subscribe`;
}

/** A subscription as the client wrote it, taken apart. */
export interface TokenFilter {
  readonly token: string;
  /** As it is entered into the tree. */
  readonly entered: string;
  /** What is matched: without the ShareName. */
  readonly matched: string;
}

/** undefined: it is no filter. The token may be a wildcard, which is nobody's token. */
export function parseFilter(topicFilter: string): TokenFilter | undefined {
  const shared = parseSharedFilter(topicFilter);
  if (shared instanceof ProtocolError) return undefined;
  const { token, rest } = splitToken(shared?.topicFilter ?? topicFilter);
  const matched = TOKEN_LEVEL + rest;
  const entered = shared === null ? matched : `$share/${shared.shareName}/${matched}`;
  return { token, entered, matched };
}

/** A topic for lists that people read: a token is a secret, whosever it is. */
export function maskedTopic(topicName: string): string {
  const { token, rest } = splitToken(topicName);
  return `${token.slice(0, 4)}${token.length > 4 ? '…' : ''}${rest}`;
}

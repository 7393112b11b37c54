import type { QoS } from '@moorage/dialect-api';
import { AlinkCode } from './codes.ts';

/** What is sent once the platform has done what a message asked for. */
const KINDS = [
  'plain',
  'desired',
  'tags',
  'logMode',
  'model',
  'dialect',
  'ntp',
  'shadow',
  'upgrade',
  'file',
  'gateway',
] as const;
export type ReplyKind = (typeof KINDS)[number];

/** A reply that is owed. It travels through the platform as text. */
export interface PendingReply {
  readonly kind: ReplyKind;
  readonly topicName: string;
  readonly qos: QoS;
  /** JSON text of the identifier to echo. */
  readonly id: string;
  /** What is already known; a request that went well so far has Success. */
  readonly code: AlinkCode;
  /** Of the reply itself, by kind. */
  readonly detail: string;
}

/** Neither a Topic Name nor compact JSON holds this character. */
const SEPARATOR = '\u0000';

const CODES: readonly AlinkCode[] = Object.values(AlinkCode);

/** At most about 350 characters: a topic, an identifier and a few more. */
export function encodePending({ kind, topicName, qos, id, code, detail }: PendingReply): string {
  return [kind, qos, code, topicName, id, detail].join(SEPARATOR);
}

/** undefined: it was not made here. */
export function decodePending(text: string): PendingReply | undefined {
  const [kindText, qos, codeText, topicName, id, detail] = text.split(SEPARATOR);
  const kind = KINDS.find((known) => known === kindText);
  const code = CODES.find((known) => String(known) === codeText);
  if (kind === undefined || code === undefined || topicName === undefined || id === undefined) return undefined;
  return { kind, topicName, qos: qos === '0' ? 0 : 1, id, code, detail: detail ?? '' };
}

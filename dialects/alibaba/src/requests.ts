import type { Intent } from '@moorage/core';
import {
  type DialectMessage,
  type Disposition,
  NOTHING,
  perform,
  performAndTell,
  type QoS,
} from '@moorage/dialect-api';
import { AlinkCode } from './codes.ts';
import { type AlinkRequest, readRequest } from './envelope.ts';
import type { JsonTexts } from './json-text.ts';
import { encodePending, type PendingReply, type ReplyKind } from './pending-reply.ts';
import type { DeviceTopics } from './topics.ts';

/** A message of a device to `/sys/{productKey}/{deviceName}/<suffix>`. */
export interface SystemMessage {
  readonly texts: JsonTexts;
  readonly topics: DeviceTopics;
  readonly suffix: string;
  readonly message: DialectMessage;
  /** The device may have others behind it. */
  readonly isGateway: boolean;
}

/** The method that a topic of the system stands for. */
export function methodOf(suffix: string): string {
  return suffix.replaceAll('/', '.');
}

function qosOf({ message }: SystemMessage): QoS {
  return message.qos === 0 ? 0 : 1;
}

/** A reply that is owed to a request, on `<topic>_reply`. */
export function owedTo(
  system: SystemMessage,
  request: AlinkRequest,
  kind: ReplyKind,
  fields: Partial<Pick<PendingReply, 'code' | 'detail'>> = {},
): string {
  const topicName = `${system.topics.system}${system.suffix}_reply`;
  const { id } = request;
  return encodePending({ kind, topicName, qos: qosOf(system), id, code: AlinkCode.Success, detail: '', ...fields });
}

const NO_REQUEST: AlinkRequest = { id: '""', params: undefined, wantsReply: true };

/** Reads a request and answers what is none with 460. Section 3 */
export function handleRequest(system: SystemMessage, handle: (request: AlinkRequest) => Disposition): Disposition {
  const request = readRequest(system.texts, system.message.payload);
  return request === undefined ? refused(system, NO_REQUEST, AlinkCode.BadParameters) : handle(request);
}

/** The reply follows as soon as the effects are durable, unless the device wants none. */
export function accepted(system: SystemMessage, request: AlinkRequest, intents: readonly Intent[]): Disposition {
  return request.wantsReply ? performAndTell(intents, owedTo(system, request, 'plain')) : perform(intents);
}

/** Nothing is done. */
export function refused(system: SystemMessage, request: AlinkRequest, code: AlinkCode): Disposition {
  return request.wantsReply ? performAndTell([], owedTo(system, request, 'plain', { code })) : NOTHING;
}

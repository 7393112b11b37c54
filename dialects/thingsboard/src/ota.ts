import type { OtaChunkIntent } from '@moorage/core';
import {
  closeConnection,
  type DeviceReply,
  type Disposition,
  encodeText,
  perform,
  ReasonCode,
} from '@moorage/dialect-api';
import type { Answer } from './answer.ts';
import { MAXIMUM_PAYLOAD_SIZE } from './payloads.ts';
import type { PublishTopic } from './topics.ts';

type OtaTopic = Extract<PublishTopic, { kind: 'otaChunk' }>;
type OtaError = Extract<DeviceReply, { kind: 'otaError' }>['error'];

/** Errors of both kinds of packages are told here. Section 7.3 */
export const OTA_ERROR_TOPIC = 'v2/fw/error';

/** Clients use a new number for each update, so few are in use at once. */
const MAXIMUM_REMEMBERED = 16;
const DIGITS = /^\d{0,9}$/;

const ERROR_TEXTS: Readonly<Record<OtaError, string>> = {
  notFound: 'NOT_FOUND',
  elsewhere: 'FAILURE',
  failed: 'FAILURE',
  tooLarge: 'PAYLOAD_TOO_LARGE',
};

/** Requests of one connection for parts of its packages. Section 7.3 */
export class OtaRequests {
  /** Size in bytes that a request number was given last; the oldest number is forgotten first. */
  private readonly sizes = new Map<string, number>();

  /**
   * The payload is the size of a chunk in decimal digits; without one, the size that this number had before. A size
   * beyond the largest payload is refused by whoever reads the package, since the answer is a message.
   */
  publish(topic: OtaTopic, payload: string | undefined): Disposition {
    if (payload === undefined || !DIGITS.test(payload)) {
      return closeConnection(ReasonCode.ImplementationSpecificError, 'The size of a chunk is no number.');
    }
    const key = `${topic.type}/${topic.requestId}`;
    const given = Number(payload);
    const size = given === 0 ? (this.sizes.get(key) ?? 0) : given;
    if (given > 0 && given <= MAXIMUM_PAYLOAD_SIZE) this.remember(key, given);
    const intent: OtaChunkIntent = {
      kind: 'otaChunk',
      type: topic.type,
      requestId: topic.requestId,
      chunk: topic.chunk,
      size,
      ref: topic.answerTo,
    };
    return perform([intent]);
  }

  private remember(key: string, size: number): void {
    this.sizes.delete(key);
    this.sizes.set(key, size);
    const oldest = this.sizes.keys().next();
    if (this.sizes.size > MAXIMUM_REMEMBERED && oldest.done !== true) this.sizes.delete(oldest.value);
  }
}

/** A part of a package, or why there is none. Section 7.3 */
export function otaAnswer(reply: Extract<DeviceReply, { kind: 'otaChunk' | 'otaError' }>): Answer {
  if (reply.kind === 'otaChunk') return { topicName: reply.ref, payload: reply.payload };
  return { topicName: OTA_ERROR_TOPIC, payload: encodeText(ERROR_TEXTS[reply.error]) };
}

import type { ReadText } from '../limits.ts';
import type { ProtocolLevel } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';
import type { PublishFields } from '../publish-fields.ts';
import { readPublishHead } from '../publish-head.ts';
import { forbidden } from '../refusals.ts';

/** Reads a PUBLISH of 3.1 or 3.1.1 into `target`. */
export function readPublish(
  level: ProtocolLevel,
  firstByte: number,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  readText: ReadText,
  target: PublishFields,
): ProtocolError | null {
  const error = readPublishHead(level, firstByte, buffer, bodyStart, end, readText, target);
  if (error !== null) return error;
  if (target.topicEnd === target.topicStart) {
    return forbidden(level, 'The Topic Name is empty.', 'v3.1.1 MQTT-4.7.3-1');
  }
  target.properties = null;
  target.propertiesStart = target.payloadStart;
  target.propertiesEnd = target.payloadStart;
  return null;
}

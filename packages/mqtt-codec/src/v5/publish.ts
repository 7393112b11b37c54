import { BodyReader } from '../body-reader.ts';
import { byteAt } from '../bytes.ts';
import type { DecodeLimits, ReadText } from '../limits.ts';
import { PacketType, type Properties } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import type { PublishFields } from '../publish-fields.ts';
import { readPublishHead } from '../publish-head.ts';
import { forbidden } from '../refusals.ts';
import { readVariableByteInteger, variableByteIntegerSize } from '../variable-byte-integer.ts';

/** Reads a PUBLISH of 5.0 into `target`. Whether a Topic Alias is known, or in range, is the caller's to decide (U-7). */
export function readPublish(
  firstByte: number,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
  target: PublishFields,
): ProtocolError | null {
  const error = readPublishHead(5, firstByte, buffer, bodyStart, end, readText, target);
  if (error !== null) return error;
  const lengthStart = target.payloadStart;
  let properties: Properties | null = null;
  if (lengthStart < end && byteAt(buffer, lengthStart) === 0) {
    target.propertiesStart = lengthStart + 1;
    target.payloadStart = lengthStart + 1;
  } else {
    const reader = new BodyReader(5, buffer, lengthStart, end, limits, readText);
    properties = readProperties(reader, PacketType.Publish);
    if (reader.error !== null) return reader.error;
    const length = readVariableByteInteger(buffer, lengthStart, end);
    target.propertiesStart = lengthStart + variableByteIntegerSize(length);
    target.payloadStart = reader.position;
  }
  target.propertiesEnd = target.payloadStart;
  target.properties = properties;
  if (target.topicStart === target.topicEnd && properties?.topicAlias === undefined) {
    return forbidden(5, 'The Topic Name is empty and there is no Topic Alias.', 'U-6');
  }
  return null;
}

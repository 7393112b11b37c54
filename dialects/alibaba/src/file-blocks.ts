import { type Disposition, encodeText, perform, ReasonCode, refuseMessage } from '@moorage/dialect-api';
import { crc16 } from './crc16.ts';
import { integerOf } from './json-text.ts';
import { encodePending } from './pending-reply.ts';
import type { SystemMessage } from './requests.ts';

const MAXIMUM_MEMBERS = 16;
const MAXIMUM_TOKEN_LENGTH = 64;
/** Bytes of a request; those of libraries have about 150. */
const MAXIMUM_REQUEST = 1024;

/** What a block is sent with, as `detail` of the reply that is owed. */
interface BlockContext {
  readonly id: string;
  /** JSON text. */
  readonly fileToken: string;
  readonly offset: number;
}

/** A library writes a comma before a brace: it goes, unless it stands in a text. Section 5 */
function withoutStrayCommas(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_all, string: string | undefined) => string ?? '');
}

/** `{"fileInfo":{"streamId","fileId"},"fileBlock":{"size","offset"}}` on `thing/file/download`. */
export function blockRequest({ texts, topics, suffix, message }: SystemMessage): Disposition {
  if (message.payload.length > MAXIMUM_REQUEST) return unusable();
  const text = texts.decoding.text(message.payload);
  const members =
    text === undefined
      ? 'malformed'
      : texts.reader.readMembers(encodeText(withoutStrayCommas(text)), texts.decoding, MAXIMUM_MEMBERS);
  if (typeof members === 'string') return unusable();
  const params = texts.members(members.get('params'), MAXIMUM_MEMBERS);
  const info = texts.members(params?.get('fileInfo'), MAXIMUM_MEMBERS);
  const block = texts.members(params?.get('fileBlock'), MAXIMUM_MEMBERS);
  const size = integerOf(block?.get('size'));
  const offset = integerOf(block?.get('offset'));
  const streamId = integerOf(info?.get('streamId'));
  if (size === undefined || offset === undefined || streamId === undefined || size < 1 || offset < 0) return unusable();
  const given = params?.get('fileToken');
  const fileToken = given !== undefined && given.length <= MAXIMUM_TOKEN_LENGTH ? given : '"default"';
  const id = integerOf(members.get('id')) ?? 0;
  const ref = encodePending({
    kind: 'file',
    topicName: `${topics.system}${suffix}_reply`,
    qos: message.qos === 0 ? 0 : 1,
    id: `"${id}"`,
    code: 200,
    detail: `${offset} ${fileToken}`,
  });
  return perform([{ kind: 'otaChunk', type: 'FIRMWARE', requestId: String(streamId), chunk: 0, size, offset, ref }]);
}

function unusable(): Disposition {
  return refuseMessage(ReasonCode.PayloadFormatInvalid, 'The request for a block names no streamId, size or offset.');
}

/** `detail` of the reply that is owed, taken apart. */
export function blockContext(id: string, detail: string): BlockContext {
  const space = detail.indexOf(' ');
  return { id, offset: Number(detail.slice(0, space)), fileToken: detail.slice(space + 1) };
}

/** Two bytes with the length of the header, the header, the data and their checksum. */
export function blockFrame({ id, fileToken, offset }: BlockContext, data: Uint8Array, fileLength: number): Uint8Array {
  return frame(
    `{"id":${id},"code":200,"msg":"success","data":{"fileToken":${fileToken},"fileLength":${fileLength},"bSize":${data.length},"bOffset":${offset}}}`,
    data,
  );
}

/** The same without data: the block cannot be had. */
export function blockError({ id }: BlockContext, code: number, text: string): Uint8Array {
  return frame(`{"id":${id},"code":${code},"msg":${JSON.stringify(text)},"data":{}}`, new Uint8Array(0));
}

function frame(header: string, data: Uint8Array): Uint8Array {
  const head = encodeText(header);
  const bytes = new Uint8Array(2 + head.length + data.length + 2);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, head.length);
  bytes.set(head, 2);
  bytes.set(data, 2 + head.length);
  // Little-endian, unlike the length.
  view.setUint16(2 + head.length + data.length, crc16(data), true);
  return bytes;
}

import { encodeText } from '@moorage/dialect-api';
import { AlinkCode, alinkMessage } from './codes.ts';
import { integerOf, type JsonTexts, type Members } from './json-text.ts';

/** Members that a device may put beside those of the protocol. */
const MAXIMUM_MEMBERS = 64;
/** JSON text of an identifier that is echoed. Those of the JavaScript library carry a whole topic. Section 3 */
const MAXIMUM_ID_LENGTH = 200;

/** A request of a device. Section 3 */
export interface AlinkRequest {
  /** JSON text of a string, as it goes back; `""` if there was none. */
  readonly id: string;
  /** JSON text; undefined: there were none. */
  readonly params: string | undefined;
  /** The device wants a reply. */
  readonly wantsReply: boolean;
}

/** The answer of a device to a request of the server. */
export interface AlinkResponse {
  /** undefined: it names no request. */
  readonly id: string | undefined;
  readonly code: number;
  /** JSON text. */
  readonly data: string;
  readonly message: string | undefined;
}

/** `method`, `version` and unknown members do not matter: the topic decides. undefined: no JSON object. */
export function readRequest(texts: JsonTexts, payload: Uint8Array): AlinkRequest | undefined {
  const members = texts.reader.readMembers(payload, texts.decoding, MAXIMUM_MEMBERS);
  if (typeof members === 'string') return undefined;
  return { id: echoOf(members.get('id')), params: members.get('params'), wantsReply: wantsReply(texts, members) };
}

/** A string or a number goes back as a string of the same characters. Section 3 */
function echoOf(id: string | undefined): string {
  if (id === undefined || id.length > MAXIMUM_ID_LENGTH) return '""';
  const first = id.charCodeAt(0);
  if (first === 0x22) return id;
  return first === 0x2d || (first >= 0x30 && first <= 0x39) ? `"${id}"` : '""';
}

function wantsReply(texts: JsonTexts, members: Members): boolean {
  const sys = texts.members(members.get('sys'), MAXIMUM_MEMBERS);
  return integerOf(sys?.get('ack')) !== 0;
}

/** undefined: no JSON object. */
export function readResponse(texts: JsonTexts, payload: Uint8Array): AlinkResponse | undefined {
  const members = texts.reader.readMembers(payload, texts.decoding, MAXIMUM_MEMBERS);
  if (typeof members === 'string') return undefined;
  const id = members.get('id');
  const code = integerOf(members.get('code'));
  return {
    id: id === undefined ? undefined : echoOf(id).slice(1, -1),
    code: code ?? AlinkCode.Success,
    data: members.get('data') ?? '{}',
    message: members.get('message'),
  };
}

/** What an answer of a device means for whoever called it: its data, or `{"error":...}`. JSON text. */
export function responsePayload({ code, data, message }: AlinkResponse): string {
  if (code === AlinkCode.Success) return data;
  return `{"error":{"code":${code},"message":${message ?? '""'},"data":${data}}}`;
}

/** The whole of a reply; libraries drop one that lacks any of these members. Section 3 */
export function writeReply(id: string, code: AlinkCode, method: string, data = '{}'): Uint8Array {
  const message = JSON.stringify(alinkMessage(code));
  return encodeText(
    `{"code":${code},"data":${data},"id":${id},"message":${message},"method":${JSON.stringify(method)},"version":"1.0"}`,
  );
}

/** The whole of a request; `params` is JSON text. Section 3 */
export function writeRequest(id: string, method: string, params: string): Uint8Array {
  return encodeText(
    `{"id":${JSON.stringify(id)},"version":"1.0","params":${params},"method":${JSON.stringify(method)}}`,
  );
}

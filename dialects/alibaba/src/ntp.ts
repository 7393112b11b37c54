import { jsonString } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import type { JsonTexts } from './json-text.ts';

const MAXIMUM_MEMBERS = 16;

/** The device's own time as JSON text of a string, as it goes back; undefined: there is none. Section 4.1 */
export function readNtpRequest(texts: JsonTexts, payload: Uint8Array): string | undefined {
  const members = texts.reader.readMembers(payload, texts.decoding, MAXIMUM_MEMBERS);
  const sent = typeof members === 'string' ? undefined : members.get('deviceSendTime');
  const written = jsonString(sent) ?? sent;
  return written !== undefined && /^\d{1,20}$/.test(written) ? `"${written}"` : undefined;
}

/** All three are strings, in milliseconds: one library reads nothing else. Section 4.1 */
export function writeNtpResponse(deviceSendTime: string, serverRecvTime: string, serverSendTime: number): Uint8Array {
  return encodeText(
    `{"deviceSendTime":${deviceSendTime},"serverRecvTime":"${serverRecvTime}","serverSendTime":"${serverSendTime}"}`,
  );
}

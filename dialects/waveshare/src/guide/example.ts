import { encodeText } from '@moorage/dialect-api';

/** One device and the way to the server, from which ready programs are made. */
export interface GuideExample {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly clientId: string;
  readonly pubTopic: string;
  readonly subTopic: string;
  /** null: the device has none. The user name that must stand beside it on 3.x is the Client Identifier. */
  readonly password: string | null;
}

/** The property of the vendor's own example. Section 1.2 */
export const IDENTIFIER = 'builtIn';

/** What a device says about it. */
export const PAYLOAD = `{"data":{"${IDENTIFIER}":1}}`;

/** Bytes, as modems count them. */
export function byteLength(text: string): number {
  return encodeText(text).length;
}

/** RFC 7252, 3: in the order of their numbers on the wire. */
export const MESSAGE_TYPES = ['confirmable', 'nonConfirmable', 'acknowledgement', 'reset'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

export interface CoapOption {
  readonly number: number;
  readonly value: Uint8Array;
}

/** A message of CoAP over UDP. RFC 7252, 3 */
export interface CoapMessage {
  readonly type: MessageType;
  /** Class in the upper three bits, detail in the lower five; 0: the Empty message. */
  readonly code: number;
  readonly messageId: number;
  /** 0 to 8 bytes. */
  readonly token: Uint8Array;
  /** In ascending order of their numbers. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

export const NO_BYTES = new Uint8Array(0);
export const EMPTY_CODE = 0;

/** A code written as `2.05`. RFC 7252, 12.1 */
export function codeNumber(text: string): number {
  const [codeClass, detail] = text.split('.');
  return (Number(codeClass) << 5) | Number(detail);
}

/** 0: a request; 2, 4, 5: a response. */
export function codeClass(code: number): number {
  return code >> 5;
}

/** An Empty message: acknowledges or rejects. RFC 7252, 4.1 */
export function emptyMessage(type: 'acknowledgement' | 'reset', messageId: number): CoapMessage {
  return { type, code: EMPTY_CODE, messageId, token: NO_BYTES, options: [], payload: NO_BYTES };
}

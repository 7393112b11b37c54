/** The beginning of a payload, as text where it is readable text, else in hexadecimal. One of both is null. */
export interface PayloadPreview {
  readonly text: string | null;
  readonly hex: string | null;
  /** There is more than what is shown. */
  readonly cut: boolean;
}

const TEXT_BYTES = 512;
const HEX_BYTES = 128;
/** Everything below U+0020 but tab, line feed and carriage return, and U+007F to U+009F. */
const CONTROL = /[^\t\n\r\u0020-\u007e\u00a0-\uffff]/;

export function previewOf(payload: Uint8Array, text: (bytes: Uint8Array) => string | undefined): PayloadPreview {
  const shown = payload.subarray(0, wholeCharacters(payload, TEXT_BYTES));
  const read = text(shown);
  if (read !== undefined && !CONTROL.test(read)) return { text: read, hex: null, cut: shown.length < payload.length };
  return { text: null, hex: hexOf(payload.subarray(0, HEX_BYTES)), cut: payload.length > HEX_BYTES };
}

export function hexOf(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** The greatest length up to `most` that ends with a whole character, if the bytes are UTF-8. */
function wholeCharacters(bytes: Uint8Array, most: number): number {
  if (bytes.length <= most) return bytes.length;
  let end = most;
  // A byte 10xxxxxx goes on with the character before it; there are three of them at most.
  while (end > most - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
}

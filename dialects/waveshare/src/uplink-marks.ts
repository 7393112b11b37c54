import { type AttributesIntent, PointList, type TextDecoding, ValueKind } from '@moorage/core';
import { hexText } from './payloads.ts';

/** Client attribute with the last complete payload. Section 4.5 */
export const LAST_RECEIVED = 'lastReceived';
/** Client attribute with the identifiers of the last message that contradicted the product, a JSON array. Section 4.5 */
export const OUT_OF_DEFINITION = 'outOfDefinition';

/** Bytes of the longest payload that is shown. */
const LONGEST_SHOWN = 4096;
/** One write in this time, and a few at once: short bursts are shown to their end, a steady stream costs a tenth more. */
const INTERVAL_MS = 10_000;
const BURST = 5;

/** What one connection tells about its last messages besides their values, in as few writes as will do. */
export class UplinkMarks {
  #shown: number | null = null;
  #named = '';
  /** When the allowance for writes is full again. Epoch milliseconds. */
  #repaidAt = 0;

  /** The attributes to be written for this message; null: none. */
  mark(
    payload: Uint8Array,
    decoding: TextDecoding,
    contradicting: readonly string[],
    receivedAt: number,
  ): AttributesIntent | null {
    const values = new PointList();
    if (contradicting.length > 0) {
      const named = JSON.stringify(contradicting);
      if (named !== this.#named) values.add(receivedAt, OUT_OF_DEFINITION, ValueKind.Json, named);
      this.#named = named;
    }
    if (payload.length > 0 && payload.length <= LONGEST_SHOWN && this.#mayShow(payload, receivedAt)) {
      values.add(receivedAt, LAST_RECEIVED, ValueKind.String, decoding.text(payload) ?? hexText(payload));
    }
    return values.length === 0 ? null : { kind: 'attributes', scope: 'CLIENT', values };
  }

  #mayShow(payload: Uint8Array, receivedAt: number): boolean {
    // A clock that was put back must not silence the device.
    if (this.#repaidAt > receivedAt + BURST * INTERVAL_MS) this.#repaidAt = receivedAt;
    if (this.#repaidAt > receivedAt + (BURST - 1) * INTERVAL_MS) return false;
    const print = fingerprint(payload);
    if (print === this.#shown) return false;
    this.#shown = print;
    this.#repaidAt = Math.max(this.#repaidAt, receivedAt) + INTERVAL_MS;
    return true;
  }
}

/** FNV-1a, so that a connection keeps a number in place of its last payload. */
function fingerprint(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

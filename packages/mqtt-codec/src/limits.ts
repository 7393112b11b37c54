import type { Sender } from './reason-code-tables.ts';

/** Bounds for what a decoder accepts; every one is an argument, these are the defaults. Sources: reliability.md, section 8. */
export interface DecodeLimits {
  /** Bytes of the whole packet, first byte and Remaining Length included. */
  readonly maximumPacketSize: number;
  /** User Properties in one packet (or in one Will). */
  readonly maximumUserProperties: number;
  /** Topic Filters in one SUBSCRIBE or UNSUBSCRIBE. */
  readonly maximumTopicFilters: number;
  /**
   * Which side the packets come from. Set, what only the other side may send is refused as well: Reason Codes, a
   * Subscription Identifier in PUBLISH, a Session Expiry Interval in DISCONNECT. Absent: what either side may send is taken.
   */
  readonly sender?: Sender;
}

export const DEFAULT_LIMITS: DecodeLimits = {
  maximumPacketSize: 1_048_576,
  maximumUserProperties: 64,
  maximumTopicFilters: 1_000,
};

/** Reads text that is known to be well-formed UTF-8. In Node `Buffer.prototype.utf8Slice` is several times faster than a TextDecoder, so it is passed in. */
export type ReadText = (bytes: Uint8Array, start: number, end: number) => string;

import type { Packet, ProtocolLevel } from '../packets.ts';
import type { Sender } from '../reason-code-tables.ts';

/** A packet that must be accepted, on each of its levels, with what it means. */
export interface LegalVector {
  readonly title: string;
  readonly levels: readonly ProtocolLevel[];
  readonly bytes: Uint8Array;
  readonly packet: Packet;
  /** Lengths of the body that are legal when the same packet is cut short or gets more bytes. */
  readonly otherLegalLengths?: readonly number[];
  /** The encoder writes another form of the same packet (a shorter one). */
  readonly notShortest?: true;
}

/** A packet that must be refused. On 3.x nothing is answered, so only 5.0 tells codes apart. */
export interface BadVector {
  readonly title: string;
  readonly levels: readonly ProtocolLevel[];
  readonly bytes: Uint8Array;
  /** Reason Code that a 5.0 peer is told. */
  readonly code: number;
  readonly sender?: Sender;
  /** Only where not even a 5.0 peer is told. */
  readonly closed?: true;
}

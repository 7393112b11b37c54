import type { ReasonCode } from './reason-codes.ts';

/**
 * A peer broke the standard. Returned, never thrown. `reasonCode` is what a 5.0 peer is told;
 * `answerable` is false where the connection must be closed without any packet (wrong protocol name, 3.x, ...).
 */
export class ProtocolError {
  readonly reasonCode: ReasonCode;
  /** One sentence with the value at fault. */
  readonly message: string;
  /** The clause that was broken, such as `MQTT-2.2.1-3`, or the rule of mqtt.md, such as `U-4`. */
  readonly clause: string;
  readonly answerable: boolean;

  constructor(reasonCode: ReasonCode, message: string, clause: string, answerable = true) {
    this.reasonCode = reasonCode;
    this.message = message;
    this.clause = clause;
    this.answerable = answerable;
  }
}

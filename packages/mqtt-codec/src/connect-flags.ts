import type { BodyReader } from './body-reader.ts';
import type { QoS } from './packets.ts';
import { clauseOf, malformed } from './refusals.ts';

/** The Connect Flags byte, taken apart. MQTT 5.0, 3.1.2.3 */
export interface ConnectFlags {
  readonly reserved: boolean;
  readonly cleanStart: boolean;
  readonly will: boolean;
  /** 3 is not legal and refused by each version where it checks its flags. */
  readonly willQoS: number;
  readonly willRetain: boolean;
  readonly password: boolean;
  readonly username: boolean;
}

export function splitConnectFlags(byte: number): ConnectFlags {
  return {
    reserved: (byte & 0x01) !== 0,
    cleanStart: (byte & 0x02) !== 0,
    will: (byte & 0x04) !== 0,
    willQoS: (byte >> 3) & 0x03,
    willRetain: (byte & 0x20) !== 0,
    password: (byte & 0x40) !== 0,
    username: (byte & 0x80) !== 0,
  };
}

/** The inverse of splitConnectFlags. */
export function joinConnectFlags(flags: ConnectFlags): number {
  return (
    (flags.reserved ? 0x01 : 0) |
    (flags.cleanStart ? 0x02 : 0) |
    (flags.will ? 0x04 : 0) |
    (flags.willQoS << 3) |
    (flags.willRetain ? 0x20 : 0) |
    (flags.password ? 0x40 : 0) |
    (flags.username ? 0x80 : 0)
  );
}

/** Will QoS as a QoS; 3 fails. [MQTT-3.1.2-12] */
export function willQoS(reader: BodyReader, flags: ConnectFlags): QoS {
  const { willQoS: qos } = flags;
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  const clause = clauseOf(reader.level, 'MQTT-3.1.2-12', 'MQTT-3.1.2-14');
  reader.fail(malformed(reader.level, 'The Will QoS is 3.', clause));
  return 0;
}

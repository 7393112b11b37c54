import {
  type ConnectPacket,
  encodePacket,
  PacketType,
  type Properties,
  type ProtocolLevel,
  type ReasonCode,
} from '@moorage/mqtt-codec';
import type { AcceptedPrincipal } from './ports.ts';
import type { Session } from './session.ts';

/** Receive Maximum of clients that name none. MQTT 5.0, 3.1.2.11.3 */
export const UNLIMITED_IN_FLIGHT = 65_535;

/** Session Expiry Interval that holds, in seconds. mqtt.md, O-15 */
export function grantedExpiry(connect: ConnectPacket, principal: AcceptedPrincipal): number {
  const { policy } = principal;
  if (policy.persistence === 'never') return 0;
  if (connect.level !== 5) return connect.cleanStart ? 0 : policy.maximumSessionExpiryInterval;
  return Math.min(connect.properties?.sessionExpiryInterval ?? 0, policy.maximumSessionExpiryInterval);
}

/** mqtt.md, O-16 */
export function effectiveKeepAlive(asked: number, server: number | null): number {
  return server !== null && (asked === 0 || asked > server) ? server : asked;
}

/** What the client does not know yet. mqtt.md, O-13 */
export function connackProperties(
  connect: ConnectPacket,
  principal: AcceptedPrincipal,
  session: Session,
  keepAlive: number,
): Properties {
  const { policy, assignedClientId } = principal;
  const told: Properties = { maximumPacketSize: policy.maximumPacketSize };
  if (policy.receiveMaximum < UNLIMITED_IN_FLIGHT) told.receiveMaximum = policy.receiveMaximum;
  if (policy.topicAliasMaximum > 0) told.topicAliasMaximum = policy.topicAliasMaximum;
  if (session.expiryInterval !== (connect.properties?.sessionExpiryInterval ?? 0)) {
    told.sessionExpiryInterval = session.expiryInterval;
  }
  if (assignedClientId !== null) told.assignedClientIdentifier = assignedClientId;
  if (keepAlive !== connect.keepAlive) told.serverKeepAlive = keepAlive;
  return told;
}

/** A refusal in the words of the client's version. [MQTT-3.2.2-6] */
export function connack(
  level: ProtocolLevel,
  returnCode: number,
  reasonCode: ReasonCode,
  reasonString: string | null,
  maximumPacketSize: number,
): Uint8Array | null {
  const properties = level === 5 && reasonString !== null ? { reasonString } : null;
  const code = level === 5 ? reasonCode : returnCode;
  const packet = { type: PacketType.Connack, sessionPresent: false, reasonCode: code, properties };
  return encodePacket(level, packet, maximumPacketSize); // [MQTT-3.2.2-19]
}

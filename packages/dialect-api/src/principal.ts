import type { ApplicationRef, DeviceRef, DialectId, EntityId } from '@moorage/core';
import type { QoS } from '@moorage/mqtt-codec';

/** What the vendor's rules make of MQTT for one principal. architecture.md, Identity */
export interface SessionPolicy {
  readonly maximumGrantedQoS: QoS;
  readonly persistence: 'never' | 'asRequested';
  /** Seconds. */
  readonly maximumSessionExpiryInterval: number;
  readonly will: 'honoured' | 'ignored';
  readonly retained: 'honoured' | 'ignored';
  /** Bytes of a whole packet. */
  readonly maximumPacketSize: number;
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
  readonly maximumSubscriptions: number;
  readonly queue: { readonly messages: number; readonly bytes: number; readonly ageMs: number };
  /** Seconds, or null: as asked. */
  readonly serverKeepAlive: number | null;
  /** It holds for 3.x clients that ask for more too, who are not told; absent: for 5.0 only. */
  readonly serverKeepAliveForAll?: boolean;
  /**
   * Seconds of silence after which the network is asked whether a client without Keep Alive is still there; absent: as
   * the listener has it.
   */
  readonly probeAfter?: number;
  /**
   * Seconds that a Session of Clean Start is kept, without messages, when its connection ends without a DISCONNECT: a CONNECT
   * with Clean Start in that time finds its subscriptions in force, and is told of no Session. Lost with the process. Absent:
   * it ends at once, as the standard has it.
   */
  readonly cleanGraceSeconds?: number;
  /** PUBLISHes of one connection, so many in so many seconds; all hold. Whoever is over one is not read until it is paid for. */
  readonly rates?: readonly { readonly messages: number; readonly seconds: number }[];
}

/** Who a connection is. */
export interface Principal {
  readonly dialect: DialectId;
  readonly tenantId: EntityId;
  /** One of both is set, except for an anonymous principal, which has neither. */
  readonly device: DeviceRef | null;
  readonly application: ApplicationRef | null;
  /** Identity inside (tenant, dialect) that a Session belongs to; null: the connection itself. recognition.md, section 6 */
  readonly identity: string | null;
  /** Client Identifier made by the server; null: the client's own holds. */
  readonly assignedClientId: string | null;
  /** Account inside (tenant, dialect) whose topics are shared; `''` is the tenant's own; null: topics are never routed. */
  readonly account: string | null;
  readonly policy: SessionPolicy;
}

import type { ProtocolLevel, SessionPolicy } from '@moorage/dialect-api';

const DAY_SECONDS = 24 * 60 * 60;

/** 256 KB of payload and room for the rest of the packet. Section 2.6 */
const MAXIMUM_PACKET_SIZE = 262_144 + 1024;

/** Seconds. Section 1.4 */
export const LONGEST_KEEP_ALIVE = 1200;

/** What the vendor's rules make of MQTT. Sections 1.4, 2.3 and 2.6 */
export function sessionPolicy(level: ProtocolLevel): SessionPolicy {
  // Wills and retained messages exist with 5.0 only; older devices may set the flags, which have no effect.
  const modern = level === 5 ? 'honoured' : 'ignored';
  return {
    maximumGrantedQoS: 1,
    persistence: 'asRequested',
    maximumSessionExpiryInterval: 7 * DAY_SECONDS,
    will: modern,
    retained: modern,
    maximumPacketSize: MAXIMUM_PACKET_SIZE,
    receiveMaximum: 100,
    topicAliasMaximum: 32,
    // A gateway subscribes for every device behind it.
    maximumSubscriptions: 10_000,
    queue: { messages: 1000, bytes: 16 * 1024 * 1024, ageMs: 7 * DAY_SECONDS * 1000 },
    serverKeepAlive: LONGEST_KEEP_ALIVE,
    serverKeepAliveForAll: true,
  };
}

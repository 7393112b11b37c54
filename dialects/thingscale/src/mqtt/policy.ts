import type { SessionPolicy } from '@moorage/dialect-api';

const DAY_SECONDS = 24 * 60 * 60;
const KIBIBYTE = 1024;

/** thingscale.md, 4.2 and 6 */
export const POLICY: SessionPolicy = {
  maximumGrantedQoS: 2,
  persistence: 'asRequested',
  maximumSessionExpiryInterval: DAY_SECONDS,
  will: 'honoured',
  retained: 'honoured',
  maximumPacketSize: 256 * KIBIBYTE,
  receiveMaximum: 100,
  topicAliasMaximum: 32,
  maximumSubscriptions: 10_000,
  queue: { messages: 1_000, bytes: 16 * KIBIBYTE * KIBIBYTE, ageMs: DAY_SECONDS * 1000 },
  serverKeepAlive: null,
};

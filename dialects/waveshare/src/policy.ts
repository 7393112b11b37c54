import type { SessionPolicy } from '@moorage/dialect-api';

const DAY_SECONDS = 24 * 60 * 60;

/** What sections 4.3, 4.4 and 6 make of MQTT. */
export const POLICY: SessionPolicy = {
  maximumGrantedQoS: 2,
  persistence: 'asRequested',
  maximumSessionExpiryInterval: DAY_SECONDS,
  will: 'honoured',
  retained: 'honoured',
  maximumPacketSize: 256 * 1024,
  receiveMaximum: 100,
  topicAliasMaximum: 32,
  maximumSubscriptions: 100,
  queue: { messages: 1000, bytes: 16 * 1024 * 1024, ageMs: DAY_SECONDS * 1000 },
  serverKeepAlive: null,
  // Keep-alive 0 is common with MicroPython. Section 4.3
  probeAfter: 60,
  rates: [
    { messages: 100, seconds: 1 },
    { messages: 1200, seconds: 60 },
  ],
};

export { CommandDesk, describeOutcome } from './command-desk.ts';
export { ConnectionLog, type ConnectionLogEntry, shorten } from './connection-log.ts';
export { DeviceConnection } from './device-connection.ts';
export {
  DeviceHost,
  type DeviceHostOptions,
  type HostBroker,
  type HostParts,
  sessionKey,
} from './device-host.ts';
export { GuessLimiter, type GuessLimits } from './guess-limiter.ts';
export { LiveFeed, plainSpace, spaceKey } from './live-feed.ts';
export { encodeDeviceName, NormalisedTopics } from './normalised-topics.ts';
export { Recognizer } from './recognition.ts';

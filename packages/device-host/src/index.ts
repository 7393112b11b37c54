export { GuessLimiter, type GuessLimits } from './admission/guess-limiter.ts';
export { Recognizer } from './admission/recognition.ts';
export { sessionKey } from './admission/session-key.ts';
export { BrokerDesk } from './broker-desk/broker-desk.ts';
export {
  type BrokerDeskOptions,
  DEFAULT_DESK_LIMITS,
  type DeskBroker,
  type DeskDevice,
  type DeskLimits,
  type DeskTarget,
} from './broker-desk/desk-options.ts';
export { hexOf, previewOf } from './broker-desk/payload-preview.ts';
export type { DescribePacket, PacketSummary, PropertyValue } from './broker-desk/traced-packet.ts';
export { CommandDesk, describeOutcome } from './commands/command-desk.ts';
export { DeviceConnection } from './device-connection.ts';
export { DeviceHost } from './device-host.ts';
export { LiveFeed, plainSpace, spaceKey } from './feed/live-feed.ts';
export { encodeDeviceName, NormalisedTopics } from './feed/normalised-topics.ts';
export type { LiveConnection } from './live-connections.ts';
export { ConnectionLog, type ConnectionLogEntry, shorten } from './log/connection-log.ts';
export { RoleLimits } from './message-limits.ts';
export {
  DEFAULT_GATEWAY_LIMITS,
  type DeviceHostOptions,
  type DeviceRole,
  type GatewayLimits,
  type HostBroker,
  type HostParts,
  type MessageLimiter,
  type MessageLimits,
} from './options.ts';
export { ApplicationPushes, type ApplicationPushesOptions, type PushBroker } from './pushes/application-pushes.ts';

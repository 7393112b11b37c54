export * from './accounts/password-policy.ts';
export { type ActivityEvent, DeviceActivity, type DeviceActivityOptions } from './activity/device-activity.ts';
export * from './errors.ts';
export type * from './model/connect-registry.ts';
export * from './model/entities.ts';
export type * from './model/intents.ts';
export * from './model/profile-settings.ts';
export type * from './platform.ts';
export * from './ports/repositories.ts';
export type * from './ports/runtime.ts';
export type * from './ports/telemetry-store.ts';
export * from './registry/authorize.ts';
export * from './registry/create-registry.ts';
export { RegistryStartError, type RegistryStartErrorCode } from './registry/load-registry.ts';
export type { OwnerRemoval } from './registry/owner-removals.ts';
export { deriveProfileSettings, type IsTopicFilter } from './registry/profile-data.ts';
export * from './rpc/command-router.ts';
export * from './rpc/rpc-timeout.ts';
export {
  type DropReason,
  type FlowCount,
  type FlowSnapshot,
  MESSAGE_FAULT_TEXTS,
  type MessageFault,
} from './telemetry/flow-counters.ts';
export {
  DEFAULT_INGEST_LIMITS,
  type IngestLimits,
  TelemetryIngest,
  type TelemetryIngestOptions,
} from './telemetry/ingest.ts';
export type { TelemetryObserver } from './telemetry/observer.ts';
export { createTelemetryService, type DeviceAccess, type TelemetryServiceOptions } from './telemetry/service.ts';
export type { TelemetrySink } from './telemetry/telemetry-sink.ts';
export * from './values/format-value.ts';
export type { TextDecoding } from './values/json-scanner.ts';
export { castNumericString, longValue, typeNumber } from './values/number-typing.ts';
export * from './values/point-list.ts';
export * from './values/value.ts';
export * from './values/value-fault.ts';
export { valueFromJson } from './values/value-from-json.ts';
export { MAXIMUM_KEY_LENGTH, ValueReader, type ValueReadOptions } from './values/value-reader.ts';

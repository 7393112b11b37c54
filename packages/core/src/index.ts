export * from './accounts/password-policy.ts';
export { RevokedSessions } from './accounts/revoked-sessions.ts';
export type { UserTokenKind } from './accounts/user-tokens.ts';
export { type ActivityEvent, DeviceActivity, type DeviceActivityOptions } from './activity/device-activity.ts';
export * from './alarms/alarm.ts';
export { ALARM_TYPES, ALARMS } from './alarms/alarm-collection.ts';
export { type AlarmEvent, type AlarmListener, AlarmListeners } from './alarms/alarm-events.ts';
export { AlarmRecords, type AlarmRecordsOptions } from './alarms/alarm-records.ts';
export type * from './alarms/alarm-service.ts';
export { DeviceOriginators, type OriginatorRecord, type Originators } from './alarms/originators.ts';
export { PlatformAlarms, type PlatformAlarmsOptions } from './alarms/platform-alarms.ts';
export * from './alarms/rules/engine-options.ts';
export { AlarmRuleEngine, deleteRuleState } from './alarms/rules/rule-engine.ts';
export type * from './api-keys/api-key.ts';
export { assetAccess } from './assets/asset-access.ts';
export { ASSET_PROFILES, ASSETS } from './assets/asset-collections.ts';
export type * from './assets/asset-service.ts';
export { Assets, type AssetsOptions } from './assets/assets.ts';
export type * from './audit/audit-log.ts';
export { AuditLog, type AuditLogOptions } from './audit/audit-service.ts';
export type * from './bulk-import/bulk-import-service.ts';
export { BulkImport, type BulkImportOptions } from './bulk-import/device-import.ts';
export {
  createServerAttributes,
  type ServerAttributes,
  type ServerAttributesOptions,
} from './claiming/server-attributes.ts';
export type * from './customers/customer.ts';
export { DASHBOARD_ASSIGNMENTS, DASHBOARD_CONTENTS, DASHBOARDS } from './dashboards/dashboard-collections.ts';
export type * from './dashboards/dashboard-service.ts';
export { Dashboards, type DashboardsOptions } from './dashboards/dashboards.ts';
export { releaseCustomer } from './dashboards/release-customer.ts';
export type * from './device-platform.ts';
export {
  EntityQueries,
  type EntityQueriesOptions,
  type EntityQueryService,
} from './entity-query/entity-queries.ts';
export { assetSource, deviceSource, type EntityRecord, type EntitySource } from './entity-query/entity-source.ts';
export type { OwnerNames } from './entity-query/entity-values.ts';
export * from './entity-query/query.ts';
export * from './errors.ts';
export * from './limits/device-rate-limits.ts';
export * from './limits/rate-limit-text.ts';
export { DeviceLinks, type DeviceLinksOptions } from './links/device-links.ts';
export type * from './links/link.ts';
export { DEVICE_LINKS } from './links/link-collection.ts';
export { LinkEngine, type LinkEngineLimits, type LinkEngineOptions } from './links/link-engine.ts';
export { LinkIndex } from './links/link-index.ts';
export { DEFAULT_LIVE_LIMITS, LiveHub, type LiveHubOptions, type LiveLimits } from './live/live-hub.ts';
export * from './live/live-messages.ts';
export type * from './live/live-service.ts';
export type * from './model/connect-registry.ts';
export * from './model/entities.ts';
export type * from './model/intents.ts';
export * from './model/ota.ts';
export * from './model/profile-settings.ts';
export type * from './model/provisioning.ts';
export type * from './model/rpc-record.ts';
export { DeviceDownloads, type DeviceDownloadsOptions } from './ota/device-downloads.ts';
export type * from './ota/ota-service.ts';
export { OTA_PACKAGES } from './ota/package-record.ts';
export { OtaPackages, type OtaPackagesOptions } from './ota/package-service.ts';
export { DeviceRollout, type DeviceRolloutOptions, RolloutDelayed } from './ota/rollout/device-rollout.ts';
export { type DeviceOwner, type DeviceValues, deviceValuesOf, type Written } from './ota/rollout/device-values.ts';
export { DEVICE_WORK } from './ota/rollout/device-work.ts';
export { SharedBlobs } from './ota/shared-blobs.ts';
export type * from './platform.ts';
export type * from './ports/blob-store.ts';
export * from './ports/document-checks.ts';
export type * from './ports/documents.ts';
export type * from './ports/outbox-store.ts';
export * from './ports/repositories.ts';
export type * from './ports/runtime.ts';
export type * from './ports/telemetry-store.ts';
export { NUMERIC_OPERATIONS, STRING_OPERATIONS } from './predicates/parse-predicate.ts';
export type { Predicate } from './predicates/predicate.ts';
export { choicesOf } from './predicates/subject.ts';
export * from './registry/authorize.ts';
export * from './registry/create-registry.ts';
export type { EntityLocks } from './registry/entity-locks.ts';
export { RegistryStartError, type RegistryStartErrorCode } from './registry/load-registry.ts';
export type { Onboarding, OnboardingOptions } from './registry/onboarding.ts';
export type { OwnerRemoval } from './registry/owner-removals.ts';
export { deriveProfileSettings, type IsTopicFilter } from './registry/profile-data.ts';
export { RELATIONS } from './relations/relation-collection.ts';
export * from './relations/relation-service.ts';
export { Relations, type RelationsOptions, removeRelations } from './relations/relations.ts';
export { REPORTING_ATTRIBUTE, reportingOf, reportingProblem } from './reporting/reporting-limits.ts';
export * from './rpc/client-rpc.ts';
export type * from './rpc/command-gateway.ts';
export * from './rpc/command-router.ts';
export * from './rpc/device-commands.ts';
export * from './rpc/gateway-notice.ts';
export * from './rpc/persistent-rpc.ts';
export type * from './rpc/rpc-call.ts';
export { RPC_COLLECTION, rpcStatus } from './rpc/rpc-collection.ts';
export type { SubmitStrategy } from './rpc/rpc-entry.ts';
export type { PersistentRpcCounters } from './rpc/rpc-ledger.ts';
export { removeRpcRecords } from './rpc/rpc-records.ts';
export * from './rpc/rpc-service.ts';
export * from './rpc/rpc-timeout.ts';
export type { RpcObserver } from './rpc/rpc-writer.ts';
export { StorageMonitor, type StorageMonitorOptions } from './storage/storage-monitor.ts';
export type * from './storage/storage-report.ts';
export { downsample, MIN_SHOWN_POINTS } from './telemetry/downsample.ts';
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
export { ObserverFan, type StoredValuesObserver } from './telemetry/observer-fan.ts';
export { createTelemetryService, type EntityAccess, type TelemetryServiceOptions } from './telemetry/service.ts';
export type { TelemetryTap } from './telemetry/tap.ts';
export type { TelemetrySink } from './telemetry/telemetry-sink.ts';
export type * from './tenants/tenant.ts';
export { packagesOf, type TenantContents } from './tenants/tenant-contents.ts';
export * from './values/format-value.ts';
export { isList, isObject, parseJson } from './values/json.ts';
export { endOfString, jsonParts, jsonString } from './values/json-parts.ts';
export type { TextDecoding } from './values/json-scanner.ts';
export { castNumericString, longValue, typeNumber } from './values/number-typing.ts';
export * from './values/point-list.ts';
export { isTimeZone, zoneOffset } from './values/time-zone.ts';
export * from './values/value.ts';
export * from './values/value-fault.ts';
export { valueFromJson } from './values/value-from-json.ts';
export { MAXIMUM_KEY_LENGTH, ValueReader, type ValueReadOptions } from './values/value-reader.ts';
export type * from './webhooks/webhook.ts';
export type * from './webhooks/webhook-options.ts';
export { DEFAULT_WEBHOOK_LIMITS } from './webhooks/webhook-options.ts';
export { Webhooks } from './webhooks/webhooks.ts';

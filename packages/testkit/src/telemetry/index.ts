export { batchOf, randomValue, type SeriesPoint, seededRandom } from './batches.ts';
export { describeTelemetryStore, type StoreUnderTest, type TelemetryStoreFactory } from './describe-telemetry-store.ts';
export { type MemoryTelemetryOptions, MemoryTelemetryStore } from './memory-telemetry-store.ts';

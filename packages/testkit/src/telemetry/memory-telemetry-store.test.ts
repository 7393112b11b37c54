import { describeTelemetryStore, type StoreUnderTest } from './describe-telemetry-store.ts';
import { MemoryTelemetryStore } from './memory-telemetry-store.ts';

describeTelemetryStore('memory', {
  open: async () => new MemoryTelemetryStore({ maxSeriesPerOwner: 50 }),
  crash: async (store: StoreUnderTest) => store,
  reopen: async (store: StoreUnderTest) => store,
  dispose: async () => undefined,
});

import { describeTelemetryStore, type StoreUnderTest } from './describe-telemetry-store.ts';
import { MemoryTelemetryStore } from './memory-telemetry-store.ts';

const time = { now: 0 };

describeTelemetryStore('memory', {
  time,
  open: async () => new MemoryTelemetryStore({ maxSeriesPerOwner: 50, clock: () => time.now }),
  crash: async (store: StoreUnderTest) => store,
  reopen: async (store: StoreUnderTest) => store,
  dispose: async () => undefined,
});

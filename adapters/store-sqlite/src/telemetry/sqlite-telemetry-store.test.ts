import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeTelemetryStore, type StoreUnderTest } from '@moorage/testkit';
import { SqliteTelemetryStore } from './sqlite-telemetry-store.ts';

const time = { now: 0 };
const places = new Map<StoreUnderTest, { directory: string; store: SqliteTelemetryStore }>();

async function openIn(directory: string): Promise<SqliteTelemetryStore> {
  const store = await SqliteTelemetryStore.open({
    directory,
    installationId: 'contract',
    clock: () => time.now,
    ballastBytes: 0,
    maxSeriesPerOwner: 50,
    headBudgetPoints: 4000,
  });
  places.set(store, { directory, store });
  return store;
}

async function end(store: StoreUnderTest, how: 'close' | 'terminate'): Promise<string> {
  const place = places.get(store);
  if (place === undefined) throw new TypeError('This store was not opened here');
  places.delete(store);
  await place.store[how]();
  return place.directory;
}

describeTelemetryStore('sqlite', {
  time,
  open: () => openIn(mkdtempSync(join(tmpdir(), 'moorage-telemetry-'))),
  crash: async (store) => openIn(await end(store, 'terminate')),
  reopen: async (store) => openIn(await end(store, 'close')),
  dispose: async (store) => rmSync(await end(store, 'terminate'), { recursive: true }),
});

import { join } from 'node:path';
import { SqliteRepositories, SqliteTelemetryStore } from '@moorage/store-sqlite';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';

const MEBIBYTE = 1024 * 1024;

export type TelemetryState = 'ok' | 'full' | 'failed';

export interface Stores {
  readonly repositories: SqliteRepositories;
  readonly telemetry: SqliteTelemetryStore;
  telemetryState(): TelemetryState;
  /** Core last: it is the truth about what exists. storage.md, section 3 */
  close(): Promise<void>;
}

/** Opens the embedded store: one file and one writer thread each for the registry and for telemetry. */
export async function openStores(configuration: Configuration, runtime: Runtime): Promise<Stores> {
  const { dataDir: directory, storage } = configuration;
  const repositories = await SqliteRepositories.open({
    path: join(directory, 'core.sqlite'),
    durability: storage.durability,
    report: (error) => runtime.log.error(error, 'the registry store reports an error'),
  });
  let telemetryState: TelemetryState = 'ok';
  try {
    const telemetry = await SqliteTelemetryStore.open({
      directory,
      installationId: repositories.installationId,
      clock: () => runtime.clock.now(),
      ballastBytes: storage.ballastMiB * MEBIBYTE,
      maxSeriesPerOwner: storage.maxSeriesPerDevice,
      durability: storage.durability,
      onStateChange: (state, reason) => {
        telemetryState = state;
        runtime.log.warn({ state, reason }, 'the telemetry store changed its state');
      },
    });
    return {
      repositories,
      telemetry,
      telemetryState: () => telemetryState,
      close: async () => {
        await telemetry.close();
        await repositories.close();
      },
    };
  } catch (error) {
    await repositories.close();
    throw error;
  }
}

import { join } from 'node:path';
import { createFileBlobStore, type FileBlobStore } from '@moorage/blob-files';
import { SqliteOutboxStore, SqliteRepositories, SqliteSessionStore, SqliteTelemetryStore } from '@moorage/store-sqlite';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';

const MEBIBYTE = 1024 * 1024;
/** Settling and removing need less room than a checkpoint of telemetry. */
const SMALL_BALLAST_BYTES = 16 * MEBIBYTE;

export type StoreState = 'ok' | 'full' | 'failed';

export interface Stores {
  readonly repositories: SqliteRepositories;
  readonly telemetry: SqliteTelemetryStore;
  /** Sessions; `sessions.retained` has the Retained Messages. */
  readonly sessions: SqliteSessionStore;
  /** Webhooks that wait; has no file and no thread before the first one. */
  readonly outbox: SqliteOutboxStore;
  /** Files of firmware and software. */
  readonly blobs: FileBlobStore;
  states(): Readonly<Record<string, StoreState>>;
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
  let telemetryState: StoreState = 'ok';
  let sessionState: StoreState = 'ok';
  const opened: { close(): Promise<void> }[] = [repositories];
  // Core last: it is the truth about what exists. storage.md, section 3
  const close = async (): Promise<void> => {
    for (const store of opened.toReversed()) await store.close();
  };
  const { installationId } = repositories;
  const { durability } = storage;
  const ballastBytes = storage.ballastMiB * MEBIBYTE;
  const now = (): number => runtime.clock.now();
  try {
    const telemetry = await SqliteTelemetryStore.open({
      directory,
      installationId,
      clock: now,
      ballastBytes,
      maxSeriesPerOwner: storage.maxSeriesPerDevice,
      durability,
      onStateChange: (state, reason) => {
        telemetryState = state;
        runtime.log.warn({ state, reason }, 'the telemetry store changed its state');
      },
    });
    opened.push(telemetry);
    const sessions = await SqliteSessionStore.open({
      directory,
      installationId,
      now,
      ballastBytes: Math.min(ballastBytes, SMALL_BALLAST_BYTES),
      durability,
      onStateChange: (state, reason) => {
        sessionState = state;
        runtime.log.warn({ state, reason }, 'the session store changed its state');
      },
    });
    opened.push(sessions);
    const outbox = await SqliteOutboxStore.open({
      directory,
      installationId,
      now,
      ballastBytes: Math.min(ballastBytes, SMALL_BALLAST_BYTES),
      durability,
      onStateChange: (state, reason) => runtime.log.warn({ state, reason }, 'the outbox store changed its state'),
    });
    opened.push(outbox);
    const blobs = await createFileBlobStore({
      directory,
      report: (error) => runtime.log.error(error, 'the file store reports an error'),
    });
    opened.push(blobs);
    return {
      repositories,
      telemetry,
      sessions,
      outbox,
      blobs,
      states: () => ({
        'telemetry store': telemetryState,
        'session store': sessionState,
        'outbox store': outbox.state,
      }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

import { join } from 'node:path';
import type { StoreState, WriterOptions } from './writer-messages.ts';

/** How every store with a writer is opened. */
export interface StoreOptions {
  /** An existing directory; the files in it get mode 0600. */
  readonly directory: string;
  readonly installationId: string;
  /** Default `full`: what was told as stored is synced. `normal` survives the end of the process, not loss of power. */
  readonly durability?: 'full' | 'normal';
  /** Room kept back for settling and removing on a full disk. Default 64 MiB, of the outbox 16 MiB; 0: none. */
  readonly ballastBytes?: number;
  /** Largest size of the data file. Default: only the disk limits it. */
  readonly maxBytes?: number;
  onStateChange?(state: StoreState, reason: string): void;
}

/** Address of the data file of a store. */
export function dataPath(directory: string, name: string): string {
  return join(directory, `${name}.sqlite`);
}

const PAGE_BYTES = 8192;

/** The options of the thread: those of the store with their defaults. `now` are epoch milliseconds. */
export function writerOptions(options: StoreOptions, now: number, ballastBytes = 67_108_864): WriterOptions {
  return {
    directory: options.directory,
    installationId: options.installationId,
    now,
    durability: options.durability ?? 'full',
    ballastBytes: options.ballastBytes ?? ballastBytes,
    maxPages: Math.floor((options.maxBytes ?? 0) / PAGE_BYTES),
  };
}

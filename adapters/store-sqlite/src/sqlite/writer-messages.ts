import type { StoreErrorCode } from './store-error.ts';

/** `full`: what grows is refused. `failed`: the last commit failed, the next one is tried. */
export type StoreState = 'ok' | 'full' | 'failed';

/** What the thread of every writer is started with. */
export interface WriterOptions {
  readonly directory: string;
  readonly installationId: string;
  /** Epoch milliseconds of the start. */
  readonly now: number;
  readonly durability: 'full' | 'normal';
  readonly ballastBytes: number;
  /** Largest size of the data file in pages of 8 KiB; 0: no limit. */
  readonly maxPages: number;
}

/** From the thread instead of `ready`: the file cannot be opened or read. */
export interface Refused {
  readonly type: 'refused';
  readonly code: StoreErrorCode | undefined;
  readonly message: string;
  /** There was no room for the file. */
  readonly full: boolean;
}

/** To the thread: nothing comes behind it. */
export interface Close {
  readonly type: 'close';
}

/** From the thread: the file is closed. */
export interface Closed {
  readonly type: 'closed';
}

import type { Change, CommitOutcome, Repositories } from '@moorage/core';
import type { StoreErrorCode } from '../sqlite/store-error.ts';
import type { RegistryDatabase } from './registry-database.ts';

/** The reading methods, which the thread answers by name. */
export type ReadOperation = Exclude<keyof Repositories, 'installationId' | 'commit'> & keyof RegistryDatabase;

export interface RegistryThreadOptions {
  readonly path: string;
  readonly durability: 'full' | 'normal';
}

/** To the thread. `call` numbers the answers. */
export type RegistryRequest =
  | {
      readonly kind: 'read';
      readonly call: number;
      readonly operation: ReadOperation;
      readonly arguments: readonly unknown[];
    }
  | { readonly kind: 'commit'; readonly call: number; readonly changes: readonly Change[] }
  | { readonly kind: 'close' };

/** From the thread. Nothing is answered before `opened` or `refused`. */
export type RegistryReply =
  | { readonly kind: 'opened'; readonly installationId: string }
  | { readonly kind: 'refused'; readonly code: StoreErrorCode | null; readonly message: string }
  | { readonly kind: 'result'; readonly call: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly call: number; readonly message: string }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly (readonly [number, CommitOutcome])[] }
  | { readonly kind: 'unforeseen'; readonly message: string };

import type { ConnectCredential, EntityId, WriteOutcome } from '@moorage/core';
import type { ThingscaleServer } from '../ports.ts';
import type { AccountSettings } from './account-data.ts';
import type { AccountRecords } from './account-records.ts';

/** What the parts of an account share. */
export interface AccountContext {
  readonly server: ThingscaleServer;
  readonly records: AccountRecords;
  readonly tenantId: EntityId;
  /** The application that the account is. */
  readonly accountId: EntityId;
  /** As it is now. */
  application(): ConnectCredential;
  settings(): AccountSettings;
}

/** Number of channels, the first one being 0. thingscale.md, 4.8 */
export const CHANNELS = 10_000;

export type Refused = 'full' | 'failed';

/** A write as the answer to a change. */
export function doneOr(outcome: WriteOutcome): 'done' | Refused {
  return outcome === 'stored' ? 'done' : outcome;
}

import type { Completion, DialectWork, JsonObject } from '@moorage/core';
import type { AccountData, DropCode, IngestOutcome, Reading } from '../data/account-data.ts';

interface Origin {
  readonly clientId: string;
  /** As it is shown to people. */
  readonly topicName: string;
  /** Of the payload as it came. */
  readonly payloadBytes: number;
}

/** Data of a device. */
export interface ReadingWork extends DialectWork, Origin {
  readonly work: 'reading';
  readonly reading: Reading;
}

/** State of a device. */
export interface StateWork extends DialectWork, Origin {
  readonly work: 'state';
  readonly deviceId: string;
  readonly state: JsonObject;
  readonly receivedAt: number;
}

export type AccountWork = ReadingWork | StateWork;

export function isAccountWork(work: DialectWork): work is AccountWork {
  return work.work === 'reading' || work.work === 'state';
}

/** Begins the work at once; resolves when it is durable. What was not taken is listed: the protocol cannot tell the device. */
export async function carryOut(
  data: AccountData,
  work: AccountWork,
  now: number,
): Promise<Parameters<Completion['release']>[0]> {
  const outcome =
    work.work === 'reading'
      ? await data.ingest(work.reading)
      : await data.state(work.deviceId, work.state, work.receivedAt);
  if (outcome === 'full' || outcome === 'failed') return outcome;
  const code = dropCodeOf(outcome);
  const { clientId, topicName } = work;
  if (code !== null) data.refuse({ at: now, clientId, topicName, code });
  return 'stored';
}

function dropCodeOf(outcome: Exclude<IngestOutcome, 'full' | 'failed'>): DropCode | null {
  if (outcome === 'createdNotMapped') return 'NO_MAPPED_CH';
  return outcome === 'stored' || outcome === 'created' ? null : outcome;
}

import { MemoryOutboxStore, sampleOutboxEntry } from '@moorage/testkit';

export const DEAD_WEBHOOK_ID = '00000000-0000-4000-8000-00000000dead';

/** An outbox with a message that waits and one that was given up. */
export async function deadWebhook(tenantId: string): Promise<MemoryOutboxStore> {
  const store = new MemoryOutboxStore();
  await store.append([sampleOutboxEntry(1, { tenantId }), sampleOutboxEntry(2, { tenantId })]);
  const expiresTime = 1_800_000_000_000;
  const lastError = 'the receiver answered 500';
  await store.bury([{ id: DEAD_WEBHOOK_ID, sequence: 1, attempts: 6, lastError, expiresTime }]);
  return store;
}

import type { QueueContext, TargetQueue } from './target-queue.ts';

/** Messages looked at in one go. */
const SLICE = 256;

/**
 * Buries the oldest waiting messages of a target: those beyond the number that its kind lets wait, and with `byAge` also
 * those that have waited for too long. What is under way is left to its outcome. Rejects with what the store says.
 */
export async function trimQueue(queue: TargetQueue, context: QueueContext, byAge: boolean): Promise<void> {
  const { store, changes, clock, crypto, limits, count } = context;
  let after = 0;
  for (;;) {
    const policy = context.kindOf(queue.kind)?.policy;
    if (policy === undefined || queue.closed || queue.count === 0) return;
    const excess = queue.count - policy.queueMessages;
    if (excess <= 0 && !byAge) return;
    const entries = await store.read(queue.targetId, after, Math.min(SLICE, Math.max(excess, 1) + queue.active));
    if (queue.closed) return;
    if (entries.length === 0) {
      // Sent or dropped in the meantime, or never there: an append whose outcome was not known.
      if (after === 0) queue.recount(0);
      return;
    }
    const oldest = clock.now() - policy.queueAgeMs;
    const burials: Promise<void>[] = [];
    let left = excess;
    let young = false;
    for (const entry of entries) {
      const isOld = entry.createdTime < oldest;
      young = left <= 0 && !isOld;
      if (young) break;
      after = entry.sequence;
      const taken = queue.take(entry);
      if (taken === null) continue;
      left -= 1;
      const why = isOld ? 'it waited for too long' : `more than ${policy.queueMessages} messages were waiting`;
      const lastError = taken.lastError === null ? why : `${why}; before that: ${taken.lastError}`;
      const expiresTime = clock.now() + limits.deadLetterMs;
      const letter = { id: crypto.uuid(), sequence: entry.sequence, attempts: taken.attempts, lastError, expiresTime };
      burials.push(changes.bury(letter).then(() => queue.letterStored(entry)));
    }
    count('webhook.dead', burials.length);
    await Promise.all(burials);
    queue.pump();
    if (young) return;
  }
}

import type { EntityId } from '../model/entities.ts';
import type { DeadLetter, OutboxEntry, OutboxSequence } from '../ports/outbox-store.ts';
import type { Clock } from '../ports/runtime.ts';
import type { Delivery } from './lane.ts';
import type { WebhookDelivery } from './webhook.ts';

const SHOWN_CHARACTERS = 4_096;

/** A dead letter as the API shows it. */
export function deadDelivery(letter: DeadLetter): WebhookDelivery {
  const { id, attempts, lastError } = letter;
  return { ...common(letter), id, state: 'DEAD', attempts, lastError, nextAttemptTime: null };
}

/** A waiting message as the API shows it; `delivery` null: it was not tried yet. */
export function waitingDelivery(entry: OutboxEntry, delivery: Delivery | null, clock: Clock): WebhookDelivery {
  const waits = delivery !== null && delivery.state === 'retrying';
  return {
    ...common(entry),
    id: waitingId(entry.sequence),
    state: 'WAITING',
    attempts: delivery?.attempts ?? 0,
    lastError: delivery?.lastError ?? null,
    nextAttemptTime: waits ? Math.round(clock.now() + delivery.dueAt - clock.monotonic()) : null,
  };
}

/** Waiting messages have no id of their own; their number stands in the place of one. */
function waitingId(sequence: OutboxSequence): EntityId {
  return `00000000-0000-4000-8000-${sequence.toString(16).padStart(12, '0').slice(-12)}`;
}

function common({ createdTime, message }: OutboxEntry) {
  const { tenantId, targetId, kind, eventId, url, body } = message;
  // Four bytes are the most that a character takes.
  const text = new TextDecoder().decode(body.subarray(0, 4 * SHOWN_CHARACTERS)).slice(0, SHOWN_CHARACTERS);
  return { createdTime, tenantId, targetId, kind, eventId, url, body: text.toWellFormed() };
}

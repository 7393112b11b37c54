import type { EntityId } from '../model/entities.ts';
import type { OutboxEntry } from '../ports/outbox-store.ts';
import type { Completion } from '../ports/runtime.ts';
import { messageBytes } from './message-check.ts';
import type { WebhookMessage } from './webhook.ts';

const MAX_MESSAGES = 500;
const MAX_BYTES = 4_194_304;

/** Messages that share a commit, and the targets that are removed behind it. */
export class AppendBatch {
  readonly #added: { readonly message: WebhookMessage; readonly createdTime: number }[] = [];
  readonly #completions: Completion[] = [];
  readonly removedTargets: EntityId[] = [];
  /** What `entries` made; empty before. */
  written: readonly OutboxEntry[] = [];
  bytes = 0;

  get empty(): boolean {
    return this.#added.length === 0 && this.removedTargets.length === 0;
  }

  get full(): boolean {
    return this.#added.length >= MAX_MESSAGES || this.bytes >= MAX_BYTES;
  }

  get messages(): number {
    return this.#added.length;
  }

  /** The completion is held until `release`. */
  add(message: WebhookMessage, createdTime: number, completion: Completion | null): void {
    this.#added.push({ message, createdTime });
    this.bytes += messageBytes(message);
    if (completion === null) return;
    completion.hold();
    this.#completions.push(completion);
  }

  /** Numbers the messages when the store is asked, so that sequences ascend in the order of the changes. */
  entries(nextSequence: () => number): readonly OutboxEntry[] {
    this.written = this.#added.map(({ message, createdTime }) => ({ sequence: nextSequence(), createdTime, message }));
    return this.written;
  }

  release(outcome: 'stored' | 'full' | 'failed'): void {
    for (const completion of this.#completions) completion.release(outcome);
  }
}

import type { DeadLetter, OutboxEntry, OutboxSequence, OutboxStore, WriteOutcome } from '@moorage/core';

const SLICE_BYTES = 4_194_304;

/** Reference implementation of the outbox store, for tests: everything in memory, nothing durable. */
export class MemoryOutboxStore implements OutboxStore {
  readonly #waiting = new Map<OutboxSequence, OutboxEntry>();
  readonly #dead = new Map<string, DeadLetter>();
  readonly #suspended = new Map<string, string>();
  /** What the next changes answer instead of being taken. */
  readonly troubles: ('full' | 'failed')[] = [];
  /** Calls by name, for tests that something is not asked too often. */
  readonly calls = new Map<string, number>();
  /** Messages read over all calls. */
  messagesRead = 0;
  closed = false;

  async load(): ReturnType<OutboxStore['load']> {
    const queues = new Map<string, { targetId: string; kind: string; messages: number; oldest: OutboxSequence }>();
    for (const { sequence, message } of this.#ascending()) {
      const { targetId, kind } = message;
      const queue = queues.get(targetId) ?? { targetId, kind, messages: 0, oldest: sequence };
      queue.messages += 1;
      queues.set(targetId, queue);
    }
    const sequences = [...this.#waiting.keys(), ...[...this.#dead.values()].map(({ sequence }) => sequence)];
    return {
      lastSequence: Math.max(0, ...sequences),
      queues: [...queues.values()],
      suspended: [...this.#suspended].map(([targetId, url]) => ({ targetId, url })),
    };
  }

  append(entries: readonly OutboxEntry[]): Promise<WriteOutcome> {
    const copies = entries.map((entry) => {
      const { message } = entry;
      return { ...entry, message: { ...message, body: new Uint8Array(message.body) } };
    });
    return this.#change('append', () => {
      for (const entry of copies) this.#waiting.set(entry.sequence, entry);
    });
  }

  async read(targetId: string, after: OutboxSequence, limit: number): Promise<readonly OutboxEntry[]> {
    this.#called('read');
    const found: OutboxEntry[] = [];
    let bytes = 0;
    for (const entry of this.#waiting.values()) {
      if (entry.message.targetId !== targetId || entry.sequence <= after) continue;
      if (found.length >= limit || (found.length > 0 && bytes + entry.message.body.length > SLICE_BYTES)) break;
      bytes += entry.message.body.length;
      found.push(entry);
    }
    this.messagesRead += found.length;
    return found;
  }

  settle(sequences: readonly OutboxSequence[]): Promise<WriteOutcome> {
    return this.#change('settle', () => {
      for (const sequence of sequences) this.#waiting.delete(sequence);
    });
  }

  bury(letters: Parameters<OutboxStore['bury']>[0]): Promise<WriteOutcome> {
    return this.#change('bury', () => {
      for (const letter of letters) {
        const entry = this.#waiting.get(letter.sequence);
        if (entry === undefined) continue;
        this.#waiting.delete(letter.sequence);
        this.#dead.set(letter.id, { ...entry, ...letter });
      }
    });
  }

  async revive(
    id: string,
    tenantId: string,
    sequence: OutboxSequence,
    createdTime: number,
  ): Promise<OutboxEntry | null | 'full' | 'failed'> {
    const letter = this.#dead.get(id);
    if (letter === undefined || letter.message.tenantId !== tenantId) return null;
    const entry: OutboxEntry = { sequence, createdTime, message: letter.message };
    const outcome = await this.#change('revive', () => {
      this.#dead.delete(id);
      this.#waiting.set(sequence, entry);
    });
    return outcome === 'stored' ? entry : outcome;
  }

  async waiting(tenantId: string, offset: number, limit: number): ReturnType<OutboxStore['waiting']> {
    const all = this.#ascending().filter((entry) => entry.message.tenantId === tenantId);
    return { entries: all.reverse().slice(offset, offset + limit), total: all.length };
  }

  async dead(tenantId: string, offset: number, limit: number): ReturnType<OutboxStore['dead']> {
    const all = this.#letters().filter((letter) => letter.message.tenantId === tenantId);
    return { letters: all.reverse().slice(offset, offset + limit), total: all.length };
  }

  removeTarget(targetId: string): Promise<WriteOutcome> {
    return this.#change('removeTarget', () => {
      for (const { sequence, message } of this.#ascending()) {
        if (message.targetId === targetId) this.#waiting.delete(sequence);
      }
      for (const { id, message } of this.#letters()) if (message.targetId === targetId) this.#dead.delete(id);
      this.#suspended.delete(targetId);
    });
  }

  suspend(targetId: string, url: string | null): Promise<WriteOutcome> {
    return this.#change('suspend', () => {
      if (url === null) this.#suspended.delete(targetId);
      else this.#suspended.set(targetId, url);
    });
  }

  expire(now: number, keepPerTarget: number): Promise<WriteOutcome> {
    return this.#change('expire', () => {
      const kept = new Map<string, number>();
      for (const { id, expiresTime, message } of this.#letters().reverse()) {
        const count = (kept.get(message.targetId) ?? 0) + 1;
        if (expiresTime <= now || count > keepPerTarget) this.#dead.delete(id);
        else kept.set(message.targetId, count);
      }
    });
  }

  async statistics(): ReturnType<OutboxStore['statistics']> {
    return { bytes: 0, waiting: this.#waiting.size, dead: this.#dead.size, state: 'ok' };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Sequences ascend, so that the order of the map is theirs. */
  #ascending(): OutboxEntry[] {
    return [...this.#waiting.values()];
  }

  #letters(): DeadLetter[] {
    return [...this.#dead.values()].sort((a, b) => a.sequence - b.sequence);
  }

  #called(name: string): void {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
  }

  async #change(name: string, apply: () => void): Promise<WriteOutcome> {
    this.#called(name);
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return trouble;
    apply();
    return 'stored';
  }
}

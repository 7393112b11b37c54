import type { EntityId } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';

/** Removes what an owner left in the stores beside the registry; `TelemetryStore.removeOwner` fits. */
export type OwnerRemoval = (owner: EntityId) => Promise<WriteOutcome>;

/**
 * Empties the other stores of owners that the registry has marked as removed, one after the other. A mark goes only
 * when its owner's data is gone, so what was interrupted is taken up at the next start. storage.md, section 3
 */
export class OwnerRemovals {
  readonly #repositories: Repositories;
  readonly #removal: OwnerRemoval;
  readonly #report: (error: unknown) => void;
  readonly #waiting = new Set<EntityId>();
  #tail: Promise<void> = Promise.resolve();

  constructor(repositories: Repositories, removal: OwnerRemoval, report: (error: unknown) => void) {
    this.#repositories = repositories;
    this.#removal = removal;
    this.#report = report;
  }

  /** Takes up a marked owner in the background. */
  enqueue(owner: EntityId): void {
    if (this.#waiting.has(owner)) return;
    this.#waiting.add(owner);
    this.#tail = this.#tail.then(() => this.#finish(owner));
  }

  /** Takes up every owner that is marked, and resolves when all in the queue have been tried. */
  async finish(): Promise<void> {
    for (const owner of await this.#repositories.removals()) this.enqueue(owner);
    await this.settled();
  }

  /** Resolves when the queue is empty. */
  async settled(): Promise<void> {
    while (this.#waiting.size > 0) await this.#tail;
  }

  async #finish(owner: EntityId): Promise<void> {
    try {
      if ((await this.#removal(owner)) === 'stored') {
        await this.#repositories.commit([{ kind: 'deleteRemoval', ownerId: owner }]);
      }
    } catch (error) {
      this.#report(error);
    } finally {
      this.#waiting.delete(owner);
    }
  }
}

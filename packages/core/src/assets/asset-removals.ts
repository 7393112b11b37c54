import type { EntityId } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { OwnerRemoval } from '../registry/owner-removals.ts';
import { someDocuments } from '../relations/document-pages.ts';
import { ASSETS } from './asset-collections.ts';

const SLICE = 200;

/**
 * Removes the data of assets that are marked as removed, one after the other, and then the mark, so what was interrupted
 * is taken up at the next start.
 */
export class AssetRemovals {
  readonly #repositories: Repositories;
  readonly #removal: OwnerRemoval;
  readonly #report: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();

  constructor(repositories: Repositories, removal: OwnerRemoval, report: (error: unknown) => void) {
    this.#repositories = repositories;
    this.#removal = removal;
    this.#report = report;
  }

  /** Takes up a marked asset in the background. */
  enqueue(id: EntityId): void {
    this.#tail = this.#tail.then(() => this.#remove(id)).catch(this.#report);
  }

  /** Takes up every asset that is marked, and resolves when all have been tried. */
  async finish(): Promise<void> {
    const selection = { tenantId: null, conditions: [{ member: 'removing', is: '=' as const, value: true }] };
    for (let before: string | null = null; ; ) {
      const marked = await someDocuments(this.#repositories, ASSETS, selection, SLICE);
      const first = marked[0]?.id ?? null;
      // Those that could not be removed stay marked, so the first one must have gone.
      if (first === null || first === before) return;
      before = first;
      for (const { id } of marked) this.enqueue(id);
      await this.settled();
    }
  }

  /** Resolves when no removal is under way. */
  async settled(): Promise<void> {
    for (let tail: Promise<void> | null = null; tail !== this.#tail; ) {
      tail = this.#tail;
      await tail;
    }
  }

  async #remove(id: EntityId): Promise<void> {
    if ((await this.#removal(id)) !== 'stored') return;
    await this.#repositories.commit([{ kind: 'deleteDocument', collection: ASSETS, id, expectedVersion: null }]);
  }
}

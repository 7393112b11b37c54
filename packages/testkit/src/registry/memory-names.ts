import type { DialectId, EntityId, NameClaim } from '@moorage/core';
import type { UndoLog } from './memory-table.ts';

/** The names that credentials and applications occupy. */
export class MemoryNames {
  readonly #holders = new Map<string, Map<EntityId, NameClaim>>();
  readonly #claims = new Map<EntityId, readonly NameClaim[]>();

  /** The first claim that another principal rules out, with the dialect that has the name. */
  taken(principalId: EntityId, claims: readonly NameClaim[]): { claim: NameClaim; holder: DialectId } | undefined {
    for (const claim of claims) {
      for (const [other, held] of this.#holders.get(keyOf(claim)) ?? []) {
        if (other === principalId) continue;
        if (held.dialect !== claim.dialect || held.exclusive || claim.exclusive) return { claim, holder: held.dialect };
      }
    }
    return undefined;
  }

  replace(principalId: EntityId, claims: readonly NameClaim[], undo: UndoLog): void {
    const before = this.#claims.get(principalId) ?? [];
    this.#set(principalId, before, claims);
    undo.add(() => this.#set(principalId, claims, before));
  }

  #set(principalId: EntityId, before: readonly NameClaim[], after: readonly NameClaim[]): void {
    for (const claim of before) {
      const holders = this.#holders.get(keyOf(claim));
      holders?.delete(principalId);
      if (holders?.size === 0) this.#holders.delete(keyOf(claim));
    }
    for (const claim of after) {
      const holders = this.#holders.get(keyOf(claim)) ?? new Map<EntityId, NameClaim>();
      holders.set(principalId, claim);
      this.#holders.set(keyOf(claim), holders);
    }
    if (after.length === 0) this.#claims.delete(principalId);
    else this.#claims.set(principalId, after);
  }
}

function keyOf(claim: NameClaim): string {
  return `${claim.list}\n${claim.name}`;
}

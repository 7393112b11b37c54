import type { CommandTarget } from './command-target.ts';

/**
 * Where devices and applications can be reached, the newest last. Almost every principal has one target, so no list is
 * made for it.
 */
export class TargetTable<Target extends CommandTarget> {
  readonly #byPrincipal = new Map<string, Target | Target[]>();
  #connections = 0;

  /** How many of the targets are connections. */
  get connections(): number {
    return this.#connections;
  }

  /** True if the principal was not present before. */
  add(principalId: string, target: Target): boolean {
    if (target.kind === 'connection') this.#connections++;
    const known = this.#byPrincipal.get(principalId);
    if (known === undefined) {
      this.#byPrincipal.set(principalId, target);
      return true;
    }
    const absent = !isPresent(known);
    if (Array.isArray(known)) known.push(target);
    else this.#byPrincipal.set(principalId, [known, target]);
    return absent;
  }

  /** True if the principal was present by this target only. */
  remove(principalId: string, target: Target): boolean {
    const known = this.#byPrincipal.get(principalId);
    if (known === undefined) return false;
    if (known === target) {
      this.#byPrincipal.delete(principalId);
    } else {
      const index = Array.isArray(known) ? known.indexOf(target) : -1;
      if (!Array.isArray(known) || index < 0) return false;
      known.splice(index, 1);
      const [only] = known;
      if (known.length === 1 && only !== undefined) this.#byPrincipal.set(principalId, only);
    }
    if (target.kind === 'connection') this.#connections--;
    const left = this.#byPrincipal.get(principalId);
    return left === undefined || !isPresent(left);
  }

  /** The targets of a principal, the newest last. A copy: safe while they come and go. */
  of(principalId: string): readonly Target[] {
    const known = this.#byPrincipal.get(principalId);
    if (known === undefined) return [];
    return Array.isArray(known) ? [...known] : [known];
  }

  *[Symbol.iterator](): IterableIterator<Target> {
    for (const known of this.#byPrincipal.values()) {
      if (Array.isArray(known)) yield* known;
      else yield known;
    }
  }
}

function isPresent(known: CommandTarget | readonly CommandTarget[]): boolean {
  return Array.isArray(known)
    ? known.some((target: CommandTarget) => target.kind !== 'listener')
    : (known as CommandTarget).kind !== 'listener';
}

import type { DeviceConnection } from './device-connection.ts';

/** The live connections by device or application. Almost every principal has one, so no set is made for it. */
export class ConnectionTable {
  readonly #byPrincipal = new Map<string, DeviceConnection | DeviceConnection[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** True if it is the first one of its principal. */
  add(principalId: string, connection: DeviceConnection): boolean {
    const present = this.#byPrincipal.get(principalId);
    this.#size++;
    if (present === undefined) {
      this.#byPrincipal.set(principalId, connection);
      return true;
    }
    if (Array.isArray(present)) present.push(connection);
    else this.#byPrincipal.set(principalId, [present, connection]);
    return false;
  }

  /** True if it was the last one of its principal. */
  remove(principalId: string, connection: DeviceConnection): boolean {
    const present = this.#byPrincipal.get(principalId);
    if (present === undefined) return false;
    if (present === connection) {
      this.#byPrincipal.delete(principalId);
      this.#size--;
      return true;
    }
    if (!Array.isArray(present)) return false;
    const index = present.indexOf(connection);
    if (index < 0) return false;
    present.splice(index, 1);
    this.#size--;
    if (present.length > 0) return false;
    this.#byPrincipal.delete(principalId);
    return true;
  }

  /** The connections of a principal, the newest last. A copy: safe while connections close. */
  of(principalId: string): readonly DeviceConnection[] {
    const present = this.#byPrincipal.get(principalId);
    if (present === undefined) return [];
    return Array.isArray(present) ? [...present] : [present];
  }

  *[Symbol.iterator](): IterableIterator<DeviceConnection> {
    for (const present of this.#byPrincipal.values()) {
      if (Array.isArray(present)) yield* present;
      else yield present;
    }
  }
}

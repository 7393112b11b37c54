import type { ConnectionHandle } from './ports.ts';

/** Shown a packet of a traced connection. `bytes` is a view that is valid only during the call. */
export type PacketListener = (connection: ConnectionHandle, direction: 'in' | 'out', bytes: Uint8Array) => void;

/** Who is shown the packets of which Session key. */
export class PacketTraces {
  readonly #listeners = new Map<string, Set<PacketListener>>();

  has(sessionKey: string | null): boolean {
    return sessionKey !== null && this.#listeners.has(sessionKey);
  }

  add(sessionKey: string, listener: PacketListener): void {
    const listeners = this.#listeners.get(sessionKey);
    if (listeners === undefined) this.#listeners.set(sessionKey, new Set([listener]));
    else listeners.add(listener);
  }

  remove(sessionKey: string, listener: PacketListener): void {
    const listeners = this.#listeners.get(sessionKey);
    if (listeners?.delete(listener) && listeners.size === 0) this.#listeners.delete(sessionKey);
  }

  show(sessionKey: string | null, connection: ConnectionHandle, direction: 'in' | 'out', bytes: Uint8Array): void {
    if (sessionKey === null) return;
    for (const listener of this.#listeners.get(sessionKey) ?? []) listener(connection, direction, bytes);
  }

  keys(): string[] {
    return [...this.#listeners.keys()];
  }
}

import type { EntityId } from '@moorage/core';

/** One line of the connection log: a connect, a refusal, a disconnect, or a message refused while connected. */
export interface ConnectionLogEntry {
  /** Epoch milliseconds. */
  readonly ts: number;
  readonly event: 'connected' | 'refused' | 'disconnected' | 'message';
  /** null: a refused attempt that no dialect claimed. */
  readonly tenantId: EntityId | null;
  /** Device or application, or null. */
  readonly principalId: EntityId | null;
  readonly dialect: string | null;
  readonly address: string;
  readonly listener: string;
  /** Protocol level: 3, 4 or 5; 0: not MQTT. */
  readonly level: number;
  readonly clientId: string;
  /** Shortened, since it may be a token; null: not sent. */
  readonly username: string | null;
  readonly code: number;
  /** Plain English. */
  readonly reason: string;
  /** Row of recognition.md for refused attempts, else null. */
  readonly row: string | null;
  readonly looksLike: string | null;
  /** What each candidate dialect said. */
  readonly said: readonly { readonly dialect: string; readonly reason: string }[];
}

/** Shows enough of a name to recognise it and not enough to use it. */
export function shorten(name: string): string {
  return name.length <= 6 ? `${name.slice(0, 2)}…` : `${name.slice(0, 4)}…(${name.length})`;
}

/** Entries kept for a tenant as a whole, and for the attempts that nobody claimed. */
const RECENT = 1_000;

/** The newest entries in memory, bounded; a noisy principal can only push out entries of its own. */
export class ConnectionLog {
  /** By tenant; `''`: attempts that nobody claimed. */
  readonly #recent = new Map<string, ConnectionLogEntry[]>();
  readonly #perPrincipal: number;
  readonly #maximumPrincipals: number;
  readonly #byPrincipal = new Map<string, ConnectionLogEntry[]>();

  constructor(perPrincipal = 50, maximumPrincipals = 20_000) {
    this.#perPrincipal = perPrincipal;
    this.#maximumPrincipals = maximumPrincipals;
  }

  add(entry: ConnectionLogEntry): void {
    this.#addRecent(entry);
    const key = entry.principalId ?? '';
    let entries = this.#byPrincipal.get(key);
    if (entries === undefined) {
      entries = [];
    } else {
      // Re-inserted, so that the map stays in order of the last entry and the front is the quietest principal.
      this.#byPrincipal.delete(key);
    }
    this.#byPrincipal.set(key, entries);
    entries.push(entry);
    const limit = key === '' ? this.#perPrincipal * 20 : this.#perPrincipal;
    if (entries.length > limit) entries.shift();
    if (this.#byPrincipal.size > this.#maximumPrincipals) {
      for (const quietest of this.#byPrincipal.keys()) {
        this.#byPrincipal.delete(quietest);
        break;
      }
    }
  }

  /** The newest entries of a tenant, or (null) of the attempts that nobody claimed; newest first. */
  recent(tenantId: EntityId | null): readonly ConnectionLogEntry[] {
    return (this.#recent.get(tenantId ?? '') ?? []).toReversed();
  }

  #addRecent(entry: ConnectionLogEntry): void {
    const key = entry.tenantId ?? '';
    let entries = this.#recent.get(key);
    if (entries === undefined) {
      entries = [];
      this.#recent.set(key, entries);
    }
    entries.push(entry);
    // In halves, so that the array is not moved for every entry.
    if (entries.length >= 2 * RECENT) entries.splice(0, RECENT);
  }

  /** Entries of one device or application, newest first; null: refused attempts that no dialect claimed. */
  of(principalId: EntityId | null): readonly ConnectionLogEntry[] {
    return (this.#byPrincipal.get(principalId ?? '') ?? []).toReversed();
  }
}

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

/** An entry as it is kept. */
export interface KeptEntry extends ConnectionLogEntry {
  /** How often it happened within a minute, at least once; `ts` is the first time. */
  count: number;
}

/** Shows enough of a name to recognise it and not enough to use it. */
export function shorten(name: string): string {
  return name.length <= 6 ? `${name.slice(0, 2)}…` : `${name.slice(0, 4)}…(${name.length})`;
}

/** Messages of a client that are refused for one reason are one entry for so long. waveshare.md, 4.4 */
const REPETITION_MS = 60_000;

/** Entries kept for a tenant as a whole, and for the attempts that nobody claimed. */
const RECENT = 1_000;

/** The newest entries in memory, bounded; a noisy principal can only push out entries of its own. */
export class ConnectionLog {
  /** By tenant; `''`: attempts that nobody claimed. */
  readonly #recent = new Map<string, KeptEntry[]>();
  readonly #perPrincipal: number;
  readonly #maximumPrincipals: number;
  readonly #byPrincipal = new Map<string, KeptEntry[]>();

  constructor(perPrincipal = 50, maximumPrincipals = 20_000) {
    this.#perPrincipal = perPrincipal;
    this.#maximumPrincipals = maximumPrincipals;
  }

  add(given: ConnectionLogEntry): void {
    const key = given.principalId ?? '';
    let entries = this.#byPrincipal.get(key);
    const repeated = given.event === 'message' ? entries?.findLast((one) => isRepetition(one, given)) : undefined;
    if (repeated !== undefined) {
      repeated.count++;
      return;
    }
    const entry: KeptEntry = { ...given, count: 1 };
    this.#addRecent(entry);
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
  recent(tenantId: EntityId | null): readonly KeptEntry[] {
    return (this.#recent.get(tenantId ?? '') ?? []).toReversed();
  }

  #addRecent(entry: KeptEntry): void {
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
  of(principalId: EntityId | null): readonly KeptEntry[] {
    return (this.#byPrincipal.get(principalId ?? '') ?? []).toReversed();
  }
}

function isRepetition(kept: ConnectionLogEntry, entry: ConnectionLogEntry): boolean {
  return (
    kept.event === 'message' &&
    kept.reason === entry.reason &&
    kept.code === entry.code &&
    kept.clientId === entry.clientId &&
    entry.ts >= kept.ts &&
    entry.ts - kept.ts < REPETITION_MS
  );
}

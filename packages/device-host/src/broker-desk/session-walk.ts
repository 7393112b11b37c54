import type { EntityId, Scheduler } from '@moorage/core';
import type { DeskBroker, DeskSession } from './desk-options.ts';
import { type KeyParts, keyPartsOf, tenantPrefix } from './session-owner.ts';

const PAGE = 1_000;

/** A Session that has a name on the server. */
export type NamedSession = DeskSession & { readonly sessionKey: string };

/** Lets everybody else have a turn of the event loop. */
export function nextTurn(scheduler: Scheduler): Promise<void> {
  return new Promise((resolve) => scheduler.endOfTurn(resolve));
}

/**
 * Goes through the Sessions of a tenant, a page of the broker in each turn of the event loop. Sessions that are there all
 * the time are seen once.
 */
export class SessionWalk {
  readonly #broker: DeskBroker;
  readonly #scheduler: Scheduler;
  readonly #pages: number;

  /** `pages`: how many are read at most. */
  constructor(broker: DeskBroker, scheduler: Scheduler, pages: number) {
    this.#broker = broker;
    this.#scheduler = scheduler;
    this.#pages = pages;
  }

  /** Gives pages of Sessions; returns whether these were all. `keyPrefix` begins with the tenant. */
  async *pages(keyPrefix: string): AsyncGenerator<readonly NamedSession[], boolean> {
    let after: number | null = null;
    for (let page = 0; page < this.#pages; page++) {
      if (page > 0) await nextTurn(this.#scheduler);
      const { sessions, next }: ReturnType<DeskBroker['sessions']> = this.#broker.sessions({
        limit: PAGE,
        after,
        keyPrefix,
      });
      yield sessions.filter(isNamed);
      if (next === null) return true;
      after = next;
    }
    return false;
  }

  /** Calls `visit` for each Session of a tenant; resolves with whether these were all. */
  async each(tenantId: EntityId, visit: (session: NamedSession, key: KeyParts) => void): Promise<boolean> {
    const pages = this.pages(tenantPrefix(tenantId));
    for (;;) {
      const step = await pages.next();
      if (step.done === true) return step.value;
      for (const session of step.value) visit(session, keyPartsOf(session.sessionKey));
    }
  }
}

function isNamed(session: DeskSession): session is NamedSession {
  return session.sessionKey !== null;
}

import { type EntityId, type Result, refuse, success } from '@moorage/core';
import type { BrokerDeskOptions, DeskLimits, DeskTarget } from './desk-options.ts';
import { type ListPage, type ListQuery, PageCollector, searchOf } from './list-page.ts';
import { keyPartsOf, ownerOf, type SessionOwner, tenantPrefix } from './session-owner.ts';
import type { SessionTargets } from './session-targets.ts';

/** A Session key that may not connect. */
export interface BanLine {
  readonly id: string;
  /** As it was known when the ban was made; null: it had no Session. */
  readonly clientId: string | null;
  readonly owner: SessionOwner | null;
  readonly dialect: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

interface Known {
  readonly id: string;
  readonly clientId: string | null;
}

const NOBODY =
  'No Session of this client is known to the broker, so there is nothing that could be banned. Let it connect once.';

/** Bans by hand. The broker holds them by Session key until the server stops. */
export class BanDesk {
  readonly #options: BrokerDeskOptions;
  readonly #limits: DeskLimits;
  readonly #targets: SessionTargets;
  /** By Session key. */
  readonly #known = new Map<string, Known>();

  constructor(options: BrokerDeskOptions, limits: DeskLimits, targets: SessionTargets) {
    this.#options = options;
    this.#limits = limits;
    this.#targets = targets;
  }

  /** Bans every Session of a device or of a Client Identifier, and closes its connections. */
  async ban(tenantId: EntityId, target: DeskTarget, durationMs: number): Promise<Result<readonly BanLine[]>> {
    const { broker, clock } = this.#options;
    const keys = await this.#targets.keysOf(tenantId, target);
    if (keys.length === 0) return refuse('notFound', NOBODY);
    const before = new Set(this.#keysOf(tenantId));
    const added = keys.filter((key) => !before.has(key)).length;
    if (before.size + added > this.#limits.tenantBans) {
      return refuse('limitExceeded', 'This tenant has too many bans; lift some first.');
    }
    const until = clock.now() + durationMs;
    return success(
      keys.map((key) => {
        const clientId = broker.session(key)?.clientId ?? this.#known.get(key)?.clientId ?? null;
        this.#known.set(key, { id: this.#known.get(key)?.id ?? this.#options.uuid(), clientId });
        broker.ban(key, until);
        return this.#line(key, until);
      }),
    );
  }

  /** The bans in force, searched by Client Identifier, name and dialect. */
  list(tenantId: EntityId, query: ListQuery): ListPage<BanLine> {
    const found = searchOf(query.textSearch);
    const collector = new PageCollector<BanLine>(query);
    for (const { sessionKey, untilMs } of this.#bansOf(tenantId)) {
      const line = this.#line(sessionKey, untilMs);
      if (found(line.clientId, line.owner?.name ?? null, line.dialect)) collector.offer(() => line);
    }
    return collector.page(true);
  }

  /** Lets a client in again. */
  lift(tenantId: EntityId, id: string): Result<null> {
    const key = this.#keysOf(tenantId).find((one) => this.#known.get(one)?.id === id);
    if (key === undefined) return refuse('notFound');
    this.#known.delete(key);
    this.#options.broker.unban(key);
    return success(null);
  }

  #keysOf(tenantId: EntityId): string[] {
    return this.#bansOf(tenantId).map(({ sessionKey }) => sessionKey);
  }

  #bansOf(tenantId: EntityId): ReturnType<BrokerDeskOptions['broker']['bans']> {
    const bans = this.#options.broker.bans();
    // What the broker has forgotten is forgotten here as well.
    if (this.#known.size > 0) {
      const standing = new Set(bans.map(({ sessionKey }) => sessionKey));
      for (const key of this.#known.keys()) if (!standing.has(key)) this.#known.delete(key);
    }
    return bans.filter(({ sessionKey }) => sessionKey.startsWith(tenantPrefix(tenantId)));
  }

  /** A ban that was not made here gets its id when it is first listed. */
  #line(sessionKey: string, until: number): BanLine {
    let known = this.#known.get(sessionKey);
    if (known === undefined) {
      known = { id: this.#options.uuid(), clientId: this.#options.broker.session(sessionKey)?.clientId ?? null };
      this.#known.set(sessionKey, known);
    }
    const key = keyPartsOf(sessionKey);
    return { ...known, owner: ownerOf(this.#options, key), dialect: key.dialect, until };
  }
}

import type { CredentialLookup } from '@moorage/core';
import type { Authentication, ConnectVia, Dialect, Principal, Refusal } from '@moorage/dialect-api';
import { type ConnectPacket, ReasonCode } from '@moorage/dialect-api';
import { type CoreRefusal, refuseUnclaimed } from './refusals.ts';

/** What came out of asking the dialects. */
export type Recognition =
  | { readonly outcome: 'accepted'; readonly dialect: Dialect; readonly principal: Principal }
  | { readonly outcome: 'refused'; readonly dialect: Dialect; readonly refusal: Refusal }
  | {
      readonly outcome: 'unclaimed';
      readonly refusal: CoreRefusal;
      /** What every candidate said, for the connection log. */
      readonly said: readonly { readonly dialect: string; readonly reason: string }[];
    };

const UNKNOWN_PIN: CoreRefusal = {
  outcome: 'refused',
  row: 'R1',
  returnCode: 3,
  reasonCode: ReasonCode.ServerUnavailable,
  reason: 'the listener is pinned to a dialect that is not installed',
  looksLike: null,
};

/**
 * Finds the dialect of a CONNECT: a pinned one alone, else those that say `yes` before those that say `maybe`, each
 * group in the order of the list. A Principal or a Refusal ends the search, only `notMine` goes on.
 * recognition.md, sections 1 and 3
 */
export class Recognizer {
  readonly #dialects: readonly Dialect[];
  readonly #registry: CredentialLookup;

  /** `dialects` in the fixed order of recognition.md; the one with anonymous access comes last. */
  constructor(dialects: readonly Dialect[], registry: CredentialLookup) {
    this.#dialects = dialects;
    this.#registry = registry;
  }

  recognize(connect: ConnectPacket, via: ConnectVia): Recognition | Promise<Recognition> {
    const candidates = this.#candidates(connect, via);
    const said: { dialect: string; reason: string }[] = [];
    for (let index = 0; index < candidates.length; index++) {
      const dialect = candidates[index];
      if (dialect === undefined) continue;
      const answer = dialect.authenticate(connect, via, this.#registry);
      if (answer instanceof Promise) return this.#continue(connect, via, candidates, index, answer, said);
      const settled = settle(dialect, answer, said);
      if (settled !== undefined) return settled;
    }
    return this.#unclaimed(connect, via, said);
  }

  async #continue(
    connect: ConnectPacket,
    via: ConnectVia,
    candidates: readonly Dialect[],
    from: number,
    first: Promise<Authentication>,
    said: { dialect: string; reason: string }[],
  ): Promise<Recognition> {
    let pending: Authentication | Promise<Authentication> = first;
    for (let index = from; index < candidates.length; index++) {
      const dialect = candidates[index];
      if (dialect === undefined) continue;
      const settled = settle(dialect, await pending, said);
      if (settled !== undefined) return settled;
      const next = candidates[index + 1];
      if (next !== undefined) pending = next.authenticate(connect, via, this.#registry);
    }
    return this.#unclaimed(connect, via, said);
  }

  #candidates(connect: ConnectPacket, via: ConnectVia): readonly Dialect[] {
    if (via.pinnedDialect !== null)
      return this.#dialects.filter((dialect) => dialect.manifest.id === via.pinnedDialect);
    const sure: Dialect[] = [];
    const possible: Dialect[] = [];
    for (const dialect of this.#dialects) {
      const answer = dialect.recognise(connect, via);
      if (answer === 'yes') sure.push(dialect);
      else if (answer === 'maybe') possible.push(dialect);
    }
    return sure.length === 0 ? possible : [...sure, ...possible];
  }

  #unclaimed(
    connect: ConnectPacket,
    via: ConnectVia,
    said: readonly { dialect: string; reason: string }[],
  ): Recognition {
    if (via.pinnedDialect !== null && said.length === 0) return { outcome: 'unclaimed', refusal: UNKNOWN_PIN, said };
    return { outcome: 'unclaimed', refusal: refuseUnclaimed(connect, via), said };
  }
}

function settle(
  dialect: Dialect,
  answer: Authentication,
  said: { dialect: string; reason: string }[],
): Recognition | undefined {
  if (answer.outcome === 'accepted') return { outcome: 'accepted', dialect, principal: answer.principal };
  if (answer.outcome === 'refused') return { outcome: 'refused', dialect, refusal: answer };
  said.push({ dialect: dialect.manifest.id, reason: answer.reason });
  return undefined;
}

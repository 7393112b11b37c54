import { topicMatches } from '@moorage/dialect-api';
import type { TokenFilter } from './topics.ts';

/** The filters of one connection, by what the client wrote: each shows topics with the token that it was written with. */
export class TokenFilters {
  readonly #filters = new Map<string, TokenFilter>();
  /** How many filters were written with each token: nearly always there is one. */
  readonly #tokens = new Map<string, number>();

  add(topicFilter: string, filter: TokenFilter): void {
    this.delete(topicFilter);
    this.#filters.set(topicFilter, filter);
    this.#tokens.set(filter.token, (this.#tokens.get(filter.token) ?? 0) + 1);
  }

  delete(topicFilter: string): void {
    const filter = this.#filters.get(topicFilter);
    if (filter === undefined) return;
    this.#filters.delete(topicFilter);
    const left = (this.#tokens.get(filter.token) ?? 1) - 1;
    if (left === 0) this.#tokens.delete(filter.token);
    else this.#tokens.set(filter.token, left);
  }

  /** The token to show for a topic of the space, as the oldest filter that matches wrote it; undefined: none does. */
  tokenFor(topicName: string): string | undefined {
    if (this.#tokens.size === 1) for (const token of this.#tokens.keys()) return token;
    for (const { token, matched } of this.#filters.values()) if (topicMatches(matched, topicName)) return token;
    return undefined;
  }
}

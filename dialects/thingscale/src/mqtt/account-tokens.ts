import type { ConnectCredential, CredentialLookup, EntityId } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import { deviceTokens, isToken, validUntil } from './tokens.ts';

/** The device tokens of an account as they are at each moment. */
export class AccountTokens {
  readonly #credentials: CredentialLookup;
  readonly #applicationId: EntityId;
  readonly #now: () => number;
  #credential: ConnectCredential | undefined;
  #tokens: readonly string[] = [];
  /** Epoch milliseconds at which the tokens are looked up anew. */
  #until = 0;
  /** The level that was right last, as it was written. */
  #lastRight: string | null = null;

  constructor(credentials: CredentialLookup, applicationId: EntityId, now: () => number) {
    this.#credentials = credentials;
    this.#applicationId = applicationId;
    this.#now = now;
  }

  /** Whether the level of a topic is a valid token of the account. Asked for every message. */
  isValid(level: string): boolean {
    this.#refresh();
    // Who presents it again has been told already that it is right.
    if (level === this.#lastRight) return true;
    const isRight = isToken(encodeText(level), this.#tokens);
    if (isRight) this.#lastRight = level;
    return isRight;
  }

  /** The present token; undefined: the account is gone. */
  get current(): string | undefined {
    this.#refresh();
    return this.#tokens[0];
  }

  #refresh(): void {
    // The registry replaces credentials as a whole.
    const credential = this.#credentials.application?.(this.#applicationId);
    const now = this.#now();
    if (credential === this.#credential && now < this.#until) return;
    this.#credential = credential;
    this.#tokens = credential === undefined ? [] : deviceTokens(credential, now);
    this.#until = this.#tokens.length > 1 && credential ? validUntil(credential) : Number.POSITIVE_INFINITY;
    this.#lastRight = null;
  }
}

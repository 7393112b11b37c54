import type { Caller } from '@moorage/core';
import type { ApiContext, SignedIn } from '../api-context.ts';
import { signIn, userOfToken } from '../auth/authenticate.ts';
import type { Authorization } from '../auth/authorization-header.ts';
import type { TokenClaims } from '../auth/tokens.ts';

/** What a client showed to prove who it is, and whether it still holds. */
export class SessionAuth {
  readonly signedIn: SignedIn;
  readonly #context: ApiContext;
  readonly #authorization: Authorization;
  readonly #remoteAddress: string;
  readonly #claims: TokenClaims | null;

  private constructor(
    context: ApiContext,
    shown: { readonly authorization: Authorization; readonly remoteAddress: string },
    { signedIn, claims }: { readonly signedIn: SignedIn; readonly claims: TokenClaims | null },
  ) {
    this.#context = context;
    this.#authorization = shown.authorization;
    this.#remoteAddress = shown.remoteAddress;
    this.signedIn = signedIn;
    this.#claims = claims;
  }

  /** undefined: it does not prove anything, or nobody could be asked. */
  static async of(
    context: ApiContext,
    authorization: Authorization,
    remoteAddress: string,
  ): Promise<SessionAuth | undefined> {
    const found = await signIn(context, authorization, remoteAddress);
    if (found.outcome !== 'accepted') return undefined;
    return new SessionAuth(context, { authorization, remoteAddress }, found);
  }

  get caller(): Caller {
    return this.signedIn.caller;
  }

  /** False once the token has expired or its session has logged out; cheap enough for every delivery. */
  get holds(): boolean {
    if (this.#claims === null) return true;
    const { clock, revokedSessions } = this.#context;
    return this.#claims.expiresAt * 1000 > clock.now() && !revokedSessions.has(this.#claims.sessionId);
  }

  /** Also whether the user is still there, enabled, and of the same rights; a store that fails changes nothing. */
  async stillHolds(): Promise<boolean> {
    if (!this.holds) return false;
    const claims = this.#claims;
    const found =
      claims === null
        ? await signIn(this.#context, this.#authorization, this.#remoteAddress)
        : await userOfToken(this.#context, { outcome: 'valid', claims });
    if (found.outcome === 'failed') return true;
    if (found.outcome === 'refused') return false;
    const now = 'user' in found ? found.user : found.signedIn.caller;
    const { authority, tenantId, customerId } = this.caller;
    return now.authority === authority && now.tenantId === tenantId && now.customerId === customerId;
  }
}

import { randomUUID, webcrypto } from 'node:crypto';
import type { Clock, User } from '@moorage/core';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';

const ALGORITHM = 'HS512';
const REFRESH_SCOPE = 'REFRESH_TOKEN';
const MINIMUM_KEY_BYTES = 64;
const MAX_TOKEN_LENGTH = 4096;
const MAX_VERIFIED_TOKENS = 1024;
/** How far an `exp` may run ahead of the clock so that each refresh moves it on. */
const MAX_EXPIRY_LEAD_SECONDS = 60;

export interface TokenPair {
  readonly token: string;
  readonly refreshToken: string;
}

/** What a token with a good signature says. */
export interface TokenClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** The user's `tokensValidFrom` when the token was issued. */
  readonly validFrom: number;
  /** Seconds. */
  readonly expiresAt: number;
  /** Of a refresh token: `exp` of the access token issued with it, in seconds; else 0. */
  readonly accessExpiresAt: number;
  /** The public customer that the token is for; null: it is a user's. */
  readonly publicId: string | null;
}

export type Verification =
  | { readonly outcome: 'valid'; readonly claims: TokenClaims }
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'invalid' };

const INVALID: Verification = { outcome: 'invalid' };
const EXPIRED: Verification = { outcome: 'expired' };

export interface TokenSettings {
  readonly signingKey: Uint8Array<ArrayBuffer>;
  readonly issuer: string;
  readonly clock: Clock;
  readonly accessTokenLifeSeconds: number;
  readonly refreshTokenLifeSeconds: number;
}

/** Issues and reads the tokens of thingsboard-server.md, 1.2. */
export class Tokens {
  private readonly settings: TokenSettings;
  private readonly key: webcrypto.CryptoKey;
  /**
   * Access tokens whose signature was found good, oldest first: checking HS512 costs 65 us by way of the thread
   * pool, a look-up 0.3 us, and a client sends the same token with every call.
   */
  private readonly verified = new Map<string, TokenClaims>();

  private constructor(settings: TokenSettings, key: webcrypto.CryptoKey) {
    this.settings = settings;
    this.key = key;
  }

  static async create(settings: TokenSettings): Promise<Tokens> {
    if (settings.signingKey.byteLength < MINIMUM_KEY_BYTES) {
      throw new RangeError(
        `The signing key has ${settings.signingKey.byteLength} bytes; HS512 needs ${MINIMUM_KEY_BYTES}`,
      );
    }
    const algorithm = { name: 'HMAC', hash: 'SHA-512' };
    const key = await webcrypto.subtle.importKey('raw', settings.signingKey, algorithm, false, ['sign', 'verify']);
    return new Tokens(settings, key);
  }

  /** A pair for a new session, or, after `refreshed`, the next one of the same session with a later `exp`. */
  issue(user: User, refreshed?: TokenClaims): Promise<TokenPair> {
    return this.issuePair(user, refreshed, refreshed !== undefined && refreshed.publicId !== null);
  }

  /** The same for the stand-in of a public customer. */
  issuePublic(user: User): Promise<TokenPair> {
    return this.issuePair(user, undefined, true);
  }

  private async issuePair(user: User, refreshed: TokenClaims | undefined, isPublic: boolean): Promise<TokenPair> {
    const now = this.nowSeconds();
    const sessionId = refreshed?.sessionId ?? randomUUID();
    const ordinary = now + this.settings.accessTokenLifeSeconds;
    const later = Math.min((refreshed?.accessExpiresAt ?? 0) + 1, ordinary + MAX_EXPIRY_LEAD_SECONDS);
    const accessExpiresAt = Math.max(ordinary, later);
    const { id: userId, customerId, tokensValidFrom: validFrom } = user;
    const shared = { userId, sessionId, isPublic, customerId, validFrom };
    const access = {
      ...shared,
      scopes: [user.authority],
      firstName: user.firstName,
      lastName: user.lastName,
      enabled: user.enabled,
      tenantId: user.tenantId,
    };
    const refresh = { ...shared, scopes: [REFRESH_SCOPE], accessExp: accessExpiresAt, jti: randomUUID() };
    const [token, refreshToken] = await Promise.all([
      this.sign(access, user.email, now, accessExpiresAt),
      this.sign(refresh, user.email, now, now + this.settings.refreshTokenLifeSeconds),
    ]);
    return { token, refreshToken };
  }

  /** Never rejects. A refresh token is invalid here. */
  async verifyAccess(token: string): Promise<Verification> {
    const known = this.verified.get(token);
    if (known !== undefined) {
      if (known.expiresAt > this.nowSeconds()) return { outcome: 'valid', claims: known };
      this.verified.delete(token);
      return EXPIRED;
    }
    const verification = await this.verify(token, false);
    if (verification.outcome === 'valid') this.remember(token, verification.claims);
    return verification;
  }

  /** Never rejects. An access token is invalid here. */
  verifyRefresh(token: string): Promise<Verification> {
    return this.verify(token, true);
  }

  /** The moment, in epoch milliseconds, when the last token of a session issued so far has expired. */
  sessionEnd(): number {
    const longest = Math.max(this.settings.refreshTokenLifeSeconds, this.settings.accessTokenLifeSeconds);
    return this.settings.clock.now() + (longest + MAX_EXPIRY_LEAD_SECONDS) * 1000;
  }

  private sign(claims: JWTPayload, email: string, now: number, expiresAt: number): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(email)
      .setIssuer(this.settings.issuer)
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .sign(this.key);
  }

  private async verify(token: string, refresh: boolean): Promise<Verification> {
    if (token.length > MAX_TOKEN_LENGTH) return INVALID;
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: [ALGORITHM],
        issuer: this.settings.issuer,
        currentDate: new Date(this.settings.clock.now()),
      });
      const claims = readClaims(payload, refresh);
      return claims === undefined ? INVALID : { outcome: 'valid', claims };
    } catch (error) {
      return error instanceof errors.JWTExpired && readClaims(error.payload, refresh) !== undefined ? EXPIRED : INVALID;
    }
  }

  private remember(token: string, claims: TokenClaims): void {
    if (this.verified.size >= MAX_VERIFIED_TOKENS) {
      for (const oldest of this.verified.keys()) {
        this.verified.delete(oldest);
        break;
      }
    }
    this.verified.set(token, claims);
  }

  private nowSeconds(): number {
    return Math.floor(this.settings.clock.now() / 1000);
  }
}

function readClaims(payload: JWTPayload, refresh: boolean): TokenClaims | undefined {
  const { userId, sessionId, validFrom, scopes, exp, accessExp, isPublic, customerId } = payload;
  if (typeof userId !== 'string' || typeof sessionId !== 'string') return undefined;
  if (typeof validFrom !== 'number' || exp === undefined || !Array.isArray(scopes)) return undefined;
  if (scopes.includes(REFRESH_SCOPE) !== refresh) return undefined;
  const accessExpiresAt = typeof accessExp === 'number' ? accessExp : 0;
  if (isPublic === true && typeof customerId !== 'string') return undefined;
  const publicId = isPublic === true && typeof customerId === 'string' ? customerId : null;
  return { userId, sessionId, validFrom, expiresAt: exp, accessExpiresAt, publicId };
}

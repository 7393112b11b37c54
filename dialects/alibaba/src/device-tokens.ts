import { encodeText } from '@moorage/dialect-api';
import { parseUsername } from './credentials.ts';
import { type Hmac, type LinkIdentity, signatureMatches } from './signature.ts';

/** What a token is good for. */
export type TokenUse = 'http' | 'mqtt';

/** Seconds. Section 1.10 */
const LIFETIME_SECONDS = 7 * 24 * 60 * 60;
/** Hex digits of the proof; a token is never longer than a library has room for. Section 1.8 */
const PROOF_LENGTH = 54;
const EXPIRES_LENGTH = 10;

export interface DeviceTokensOptions {
  readonly hmac: Hmac;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly secretOf: (identity: LinkIdentity) => string | null;
}

/**
 * Tokens that stand for a signature for some days. They are made of the device's secret, so that nothing has to be kept
 * and new credentials end them.
 */
export class DeviceTokens {
  readonly #options: DeviceTokensOptions;

  constructor(options: DeviceTokensOptions) {
    this.#options = options;
  }

  /** 64 characters; null: the device has no secret. */
  issue(identity: LinkIdentity, use: TokenUse): string | null {
    const expires = String(Math.floor(this.#options.now() / 1000) + LIFETIME_SECONDS).padStart(EXPIRES_LENGTH, '0');
    const proof = this.#proof(identity, use, expires);
    return proof === null ? null : expires + proof;
  }

  check(identity: LinkIdentity, use: TokenUse, token: string): 'good' | 'expired' | 'bad' {
    const expires = token.slice(0, EXPIRES_LENGTH);
    const expected = this.#proof(identity, use, expires);
    if (expected === null || !/^\d{10}$/.test(expires)) return 'bad';
    if (!signatureMatches(encodeText(token.slice(EXPIRES_LENGTH)), expected)) return 'bad';
    return Number(expires) * 1000 < this.#options.now() ? 'expired' : 'good';
  }

  /** A token that names its device, for requests that do not. */
  issueNamed(identity: LinkIdentity): string | null {
    const token = this.issue(identity, 'http');
    return token === null ? null : `${token}.${identity.deviceName}&${identity.productKey}`;
  }

  checkNamed(named: string): LinkIdentity | 'expired' | 'bad' {
    const dot = named.indexOf('.');
    const identity = dot === -1 ? undefined : parseUsername(named.slice(dot + 1));
    if (identity === undefined) return 'bad';
    const outcome = this.check(identity, 'http', named.slice(0, dot));
    return outcome === 'good' ? identity : outcome;
  }

  #proof(identity: LinkIdentity, use: TokenUse, expires: string): string | null {
    const secret = this.#options.secretOf(identity);
    if (secret === null) return null;
    const text = `token${use}${identity.productKey}&${identity.deviceName}${expires}`;
    return this.#options.hmac('sha256', secret, text).slice(0, PROOF_LENGTH);
  }
}

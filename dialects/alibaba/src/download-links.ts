import { encodeText } from '@moorage/dialect-api';
import { type Hmac, type LinkIdentity, signatureMatches } from './signature.ts';

/** Where a file of a device lies; the names and the proof follow. */
export const DOWNLOAD_PATH = '/link/ota';

/** Seconds in which a download may begin, as the vendor's. */
const LIFETIME_SECONDS = 24 * 60 * 60;

export interface DownloadLinksOptions {
  readonly hmac: Hmac;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Scheme, host and port under which devices reach this server; null: not known. */
  readonly base: () => string | null;
  /** The secret of a device; null: it has none. */
  readonly secretOf: (identity: LinkIdentity) => string | null;
}

/** Addresses under which devices fetch their firmware, each good for one device and a day. */
export class DownloadLinks {
  readonly #options: DownloadLinksOptions;

  constructor(options: DownloadLinksOptions) {
    this.#options = options;
  }

  /** About 150 characters; null: the device has to fetch its file over MQTT. */
  linkOf(identity: LinkIdentity): string | null {
    const base = this.#options.base();
    const expires = String(Math.floor(this.#options.now() / 1000) + LIFETIME_SECONDS);
    const proof = base === null ? null : this.#proof(identity, expires);
    const { productKey, deviceName } = identity;
    return proof === null ? null : `${base}${DOWNLOAD_PATH}/${productKey}/${deviceName}/${expires}/${proof}`;
  }

  isValid(identity: LinkIdentity, expires: string, proof: string): boolean {
    if (!/^\d{1,12}$/.test(expires) || Number(expires) * 1000 < this.#options.now()) return false;
    const expected = this.#proof(identity, expires);
    return expected !== null && signatureMatches(encodeText(proof), expected);
  }

  #proof(identity: LinkIdentity, expires: string): string | null {
    const secret = this.#options.secretOf(identity);
    const { productKey, deviceName } = identity;
    return secret === null ? null : this.#options.hmac('sha256', secret, `ota${productKey}&${deviceName}${expires}`);
  }
}

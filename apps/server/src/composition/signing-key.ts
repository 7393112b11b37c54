import type { Crypto, Repositories } from '@moorage/core';
import { StartError } from '../start-error.ts';

const SETTING = 'jwt.signingKey';
/** HS512 wants a key at least as long as its hash. RFC 7518, 3.2 */
const KEY_BYTES = 64;

/** The secret of the API tokens: made at first start, kept sealed. */
export async function signingKey(repositories: Repositories, crypto: Crypto): Promise<Uint8Array<ArrayBuffer>> {
  const kept = await repositories.setting(SETTING);
  if (kept !== null) return new Uint8Array(Buffer.from(crypto.open(kept), 'base64'));
  const key = new Uint8Array(crypto.randomBytes(KEY_BYTES));
  const value = crypto.seal(Buffer.from(key).toString('base64'));
  const outcome = await repositories.commit([{ kind: 'putSetting', key: SETTING, value }]);
  if (outcome !== 'done') {
    throw new StartError('the signing key of the API could not be stored', { hint: 'is there room on the disk?' });
  }
  return key;
}

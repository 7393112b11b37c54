import { type Result, refuse, success } from '../../errors.ts';
import type { EntityId, Json, JsonObject } from '../../model/entities.ts';
import { isEntityId } from '../text-rules.ts';
import { isDefaultAccount, WAVESHARE } from '../waveshare-account.ts';
import type { ApplicationForm, FormContext } from './application-form.ts';

const ACCOUNT_NUMBER = /^[0-9]{1,10}$/;
const MAX_SHARES = 1000;

/**
 * An account of Waveshare: nothing secret, but the number in its topics and what it lets other accounts do with its devices.
 * One application of a tenant may speak for the tenant's default account. waveshare.md, 4.2 and 4.4
 */
export const WAVESHARE_FORM: ApplicationForm = {
  dialect: WAVESHARE,
  nameMember: null,
  lookupMembers: [],
  isAccount: true,
  devicesConnect: true,

  readCredentials: () => success({ credentials: {}, drawn: [] }),

  readConfiguration(merged, given, context) {
    const n1 = merged.n1 ?? null;
    if (n1 !== null && (typeof n1 !== 'string' || !ACCOUNT_NUMBER.test(n1))) {
      return refuse('invalidArguments', 'n1 is not a text of 1 to 10 digits');
    }
    const isDefault = merged.default ?? false;
    if (typeof isDefault !== 'boolean') return refuse('invalidArguments', 'default is not true or false');
    const problem = isDefault ? defaultProblem(context) : null;
    if (problem !== null) return refuse('invalidArguments', problem);
    const own = isDefault ? context.tenantId : context.id;
    const isGiven = given.shares !== undefined && given.shares !== null;
    const read = readShares(merged.shares ?? [], own, isGiven, context);
    if (!read.ok) return read;
    return success({ n1, shares: read.value, ...(isDefault ? { default: true } : {}) });
  },

  keepsConnections: () => true,
};

/** Why the application cannot speak for the default account; null: it can. */
function defaultProblem({ id, tenantId, index }: FormContext): string | null {
  const others = index.applications.of(WAVESHARE, tenantId).filter((other) => other.principalId !== id);
  if (others.some(({ application }) => application !== null && isDefaultAccount(application.configuration))) {
    return 'Another waveshare application is the default account of the tenant';
  }
  return index.accounts.devicesOf(id).length === 0
    ? null
    : 'An application that devices belong to by its id cannot become the default account';
}

/** Given shares are refused if one is wrong; of those that a save leaves out only what still holds is kept. */
function readShares(shares: Json, own: EntityId, isGiven: boolean, context: FormContext): Result<Json> {
  if (!Array.isArray(shares)) return refuse('invalidArguments', 'shares is not a list');
  if (shares.length > MAX_SHARES) return refuse('invalidArguments', `shares lists more than ${MAX_SHARES} entries`);
  const entries: readonly Json[] = shares;
  const read: JsonObject[] = [];
  for (const [index, entry] of entries.entries()) {
    const share = readShare(entry, own, context);
    if (typeof share !== 'string') read.push(share);
    else if (isGiven) return refuse('invalidArguments', `shares[${index}] ${share}`);
  }
  return success(read);
}

/** A share as it is kept, or why it is refused, as the end of a sentence. */
function readShare(entry: Json, own: EntityId, { id, tenantId, index }: FormContext): JsonObject | string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'is not an object';
  const { deviceId, account, access }: JsonObject = entry as JsonObject;
  if (access !== 'READ' && access !== 'WRITE') return 'has an access that is not READ or WRITE';
  if (typeof account !== 'string' || !isEntityId(account)) return 'has no id of an account';
  const other = account.toLowerCase();
  if (other === own || other === id) return 'is for the account that gives it';
  const device = typeof deviceId === 'string' ? index.registration(deviceId.toLowerCase()) : undefined;
  // A device of somebody else is not told apart from one that does not exist.
  const isMine =
    device?.device?.tenantId === tenantId &&
    device.credentialsType === 'WAVESHARE' &&
    (device.membership?.accountId ?? tenantId) === own;
  return isMine
    ? { deviceId: device.principalId, account: other, access }
    : 'names a device that is not of this account';
}

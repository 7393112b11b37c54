import { type Result, refuse, success } from '../../errors.ts';
import type { EntityId } from '../../model/entities.ts';
import type { CredentialsInput } from '../../platform.ts';
import type { NameClaim, StoredCredentials } from '../../ports/repositories.ts';
import type { Crypto } from '../../ports/runtime.ts';
import type { ConnectIndex, Reservation } from '../connect-index.ts';
import { storedIdOf } from './account-scope.ts';
import type { CredentialForm } from './credential-form.ts';
import type { CredentialPlace } from './credential-place.ts';
import { CREDENTIAL_KINDS, namesOf, readCredentials } from './read-credentials.ts';

const MAX_DRAWS = 20;

/** Checked credentials whose names are held until `reservation.release()`. */
export interface ReservedCredentials {
  readonly form: CredentialForm;
  readonly names: readonly NameClaim[];
  readonly reservation: Reservation;
}

/** Checks credentials for a device and holds their names; generated names are drawn again until free. REC-21 */
export function reserveCredentials(
  input: Pick<CredentialsInput, 'credentialsType' | 'credentialsId' | 'credentialsValue'>,
  deviceId: EntityId,
  crypto: Crypto,
  index: ConnectIndex,
  place: CredentialPlace,
): Result<ReservedCredentials> {
  const kind = CREDENTIAL_KINDS[input.credentialsType];
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const read = readCredentials(input, crypto, place);
    if (!read.ok) return read;
    const form = read.value;
    const names = namesOf(form, kind);
    const reservation = index.reserve(names, deviceId, form.clientId);
    if (!reservation.ok) {
      if (form.generated) continue;
      return kind.taken(reservation.claim.list, reservation.holder);
    }
    const inAccount = reserveInAccount(form, deviceId, index);
    if (typeof inAccount === 'function') {
      const release = () => {
        inAccount();
        reservation.release();
      };
      return success({ form, names, reservation: { ok: true, release } });
    }
    reservation.release();
    if (inAccount === 'closed') return refuse('invalidArguments', 'The account of the accountId is being deleted');
    if (!form.generated) return refuse('invalidArguments', 'This device id is already in use in the account');
  }
  return refuse('general', 'No free name was drawn');
}

/** Holds the place in the account; the function frees it. */
function reserveInAccount(
  { accountId, credentialsId }: CredentialForm,
  deviceId: EntityId,
  index: ConnectIndex,
): (() => void) | 'taken' | 'closed' {
  // The default account has no application that could be deleted, and names in it are on the server's list.
  if (accountId === undefined || accountId === null) return () => {};
  return index.accounts.reserve(accountId, credentialsId, deviceId);
}

/** The record to keep, with the value sealed where it holds a password. */
export function sealCredentials(
  form: CredentialForm,
  identity: Pick<StoredCredentials, 'id' | 'createdTime' | 'deviceId' | 'version'>,
  crypto: Crypto,
): StoredCredentials {
  const kind = CREDENTIAL_KINDS[form.credentialsType];
  const { credentialsType, credentialsId, credentialsValue, username, clientId, accountId } = form;
  const sealed = kind.secret && credentialsValue !== null;
  return {
    id: identity.id,
    createdTime: identity.createdTime,
    deviceId: identity.deviceId,
    version: identity.version,
    credentialsType,
    credentialsId: accountId === undefined ? credentialsId : storedIdOf({ accountId, name: credentialsId }),
    credentialsValue: sealed ? crypto.seal(credentialsValue) : credentialsValue,
    sealed,
    dialect: kind.dialect,
    username,
    clientId,
  };
}

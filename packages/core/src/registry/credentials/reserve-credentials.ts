import { type Result, refuse, success } from '../../errors.ts';
import type { EntityId } from '../../model/entities.ts';
import type { CredentialsInput } from '../../platform.ts';
import type { NameClaim, StoredCredentials } from '../../ports/repositories.ts';
import type { Crypto } from '../../ports/runtime.ts';
import type { ConnectIndex, Reservation } from '../connect-index.ts';
import type { CredentialForm } from './credential-form.ts';
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
): Result<ReservedCredentials> {
  const kind = CREDENTIAL_KINDS[input.credentialsType];
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const read = readCredentials(input, crypto);
    if (!read.ok) return read;
    const form = read.value;
    const names = namesOf(form, kind);
    const reservation = index.reserve(names, deviceId, form.clientId);
    if (reservation.ok) return success({ form, names, reservation });
    if (!form.generated) return kind.taken(reservation.claim.list, reservation.holder);
  }
  return refuse('general', 'No free name was drawn');
}

/** The record to keep, with the value sealed where it holds a password. */
export function sealCredentials(
  form: CredentialForm,
  identity: Pick<StoredCredentials, 'id' | 'createdTime' | 'deviceId' | 'version'>,
  crypto: Crypto,
): StoredCredentials {
  const kind = CREDENTIAL_KINDS[form.credentialsType];
  const { credentialsType, credentialsId, credentialsValue, username, clientId } = form;
  const sealed = kind.secret && credentialsValue !== null;
  return {
    id: identity.id,
    createdTime: identity.createdTime,
    deviceId: identity.deviceId,
    version: identity.version,
    credentialsType,
    credentialsId,
    credentialsValue: sealed ? crypto.seal(credentialsValue) : credentialsValue,
    sealed,
    dialect: kind.dialect,
    username,
    clientId,
  };
}

import type { ConnectVia, Refusal } from '@moorage/dialect-api';
import { type ConnectPacket, ReasonCode } from '@moorage/dialect-api';

/** A refusal of a CONNECT that no dialect claimed, with what the connection log shows of it. */
export interface CoreRefusal extends Refusal {
  /** Row of recognition.md, section 5: `F1` to `F8`. */
  readonly row: string;
  /** The vendor whose devices connect in this form, or null. */
  readonly looksLike: string | null;
}

function refusal(
  row: string,
  returnCode: Refusal['returnCode'],
  reasonCode: ReasonCode,
  reason: string,
  looksLike: string | null,
): CoreRefusal {
  return { outcome: 'refused', row, returnCode, reasonCode, reason, looksLike };
}

const THINGSCALE_ID = /^U[0-9A-Za-z]{6}$/;
const WAVESHARE_CLIENT_ID = /^[0-9a-f]{8}$/;

/** The code that fits the form of a CONNECT nobody claimed. recognition.md, section 5: the first match decides. */
export function refuseUnclaimed(connect: ConnectPacket, via: ConnectVia): CoreRefusal {
  const { clientId, username, password } = connect;
  if (via.clientCertificates !== null) {
    return refusal('F1', 5, ReasonCode.NotAuthorized, 'client certificate not known', 'thingsboard');
  }
  if (username === null) {
    if (password !== null) {
      return refusal('F2', 5, ReasonCode.BadUserNameOrPassword, 'password without user name', null);
    }
    if (clientId === '') return refusal('F3', 5, ReasonCode.NotAuthorized, 'no credential at all', null);
    const looksLike = WAVESHARE_CLIENT_ID.test(clientId) ? 'waveshare' : 'thingsboard';
    return refusal('F4', 2, ReasonCode.ClientIdentifierNotValid, 'client ID not known', looksLike);
  }
  if (username === '') {
    return refusal('F5', 4, ReasonCode.BadUserNameOrPassword, 'user name is empty', 'thingsboard');
  }
  if (THINGSCALE_ID.test(username) && password !== null) {
    return refusal('F6', 4, ReasonCode.BadUserNameOrPassword, 'ThingScale ID not known', 'thingscale');
  }
  if (password !== null && (clientId === username || clientId.startsWith(`${username}/`))) {
    return refusal('F7', 5, ReasonCode.NotAuthorized, 'AppID not known', 'sensoro');
  }
  const looksLike = username.includes('&') ? 'alibaba' : password === null ? 'thingsboard' : 'plain';
  return refusal('F8', 5, ReasonCode.BadUserNameOrPassword, 'user name or token not known', looksLike);
}

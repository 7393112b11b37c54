import { refuse, success } from '../../errors.ts';
import { randomText } from '../random-text.ts';
import { hasControlCharacters } from '../text-rules.ts';
import type { CredentialReader } from './credential-form.ts';
import { parseValue, textMember } from './value-text.ts';

const GENERATED_ID_LENGTH = 20;
const MAX_ID_BYTES = 128;
/** Levels of topics that are no device ids. thingscale.md, 4.4 */
const RESERVED_IDS = ['0', 'json', 'binary', 'bin', 'state'];

const encoder = new TextEncoder();

/** Why a text cannot be the id of a device, as the end of a sentence; null: it can. thingscale.md, 4.4 */
export function thingscaleIdProblem(id: string): string | null {
  if (id === '' || id.length > MAX_ID_BYTES || encoder.encode(id).length > MAX_ID_BYTES) {
    return `is not 1 to ${MAX_ID_BYTES} bytes long`;
  }
  if (RESERVED_IDS.includes(id)) return 'is a word with a meaning of its own in topics';
  if (/[/+#]/.test(id)) return 'has one of the characters / + #';
  return hasControlCharacters(id) || !id.isWellFormed() ? 'has characters that no topic can have' : null;
}

/**
 * THINGSCALE: the value is `{"accountId"}` as JSON text; the id is the device id, unique in the account. The device shows
 * nothing of its own at CONNECT: it uses its account's token. api-additions.md, 1
 */
export const readThingscale: CredentialReader = (request, crypto, place) => {
  const value = parseValue(request.credentialsValue ?? '{}');
  if (value === undefined)
    return refuse('invalidArguments', 'The value of THINGSCALE credentials is not a JSON object');
  const given = textMember(value, 'accountId');
  if (given === undefined) return refuse('invalidArguments', 'The accountId of THINGSCALE credentials is not a text');
  if (given === null) {
    return refuse('invalidArguments', 'THINGSCALE credentials need an accountId: the id of a thingscale application');
  }
  const accountId = given.toLowerCase();
  if (!place.accounts('thingscale').some(({ id }) => id === accountId)) {
    return refuse('invalidArguments', 'The accountId is not the id of a thingscale application of this tenant');
  }
  const id = request.credentialsId === '' ? null : request.credentialsId;
  const deviceId = id ?? randomText(crypto, GENERATED_ID_LENGTH);
  const problem = thingscaleIdProblem(deviceId);
  if (problem !== null) return refuse('invalidArguments', `The device id ${problem}`);
  return success({
    credentialsType: 'THINGSCALE',
    credentialsId: deviceId,
    credentialsValue: JSON.stringify({ accountId }),
    username: null,
    clientId: null,
    accountId,
    generated: id === null,
  });
};

import { refuse, success } from '../../errors.ts';
import { randomText } from '../random-text.ts';
import type { CredentialReader } from './credential-form.ts';
import { connectNameProblem, MAX_PASSWORD_LENGTH } from './name-rules.ts';
import { parseValue, textMember } from './value-text.ts';

const GENERATED_NAME_LENGTH = 20;
const GENERATED_PASSWORD_LENGTH = 24;

/** A user name that is drawn when none is given. */
export function drawUsername(crypto: Parameters<CredentialReader>[1]): string {
  return randomText(crypto, GENERATED_NAME_LENGTH);
}

/** A password that is drawn when none is given. */
export function drawPassword(crypto: Parameters<CredentialReader>[1]): string {
  return randomText(crypto, GENERATED_PASSWORD_LENGTH);
}

/**
 * PLAIN: the value is `{"username","password","clientId"}` as JSON text, each optional; the id is the user name.
 * `clientId` null: any. api-additions.md, 1
 */
export const readPlain: CredentialReader = (request, crypto) => {
  const value = parseValue(request.credentialsValue ?? '{}');
  if (value === undefined) return refuse('invalidArguments', 'The value of PLAIN credentials is not a JSON object');
  const named = textMember(value, 'username');
  const password = textMember(value, 'password');
  const clientId = textMember(value, 'clientId');
  if (named === undefined || password === undefined || clientId === undefined) {
    return refuse('invalidArguments', 'Members of PLAIN credentials are texts');
  }
  const given = named ?? (request.credentialsId === '' ? null : request.credentialsId);
  const username = given ?? drawUsername(crypto);
  const problem = connectNameProblem('username', username);
  if (problem !== null) return refuse('invalidArguments', `The user name ${problem}`);
  // Beside a user name the client ID is no credential by itself, so only the general rules hold for it.
  const clientProblem = clientId === null ? null : connectNameProblem('username', clientId);
  if (clientProblem !== null) return refuse('invalidArguments', `The client ID ${clientProblem}`);
  if (password !== null && password.length > MAX_PASSWORD_LENGTH) {
    return refuse('invalidArguments', `The password is longer than ${MAX_PASSWORD_LENGTH} characters`);
  }
  return success({
    credentialsType: 'PLAIN',
    credentialsId: username,
    credentialsValue: JSON.stringify({ username, password: password ?? drawPassword(crypto), clientId }),
    username,
    clientId,
    generated: given === null,
  });
};

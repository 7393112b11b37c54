import { refuse, success } from '../../errors.ts';
import type { CredentialReader } from './credential-form.ts';
import { connectNameProblem, MAX_PASSWORD_LENGTH } from './name-rules.ts';
import { parseValue, textMember } from './value-text.ts';

const BAD_BODY = 'Invalid credentials body for simple mqtt credentials!';

/**
 * MQTT_BASIC: the value is `{"clientId","userName","password"}` as JSON text; the id is the user name, SHA3(clientId), or
 * SHA3(clientId + "|" + userName). thingsboard-server.md, 2.3
 */
export const readMqttBasic: CredentialReader = (request, crypto) => {
  const value = request.credentialsValue === null ? undefined : parseValue(request.credentialsValue);
  if (value === undefined) return refuse('badRequest', BAD_BODY);
  const clientId = textMember(value, 'clientId');
  const username = textMember(value, 'userName');
  const password = textMember(value, 'password');
  if (clientId === undefined || username === undefined || password === undefined) return refuse('badRequest', BAD_BODY);
  if (clientId === null && username === null) {
    return refuse('badRequest', 'Both mqtt client id and user name are empty!');
  }
  if (clientId !== null && username === null && password !== null) {
    return refuse('badRequest', 'Password cannot be specified along with client id');
  }
  const userProblem = username === null ? null : connectNameProblem('username', username);
  if (userProblem !== null) return refuse('badRequest', `MQTT user name ${userProblem}!`);
  // Beside a user name the client ID is no credential by itself, so the form rule of that list does not hold for it.
  const clientProblem =
    clientId === null ? null : connectNameProblem(username === null ? 'clientId' : 'username', clientId);
  if (clientProblem !== null) return refuse('badRequest', `MQTT client id ${clientProblem}!`);
  if (password !== null && password.length > MAX_PASSWORD_LENGTH) {
    return refuse('badRequest', `MQTT password is longer than ${MAX_PASSWORD_LENGTH} characters!`);
  }
  return success({
    credentialsType: 'MQTT_BASIC',
    credentialsId: credentialsIdOf(clientId, username, (text) => crypto.sha3_256(text)),
    credentialsValue: JSON.stringify({ clientId, userName: username, password }),
    username,
    clientId,
    generated: false,
  });
};

function credentialsIdOf(clientId: string | null, username: string | null, sha3: (text: string) => string): string {
  if (clientId === null) return username ?? '';
  return sha3(username === null ? clientId : `${clientId}|${username}`);
}

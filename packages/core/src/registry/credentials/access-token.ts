import { refuse, success } from '../../errors.ts';
import { randomText } from '../random-text.ts';
import type { CredentialReader } from './credential-form.ts';
import { connectNameProblem } from './name-rules.ts';

const TOKEN_LENGTH = 20;

/** ACCESS_TOKEN: the token is the user name; without one, 20 random letters and digits. thingsboard-device.md, 1.3 */
export const readAccessToken: CredentialReader = (request, crypto) => {
  const given = request.credentialsId === null || request.credentialsId === '' ? null : request.credentialsId;
  const token = given ?? randomText(crypto, TOKEN_LENGTH);
  const problem = connectNameProblem('username', token);
  if (problem !== null) return refuse('badRequest', `Access token ${problem}!`);
  return success({
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: token,
    credentialsValue: null,
    username: token,
    clientId: null,
    generated: given === null,
  });
};

import { type Result, refuse, success } from '../../errors.ts';
import type { EntityId, JsonObject } from '../../model/entities.ts';
import { accountNumber, isDefaultAccount, WAVESHARE } from '../waveshare-account.ts';
import type { CredentialReader } from './credential-form.ts';
import type { CredentialPlace } from './credential-place.ts';
import { connectNameProblem, MAX_PASSWORD_LENGTH } from './name-rules.ts';
import { parseValue, textMember } from './value-text.ts';

/** Drawn Client Identifiers are so many bytes in hex. waveshare.md, 2.1 */
const DRAWN_BYTES = 4;
const CLIENT_ID = /^[0-9A-Za-z_-]{1,64}$/;
/** waveshare.md, 4.2 */
const TOPIC = /^(Pub|Sub)\/([0-9]{1,10})\/([0-9]{1,10})\/([0-9A-Za-z_-]{1,64})$/;
/** Product number of devices whose profile has none. */
const NO_PRODUCT = '1';

interface TopicParts {
  /** `<n1>/<n2>`, as the digit strings that they are. */
  readonly numbers: string;
  readonly clientId: string;
}

/** The texts of a value, each null where it is left out. */
interface Texts {
  readonly clientId: string | null;
  readonly pubTopic: string | null;
  readonly subTopic: string | null;
  readonly password: string | null;
  readonly accountId: string | null;
}

/** A Client Identifier as the vendor draws them: 8 lower-case hex digits. */
function drawClientId(crypto: Parameters<CredentialReader>[1]): string {
  return Array.from(crypto.randomBytes(DRAWN_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * WAVESHARE: the value is `{"clientId","pubTopic","subTopic"}` as JSON text, as burnt in, with `password`, `accountId` and
 * `enabled` (false: the device is refused) where the device has them; the id is the Client Identifier. What is left out is drawn, or made of the numbers of the account
 * and of the profile. api-additions.md, 1; waveshare.md, 4.2
 */
export const readWaveshare: CredentialReader = (request, crypto, place) => {
  const value = parseValue(request.credentialsValue ?? '{}');
  if (value === undefined) return refuse('invalidArguments', 'The value of WAVESHARE credentials is not a JSON object');
  const texts = textsOf(value);
  if (texts === undefined) return refuse('invalidArguments', 'Members of WAVESHARE credentials are texts');
  const id = request.credentialsId === '' ? null : request.credentialsId;
  if (id !== null && texts.clientId !== null && id !== texts.clientId) {
    return refuse('invalidArguments', 'The credentialsId is not the clientId of the value');
  }
  const topics = readTopics(texts);
  if (!topics.ok) return topics;
  const given = texts.clientId ?? id ?? topics.value?.clientId ?? null;
  const clientId = given ?? drawClientId(crypto);
  const problem = clientIdProblem(clientId);
  if (problem !== null) return refuse('invalidArguments', `The client ID ${problem}`);
  if (topics.value !== null && topics.value.clientId !== clientId) {
    return refuse('invalidArguments', 'The client ID at the end of the topics is not that of the credentials');
  }
  const { password } = texts;
  if (password !== null && password.length > MAX_PASSWORD_LENGTH) {
    return refuse('invalidArguments', `The password is longer than ${MAX_PASSWORD_LENGTH} characters`);
  }
  const account = readAccount(texts.accountId, place);
  if (!account.ok) return account;
  const { accountId, number } = account.value;
  const numbers = topics.value?.numbers ?? `${number}/${place.settings.waveshare?.n2 ?? NO_PRODUCT}`;
  const enabled = value.enabled ?? true;
  if (typeof enabled !== 'boolean') return refuse('invalidArguments', 'enabled is not true or false');
  const credentials = {
    clientId,
    pubTopic: `Pub/${numbers}/${clientId}`,
    subTopic: `Sub/${numbers}/${clientId}`,
    ...(password === null ? {} : { password }),
    ...(accountId === null ? {} : { accountId }),
    ...(enabled ? {} : { enabled }),
  };
  return success({
    credentialsType: 'WAVESHARE',
    credentialsId: clientId,
    credentialsValue: JSON.stringify(credentials),
    username: null,
    clientId,
    accountId,
    generated: given === null,
  });
};

function textsOf(value: JsonObject): Texts | undefined {
  const clientId = textMember(value, 'clientId');
  const pubTopic = textMember(value, 'pubTopic');
  const subTopic = textMember(value, 'subTopic');
  const password = textMember(value, 'password');
  const accountId = textMember(value, 'accountId');
  if (clientId === undefined || pubTopic === undefined || subTopic === undefined) return undefined;
  if (password === undefined || accountId === undefined) return undefined;
  return { clientId, pubTopic, subTopic, password, accountId };
}

/** What the topics say, which must be the same in both; null: none is given. */
function readTopics({ pubTopic, subTopic }: Texts): Result<TopicParts | null> {
  const pub = pubTopic === null ? null : partsOf('Pub', pubTopic);
  const sub = subTopic === null ? null : partsOf('Sub', subTopic);
  if (pub === undefined) return refuse('invalidArguments', 'The pubTopic is not Pub/<number>/<number>/<client ID>');
  if (sub === undefined) return refuse('invalidArguments', 'The subTopic is not Sub/<number>/<number>/<client ID>');
  if (pub !== null && sub !== null) {
    if (pub.numbers !== sub.numbers) {
      return refuse('invalidArguments', 'The numbers in the pubTopic and in the subTopic differ');
    }
    if (pub.clientId !== sub.clientId) {
      return refuse('invalidArguments', 'The client IDs in the pubTopic and in the subTopic differ');
    }
  }
  return success(pub ?? sub);
}

function partsOf(kind: 'Pub' | 'Sub', topic: string): TopicParts | undefined {
  const [, first, n1, n2, clientId] = TOPIC.exec(topic) ?? [];
  return first === kind && clientId !== undefined ? { numbers: `${n1}/${n2}`, clientId } : undefined;
}

function clientIdProblem(clientId: string): string | null {
  if (!CLIENT_ID.test(clientId)) return 'is not 1 to 64 letters, digits and characters of _-';
  return connectNameProblem('clientId', clientId);
}

/** The account as it is kept and its number; the default account is none by id, whatever application speaks for it. */
function readAccount(
  given: string | null,
  place: CredentialPlace,
): Result<{ readonly accountId: EntityId | null; readonly number: string }> {
  const accounts = place.accounts(WAVESHARE);
  const id = given?.toLowerCase() ?? null;
  const account = accounts.find((one) => (id === null ? isDefaultAccount(one.configuration) : one.id === id));
  if (id !== null && account === undefined) {
    return refuse('invalidArguments', 'The accountId is not the id of a waveshare application of this tenant');
  }
  const accountId = account === undefined || isDefaultAccount(account.configuration) ? null : account.id;
  return success({ accountId, number: accountNumber(accountId ?? place.tenantId, account?.configuration ?? {}) });
}

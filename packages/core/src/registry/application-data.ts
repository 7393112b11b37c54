import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { Json, JsonObject } from '../model/entities.ts';
import type { Crypto } from '../ports/runtime.ts';
import { connectNameProblem, MAX_PASSWORD_LENGTH } from './credentials/name-rules.ts';
import { drawPassword, drawUsername } from './credentials/plain.ts';
import { textMember } from './credentials/value-text.ts';
import type { IsTopicFilter } from './profile-data.ts';

/** Topic Filters that one right of an application may list. */
const MAX_FILTERS = 1000;

/** Credentials of an application of the dialect `plain`. api-additions.md, 2 */
export interface PlainApplicationCredentials {
  readonly username: string;
  readonly password: string;
  /** Client Identifiers must begin with it; null: any. */
  readonly clientIdPrefix: string | null;
}

export interface ReadApplicationCredentials {
  readonly credentials: PlainApplicationCredentials;
  /** The user name was drawn at random. */
  readonly generated: boolean;
}

/** Checks credentials; what is left out stays as in `current`, else it is drawn. `clientIdPrefix` null removes it. */
export function readApplicationCredentials(
  given: JsonObject,
  current: PlainApplicationCredentials | null,
  crypto: Crypto,
): Result<ReadApplicationCredentials> {
  const username = textMember(given, 'username');
  const password = textMember(given, 'password');
  const prefix = textMember(given, 'clientIdPrefix');
  if (username === undefined || password === undefined || prefix === undefined) {
    return refuse('invalidArguments', 'Members of the credentials of an application are texts');
  }
  const name = username ?? current?.username ?? drawUsername(crypto);
  const clientIdPrefix = Object.hasOwn(given, 'clientIdPrefix') ? prefix : (current?.clientIdPrefix ?? null);
  const problem = connectNameProblem('username', name);
  if (problem !== null) return refuse('invalidArguments', `The user name ${problem}`);
  const prefixProblem = clientIdPrefix === null ? null : connectNameProblem('username', clientIdPrefix);
  if (prefixProblem !== null) return refuse('invalidArguments', `The client ID prefix ${prefixProblem}`);
  if (password !== null && password.length > MAX_PASSWORD_LENGTH) {
    return refuse('invalidArguments', `The password is longer than ${MAX_PASSWORD_LENGTH} characters`);
  }
  const credentials = {
    username: name,
    password: password ?? current?.password ?? drawPassword(crypto),
    clientIdPrefix,
  };
  return success({ credentials, generated: username === null && current === null });
}

function filtersProblem(right: string, value: Json | undefined, isTopicFilter: IsTopicFilter): PlatformError | null {
  if (!Array.isArray(value)) return refuse('invalidArguments', `${right} is not a list of topic filters`);
  if (value.length > MAX_FILTERS) return refuse('invalidArguments', `${right} lists more than ${MAX_FILTERS} filters`);
  const wrong = value.find((filter) => typeof filter !== 'string' || !isTopicFilter(filter));
  if (wrong === undefined) return null;
  return refuse('invalidArguments', `${right}: ${JSON.stringify(wrong).slice(0, 100)} is not a topic filter`);
}

/** Rights of a `plain` application: all topics and no commands where nothing is said. */
export function readApplicationConfiguration(given: JsonObject, isTopicFilter: IsTopicFilter): Result<JsonObject> {
  const publish = given.publish ?? ['#'];
  const subscribe = given.subscribe ?? ['#'];
  const command = given.command ?? false;
  const problem =
    filtersProblem('publish', publish, isTopicFilter) ?? filtersProblem('subscribe', subscribe, isTopicFilter);
  if (problem !== null) return problem;
  if (typeof command !== 'boolean') return refuse('invalidArguments', 'command is not true or false');
  const sys = given.sys ?? false;
  if (typeof sys !== 'boolean') return refuse('invalidArguments', 'sys is not true or false');
  return success({ publish, subscribe, command, ...(sys ? { sys } : {}) });
}

import { type PlatformError, type Result, refuse, success } from '../../errors.ts';
import type { Json, JsonObject } from '../../model/entities.ts';
import { connectNameProblem, MAX_PASSWORD_LENGTH } from '../credentials/name-rules.ts';
import { drawPassword, drawUsername } from '../credentials/plain.ts';
import { textMember } from '../credentials/value-text.ts';
import type { IsTopicFilter } from '../profile-data.ts';
import type { ApplicationForm } from './application-form.ts';

/** Topic Filters that one right of an application may list. */
const MAX_FILTERS = 1000;

/** User name, password and rights in the tenant's `plain` space. `clientIdPrefix` null: any Client Identifier. */
export const PLAIN_FORM: ApplicationForm = {
  dialect: 'plain',
  nameMember: 'username',
  lookupMembers: [],
  isAccount: false,
  devicesConnect: false,

  /** `clientIdPrefix` null removes it. */
  readCredentials(given, current, _configuration, { crypto }) {
    const username = textMember(given, 'username');
    const password = textMember(given, 'password');
    const prefix = textMember(given, 'clientIdPrefix');
    if (username === undefined || password === undefined || prefix === undefined) {
      return refuse('invalidArguments', 'Members of the credentials of an application are texts');
    }
    const before = (member: string) => (current === null ? null : (textMember(current, member) ?? null));
    const name = username ?? before('username') ?? drawUsername(crypto);
    const clientIdPrefix = Object.hasOwn(given, 'clientIdPrefix') ? prefix : before('clientIdPrefix');
    const problem = connectNameProblem('username', name);
    if (problem !== null) return refuse('invalidArguments', `The user name ${problem}`);
    const prefixProblem = clientIdPrefix === null ? null : connectNameProblem('username', clientIdPrefix);
    if (prefixProblem !== null) return refuse('invalidArguments', `The client ID prefix ${prefixProblem}`);
    if (password !== null && password.length > MAX_PASSWORD_LENGTH) {
      return refuse('invalidArguments', `The password is longer than ${MAX_PASSWORD_LENGTH} characters`);
    }
    return success({
      credentials: { username: name, password: password ?? before('password') ?? drawPassword(crypto), clientIdPrefix },
      drawn: username === null && current === null ? ['username'] : [],
    });
  },

  /** All topics and no commands where nothing is said. */
  readConfiguration(merged, _given, { isTopicFilter }): Result<JsonObject> {
    const publish = merged.publish ?? ['#'];
    const subscribe = merged.subscribe ?? ['#'];
    const command = merged.command ?? false;
    const problem =
      filtersProblem('publish', publish, isTopicFilter) ?? filtersProblem('subscribe', subscribe, isTopicFilter);
    if (problem !== null) return problem;
    if (typeof command !== 'boolean') return refuse('invalidArguments', 'command is not true or false');
    const sys = merged.sys ?? false;
    if (typeof sys !== 'boolean') return refuse('invalidArguments', 'sys is not true or false');
    return success({ publish, subscribe, command, ...(sys ? { sys } : {}) });
  },

  keepsConnections: (before, after) => JSON.stringify(before) === JSON.stringify(after),

  /** The prefix belongs to the credentials, but the dialect checks it at CONNECT. */
  connectConfiguration: ({ credentials, configuration }) => ({
    ...configuration,
    clientIdPrefix: textMember(credentials, 'clientIdPrefix') ?? null,
  }),
};

function filtersProblem(right: string, value: Json, isTopicFilter: IsTopicFilter): PlatformError | null {
  if (!Array.isArray(value)) return refuse('invalidArguments', `${right} is not a list of topic filters`);
  if (value.length > MAX_FILTERS) return refuse('invalidArguments', `${right} lists more than ${MAX_FILTERS} filters`);
  const wrong = value.find((filter) => typeof filter !== 'string' || !isTopicFilter(filter));
  if (wrong === undefined) return null;
  return refuse('invalidArguments', `${right}: ${JSON.stringify(wrong).slice(0, 100)} is not a topic filter`);
}

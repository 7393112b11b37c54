import { type Result, refuse, success } from '../../errors.ts';
import type { JsonObject } from '../../model/entities.ts';
import type { NameClaim } from '../../ports/repositories.ts';
import { takenText } from '../credentials/name-rules.ts';
import { namesOf } from '../credentials/read-credentials.ts';
import { textMember } from '../credentials/value-text.ts';
import { lookupSecretsOf } from './application-entry.ts';
import type { ApplicationForm, FormContext } from './application-form.ts';

const MAX_DRAWS = 20;

/** Credentials whose name and secrets nobody else gets until `release`. */
export interface ReservedApplication {
  readonly credentials: JsonObject;
  readonly username: string | null;
  readonly names: readonly NameClaim[];
  release(): void;
}

/** Checks the credentials of an application and holds their name and secrets; what was drawn is drawn again until free. */
export function reserveApplication(
  form: ApplicationForm,
  given: JsonObject,
  current: JsonObject | null,
  configuration: JsonObject,
  context: FormContext,
): Result<ReservedApplication> {
  const { index, id, now } = context;
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const read = form.readCredentials(given, current, configuration, context);
    if (!read.ok) return read;
    const { credentials, drawn } = read.value;
    const username = form.nameMember === null ? null : (textMember(credentials, form.nameMember) ?? null);
    const names = namesOf({ username, clientId: null }, { dialect: form.dialect, exclusive: true });
    const named = index.reserve(names, id, null);
    if (!named.ok) {
      if (drawn.includes(form.nameMember ?? '')) continue;
      return refuse('invalidArguments', takenText('username', named.holder));
    }
    const secrets = lookupSecretsOf(form, credentials);
    const held = index.applications.secrets.reserve(form.dialect, id, secrets, now);
    if (held.ok) {
      const release = () => {
        held.release();
        named.release();
      };
      return success({ credentials, username, names, release });
    }
    named.release();
    if (!drawn.includes(held.member)) {
      return refuse('invalidArguments', `This ${held.member} is already in use in the dialect ${form.dialect}`);
    }
  }
  return refuse('general', 'No free name was drawn');
}

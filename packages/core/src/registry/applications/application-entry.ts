import { type Application, type JsonObject, NULL_ID } from '../../model/entities.ts';
import type { StoredApplication } from '../../ports/repositories.ts';
import type { Crypto } from '../../ports/runtime.ts';
import type { ConnectIndex } from '../connect-index.ts';
import { parseValue, textMember } from '../credentials/value-text.ts';
import { Registration } from '../registration.ts';
import type { ApplicationForm } from './application-form.ts';
import { formOf } from './application-forms.ts';
import type { LookupSecret } from './application-secrets.ts';
import { previousOf, previousUntil } from './secrets.ts';

/** Secrets in readable form, former values whose time is over among them. */
export function openCredentials(stored: StoredApplication, open: Crypto['open']): JsonObject {
  return parseValue(open(stored.sealedCredentials)) ?? {};
}

/** Members of the credentials by which the application is found, with the values before them. */
export function lookupSecretsOf(form: ApplicationForm, credentials: JsonObject): readonly LookupSecret[] {
  return form.lookupMembers.flatMap((member) => {
    const value = textMember(credentials, member) ?? null;
    const former = textMember(credentials, previousOf(member)) ?? null;
    const until = previousUntil(credentials, member);
    return [
      ...(value === null ? [] : [{ member, value, validUntil: null }]),
      ...(former === null || until === null ? [] : [{ member, value: former, validUntil: until }]),
    ];
  });
}

/** Enters an application for CONNECT in place of what was known of it. */
export function enterApplication(
  index: ConnectIndex,
  stored: StoredApplication,
  credentials: JsonObject,
  open: Crypto['open'],
): void {
  const form = formOf(stored.dialect);
  const { id, tenantId, name, enabled, dialect, username } = stored;
  const configuration =
    form?.connectConfiguration?.({ credentials, configuration: stored.configuration }) ?? stored.configuration;
  const registration = new Registration(
    {
      credentialsType: 'APPLICATION',
      dialect,
      device: null,
      application: { id, tenantId, name, enabled, configuration },
      customerId: NULL_ID,
      username,
      clientId: null,
      sealedValue: stored.sealedCredentials,
    },
    open,
  );
  index.put(registration);
  if (form !== undefined) index.applications.secrets.put(dialect, id, lookupSecretsOf(form, credentials));
}

/** The same at start, from the record alone. */
export function enterStoredApplication(index: ConnectIndex, stored: StoredApplication, open: Crypto['open']): void {
  enterApplication(index, stored, openCredentials(stored, open), open);
}

/** An application with these credentials to be seen. */
export function readableApplication(stored: StoredApplication, credentials: JsonObject): Application {
  const { id, createdTime, tenantId, name, dialect, enabled, configuration, version } = stored;
  return { id, createdTime, tenantId, name, dialect, enabled, credentials, configuration, version };
}

/** An application for lists: of its credentials only the name shown at CONNECT. */
export function listedApplication(stored: StoredApplication): Application {
  const member = formOf(stored.dialect)?.nameMember ?? null;
  return readableApplication(stored, member === null ? {} : { [member]: stored.username });
}

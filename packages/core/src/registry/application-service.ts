import { type Result, refuse, success } from '../errors.ts';
import type { ApplicationRef } from '../model/connect-registry.ts';
import { type Application, type EntityId, type JsonObject, NULL_ID } from '../model/entities.ts';
import type { ApplicationInput, ApplicationService, Caller, Page, PageQuery } from '../platform.ts';
import { type Change, SORT_MEMBERS, type StoredApplication } from '../ports/repositories.ts';
import type { Crypto } from '../ports/runtime.ts';
import {
  type PlainApplicationCredentials,
  readApplicationConfiguration,
  readApplicationCredentials,
} from './application-data.ts';
import { authorize, authorizeRole, type Operation } from './authorize.ts';
import { commitRefusal } from './commit-refusals.ts';
import type { Reservation } from './connect-index.ts';
import { takenText } from './credentials/name-rules.ts';
import { namesOf } from './credentials/read-credentials.ts';
import { parseValue, textMember } from './credentials/value-text.ts';
import { pageWindow, toPage } from './paging.ts';
import { Registration } from './registration.ts';
import type { RegistryContext } from './registry-context.ts';
import { jsonProblem, nameProblem } from './text-rules.ts';

const DIALECT = 'plain';
const MAX_DRAWS = 20;

interface Draft {
  readonly credentials: PlainApplicationCredentials;
  readonly reservation: Reservation;
}

/** Identities that are not devices. Only the dialect `plain` has them so far. api-additions.md, 2 */
export class RegistryApplications implements ApplicationService {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /** Connections are cut when credentials or rights change, or the application is disabled. */
  save(caller: Caller, input: ApplicationInput): Promise<Result<Application>> {
    const { id } = input;
    if (id === null) return this.#save(caller, input, this.#context.crypto.uuid(), null);
    return this.#context.locks.run(id, async () => {
      const found = await this.#find(caller, id, 'write', `Application with id [${id}] is not found`);
      return found.ok ? this.#save(caller, input, id, found.value) : found;
    });
  }

  async get(caller: Caller, id: EntityId): Promise<Result<Application>> {
    const found = await this.#find(caller, id, 'readCredentials');
    if (!found.ok) return found;
    return success(readableApplication(found.value, { ...this.#openCredentials(found.value) }));
  }

  /** Applications with their user names and without their passwords. */
  async list(caller: Caller, query: PageQuery): Promise<Result<Page<Application>>> {
    const role = authorizeRole(caller, 'read', 'application');
    if (role !== null) return role;
    const window = pageWindow(query, SORT_MEMBERS.application);
    if (!window.ok) return window;
    const found = await this.#context.repositories.applications({ ...window.value, tenantId: caller.tenantId });
    return success(toPage(window.value, found, (stored) => readableApplication(stored, { username: stored.username })));
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const { repositories, index, listeners, locks } = this.#context;
    return locks.run(id, async () => {
      const found = await this.#find(caller, id, 'delete', `Application with id [${id}] is not found`);
      if (!found.ok) return found;
      const change: Change = { kind: 'deleteApplication', id, expectedVersion: found.value.version };
      const outcome = await repositories.commit([change]);
      if (outcome !== 'done') return commitRefusal(outcome);
      index.remove(id);
      listeners.revoked(id, 'deleted');
      return success(null);
    });
  }

  async #save(
    caller: Caller,
    input: ApplicationInput,
    id: EntityId,
    current: StoredApplication | null,
  ): Promise<Result<Application>> {
    const role = authorizeRole(caller, current === null ? 'create' : 'write', 'application');
    if (role !== null) return role;
    if (input.dialect !== DIALECT) {
      const known = current === null ? 'Applications exist' : 'An application keeps its dialect, and they exist';
      return refuse('invalidArguments', `${known} for the dialect plain only, not for ${input.dialect.slice(0, 64)}`);
    }
    if (input.version !== null && current !== null && input.version !== current.version)
      return refuse('versionConflict');
    const problem = nameProblem('Application', input.name) ?? jsonProblem('configuration', input.configuration);
    if (problem !== null) return problem;
    const configuration = readApplicationConfiguration(
      { ...current?.configuration, ...input.configuration },
      this.#context.isTopicFilter,
    );
    if (!configuration.ok) return configuration;
    const before = current === null ? null : this.#openCredentials(current);
    const draft = this.#draft(input.credentials, id, before);
    if (!draft.ok) return draft;
    const { credentials, reservation } = draft.value;
    try {
      const { crypto, clock, repositories, index } = this.#context;
      const record: StoredApplication = {
        id,
        createdTime: current?.createdTime ?? clock.now(),
        tenantId: caller.tenantId,
        name: input.name,
        dialect: DIALECT,
        enabled: input.enabled,
        configuration: configuration.value,
        username: credentials.username,
        sealedCredentials: crypto.seal(JSON.stringify(credentials)),
        version: (current?.version ?? 0) + 1,
      };
      const outcome = await repositories.commit([
        { kind: 'putApplication', record, expectedVersion: current?.version ?? null, names: claimsOf(credentials) },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      index.put(applicationRegistration(record, credentials.clientIdPrefix, (sealed) => crypto.open(sealed)));
      if (current !== null && before !== null) this.#announce(current, record, before, credentials);
      return success(readableApplication(record, { ...credentials }));
    } finally {
      reservation.release();
    }
  }

  /** Checked credentials with their user name held; a drawn name is drawn again until free. */
  #draft(given: JsonObject, id: EntityId, current: PlainApplicationCredentials | null): Result<Draft> {
    for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
      const read = readApplicationCredentials(given, current, this.#context.crypto);
      if (!read.ok) return read;
      const { credentials, generated } = read.value;
      const reservation = this.#context.index.reserve(claimsOf(credentials), id, null);
      if (reservation.ok) return success({ credentials, reservation });
      if (!generated) return refuse('invalidArguments', takenText('username', reservation.holder));
    }
    return refuse('general', 'No free name was drawn');
  }

  #announce(
    current: StoredApplication,
    record: StoredApplication,
    before: PlainApplicationCredentials,
    after: PlainApplicationCredentials,
  ): void {
    const { listeners } = this.#context;
    if (!record.enabled) {
      if (current.enabled) listeners.revoked(record.id, 'disabled');
      return;
    }
    const same =
      JSON.stringify(before) === JSON.stringify(after) &&
      JSON.stringify(current.configuration) === JSON.stringify(record.configuration);
    if (!same) listeners.revoked(record.id, 'credentialsChanged');
  }

  #openCredentials(stored: StoredApplication): PlainApplicationCredentials {
    const value = parseValue(this.#context.crypto.open(stored.sealedCredentials)) ?? {};
    return {
      username: stored.username ?? '',
      password: textMember(value, 'password') ?? '',
      clientIdPrefix: textMember(value, 'clientIdPrefix') ?? null,
    };
  }

  async #find(
    caller: Caller,
    id: EntityId,
    operation: Operation,
    missing?: string,
  ): Promise<Result<StoredApplication>> {
    const role = authorizeRole(caller, operation, 'application');
    if (role !== null) return role;
    const stored = await this.#context.repositories.application(id);
    if (stored === null) return refuse('notFound', missing);
    return authorize(caller, operation, 'application', stored) ?? success(stored);
  }
}

function claimsOf({ username }: PlainApplicationCredentials) {
  return namesOf({ username, clientId: null }, { dialect: DIALECT, exclusive: true });
}

function readableApplication(stored: StoredApplication, credentials: JsonObject): Application {
  const { id, createdTime, tenantId, name, dialect, enabled, configuration, version } = stored;
  return { id, createdTime, tenantId, name, dialect, enabled, credentials, configuration, version };
}

/**
 * The entry of an application in the connect registry. Its `configuration` also carries `clientIdPrefix`, which belongs
 * to the credentials, because the dialect checks it at CONNECT.
 */
export function applicationRegistration(
  stored: StoredApplication,
  clientIdPrefix: string | null,
  open: Crypto['open'],
): Registration {
  const application: ApplicationRef = {
    id: stored.id,
    tenantId: stored.tenantId,
    name: stored.name,
    enabled: stored.enabled,
    configuration: { ...stored.configuration, clientIdPrefix },
  };
  return new Registration(
    {
      credentialsType: 'APPLICATION',
      dialect: stored.dialect,
      device: null,
      application,
      customerId: NULL_ID,
      username: stored.username,
      clientId: null,
      sealedValue: stored.sealedCredentials,
    },
    open,
  );
}

/** The same at start, from the record alone. */
export function storedApplicationRegistration(stored: StoredApplication, open: Crypto['open']): Registration {
  const value = parseValue(open(stored.sealedCredentials)) ?? {};
  return applicationRegistration(stored, textMember(value, 'clientIdPrefix') ?? null, open);
}

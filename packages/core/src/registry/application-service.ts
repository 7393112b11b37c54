import { type Result, refuse, success } from '../errors.ts';
import type { Application, EntityId, JsonObject } from '../model/entities.ts';
import type { ApplicationInput, ApplicationService, Caller, Page, PageQuery } from '../platform.ts';
import { type Change, SORT_MEMBERS, type StoredApplication } from '../ports/repositories.ts';
import {
  enterApplication,
  listedApplication,
  openCredentials,
  readableApplication,
} from './applications/application-entry.ts';
import type { ApplicationForm } from './applications/application-form.ts';
import { APPLICATION_DIALECTS, formOf } from './applications/application-forms.ts';
import { reserveApplication } from './applications/reserve-application.ts';
import { withoutExpired } from './applications/secrets.ts';
import { authorize, authorizeRole, type Operation } from './authorize.ts';
import { commitRefusal } from './commit-refusals.ts';
import { pageWindow, toPage } from './paging.ts';
import type { RegistryContext } from './registry-context.ts';
import { jsonProblem, nameProblem } from './text-rules.ts';
import { isDefaultAccount } from './waveshare-account.ts';

/** Identities that are not devices; what they consist of is said by the form of their dialect. api-additions.md, 2 */
export class RegistryApplications implements ApplicationService {
  readonly #context: RegistryContext;
  readonly #open: (sealed: string) => string;

  constructor(context: RegistryContext) {
    this.#context = context;
    this.#open = (sealed) => context.crypto.open(sealed);
  }

  /** Connections are cut when they would not be let in again, when their rights change, or when it is disabled. */
  save(caller: Caller, input: ApplicationInput): Promise<Result<Application>> {
    const { id } = input;
    return this.#lock(caller, async () => {
      if (id === null) return this.#save(caller, input, this.#context.crypto.uuid(), null);
      const found = await this.#find(caller, id, 'write', `Application with id [${id}] is not found`);
      return found.ok ? this.#save(caller, input, id, found.value) : found;
    });
  }

  async get(caller: Caller, id: EntityId): Promise<Result<Application>> {
    const found = await this.#find(caller, id, 'readCredentials');
    return found.ok ? success(readableApplication(found.value, this.#credentialsOf(found.value))) : found;
  }

  async list(caller: Caller, query: PageQuery): Promise<Result<Page<Application>>> {
    const role = authorizeRole(caller, 'read', 'application');
    if (role !== null) return role;
    const window = pageWindow(query, SORT_MEMBERS.application);
    if (!window.ok) return window;
    const found = await this.#context.repositories.applications({ ...window.value, tenantId: caller.tenantId });
    return success(toPage(window.value, found, listedApplication));
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#lock(caller, async () => {
      const found = await this.#find(caller, id, 'delete', `Application with id [${id}] is not found`);
      if (!found.ok) return found;
      if (formOf(found.value.dialect)?.isAccount !== true) return this.#remove(found.value);
      const reopen = this.#context.index.accounts.close(id);
      if (reopen === null) {
        return refuse('badRequest', 'The application cannot be deleted as long as devices belong to its account!');
      }
      try {
        return await this.#remove(found.value);
      } finally {
        reopen();
      }
    });
  }

  /** The same also while devices belong to its account; for those who remove the devices too. */
  removeWithAccount(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#lock(caller, async () => {
      const found = await this.#find(caller, id, 'delete');
      return found.ok ? this.#remove(found.value) : found;
    });
  }

  async #remove({ id, version }: StoredApplication): Promise<Result<null>> {
    const { repositories, index, listeners } = this.#context;
    const change: Change = { kind: 'deleteApplication', id, expectedVersion: version };
    const outcome = await repositories.commit([change]);
    if (outcome !== 'done') return commitRefusal(outcome);
    index.remove(id);
    listeners.revoked(id, 'deleted');
    listeners.applicationRemoved(id);
    return success(null);
  }

  async #save(
    caller: Caller,
    input: ApplicationInput,
    id: EntityId,
    current: StoredApplication | null,
  ): Promise<Result<Application>> {
    const role = authorizeRole(caller, current === null ? 'create' : 'write', 'application');
    if (role !== null) return role;
    const chosen = chooseForm(input, current);
    if (!chosen.ok) return chosen;
    const form = chosen.value;
    if (input.version !== null && current !== null && input.version !== current.version) {
      return refuse('versionConflict');
    }
    const problem =
      nameProblem('Application', input.name) ??
      jsonProblem('credentials', input.credentials) ??
      jsonProblem('configuration', input.configuration);
    if (problem !== null) return problem;
    const { crypto, clock, repositories, index, isTopicFilter, listeners } = this.#context;
    const now = clock.now();
    const context = { id, tenantId: caller.tenantId, crypto, now, isTopicFilter, index };
    const merged = { ...current?.configuration, ...input.configuration };
    const configuration = form.readConfiguration(merged, input.configuration, context);
    if (!configuration.ok) return configuration;
    const before = current === null ? null : this.#credentialsOf(current);
    const reserved = reserveApplication(form, input.credentials, before, configuration.value, context);
    if (!reserved.ok) return reserved;
    const { credentials, username, names, release } = reserved.value;
    try {
      const record: StoredApplication = {
        id,
        createdTime: current?.createdTime ?? now,
        tenantId: caller.tenantId,
        name: input.name,
        dialect: form.dialect,
        enabled: input.enabled,
        configuration: configuration.value,
        username,
        sealedCredentials: crypto.seal(JSON.stringify(credentials)),
        version: (current?.version ?? 0) + 1,
      };
      const outcome = await repositories.commit([
        { kind: 'putApplication', record, expectedVersion: current?.version ?? null, names },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      enterApplication(index, record, credentials, this.#open);
      if (current !== null && before !== null) this.#cut(form, current, before, record, credentials);
      listeners.applicationChanged(id);
      return success(readableApplication(record, credentials));
    } finally {
      release();
    }
  }

  /** Cuts the connections that a change leaves without their right. */
  #cut(
    form: ApplicationForm,
    current: StoredApplication,
    before: JsonObject,
    record: StoredApplication,
    after: JsonObject,
  ): void {
    const { listeners, index } = this.#context;
    if (record.enabled) {
      const was = { credentials: before, configuration: current.configuration };
      const is = { credentials: after, configuration: record.configuration };
      if (!form.keepsConnections(was, is)) listeners.revoked(record.id, 'credentialsChanged');
      return;
    }
    if (!current.enabled) return;
    listeners.revoked(record.id, 'disabled');
    if (!form.devicesConnect) return;
    const account = isDefaultAccount(record.configuration) ? record.tenantId : record.id;
    for (const { principalId } of index.accounts.devicesOf(account)) listeners.revoked(principalId, 'disabled');
  }

  /** In readable form, without former values whose time is over. */
  #credentialsOf(stored: StoredApplication): JsonObject {
    return withoutExpired(openCredentials(stored, this.#open), this.#context.clock.now());
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

  /** One change of a tenant's applications at a time, since what one of them may be depends on the others. */
  #lock<T>(caller: Caller, task: () => Promise<T>): Promise<T> {
    return this.#context.locks.run(`applications of ${caller.tenantId}`, task);
  }
}

function chooseForm(input: ApplicationInput, current: StoredApplication | null): Result<ApplicationForm> {
  const dialect = input.dialect.slice(0, 64);
  if (current !== null && input.dialect !== current.dialect) {
    return refuse('invalidArguments', `An application keeps its dialect: this one is of ${current.dialect}`);
  }
  const form = formOf(input.dialect);
  if (form !== undefined) return success(form);
  const known = APPLICATION_DIALECTS.join(', ');
  return refuse('invalidArguments', `There are no applications of the dialect ${dialect}, only of: ${known}`);
}

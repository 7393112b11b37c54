import { normaliseEmail } from '../accounts/password-policy.ts';
import { CONTACT_MEMBERS } from '../customers/customer.ts';
import { contactOf } from '../customers/customer-collection.ts';
import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import { authorizeRole } from '../registry/authorize.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from '../registry/commit-refusals.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import { minimalProfile } from '../registry/profile-choice.ts';
import { deriveProfileSettings } from '../registry/profile-data.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { jsonProblem, textProblem } from '../registry/text-rules.ts';
import type { TenantDetails, TenantInput, TenantService } from './tenant.ts';
import { removingName, removingRecord, TENANTS, tenantOf, tenantRecord } from './tenant-collection.ts';
import type { TenantRecords } from './tenant-records.ts';
import type { TenantRemovals } from './tenant-removals.ts';

const DEFAULT_PROFILE = 'default';

/** The tenants of the server. thingsboard-server.md, 0.6 */
export class RegistryTenants implements TenantService {
  readonly #context: RegistryContext;
  readonly #records: TenantRecords;
  readonly #removals: TenantRemovals;
  /** The tenant that the server itself needs. */
  readonly #defaultTenantId: EntityId;

  constructor(context: RegistryContext, records: TenantRecords, removals: TenantRemovals, defaultTenantId: EntityId) {
    this.#context = context;
    this.#records = records;
    this.#removals = removals;
    this.#defaultTenantId = defaultTenantId;
  }

  async save(caller: Caller, input: TenantInput): Promise<Result<TenantDetails>> {
    const { id } = input;
    const refusal = authorizeRole(caller, id === null ? 'create' : 'write', 'tenant') ?? inputProblem(input);
    if (refusal !== null) return refusal;
    return id === null ? this.#create(input) : this.#context.locks.run(id, () => this.#update(id, input));
  }

  async get(caller: Caller, id: EntityId): Promise<Result<TenantDetails>> {
    const role = authorizeRole(caller, 'read', 'tenant');
    if (role !== null) return role;
    if (caller.authority !== 'SYS_ADMIN' && caller.tenantId !== id) return refuse('permissionDenied');
    const tenant = await this.#records.get(id);
    return tenant === null ? refuse('notFound') : success(tenant);
  }

  async list(caller: Caller, query: PageQuery): Promise<Result<Page<TenantDetails>>> {
    const role = authorizeRole(caller, 'write', 'tenant');
    if (role !== null) return role;
    const window = pageWindow(query, [...TENANTS.sorts, 'id', 'createdTime']);
    if (!window.ok) return window;
    const { records, total } = await this.#context.repositories.documents(TENANTS, {
      ...window.value,
      tenantId: null,
      conditions: [{ member: 'listed', is: '=', value: true }],
    });
    const tenants = { records: records.flatMap((document) => tenantOf(document) ?? []), total };
    return success(toPage(window.value, tenants, (tenant) => tenant));
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#context.locks.run(id, async () => {
      const role = authorizeRole(caller, 'delete', 'tenant');
      if (role !== null) return role;
      if (id === this.#defaultTenantId) return refuse('badRequest', 'Deletion of the default tenant is prohibited!');
      let refusal = refuse('versionConflict');
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const tenant = await this.#records.get(id);
        if (tenant === null) return refuse('notFound', `Tenant with id [${id}] is not found`);
        const outcome = await this.#records.commit([
          { kind: 'renameTenant', id, name: removingName(id) },
          {
            kind: 'putDocument',
            collection: TENANTS,
            record: removingRecord(tenant),
            expectedVersion: tenant.version,
          },
        ]);
        if (outcome === 'done') {
          await this.#removals.begin(id);
          return success(null);
        }
        refusal = commitRefusal(outcome);
        if (!isOvertaken(outcome)) return refusal;
      }
      return refusal;
    });
  }

  count(): number {
    return this.#records.count();
  }

  async #create(input: TenantInput): Promise<Result<TenantDetails>> {
    const { crypto, clock, index } = this.#context;
    const tenant = detailsOf(input, { id: crypto.uuid(), createdTime: clock.now(), version: 1 });
    const { id, createdTime, title: name } = tenant;
    const profile = minimalProfile(this.#context, id, DEFAULT_PROFILE, true);
    const outcome = await this.#records.commit([
      { kind: 'putTenant', record: { id, createdTime, name } },
      { kind: 'putProfile', record: profile, expectedVersion: null },
      { kind: 'putDocument', collection: TENANTS, record: tenantRecord(tenant), expectedVersion: null },
    ]);
    if (outcome !== 'done') return commitRefusal(outcome);
    index.setSettings(profile.id, deriveProfileSettings(profile));
    return success(tenant);
  }

  async #update(id: EntityId, input: TenantInput): Promise<Result<TenantDetails>> {
    let refusal = refuse('versionConflict');
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await this.#records.get(id);
      if (current === null) return refuse('notFound', `Tenant with id [${id}] is not found`);
      if (input.version !== null && input.version !== current.version) return refuse('versionConflict');
      if (id === this.#defaultTenantId && input.title !== current.title) {
        return refuse('badRequest', "Title of the default tenant can't be changed!");
      }
      const tenant = detailsOf(input, { ...current, version: current.version + 1 });
      const outcome = await this.#records.commit([
        { kind: 'renameTenant', id, name: tenant.title },
        {
          kind: 'putDocument',
          collection: TENANTS,
          record: tenantRecord(tenant),
          expectedVersion: current.version,
        },
      ]);
      if (outcome === 'done') return success(tenant);
      refusal = commitRefusal(outcome);
      if (!isOvertaken(outcome) || input.version !== null) return refusal;
    }
    return refusal;
  }
}

function detailsOf(
  input: TenantInput,
  { id, createdTime, version }: Pick<TenantDetails, 'id' | 'createdTime' | 'version'>,
): TenantDetails {
  const { title, region, additionalInfo } = input;
  return { id, createdTime, title, region, ...contactOf((member) => input[member]), additionalInfo, version };
}

function inputProblem(input: TenantInput): PlatformError | null {
  if (input.title.trim() === '') return refuse('badRequest', 'Tenant title should be specified!');
  for (const member of ['title', 'region', ...CONTACT_MEMBERS] as const) {
    const problem = textProblem(member, input[member]);
    if (problem !== null) return problem;
  }
  if (input.email !== null && input.email !== '' && normaliseEmail(input.email) === undefined) {
    return refuse('badRequest', `Invalid email address format '${input.email}'!`);
  }
  return jsonProblem('additionalInfo', input.additionalInfo);
}

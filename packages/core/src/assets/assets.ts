import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { Caller, CustomerService, Page } from '../platform.ts';
import type { Change, CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { authorizeRole } from '../registry/authorize.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import type { OwnerRemoval } from '../registry/owner-removals.ts';
import { jsonProblem, nameProblem, textProblem } from '../registry/text-rules.ts';
import { relationRemovals } from '../relations/relation-collection.ts';
import { ASSETS, type AssetRecord, assetDocument, removingDocument } from './asset-collections.ts';
import { AssetProfiles } from './asset-profiles.ts';
import { AssetReads } from './asset-reads.ts';
import { AssetRemovals } from './asset-removals.ts';
import type { Asset, AssetInfo, AssetInput, AssetListQuery, AssetService } from './asset-service.ts';

export interface AssetsOptions {
  readonly repositories: Repositories;
  readonly customers: Pick<CustomerService, 'get' | 'publicCustomer'>;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Of the registry. */
  readonly locks: Pick<EntityLocks, 'run'>;
  /** Empties the other stores of a removed asset: `TelemetryStore.removeOwner`. */
  readonly removeData: OwnerRemoval;
  /** Told of a removal that failed in the background. */
  readonly report: (error: unknown) => void;
}

/** The assets of all tenants. thingsboard-server.md, 2.5 and 2.7 */
export class Assets implements AssetService {
  readonly profiles: AssetProfiles;
  readonly #options: AssetsOptions;
  readonly #reads: AssetReads;
  readonly #removals: AssetRemovals;

  constructor(options: AssetsOptions) {
    this.#options = options;
    this.profiles = new AssetProfiles(options);
    this.#reads = new AssetReads(options.repositories, this.profiles, options.customers);
    this.#removals = new AssetRemovals(options.repositories, options.removeData, options.report);
  }

  /** Takes up removals that an earlier run left; resolves when all have been tried. */
  finishRemovals(): Promise<void> {
    return this.#removals.finish();
  }

  /** Resolves when no removal is under way; call it before the stores are closed. */
  settled(): Promise<void> {
    return this.#removals.settled();
  }

  async save(caller: Caller, input: AssetInput): Promise<Result<Asset>> {
    const { id } = input;
    const refusal = authorizeRole(caller, id === null ? 'create' : 'write', 'asset') ?? inputProblem(input);
    if (refusal !== null) return refusal;
    if (id !== null) return this.#options.locks.run(id, () => this.#update(caller, id, input));
    const { crypto, clock } = this.#options;
    const made = {
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId: caller.tenantId,
      customerId: NULL_ID,
      version: 1,
    };
    return this.#put(caller, input, made, null);
  }

  async get(caller: Caller, id: EntityId): Promise<Result<Asset>> {
    const found = await this.#reads.find(caller, id, 'read');
    return found.ok ? success(await this.#reads.whole(found.value)) : found;
  }

  async data(caller: Caller, id: EntityId): Promise<Result<Asset>> {
    const found = await this.#reads.find(caller, id, 'data');
    return found.ok ? success(await this.#reads.whole(found.value)) : found;
  }

  async info(caller: Caller, id: EntityId): Promise<Result<AssetInfo>> {
    const found = await this.get(caller, id);
    if (!found.ok) return found;
    const page = { data: [found.value], totalPages: 1, totalElements: 1, hasNext: false };
    const infos = await this.#reads.infos(success(page));
    if (!infos.ok) return infos;
    const [info] = infos.value.data;
    return info === undefined ? refuse('notFound') : success(info);
  }

  byName(caller: Caller, name: string): Promise<Result<Asset>> {
    return this.#reads.byName(caller, name);
  }

  list(caller: Caller, query: AssetListQuery): Promise<Result<Page<Asset>>> {
    return this.#reads.list(caller, query, null);
  }

  async listInfos(caller: Caller, query: AssetListQuery): Promise<Result<Page<AssetInfo>>> {
    return this.#reads.infos(await this.#reads.list(caller, query, null));
  }

  async ofCustomer(caller: Caller, customerId: EntityId, query: AssetListQuery): Promise<Result<Page<Asset>>> {
    const customer = await this.#options.customers.get(caller, customerId);
    return customer.ok ? this.#reads.list(caller, query, customerId) : customer;
  }

  async infosOfCustomer(caller: Caller, customerId: EntityId, query: AssetListQuery): Promise<Result<Page<AssetInfo>>> {
    return this.#reads.infos(await this.ofCustomer(caller, customerId, query));
  }

  byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly Asset[]>> {
    return this.#reads.byIds(caller, ids);
  }

  types(caller: Caller): Promise<Result<readonly string[]>> {
    return this.#reads.types(caller);
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const { repositories, locks } = this.#options;
    return locks.run(id, async () => {
      const found = await this.#reads.find(caller, id, 'delete');
      if (!found.ok) return found;
      const outcome = await repositories.commit([
        putChange(removingDocument(found.value), found.value.version),
        ...relationRemovals(id),
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      this.#removals.enqueue(id);
      return success(null);
    });
  }

  async assign(caller: Caller, customerId: EntityId, id: EntityId): Promise<Result<Asset>> {
    const role = authorizeRole(caller, 'assign', 'asset');
    if (role !== null) return role;
    const { customers, locks } = this.#options;
    // Under the lock a customer is not removed between the check and the assignment.
    return locks.run(customerId, async () => {
      const customer = await customers.get(caller, customerId);
      return customer.ok ? this.#setCustomer(caller, id, customerId) : customer;
    });
  }

  async assignToPublic(caller: Caller, id: EntityId): Promise<Result<Asset>> {
    const found = await this.#reads.find(caller, id, 'assign');
    if (!found.ok) return found;
    const customer = await this.#options.customers.publicCustomer(caller);
    return customer.ok ? this.assign(caller, customer.value.id, id) : customer;
  }

  async unassign(caller: Caller, id: EntityId): Promise<Result<Asset>> {
    const found = await this.#reads.find(caller, id, 'assign');
    if (!found.ok) return found;
    if (found.value.customerId === NULL_ID) return refuse('badRequest', "Asset isn't assigned to any customer!");
    return this.#setCustomer(caller, id, NULL_ID);
  }

  async #update(caller: Caller, id: EntityId, input: AssetInput): Promise<Result<Asset>> {
    const found = await this.#reads.find(caller, id, 'write');
    if (!found.ok) return found;
    const current = found.value;
    if (input.version !== null && input.version !== current.version) return refuse('versionConflict');
    return this.#put(caller, input, { ...current, version: current.version + 1 }, current);
  }

  #put(
    caller: Caller,
    input: AssetInput,
    identity: Pick<AssetRecord, 'id' | 'createdTime' | 'tenantId' | 'customerId' | 'version'>,
    current: AssetRecord | null,
  ): Promise<Result<Asset>> {
    return this.profiles.lock(identity.tenantId, async () => {
      const choice = await this.profiles.choose(caller, input, current?.assetProfileId ?? null);
      if (!choice.ok) return choice;
      const { profile, changes } = choice.value;
      const { name, label, additionalInfo } = input;
      const { id, createdTime, tenantId, customerId, version } = identity;
      const members = { name, label, additionalInfo, assetProfileId: profile.id };
      const asset: AssetRecord = { id, createdTime, tenantId, customerId, version, ...members };
      const put = putChange(assetDocument(asset), current?.version ?? null);
      const outcome = await this.#options.repositories.commit([...changes, put]);
      return outcome === 'done' ? success({ ...asset, type: profile.name }) : assetRefusal(outcome);
    });
  }

  #setCustomer(caller: Caller, id: EntityId, customerId: EntityId): Promise<Result<Asset>> {
    const { locks, repositories } = this.#options;
    return locks.run(id, async () => {
      const found = await this.#reads.find(caller, id, 'assign');
      if (!found.ok) return found;
      const current = found.value;
      if (current.customerId === customerId) return success(await this.#reads.whole(current));
      const asset = { ...current, customerId, version: current.version + 1 };
      const outcome = await repositories.commit([putChange(assetDocument(asset), current.version)]);
      return outcome === 'done' ? success(await this.#reads.whole(asset)) : assetRefusal(outcome);
    });
  }
}

function putChange(record: ReturnType<typeof assetDocument>, expectedVersion: number | null): Change {
  return { kind: 'putDocument', collection: ASSETS, record, expectedVersion };
}

function assetRefusal(outcome: Exclude<CommitOutcome, 'done'>): PlatformError {
  const isDuplicate = typeof outcome === 'object' && outcome.kind === 'uniqueDocument' && outcome.members[0] === 'name';
  return isDuplicate ? refuse('badRequest', 'Asset with such name already exists!') : commitRefusal(outcome);
}

function inputProblem(input: AssetInput): PlatformError | null {
  return (
    nameProblem('Asset', input.name) ??
    textProblem('label', input.label) ??
    textProblem('type', input.type) ??
    jsonProblem('additionalInfo', input.additionalInfo)
  );
}

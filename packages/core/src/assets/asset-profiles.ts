import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import type { StoredDocument } from '../ports/documents.ts';
import type { Change, CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { authorize, authorizeRole, type Operation } from '../registry/authorize.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import { MAX_NAME_LENGTH, nameProblem, textProblem } from '../registry/text-rules.ts';
import { countDocuments, inSlices, someDocuments } from '../relations/document-pages.ts';
import { relationRemovals } from '../relations/relation-collection.ts';
import { ASSET_PROFILES, ASSETS, ofProfile, profileDocument, profileOf } from './asset-collections.ts';
import type { AssetInput, AssetProfile, AssetProfileInput, AssetProfileService } from './asset-service.ts';

const DEFAULT_NAME = 'default';
const MAX_DESCRIPTION_LENGTH = 10_000;
const UNKNOWN_PROFILE = 'Asset is referencing to non existing asset profile!';

export interface AssetProfilesOptions {
  readonly repositories: Repositories;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Of the registry. */
  readonly locks: Pick<EntityLocks, 'run'>;
}

/** The profile of an asset that is being saved, and the change that makes it if need be. */
export interface AssetProfileChoice {
  readonly profile: AssetProfile;
  readonly changes: readonly Change[];
}

/** The asset profiles of all tenants. thingsboard-server.md, 2.5 */
export class AssetProfiles implements AssetProfileService {
  readonly #options: AssetProfilesOptions;

  constructor(options: AssetProfilesOptions) {
    this.#options = options;
  }

  async save(caller: Caller, input: AssetProfileInput): Promise<Result<AssetProfile>> {
    const { id } = input;
    const refusal =
      authorizeRole(caller, id === null ? 'create' : 'write', 'assetProfile') ??
      nameProblem('Asset profile', input.name) ??
      descriptionProblem(input.description);
    if (refusal !== null) return refusal;
    return this.lock(caller.tenantId, async () => {
      if (id === null) {
        const made = this.#newProfile(caller.tenantId, input.name, input.description, false);
        return this.#put(made, null);
      }
      const found = await this.#find(caller, id, 'write');
      if (!found.ok) return found;
      const current = found.value;
      if (input.version !== null && input.version !== current.version) return refuse('versionConflict');
      const { name, description } = input;
      return this.#put({ ...current, name, description, version: current.version + 1 }, current.version);
    });
  }

  get(caller: Caller, id: EntityId): Promise<Result<AssetProfile>> {
    return this.#find(caller, id, 'read');
  }

  async list(caller: Caller, query: PageQuery): Promise<Result<Page<AssetProfile>>> {
    const role = authorizeRole(caller, 'read', 'assetProfile');
    if (role !== null) return role;
    const window = pageWindow(query, ['id', 'createdTime', ...ASSET_PROFILES.sorts]);
    if (!window.ok) return window;
    const scope = { tenantId: caller.tenantId, conditions: [] };
    const found = await this.#options.repositories.documents(ASSET_PROFILES, { ...window.value, ...scope });
    return success(toPage(window.value, found, profileOf));
  }

  async defaultProfile(caller: Caller): Promise<Result<AssetProfile>> {
    const role = authorizeRole(caller, 'read', 'assetProfile');
    if (role !== null) return role;
    return this.lock(caller.tenantId, async () => {
      const { profile, changes } = await this.#default(caller.tenantId);
      if (changes.length === 0) return success(profile);
      const outcome = await this.#options.repositories.commit(changes);
      return outcome === 'done' ? success(profile) : profileRefusal(outcome);
    });
  }

  async makeDefault(caller: Caller, id: EntityId): Promise<Result<AssetProfile>> {
    return this.lock(caller.tenantId, async () => {
      const found = await this.#find(caller, id, 'write');
      if (!found.ok || found.value.isDefault) return found;
      const former = await this.#one(caller.tenantId, 'defaultMark', 'default');
      const profile = { ...found.value, isDefault: true, version: found.value.version + 1 };
      // The former default comes first: two of them may not exist even inside a commit.
      const changes = former === null ? [] : [putChange({ ...former, isDefault: false, version: former.version + 1 })];
      const outcome = await this.#options.repositories.commit([...changes, putChange(profile)]);
      return outcome === 'done' ? success(profile) : profileRefusal(outcome);
    });
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.lock(caller.tenantId, async () => {
      const found = await this.#find(caller, id, 'delete');
      if (!found.ok) return found;
      if (found.value.isDefault) return refuse('badRequest', 'Deletion of Default Asset Profile is prohibited!');
      const { repositories } = this.#options;
      const selection = { tenantId: found.value.tenantId, conditions: [ofProfile(id)] };
      if ((await countDocuments(repositories, ASSETS, selection)) > 0) {
        return refuse('badRequest', 'The asset profile referenced by the assets cannot be deleted!');
      }
      const expectedVersion = found.value.version;
      const outcome = await repositories.commit([
        { kind: 'deleteDocument', collection: ASSET_PROFILES, id, expectedVersion },
        ...relationRemovals(id),
      ]);
      return outcome === 'done' ? success(null) : profileRefusal(outcome);
    });
  }

  /**
   * The profile by id; else by its name, made if there is none; else the present one; else the tenant's default. Under
   * the lock, and so is the commit of the asset.
   */
  async choose(
    caller: Caller,
    input: Pick<AssetInput, 'type' | 'assetProfileId'>,
    currentProfileId: EntityId | null,
  ): Promise<Result<AssetProfileChoice>> {
    const { tenantId } = caller;
    const named = input.type !== null && input.type.trim() !== '' ? input.type : null;
    const id = input.assetProfileId ?? (named === null ? currentProfileId : null);
    if (id !== null) {
      const document = await this.#options.repositories.document(ASSET_PROFILES, id);
      if (document?.tenantId !== tenantId) return refuse('badRequest', UNKNOWN_PROFILE);
      return success({ profile: profileOf(document), changes: [] });
    }
    if (named === null) return success(await this.#default(tenantId));
    const present = await this.#one(tenantId, 'name', named);
    if (present !== null) return success({ profile: present, changes: [] });
    const refusal = authorizeRole(caller, 'create', 'assetProfile') ?? nameProblem('Asset profile', named);
    if (refusal !== null) return refusal;
    const profile = this.#newProfile(tenantId, named, null, false);
    return success({ profile, changes: [putChange(profile)] });
  }

  /** The profile of a name in the tenant. */
  byName(tenantId: EntityId, name: string): Promise<AssetProfile | null> {
    return this.#one(tenantId, 'name', name);
  }

  /** Names of profiles by id. */
  async names(ids: Iterable<EntityId>): Promise<ReadonlyMap<EntityId, string>> {
    const { repositories } = this.#options;
    const documents = await inSlices([...new Set(ids)], (id) => repositories.document(ASSET_PROFILES, id));
    return new Map(
      documents.flatMap((document) => (document === null ? [] : [[document.id, profileOf(document).name]])),
    );
  }

  /** All profiles of a tenant by name. */
  async all(tenantId: EntityId): Promise<readonly AssetProfile[]> {
    const query = { tenantId, conditions: [], textSearch: null, sort: 'name', descending: false };
    const profiles: AssetProfile[] = [];
    for (;;) {
      const { records, total } = await this.#options.repositories.documents(ASSET_PROFILES, {
        ...query,
        offset: profiles.length,
        limit: 1000,
      });
      profiles.push(...records.map(profileOf));
      if (records.length === 0 || profiles.length >= total) return profiles;
    }
  }

  /** One change of a tenant's profiles, or of which profile an asset has, at a time. */
  lock<T>(tenantId: EntityId, task: () => Promise<T>): Promise<T> {
    return this.#options.locks.run(`asset profiles of ${tenantId}`, task);
  }

  async #default(tenantId: EntityId): Promise<AssetProfileChoice> {
    const present = await this.#one(tenantId, 'defaultMark', 'default');
    if (present !== null) return { profile: present, changes: [] };
    const named = await this.#one(tenantId, 'name', DEFAULT_NAME);
    const profile =
      named === null
        ? this.#newProfile(tenantId, DEFAULT_NAME, null, true)
        : { ...named, isDefault: true, version: named.version + 1 };
    return { profile, changes: [putChange(profile)] };
  }

  #newProfile(tenantId: EntityId, name: string, description: string | null, isDefault: boolean): AssetProfile {
    const { crypto, clock } = this.#options;
    return { id: crypto.uuid(), createdTime: clock.now(), tenantId, name, description, isDefault, version: 1 };
  }

  async #put(profile: AssetProfile, expectedVersion: number | null): Promise<Result<AssetProfile>> {
    const record = profileDocument(profile);
    const outcome = await this.#options.repositories.commit([
      { kind: 'putDocument', collection: ASSET_PROFILES, record, expectedVersion },
    ]);
    return outcome === 'done' ? success(profile) : profileRefusal(outcome);
  }

  async #one(tenantId: EntityId, member: 'name' | 'defaultMark', value: string): Promise<AssetProfile | null> {
    const selection = { tenantId, conditions: [{ member, is: '=' as const, value }] };
    const [found]: readonly StoredDocument[] = await someDocuments(
      this.#options.repositories,
      ASSET_PROFILES,
      selection,
      1,
    );
    return found === undefined ? null : profileOf(found);
  }

  async #find(caller: Caller, id: EntityId, operation: Operation): Promise<Result<AssetProfile>> {
    const role = authorizeRole(caller, operation, 'assetProfile');
    if (role !== null) return role;
    const document = await this.#options.repositories.document(ASSET_PROFILES, id);
    if (document === null) return refuse('notFound', `Asset profile with id [${id}] is not found`);
    return authorize(caller, operation, 'assetProfile', document) ?? success(profileOf(document));
  }
}

/** Version 1 is new; a later one follows the one before. */
function putChange(profile: AssetProfile): Change {
  const expectedVersion = profile.version === 1 ? null : profile.version - 1;
  return { kind: 'putDocument', collection: ASSET_PROFILES, record: profileDocument(profile), expectedVersion };
}

function profileRefusal(outcome: Exclude<CommitOutcome, 'done'>): PlatformError {
  const isDuplicate = typeof outcome === 'object' && outcome.kind === 'uniqueDocument';
  return isDuplicate ? refuse('badRequest', 'Asset profile with such name already exists!') : commitRefusal(outcome);
}

/** A description may be longer than a name but has no other freedom. */
function descriptionProblem(text: string | null): PlatformError | null {
  if (text !== null && text.length > MAX_DESCRIPTION_LENGTH) {
    return refuse(
      'badRequest',
      `Validation error: description length must be equal or less than ${MAX_DESCRIPTION_LENGTH}`,
    );
  }
  return textProblem('description', text?.slice(0, MAX_NAME_LENGTH).replaceAll(/[\r\n\t]/g, ' ') ?? null);
}

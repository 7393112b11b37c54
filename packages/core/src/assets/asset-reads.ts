import { type Result, refuse, success } from '../errors.ts';
import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { Caller, CustomerService, Page } from '../platform.ts';
import type { DocumentCondition } from '../ports/documents.ts';
import type { RecordPage, Repositories } from '../ports/repositories.ts';
import { authorize, authorizeRole, type Operation, platformCaller } from '../registry/authorize.ts';
import { type PageWindow, pageWindow, toPage } from '../registry/paging.ts';
import { countDocuments, inSlices, someDocuments } from '../relations/document-pages.ts';
import { ASSETS, type AssetRecord, assetOf, ofProfile } from './asset-collections.ts';
import type { AssetProfiles } from './asset-profiles.ts';
import type { Asset, AssetInfo, AssetListQuery } from './asset-service.ts';

/** Ids asked for in one call. */
const MAX_IDS = 10_000;
const ID_SLICE = 1000;
const NO_PAGE = { records: [], total: 0 };

/** The reading half of the asset use cases. */
export class AssetReads {
  readonly #repositories: Pick<Repositories, 'document' | 'documents'>;
  readonly #profiles: AssetProfiles;
  readonly #customers: Pick<CustomerService, 'get'>;

  constructor(
    repositories: Pick<Repositories, 'document' | 'documents'>,
    profiles: AssetProfiles,
    customers: Pick<CustomerService, 'get'>,
  ) {
    this.#repositories = repositories;
    this.#profiles = profiles;
    this.#customers = customers;
  }

  /** An asset the caller may do `operation` to. */
  async find(caller: Caller, id: EntityId, operation: Operation): Promise<Result<AssetRecord>> {
    const role = authorizeRole(caller, operation, 'asset');
    if (role !== null) return role;
    const asset = assetOf(await this.#repositories.document(ASSETS, id));
    if (asset === null) return refuse('notFound', `Asset with id [${id}] is not found`);
    return authorize(caller, operation, 'asset', asset) ?? success(asset);
  }

  async byName(caller: Caller, name: string): Promise<Result<Asset>> {
    const role = authorizeRole(caller, 'read', 'asset');
    if (role !== null) return role;
    const conditions = [{ member: 'name', is: '=' as const, value: name }];
    const [document] = await someDocuments(this.#repositories, ASSETS, { tenantId: caller.tenantId, conditions }, 1);
    const asset = assetOf(document ?? null);
    // A customer does not learn which names other customers use.
    if (asset === null || authorize(caller, 'read', 'asset', asset) !== null) return refuse('notFound');
    return success(await this.whole(asset));
  }

  async byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly Asset[]>> {
    const role = authorizeRole(caller, 'read', 'asset');
    if (role !== null) return role;
    if (ids.length > MAX_IDS) return refuse('badRequest', `At most ${MAX_IDS} ids can be asked for at once!`);
    const wanted = [...new Set(ids)];
    const found: AssetRecord[] = [];
    for (let start = 0; start < wanted.length; start += ID_SLICE) {
      const slice = wanted.slice(start, start + ID_SLICE);
      const conditions = [{ member: 'assetId', is: 'in' as const, value: slice }];
      const selection = { tenantId: caller.tenantId, conditions };
      for (const document of await someDocuments(this.#repositories, ASSETS, selection, ID_SLICE)) {
        const asset = assetOf(document);
        if (asset !== null && authorize(caller, 'read', 'asset', asset) === null) found.push(asset);
      }
    }
    const assets = new Map((await this.#typed(found)).map((asset) => [asset.id, asset]));
    return success(wanted.flatMap((id) => assets.get(id) ?? []));
  }

  /** `customerId`: only assets of this customer, which the caller may be shown; null: all that it may see. */
  async list(caller: Caller, query: AssetListQuery, customerId: EntityId | null): Promise<Result<Page<Asset>>> {
    const role = authorizeRole(caller, 'read', 'asset');
    if (role !== null) return role;
    const window = pageWindow(query, ['id', 'createdTime', 'type', ...ASSETS.sorts]);
    if (!window.ok) return window;
    const { tenantId } = caller;
    let profileId = query.assetProfileId;
    if (query.type !== null && query.type !== '') {
      profileId = (await this.#profiles.byName(tenantId, query.type))?.id ?? null;
      if (profileId === null) return success(toPage<Asset, Asset>(window.value, NO_PAGE, (asset) => asset));
    }
    const owner = caller.authority === 'CUSTOMER_USER' ? caller.customerId : customerId;
    const conditions: DocumentCondition[] =
      owner === null ? [{ member: 'name', is: '>=', value: '' }] : [{ member: 'customerId', is: '=', value: owner }];
    if (profileId !== null) conditions.push(ofProfile(profileId));
    const byType = window.value.sort === 'type' && profileId === null;
    const found = byType
      ? await this.#byType(tenantId, conditions, window.value)
      : await this.#repositories.documents(ASSETS, {
          ...window.value,
          sort: window.value.sort === 'type' ? 'id' : window.value.sort,
          tenantId,
          conditions,
        });
    const records = await this.#typed(found.records.flatMap((document) => assetOf(document) ?? []));
    return success(toPage(window.value, { records, total: found.total }, (asset) => asset));
  }

  async infos(page: Result<Page<Asset>>): Promise<Result<Page<AssetInfo>>> {
    if (!page.ok) return page;
    const owners = new Set(page.value.data.map(({ customerId }) => customerId));
    owners.delete(NULL_ID);
    const [{ tenantId } = { tenantId: '' }] = page.value.data;
    const customers = await inSlices([...owners], (id) => this.#customers.get(platformCaller(tenantId), id));
    const byId = new Map(customers.flatMap((found) => (found.ok ? [[found.value.id, found.value]] : [])));
    const data = page.value.data.map((asset) => {
      const customer = byId.get(asset.customerId);
      return { ...asset, customerTitle: customer?.title ?? null, customerIsPublic: customer?.isPublic ?? false };
    });
    return success({ ...page.value, data });
  }

  async types(caller: Caller): Promise<Result<readonly string[]>> {
    const role = authorizeRole(caller, 'read', 'asset');
    if (role !== null) return role;
    const { tenantId, customerId } = caller;
    const owned: DocumentCondition[] =
      caller.authority === 'CUSTOMER_USER' ? [{ member: 'customerId', is: '=', value: customerId }] : [];
    const profiles = await this.#profiles.all(tenantId);
    const counts = await inSlices(profiles, ({ id }) =>
      countDocuments(this.#repositories, ASSETS, { tenantId, conditions: [...owned, ofProfile(id)] }),
    );
    return success(profiles.filter((_profile, index) => (counts[index] ?? 0) > 0).map(({ name }) => name));
  }

  /** The asset with its type. */
  async whole(asset: AssetRecord): Promise<Asset> {
    const names = await this.#profiles.names([asset.assetProfileId]);
    return { ...asset, type: names.get(asset.assetProfileId) ?? '' };
  }

  async #typed(assets: readonly AssetRecord[]): Promise<readonly Asset[]> {
    const names = await this.#profiles.names(assets.map(({ assetProfileId }) => assetProfileId));
    return assets.map((asset) => ({ ...asset, type: names.get(asset.assetProfileId) ?? '' }));
  }

  /** A page in the order of the types: profile after profile, since assets do not hold the name of theirs. */
  async #byType(
    tenantId: EntityId,
    conditions: readonly DocumentCondition[],
    { offset, limit, textSearch, descending }: PageWindow<string>,
  ): Promise<RecordPage<Parameters<typeof assetOf>[0] & object>> {
    const profiles = await this.#profiles.all(tenantId);
    const records = [];
    let total = 0;
    for (const { id } of descending ? profiles.toReversed() : profiles) {
      const found = await this.#repositories.documents(ASSETS, {
        tenantId,
        conditions: [...conditions, ofProfile(id)],
        textSearch,
        sort: 'id',
        descending,
        offset: Math.max(0, offset - total),
        limit: limit - records.length,
      });
      if (offset < total + found.total) records.push(...found.records);
      total += found.total;
    }
    return { records, total };
  }
}

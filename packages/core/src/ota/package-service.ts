import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { OtaDownload, OtaPackage, OtaPackageType } from '../model/ota.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { DocumentCondition } from '../ports/documents.ts';
import type { CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { authorize, authorizeRole, type Operation } from '../registry/authorize.ts';
import { commitRefusal, MAX_ATTEMPTS } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import { downloadOf } from './download.ts';
import type { OtaPackageInput, OtaService, OtaUpload } from './ota-service.ts';
import { packageLock } from './package-choice.ts';
import { ANY_PROFILE, OTA_PACKAGES, packageOf, packageRecord } from './package-record.ts';
import { fixedProblem, packageProblem, remoteFile, safeContentType, safeFileName } from './package-rules.ts';
import type { SharedBlobs } from './shared-blobs.ts';
import { storeFile } from './upload.ts';

const TAKEN = 'OtaPackage with such title and version already exists!';
const IN_USE = 'The otaPackage referenced by the devices cannot be deleted!';
const SORTS = ['id', 'createdTime', ...OTA_PACKAGES.sorts];
const SLICE = 1000;

export interface OtaPackagesOptions {
  readonly repositories: Repositories;
  readonly blobs: BlobStore;
  /** Of the same blobs; shared with the devices' downloads. */
  readonly readers: SharedBlobs;
  readonly crypto: Pick<Crypto, 'uuid' | 'digest'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Of the registry: a package is not deleted while it is being assigned. */
  readonly locks: Pick<EntityLocks, 'run'>;
  /** Largest file, in bytes. */
  readonly maxBytes: number;
  /** Told of what failed beside a use case, such as a blob that could not be removed. */
  readonly report: (error: unknown) => void;
}

/** The packages of all tenants. A file is stored first and its record last, so that no record is without its file. */
export class OtaPackages implements OtaService {
  readonly #options: OtaPackagesOptions;

  constructor(options: OtaPackagesOptions) {
    this.#options = options;
  }

  /** Removes files that no package refers to, left by an upload or a deletion that was cut off. Before any upload begins. */
  async cleanUp(): Promise<number> {
    const { repositories, blobs } = this.#options;
    const orphans = new Set(await blobs.list());
    for (let offset = 0; orphans.size > 0; offset += SLICE) {
      const window = { offset, limit: SLICE, textSearch: null, sort: 'id', descending: false };
      const { records, total } = await repositories.documents(OTA_PACKAGES, {
        ...window,
        tenantId: null,
        conditions: [],
      });
      for (const { blobId } of records.map(packageOf)) if (blobId !== null) orphans.delete(blobId);
      if (offset + SLICE >= total) break;
    }
    for (const id of orphans) await blobs.remove(id);
    return orphans.size;
  }

  async save(caller: Caller, input: OtaPackageInput): Promise<Result<OtaPackage>> {
    const refusal =
      authorizeRole(caller, input.id === null ? 'create' : 'write', 'otaPackage') ?? packageProblem(input);
    if (refusal !== null) return refusal;
    return input.id === null ? this.#create(caller, input) : this.#update(caller, input.id, input);
  }

  async upload(caller: Caller, id: EntityId, upload: OtaUpload): Promise<Result<OtaPackage>> {
    const found = await this.#find(caller, id, 'write');
    if (!found.ok) return found;
    const refusal = uploadProblem(found.value);
    if (refusal !== null) return refusal;
    const file = await storeFile(this.#options, upload);
    if (!file.ok) return file;
    const { blobId } = file.value;
    const fileName = safeFileName(upload.fileName);
    const contentType = safeContentType(upload.contentType);
    return this.#change(
      caller,
      id,
      (current) => {
        const problem = uploadProblem(current);
        return problem ?? success({ ...current, ...file.value, fileName, contentType, hasData: true });
      },
      () => this.#removeBlob(blobId),
    );
  }

  get(caller: Caller, id: EntityId): Promise<Result<OtaPackage>> {
    return this.#find(caller, id, 'read');
  }

  list(caller: Caller, query: PageQuery): Promise<Result<Page<OtaPackage>>> {
    return this.#list(caller, query, []);
  }

  async listForProfile(
    caller: Caller,
    profileId: EntityId,
    type: OtaPackageType,
    query: PageQuery,
  ): Promise<Result<Page<OtaPackage>>> {
    return this.#list(caller, query, [
      { member: 'type', is: '=', value: type },
      { member: 'profileScope', is: 'in', value: [profileId, ANY_PROFILE] },
      { member: 'hasData', is: '=', value: true },
    ]);
  }

  async download(caller: Caller, id: EntityId): Promise<Result<OtaDownload>> {
    const found = await this.#find(caller, id, 'read');
    if (!found.ok) return found;
    if (found.value.url !== null) return refuse('badRequest', 'The otaPackage lies at another address!');
    const download = await downloadOf(found.value, this.#options.readers);
    return download === null ? refuse('notFound') : success(download);
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const { repositories, locks } = this.#options;
    return locks.run(packageLock(id), async () => {
      const found = await this.#find(caller, id, 'delete');
      if (!found.ok) return found;
      if (await repositories.packageInUse(id)) return refuse('badRequest', IN_USE);
      const expectedVersion = found.value.recordVersion;
      const outcome = await repositories.commit([
        { kind: 'deleteDocument', collection: OTA_PACKAGES, id, expectedVersion },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      if (found.value.blobId !== null) await this.#removeBlob(found.value.blobId);
      return success(null);
    });
  }

  async countDevices(caller: Caller, type: OtaPackageType, profileId: EntityId): Promise<Result<number>> {
    const role = authorizeRole(caller, 'read', 'device') ?? authorizeRole(caller, 'read', 'profile');
    if (role !== null) return role;
    const { repositories } = this.#options;
    const profile = await repositories.profile(profileId);
    if (profile === null) return refuse('notFound');
    const refusal = authorize(caller, 'read', 'profile', profile);
    if (refusal !== null) return refusal;
    const customerId = caller.authority === 'CUSTOMER_USER' ? caller.customerId : null;
    const { tenantId } = caller;
    return success(await repositories.deviceCount({ tenantId, profileId, customerId, withoutPackage: type }));
  }

  async #create(caller: Caller, input: OtaPackageInput): Promise<Result<OtaPackage>> {
    const { repositories, crypto, clock } = this.#options;
    const { type, title, version, tag, deviceProfileId, url, additionalInfo } = input;
    const file =
      url === null ? success({ dataSize: null, checksum: null, checksumAlgorithm: null }) : remoteFile(input);
    if (!file.ok) return file;
    if (deviceProfileId !== null) {
      const profile = await repositories.profile(deviceProfileId);
      if (profile?.tenantId !== caller.tenantId) {
        return refuse('badRequest', 'OtaPackage is referencing to non-existent device profile!');
      }
    }
    const made: OtaPackage = {
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId: caller.tenantId,
      deviceProfileId,
      type,
      title,
      version,
      tag,
      url,
      hasData: url !== null,
      fileName: null,
      contentType: null,
      ...file.value,
      blobId: null,
      additionalInfo,
      recordVersion: 1,
    };
    const outcome = await this.#put(made, null);
    return outcome === 'done' ? success(made) : packageRefusal(outcome);
  }

  #update(caller: Caller, id: EntityId, input: OtaPackageInput): Promise<Result<OtaPackage>> {
    return this.#change(
      caller,
      id,
      (current) => fixedProblem(current, input) ?? success({ ...current, additionalInfo: input.additionalInfo }),
      async () => {},
    );
  }

  /** Saves what `change` makes of the package as it is stored; `undo` after a refusal that leaves it as it was. */
  async #change(
    caller: Caller,
    id: EntityId,
    change: (current: OtaPackage) => Result<OtaPackage>,
    undo: () => Promise<void>,
  ): Promise<Result<OtaPackage>> {
    let refusal = refuse('versionConflict');
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const found = await this.#find(caller, id, 'write');
      const changed = found.ok ? change(found.value) : found;
      if (!changed.ok || !found.ok) {
        refusal = changed.ok ? refusal : changed;
        break;
      }
      const { recordVersion } = found.value;
      const saved = { ...changed.value, recordVersion: recordVersion + 1 };
      const outcome = await this.#put(saved, recordVersion);
      if (outcome === 'done') return success(saved);
      refusal = packageRefusal(outcome);
      // The record may be stored after all: what it refers to stays, and is cleaned up at the next start if not.
      if (outcome === 'failed') return refusal;
      if (outcome === 'full' || outcome.kind !== 'version') break;
    }
    await undo();
    return refusal;
  }

  #put(entity: OtaPackage, expectedVersion: number | null): Promise<CommitOutcome> {
    return this.#options.repositories.commit([
      { kind: 'putDocument', collection: OTA_PACKAGES, record: packageRecord(entity), expectedVersion },
    ]);
  }

  async #list(
    caller: Caller,
    query: PageQuery,
    conditions: readonly DocumentCondition[],
  ): Promise<Result<Page<OtaPackage>>> {
    const role = authorizeRole(caller, 'read', 'otaPackage');
    if (role !== null) return role;
    const window = pageWindow(query, SORTS);
    if (!window.ok) return window;
    const found = await this.#options.repositories.documents(OTA_PACKAGES, {
      ...window.value,
      tenantId: caller.tenantId,
      conditions,
    });
    return success(toPage(window.value, found, packageOf));
  }

  async #find(caller: Caller, id: EntityId, operation: Operation): Promise<Result<OtaPackage>> {
    const role = authorizeRole(caller, operation, 'otaPackage');
    if (role !== null) return role;
    const record = await this.#options.repositories.document(OTA_PACKAGES, id);
    if (record === null || record.tenantId === NULL_ID)
      return refuse('notFound', `OtaPackage with id [${id}] is not found`);
    return authorize(caller, operation, 'otaPackage', record) ?? success(packageOf(record));
  }

  async #removeBlob(id: string): Promise<void> {
    try {
      await this.#options.blobs.remove(id);
    } catch (error) {
      this.#options.report(error);
    }
  }
}

/** A package gets its file once. thingsboard-server.md, 5 */
function uploadProblem(current: OtaPackage): PlatformError | null {
  if (current.url !== null)
    return refuse('badRequest', 'Updating otaPackage data of a package with URL is prohibited!');
  return current.hasData ? refuse('badRequest', 'Updating otaPackage data is prohibited!') : null;
}

function packageRefusal(outcome: Exclude<CommitOutcome, 'done'>): PlatformError {
  const taken = typeof outcome === 'object' && outcome.kind === 'uniqueDocument';
  return taken ? refuse('badRequest', TAKEN) : commitRefusal(outcome);
}

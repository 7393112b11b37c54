import type { Result } from '../errors.ts';
import type { EntityId, JsonObject } from '../model/entities.ts';
import type { OtaDownload, OtaPackage, OtaPackageType } from '../model/ota.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';

/** A package as it is sent to be saved; `id` present means update. thingsboard-server.md, 5 */
export interface OtaPackageInput {
  readonly id: EntityId | null;
  readonly type: OtaPackageType;
  readonly title: string;
  readonly version: string;
  readonly tag: string | null;
  readonly deviceProfileId: EntityId | null;
  /** null: the package is a file that is uploaded afterwards. */
  readonly url: string | null;
  /** Of a package by address, as far as they are known; ignored for a file. */
  readonly dataSize: number | null;
  readonly checksum: string | null;
  readonly checksumAlgorithm: string | null;
  readonly additionalInfo: JsonObject | null;
}

/** What the uploader says of a file; null: nothing. */
export interface UploadClaims {
  /** Name of the algorithm in any case. */
  readonly checksumAlgorithm: string | null;
  /** Hex in any case; empty or null: it is computed. */
  readonly checksum: string | null;
}

export interface OtaUpload {
  readonly fileName: string;
  readonly contentType: string;
  /** The bytes, read once; what it throws ends the upload and is thrown on. */
  readonly data: AsyncIterable<Uint8Array>;
  /** What is known before the bytes: saves reading them twice. */
  readonly early: UploadClaims;
  /** Everything that is known when `data` has ended. */
  claims(): Promise<UploadClaims>;
}

/** Firmware and software for devices. thingsboard-server.md, 5 */
export interface OtaService {
  /** Makes a package without its file, or saves what may change of one: `additionalInfo`. */
  save(caller: Caller, input: OtaPackageInput): Promise<Result<OtaPackage>>;
  /** Stores the file of a package; durable when resolved. `limitExceeded` when it is larger than the limit. */
  upload(caller: Caller, id: EntityId, upload: OtaUpload): Promise<Result<OtaPackage>>;
  get(caller: Caller, id: EntityId): Promise<Result<OtaPackage>>;
  list(caller: Caller, query: PageQuery): Promise<Result<Page<OtaPackage>>>;
  /** Packages with a file or an address that devices of the profile may be given. */
  listForProfile(
    caller: Caller,
    profileId: EntityId,
    type: OtaPackageType,
    query: PageQuery,
  ): Promise<Result<Page<OtaPackage>>>;
  /** Refused for a package by address and for one without its file. The caller closes the download. */
  download(caller: Caller, id: EntityId): Promise<Result<OtaDownload>>;
  /** Refused while a device or a profile refers to the package. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  /** Devices of a profile without a package of their own. thingsboard-server.md, 2.2 */
  countDevices(caller: Caller, type: OtaPackageType, profileId: EntityId): Promise<Result<number>>;
}

import type { BlobId } from '../ports/blob-store.ts';
import type { EntityId, JsonObject } from './entities.ts';

export type OtaPackageType = 'FIRMWARE' | 'SOFTWARE';

/** thingsboard-device.md, 7.1 */
export const CHECKSUM_ALGORITHMS = ['MD5', 'SHA256', 'SHA384', 'SHA512', 'CRC32', 'MURMUR3_32', 'MURMUR3_128'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Firmware or software for devices of one profile: a file, or an address elsewhere. thingsboard-server.md, 5 */
export interface OtaPackage {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  /** null: for any profile. */
  readonly deviceProfileId: EntityId | null;
  readonly type: OtaPackageType;
  /** Unique in the tenant together with `version`. */
  readonly title: string;
  readonly version: string;
  readonly tag: string | null;
  /** The package lies elsewhere; null: it is a file here, or none yet. */
  readonly url: string | null;
  readonly hasData: boolean;
  readonly fileName: string | null;
  readonly contentType: string | null;
  readonly checksumAlgorithm: ChecksumAlgorithm | null;
  /** Lower-case hex. */
  readonly checksum: string | null;
  /** Bytes. */
  readonly dataSize: number | null;
  readonly blobId: BlobId | null;
  readonly additionalInfo: JsonObject | null;
  readonly recordVersion: number;
}

/** A package as a device downloads it. */
export interface OtaDownload {
  readonly packageId: EntityId;
  readonly title: string;
  readonly version: string;
  readonly fileName: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** Fewer bytes than asked only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same part at once, if it is in memory; null: `read` has to be asked. The bytes are not to be changed. */
  peek?(offset: number, length: number): Uint8Array | null;
  close(): void;
}

/** `notFound`: nothing is assigned; `elsewhere`: the package is an address, not a file. */
export type OtaUnavailable = 'notFound' | 'elsewhere';

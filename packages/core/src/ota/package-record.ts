import type { EntityId, Json, JsonObject } from '../model/entities.ts';
import { CHECKSUM_ALGORITHMS, type OtaPackage } from '../model/ota.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';

/** Packages of all tenants. `profileScope` is `deviceProfileId`, or `any`. thingsboard-server.md, 5 */
export const OTA_PACKAGES: DocumentCollection = {
  name: 'ota_package',
  filters: ['type', 'profileScope', 'hasData'],
  sorts: ['title', 'version', 'tag', 'type', 'fileName', 'dataSize'],
  search: ['title', 'version', 'tag'],
  unique: [{ scope: 'tenant', members: ['title', 'version'] }],
};

/** `profileScope` of a package for devices of any profile. */
export const ANY_PROFILE = 'any';

/** Everything of a package but what is the record's own. */
export type PackageBody = Omit<OtaPackage, 'id' | 'createdTime' | 'tenantId' | 'recordVersion'>;

export function packageRecord(entity: OtaPackage): StoredDocument {
  const { id, createdTime, tenantId, recordVersion, ...body } = entity;
  return {
    id,
    tenantId,
    createdTime,
    version: recordVersion,
    body: { ...body, profileScope: body.deviceProfileId ?? ANY_PROFILE },
  };
}

export function packageOf(record: StoredDocument): OtaPackage {
  const { body } = record;
  const algorithm = textOf(body, 'checksumAlgorithm');
  return {
    id: record.id,
    createdTime: record.createdTime,
    tenantId: record.tenantId,
    deviceProfileId: textOf(body, 'deviceProfileId'),
    type: textOf(body, 'type') === 'SOFTWARE' ? 'SOFTWARE' : 'FIRMWARE',
    title: textOf(body, 'title') ?? '',
    version: textOf(body, 'version') ?? '',
    tag: textOf(body, 'tag'),
    url: textOf(body, 'url'),
    hasData: member(body, 'hasData') === true,
    fileName: textOf(body, 'fileName'),
    contentType: textOf(body, 'contentType'),
    checksumAlgorithm: CHECKSUM_ALGORITHMS.find((name) => name === algorithm) ?? null,
    checksum: textOf(body, 'checksum'),
    dataSize: numberOf(body, 'dataSize'),
    blobId: textOf(body, 'blobId'),
    additionalInfo: objectOf(body, 'additionalInfo'),
    recordVersion: record.version,
  };
}

/** The package if it is one of this tenant. */
export function packageOfTenant(record: StoredDocument | null, tenantId: EntityId): OtaPackage | null {
  return record !== null && record.tenantId === tenantId ? packageOf(record) : null;
}

function member(body: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}

function textOf(body: JsonObject, name: string): string | null {
  const value = member(body, name);
  return typeof value === 'string' ? value : null;
}

function numberOf(body: JsonObject, name: string): number | null {
  const value = member(body, name);
  return typeof value === 'number' ? value : null;
}

function objectOf(body: JsonObject, name: string): JsonObject | null {
  const value = member(body, name);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

import type { OtaPackageInfo as ApiOtaPackageInfo, OtaPackageInput as ApiOtaPackageInput } from '@moorage/api-types';
import type { OtaPackage, OtaPackageInput, OtaPackageType } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

/** thingsboard-server.md, 5 */
export function toOtaPackageInfo(entity: OtaPackage): ApiOtaPackageInfo {
  const { deviceProfileId } = entity;
  return {
    id: entityId('OTA_PACKAGE', entity.id),
    createdTime: entity.createdTime,
    tenantId: entityId('TENANT', entity.tenantId),
    deviceProfileId: deviceProfileId === null ? null : entityId('DEVICE_PROFILE', deviceProfileId),
    type: entity.type,
    title: entity.title,
    version: entity.version,
    tag: entity.tag,
    url: entity.url,
    hasData: entity.hasData,
    fileName: entity.fileName,
    contentType: entity.contentType,
    checksumAlgorithm: entity.checksumAlgorithm,
    checksum: entity.checksum,
    dataSize: entity.dataSize,
    name: entity.title,
    additionalInfo: entity.additionalInfo,
    externalId: null,
  };
}

/** `usesUrl` decides whether there is an address; without it the address itself does. */
export function fromOtaPackageInput(input: ApiOtaPackageInput): OtaPackageInput {
  const given = input.url ?? '';
  const usesUrl = input.usesUrl ?? given !== '';
  return {
    id: inputId(input.id),
    type: input.type,
    title: input.title,
    version: input.version,
    // Forms send an empty text for no tag.
    tag: input.tag === '' ? null : (input.tag ?? null),
    deviceProfileId: inputId(input.deviceProfileId),
    url: usesUrl ? given : null,
    dataSize: input.dataSize ?? null,
    checksum: input.checksum ?? null,
    checksumAlgorithm: input.checksumAlgorithm ?? null,
    additionalInfo: input.additionalInfo ?? null,
  };
}

/** The type by its name in a path, in any case; undefined: there is none. thingsboard-server.md, 0.2 */
export function otaPackageType(name: string): OtaPackageType | undefined {
  const upper = name.toUpperCase();
  return upper === 'FIRMWARE' || upper === 'SOFTWARE' ? upper : undefined;
}

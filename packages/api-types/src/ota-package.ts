import { type Static, Type } from 'typebox';
import {
  alwaysNull,
  epochMs,
  named,
  nullableInteger,
  nullableJsonObject,
  nullableRefTo,
  nullableText,
  refTo,
} from './building-blocks.ts';
import { EntityId, EntityIdInput } from './entity-id.ts';
import { pageOf } from './page.ts';

const CHECKSUM_ALGORITHMS = 'MD5, SHA256, SHA384, SHA512, CRC32, MURMUR3_32 or MURMUR3_128, in any case.';

const packageMembers = {
  id: refTo(EntityId),
  createdTime: epochMs(),
  tenantId: refTo(EntityId),
  deviceProfileId: nullableRefTo(EntityId, { description: 'null: for devices of any profile.' }),
  type: Type.Enum(['FIRMWARE', 'SOFTWARE']),
  title: Type.String(),
  version: Type.String(),
  tag: nullableText(),
  url: nullableText({ description: 'The package lies elsewhere.' }),
  hasData: Type.Boolean({ description: 'The file is uploaded, or the package lies elsewhere.' }),
  fileName: nullableText(),
  contentType: nullableText(),
  checksumAlgorithm: nullableText(),
  checksum: nullableText({ description: 'Lower-case hex; of CRC32 and MurmurHash3 the least significant byte first.' }),
  dataSize: nullableInteger({ description: 'Bytes.' }),
  name: Type.String({ description: 'The title.' }),
  additionalInfo: nullableJsonObject(),
  externalId: alwaysNull(),
};

/** thingsboard-server.md, 5 */
export const OtaPackageInfo = named('OtaPackageInfo', Type.Object(packageMembers));
export type OtaPackageInfo = Static<typeof OtaPackageInfo>;

export const OtaPackageInfoPage = pageOf('OtaPackageInfoPage', refTo(OtaPackageInfo));
export type OtaPackageInfoPage = Static<typeof OtaPackageInfoPage>;

/** A package together with its file. */
export const OtaPackage = named(
  'OtaPackage',
  Type.Object({ ...packageMembers, data: nullableText({ description: 'The file in base64.' }) }),
);
export type OtaPackage = Static<typeof OtaPackage>;

/** A package to create (no `id`) or to update; only `additionalInfo` may change. Further members are ignored. */
export const OtaPackageInput = named(
  'OtaPackageInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    title: Type.String({ maxLength: 255 }),
    version: Type.String({ maxLength: 255 }),
    type: Type.Enum(['FIRMWARE', 'SOFTWARE']),
    tag: Type.Optional(nullableText({ maxLength: 255 })),
    deviceProfileId: Type.Optional(nullableRefTo(EntityIdInput)),
    usesUrl: Type.Optional(Type.Unsafe<boolean | null>({ type: ['boolean', 'null'] })),
    url: Type.Optional(nullableText({ maxLength: 2048 })),
    dataSize: Type.Optional(nullableInteger({ description: 'Of the file behind the url, if known.' })),
    checksum: Type.Optional(nullableText({ maxLength: 128, description: 'Of the file behind the url, if known.' })),
    checksumAlgorithm: Type.Optional(nullableText({ maxLength: 64, description: CHECKSUM_ALGORITHMS })),
    additionalInfo: Type.Optional(nullableJsonObject()),
  }),
);
export type OtaPackageInput = Static<typeof OtaPackageInput>;

/** The form of an upload. The text fields may also come in the query. */
export const OtaPackageUpload = Type.Object({
  file: Type.String({ format: 'binary' }),
  checksumAlgorithm: Type.Optional(Type.String({ description: CHECKSUM_ALGORITHMS })),
  checksum: Type.Optional(Type.String({ description: 'Hex; computed if it is empty or left out.' })),
});

export const OtaPackageUploadQuery = Type.Object({
  checksumAlgorithm: Type.Optional(Type.String({ maxLength: 64, description: CHECKSUM_ALGORITHMS })),
  checksum: Type.Optional(Type.String({ maxLength: 256 })),
});

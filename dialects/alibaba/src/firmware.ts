import type { JsonObject, Scalar } from '@moorage/core';

/** Shared attributes of the package that a device is to install. thingsboard-device.md, 7.2 */
export const FIRMWARE_KEYS = [
  'fw_title',
  'fw_version',
  'fw_size',
  'fw_checksum',
  'fw_checksum_algorithm',
  'fw_url',
] as const;

/** What libraries call the algorithms; the spelling matters to one of them. Section 5 */
const SIGN_METHODS: ReadonlyMap<string, string> = new Map([
  ['MD5', 'Md5'],
  ['SHA256', 'SHA256'],
]);

export type FirmwareValues = ReadonlyMap<string, Scalar>;

/** The version that these attributes name; null: no package is assigned. */
export function firmwareVersion(values: FirmwareValues): string | null {
  const version = values.get('fw_version');
  return version === undefined || version === '' ? null : String(version);
}

/**
 * The task as a device is told of it; null: there is none. `link` is where the file can be fetched by HTTP; null: by
 * blocks over MQTT alone. Section 5, 2
 */
export function firmwareTask(values: FirmwareValues, link: string | null): JsonObject | null {
  const version = firmwareVersion(values);
  if (version === null) return null;
  const checksum = values.get('fw_checksum');
  const algorithm = String(values.get('fw_checksum_algorithm'));
  const signMethod = SIGN_METHODS.get(algorithm);
  const elsewhere = values.get('fw_url');
  const url = typeof elsewhere === 'string' && elsewhere !== '' ? elsewhere : link;
  return {
    size: Number(values.get('fw_size') ?? 0),
    version,
    ...(url === null ? { dProtocol: 'mqtt', streamId: streamIdOf(values), streamFileId: 1 } : { url }),
    ...(typeof checksum === 'string' && algorithm === 'MD5' ? { md5: checksum } : {}),
    ...(typeof checksum === 'string' && signMethod !== undefined ? { sign: checksum, signMethod } : {}),
    isDiff: 0,
  };
}

/** The same number for the same package, another for any other one: FNV-1a in 31 bits. */
function streamIdOf(values: FirmwareValues): number {
  let hash = 0x811c9dc5;
  for (const character of FIRMWARE_KEYS.map((key) => String(values.get(key) ?? '')).join('\u0000')) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash >>> 1;
}

import type { OtaPackageInput, OtaUpload, UploadClaims } from './ota-service.ts';

/** A package to save: firmware for any profile, unless told otherwise. */
export function packageInput(title: string, parts: Partial<OtaPackageInput> = {}): OtaPackageInput {
  return {
    id: null,
    type: 'FIRMWARE',
    title,
    version: '1.0',
    tag: null,
    deviceProfileId: null,
    url: null,
    dataSize: null,
    checksum: null,
    checksumAlgorithm: null,
    additionalInfo: null,
    ...parts,
  };
}

/** A file to upload, of which everything is known before its bytes. */
export function upload(
  data: readonly (string | Uint8Array)[],
  claims: Partial<UploadClaims> = {},
  early: Partial<UploadClaims> = claims,
): OtaUpload {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const part of data) yield typeof part === 'string' ? new TextEncoder().encode(part) : part;
  }
  const none = { checksumAlgorithm: null, checksum: null };
  return {
    fileName: 'blink.bin',
    contentType: 'application/x-firmware',
    data: chunks(),
    early: { ...none, ...early },
    claims: async () => ({ ...none, ...claims }),
  };
}

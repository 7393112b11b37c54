import type { OtaDownload, OtaPackage } from '../model/ota.ts';
import type { SharedBlobs } from './shared-blobs.ts';

/** Opens the file of a package; null: it has none. The caller closes it. */
export async function downloadOf(entity: OtaPackage, readers: SharedBlobs): Promise<OtaDownload | null> {
  if (entity.blobId === null) return null;
  const reader = await readers.open(entity.blobId);
  if (reader === null) return null;
  return {
    packageId: entity.id,
    title: entity.title,
    version: entity.version,
    fileName: entity.fileName ?? 'firmware.bin',
    contentType: entity.contentType ?? 'application/octet-stream',
    size: reader.size,
    read: (offset, length) => reader.read(offset, length),
    peek: (offset, length) => reader.peek?.(offset, length) ?? null,
    close: () => reader.close(),
  };
}

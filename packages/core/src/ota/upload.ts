import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { ChecksumAlgorithm } from '../model/ota.ts';
import type { BlobId, BlobStore, BlobWriter } from '../ports/blob-store.ts';
import type { Crypto } from '../ports/runtime.ts';
import { startChecksum } from './checksums/checksum.ts';
import type { OtaUpload } from './ota-service.ts';
import { checksumText, readAlgorithm } from './package-rules.ts';

/** Bytes read at once where a checksum is computed from the store. */
const READ_BYTES = 262_144;

/** ThingsBoard's sentence for a file that does not have the checksum given. thingsboard-server.md, 5 */
const WRONG_FILE = 'Wrong otaPackage file!';

export interface UploadStore {
  readonly blobs: BlobStore;
  readonly crypto: Pick<Crypto, 'digest'>;
  /** Largest file, in bytes. */
  readonly maxBytes: number;
}

export interface StoredFile {
  readonly blobId: BlobId;
  readonly dataSize: number;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  readonly checksum: string;
}

/**
 * Writes a file to the blob store and checks it. The blob is durable when resolved; a file that is refused leaves none.
 * The checksum is computed on the way when its algorithm is known in time, else the blob is read once more.
 */
export async function storeFile(store: UploadStore, upload: OtaUpload): Promise<Result<StoredFile>> {
  const { early } = upload;
  const known = early.checksumAlgorithm === null ? null : readAlgorithm(early.checksumAlgorithm);
  if (known?.ok === false) return known;
  const running = known === null ? null : startChecksum(known.value, store.crypto);
  const writer = await store.blobs.create();
  let size: Result<number>;
  let algorithm: Result<ChecksumAlgorithm>;
  let expected: string | null;
  try {
    size = await writeAll(writer, upload.data, store.maxBytes, (bytes) => running?.update(bytes));
    if (!size.ok) return await aborted(writer, size);
    const claims = await upload.claims();
    algorithm = readAlgorithm(claims.checksumAlgorithm);
    expected = checksumText(claims.checksum);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  if (!algorithm.ok) return aborted(writer, algorithm);
  const passed = running !== null && known?.value === algorithm.value ? running.hex() : null;
  if (passed !== null && expected !== null && passed !== expected) {
    return aborted(writer, refuse('badRequest', WRONG_FILE));
  }
  const blob = await writer.finish();
  if (blob === 'full' || blob === 'failed') return refuse(blob === 'full' ? 'storageFull' : 'storageFailed');
  const checksum = passed ?? (await checksumOfBlob(store, blob.id, algorithm.value));
  if (checksum === null) return refuse('storageFailed');
  if (expected !== null && checksum !== expected) {
    await store.blobs.remove(blob.id);
    return refuse('badRequest', WRONG_FILE);
  }
  return success({ blobId: blob.id, dataSize: size.value, checksumAlgorithm: algorithm.value, checksum });
}

async function aborted(writer: BlobWriter, refusal: PlatformError): Promise<PlatformError> {
  await writer.abort();
  return refusal;
}

/** Gives the number of bytes written. */
async function writeAll(
  writer: BlobWriter,
  data: AsyncIterable<Uint8Array>,
  maxBytes: number,
  passed: (bytes: Uint8Array) => void,
): Promise<Result<number>> {
  let size = 0;
  for await (const bytes of data) {
    size += bytes.length;
    if (size > maxBytes) return refuse('limitExceeded', `The file is larger than ${maxBytes} bytes!`);
    passed(bytes);
    const outcome = await writer.write(bytes);
    if (outcome !== 'ok') return refuse(outcome === 'full' ? 'storageFull' : 'storageFailed');
  }
  return size === 0 ? refuse('badRequest', 'OtaPackage file should not be empty!') : success(size);
}

async function checksumOfBlob(store: UploadStore, id: BlobId, algorithm: ChecksumAlgorithm): Promise<string | null> {
  const reader = await store.blobs.open(id);
  if (reader === null) return null;
  try {
    const running = startChecksum(algorithm, store.crypto);
    for (let offset = 0; offset < reader.size; offset += READ_BYTES) {
      running.update(await reader.read(offset, READ_BYTES));
    }
    return running.hex();
  } finally {
    reader.close();
  }
}

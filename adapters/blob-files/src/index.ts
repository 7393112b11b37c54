export { createFileBlobStore, type FileBlobStore, type FileBlobStoreOptions } from './file-blob-store.ts';
export { BlobReadError } from './shared-file.ts';

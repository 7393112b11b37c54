import { randomUUID } from 'node:crypto';
import type { BlobId } from '@moorage/core';

const BLOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Ending of the file of a blob that is being written. */
const UNFINISHED = '.tmp';

export function newBlobId(): BlobId {
  return randomUUID();
}

/** True for texts as `newBlobId` makes them. Nothing else may become part of a path. */
export function isBlobId(text: string): boolean {
  return BLOB_ID.test(text);
}

export function unfinishedName(id: BlobId): string {
  return id + UNFINISHED;
}

export function isUnfinishedName(name: string): boolean {
  return name.endsWith(UNFINISHED) && isBlobId(name.slice(0, -UNFINISHED.length));
}

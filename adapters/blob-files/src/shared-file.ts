import type { BlobId } from '@moorage/core';
import { BLOCK_BYTES, type BlockCache } from './block-cache.ts';
import type { OpenFile } from './file-system.ts';

/** A longer part is read without the cache, which it would empty of everything else. */
const MOST_CACHED = 16 * BLOCK_BYTES;

/** The open file of a blob, for all its readers at once. It is closed when the last of its users has released it. */
export class SharedFile {
  readonly id: BlobId;
  readonly size: number;
  readonly #file: OpenFile;
  /** null: every part is read from the disk. */
  readonly #cache: BlockCache | null;
  readonly #unused: (file: SharedFile) => void;
  /** Keys of the blocks in the cache, made when needed. */
  readonly #keys: string[] = [];
  #users = 0;

  constructor(id: BlobId, size: number, file: OpenFile, cache: BlockCache | null, unused: (file: SharedFile) => void) {
    this.id = id;
    this.size = size;
    this.#file = file;
    this.#cache = cache;
    this.#unused = unused;
  }

  acquire(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#unused(this);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Bytes of a part that may reach beyond the end. The caller is a user until it resolves. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(this.size, offset + length);
    if (offset >= end) return new Uint8Array(0);
    if (this.#cache === null || end - offset > MOST_CACHED) return this.#load(offset, end - offset);
    const first = Math.floor(offset / BLOCK_BYTES);
    const last = Math.floor((end - 1) / BLOCK_BYTES);
    const part = new Uint8Array(end - offset);
    const blocks: Promise<Uint8Array>[] = [];
    for (let index = first; index <= last; index += 1) blocks.push(this.#block(this.#cache, index));
    for (const [index, block] of (await Promise.all(blocks)).entries()) {
      const start = (first + index) * BLOCK_BYTES;
      const from = Math.max(offset, start);
      part.set(block.subarray(from - start, Math.min(end, start + block.length) - start), from - offset);
    }
    return part;
  }

  /** A part that lies in one block of the cache, as a view of it; null: it does not. */
  peek(offset: number, length: number): Uint8Array | null {
    if (!Number.isInteger(offset) || !Number.isInteger(length)) return null;
    const end = Math.min(this.size, offset + length);
    const index = Math.floor(offset / BLOCK_BYTES);
    if (this.#cache === null || !(offset >= 0 && offset < end) || Math.floor((end - 1) / BLOCK_BYTES) !== index)
      return null;
    const start = index * BLOCK_BYTES;
    return this.#cache.peek(this.#key(index))?.subarray(offset - start, end - start) ?? null;
  }

  /** Takes the blocks of this blob out of the cache. */
  forget(): void {
    for (let index = 0; index * BLOCK_BYTES < this.size; index += 1) this.#cache?.delete(this.#key(index));
  }

  #key(index: number): string {
    const known = this.#keys[index];
    if (known !== undefined) return known;
    const key = `${this.id} ${index}`;
    // In order, so that the list has no holes.
    if (index === this.#keys.length) this.#keys.push(key);
    return key;
  }

  #block(cache: BlockCache, index: number): Promise<Uint8Array> {
    const start = index * BLOCK_BYTES;
    const size = Math.min(BLOCK_BYTES, this.size - start);
    return cache.get(this.#key(index), size, () => this.#load(start, size));
  }

  /** Holds the file open meanwhile: others may wait for the block longer than the reader that asked first. */
  async #load(offset: number, length: number): Promise<Uint8Array> {
    this.acquire();
    try {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await this.#file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw new BlobReadError(`Blob ${this.id} ends at ${offset + done} of ${this.size} bytes`);
        done += bytesRead;
      }
      return bytes;
    } finally {
      this.release();
    }
  }
}

/** The file of a blob is not as it was written. */
export class BlobReadError extends Error {
  readonly code = 'truncated-blob';
  override readonly name = 'BlobReadError';
}

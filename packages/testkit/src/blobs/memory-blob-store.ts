import { randomUUID } from 'node:crypto';
import type { BlobId, BlobReader, BlobStore, BlobWriter } from '@moorage/core';

export interface MemoryBlobOptions {
  /** Bytes that fit; what goes beyond is answered `full`. Default: no limit. */
  readonly capacity?: number;
}

/** Reference implementation of the blob store, for tests: everything in memory, nothing durable. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<BlobId, Uint8Array>();
  readonly #capacity: number;
  #used = 0;
  /** Writers neither finished nor aborted, and readers not closed; for tests that nothing is left open. */
  openWriters = 0;
  openReaders = 0;
  /** What the next writes answer instead of being taken; for tests of a store in trouble. */
  readonly troubles: ('full' | 'failed')[] = [];

  constructor(options: MemoryBlobOptions = {}) {
    this.#capacity = options.capacity ?? Number.POSITIVE_INFINITY;
  }

  async create(): Promise<BlobWriter> {
    const parts: Uint8Array[] = [];
    let size = 0;
    let state: 'open' | 'full' | 'failed' | 'ended' = 'open';
    this.openWriters += 1;
    const end = (): void => {
      if (state !== 'ended') this.openWriters -= 1;
      state = 'ended';
    };
    const discard = (): void => {
      this.#used -= size;
      size = 0;
      parts.length = 0;
    };
    return {
      write: async (bytes) => {
        if (state === 'ended') return 'failed';
        if (state !== 'open') return state;
        const trouble = this.troubles.shift() ?? (this.#used + bytes.length > this.#capacity ? 'full' : undefined);
        if (trouble !== undefined) {
          discard();
          state = trouble;
          return trouble;
        }
        parts.push(new Uint8Array(bytes));
        size += bytes.length;
        this.#used += bytes.length;
        return 'ok';
      },
      finish: async () => {
        if (state === 'ended') return 'failed';
        const refused = state === 'open' ? undefined : state;
        end();
        if (refused !== undefined) return refused;
        const id = randomUUID();
        this.#blobs.set(id, joined(parts, size));
        return { id, size };
      },
      abort: async () => {
        if (state === 'open') discard();
        end();
      },
    };
  }

  async open(id: BlobId): Promise<BlobReader | null> {
    const bytes = this.#blobs.get(id);
    if (bytes === undefined) return null;
    this.openReaders += 1;
    let open = true;
    return {
      size: bytes.length,
      read: async (offset, length) => {
        if (!open) throw new TypeError('The reader is closed');
        if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length < 0) {
          throw new RangeError(`${length} bytes at ${offset} are no part of a blob`);
        }
        return bytes.slice(offset, offset + length);
      },
      close: () => {
        if (open) this.openReaders -= 1;
        open = false;
      },
    };
  }

  async remove(id: BlobId): Promise<void> {
    this.#used -= this.#blobs.get(id)?.length ?? 0;
    this.#blobs.delete(id);
  }

  async list(): Promise<readonly BlobId[]> {
    return [...this.#blobs.keys()];
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

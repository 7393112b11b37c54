import type { BlobId, BlobReader, BlobStore } from '../ports/blob-store.ts';

interface OpenBlob {
  readonly reader: Promise<BlobReader | null>;
  users: number;
}

/** Open blobs for many readers at once: a thousand devices that download one package share one open file. */
export class SharedBlobs {
  readonly #store: Pick<BlobStore, 'open'>;
  readonly #open = new Map<BlobId, OpenBlob>();

  constructor(store: Pick<BlobStore, 'open'>) {
    this.#store = store;
  }

  /** A reader of one's own, to be closed; null: there is no such blob. Rejects if the store cannot be read. */
  async open(id: BlobId): Promise<BlobReader | null> {
    let blob = this.#open.get(id);
    if (blob === undefined) {
      blob = { reader: this.#store.open(id), users: 0 };
      this.#open.set(id, blob);
    }
    const shared = blob;
    shared.users += 1;
    let reader: BlobReader | null;
    try {
      reader = await shared.reader;
    } catch (error) {
      this.#forget(id, shared);
      throw error;
    }
    if (reader === null) {
      this.#forget(id, shared);
      return null;
    }
    const opened = reader;
    let closed = false;
    return {
      size: opened.size,
      read: (offset, length) => {
        if (closed) return Promise.reject(new TypeError('The reader is closed'));
        return opened.read(offset, length);
      },
      peek: (offset, length) => (closed ? null : (opened.peek?.(offset, length) ?? null)),
      close: () => {
        if (closed) return;
        closed = true;
        shared.users -= 1;
        if (shared.users > 0) return;
        this.#forget(id, shared);
        opened.close();
      },
    };
  }

  #forget(id: BlobId, blob: OpenBlob): void {
    if (this.#open.get(id) === blob) this.#open.delete(id);
  }
}

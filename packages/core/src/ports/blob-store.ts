/** Identifier of a blob, made by the store: lower-case letters, digits and `-`. */
export type BlobId = string;

/** A blob being written. Nothing of it can be read before `finish` has resolved. */
export interface BlobWriter {
  /**
   * The bytes are taken at the call, so the caller may use them for something else at once; resolves when the store may
   * take more. Calls take effect in their order. After `full` or `failed` nothing of the blob is kept, and every later
   * call answers the same.
   */
  write(bytes: Uint8Array): Promise<'ok' | 'full' | 'failed'>;
  /** Durable when resolved. `failed` when called again. */
  finish(): Promise<{ readonly id: BlobId; readonly size: number } | 'full' | 'failed'>;
  /** Throws away what was written; after `finish` it does nothing. */
  abort(): Promise<void>;
}

/** An open blob. Many may read one blob at once, each at its own place. */
export interface BlobReader {
  /** Bytes. */
  readonly size: number;
  /**
   * Fewer bytes than asked only at the end of the blob; none behind it. They are the caller's own. Rejects if the store
   * cannot be read, after `close`, and with RangeError for numbers that are negative or no integers.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * The same part at once, if it is in memory and in one piece; null: `read` has to be asked. The bytes are not to be
   * changed. Never throws.
   */
  peek?(offset: number, length: number): Uint8Array | null;
  close(): void;
}

/** Large immutable byte sequences beside the databases: packages of firmware and software. */
export interface BlobStore {
  create(): Promise<BlobWriter>;
  /** null: there is none of this identifier, whatever text it is. */
  open(id: BlobId): Promise<BlobReader | null>;
  /** Also of one that does not exist. Readers that are open go on. */
  remove(id: BlobId): Promise<void>;
  /** Every finished blob, for finding those that nothing refers to. */
  list(): Promise<readonly BlobId[]>;
}

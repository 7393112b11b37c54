import { join } from 'node:path';
import type { BlobId, BlobWriter } from '@moorage/core';
import { unfinishedName } from './blob-id.ts';
import { type FileSystem, type OpenFile, syncDirectory, unlinkIfThere, writeFault } from './file-system.ts';

type Refusal = 'full' | 'failed';

export interface BlobWriterOptions {
  readonly files: FileSystem;
  /** Where the blobs lie. */
  readonly folder: string;
  readonly id: BlobId;
  readonly report: (error: unknown) => void;
  /** Called once, when the writer needs nothing of the store any more. */
  readonly ended: () => void;
}

/** Writes a blob under a temporary name and gives it its own when everything of it is on the disk. */
export class BlobFileWriter implements BlobWriter {
  readonly #options: BlobWriterOptions;
  readonly #temporary: string;
  #file: OpenFile | null = null;
  #size = 0;
  #refusal: Refusal | null = null;
  /** Set by `finish` and `abort`, from the call on. */
  #over = false;
  /** Calls one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: BlobWriterOptions) {
    this.#options = options;
    this.#temporary = join(options.folder, unfinishedName(options.id));
  }

  /** Creates the file. If that does not succeed, all further calls say so. */
  async start(): Promise<void> {
    await this.#try(async () => {
      this.#file = await this.#options.files.open(this.#temporary, 'wx', 0o600);
    });
  }

  write(bytes: Uint8Array): Promise<'ok' | Refusal> {
    if (this.#over) return Promise.resolve('failed');
    const own = new Uint8Array(bytes);
    return this.#inTurn(async () => (await this.#try(() => this.#append(own))) ?? 'ok');
  }

  finish(): Promise<{ readonly id: BlobId; readonly size: number } | Refusal> {
    if (this.#over) return Promise.resolve('failed');
    this.#over = true;
    return this.#inTurn(async () => {
      const refusal = await this.#try(() => this.#publish());
      this.#options.ended();
      return refusal ?? { id: this.#options.id, size: this.#size };
    });
  }

  abort(): Promise<void> {
    if (this.#over) return this.#inTurn(async () => {});
    this.#over = true;
    return this.#inTurn(async () => {
      await this.#discard();
      this.#options.ended();
    });
  }

  async #append(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length && this.#file !== null) {
      const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written);
      written += bytesWritten;
    }
    this.#size += written;
  }

  async #publish(): Promise<void> {
    const { files, folder, id } = this.#options;
    const file = this.#file;
    await file?.sync();
    this.#file = null;
    await file?.close();
    const path = join(folder, id);
    await files.rename(this.#temporary, path);
    try {
      await syncDirectory(files, folder);
    } catch (error) {
      // Nobody knows the identifier yet, so what may vanish with the power must not be there now.
      await unlinkIfThere(files, path);
      throw error;
    }
  }

  /** What went wrong, now or before; null: nothing. The file is gone then, so that it takes no room on a full disk. */
  async #try(step: () => Promise<void>): Promise<Refusal | null> {
    if (this.#refusal !== null) return this.#refusal;
    try {
      await step();
    } catch (error) {
      this.#refusal = writeFault(error);
      if (this.#refusal === 'failed') this.#options.report(error);
      await this.#discard();
    }
    return this.#refusal;
  }

  async #discard(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    try {
      await file?.close();
    } catch (error) {
      this.#options.report(error);
    }
    try {
      await unlinkIfThere(this.#options.files, this.#temporary);
    } catch (error) {
      // Removed when the store is opened the next time.
      this.#options.report(error);
    }
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result;
    return result;
  }
}

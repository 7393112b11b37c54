import type { OtaDownload, OtaUnavailable } from '@moorage/core';
import type { PulledPayload } from '@moorage/dialect-api';

/**
 * The package that a connection bound to a request number on first use. It is closed once the binding is over and
 * nothing reads it any more. thingsboard-device.md, 7.3
 */
export class OtaBinding {
  /** Bytes of a chunk that an earlier request gave; 0: none did. */
  chunkSize = 0;
  readonly #opened: Promise<OtaDownload | OtaUnavailable>;
  #download: OtaDownload | null = null;
  /** The binding itself is one user, every read and every whole file under way another. */
  #users = 1;

  constructor(open: () => Promise<OtaDownload | OtaUnavailable>) {
    this.#opened = open().then((download) => {
      if (typeof download !== 'string') this.#download = download;
      if (this.#users === 0) this.#close();
      return download;
    });
    // Whoever waits for it reports the error; nobody may be waiting.
    this.#opened.catch(() => undefined);
  }

  /** What has been opened; null: not yet, or there is none. */
  get download(): OtaDownload | null {
    return this.#download;
  }

  opened(): Promise<OtaDownload | OtaUnavailable> {
    return this.#opened;
  }

  async read(download: OtaDownload, offset: number, length: number): Promise<Uint8Array> {
    this.#users++;
    try {
      return await download.read(offset, length);
    } finally {
      this.release();
    }
  }

  /** The whole file, read while the connection takes it. */
  wholeFile(download: OtaDownload): PulledPayload {
    this.#users++;
    let open = true;
    return {
      length: download.size,
      read: (offset, length) => download.read(offset, length),
      close: () => {
        if (open) this.release();
        open = false;
      },
    };
  }

  /** One user less. */
  release(): void {
    this.#users--;
    if (this.#users === 0) this.#close();
  }

  #close(): void {
    this.#download?.close();
    this.#download = null;
  }
}

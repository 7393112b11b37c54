import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@moorage/core';
import type { DeviceCoapAnswer, PayloadSource } from '@moorage/dialect-api';
import { BoundedTable } from './bounded-table.ts';

const IDLE_MS = 120_000;
const ETAG_LENGTH = 8;

/** An answer that is fetched block by block. */
export class Transfer {
  readonly answer: DeviceCoapAnswer;
  readonly length: number;
  /** Differs when the content does, so that nobody joins blocks of two files. RFC 7959, 2.4 */
  readonly eTag: Uint8Array;
  readonly #source: PayloadSource;
  #reading = 0;
  #closed = false;

  constructor(answer: DeviceCoapAnswer, source: PayloadSource) {
    this.answer = answer;
    this.#source = source;
    this.length = source.length;
    // A file is not read twice for its hash: a transfer that has to begin anew has a new tag.
    this.eTag =
      source instanceof Uint8Array
        ? createHash('sha256').update(source).digest().subarray(0, ETAG_LENGTH)
        : randomBytes(ETAG_LENGTH);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (this.#source instanceof Uint8Array) return this.#source.subarray(offset, offset + length);
    if (this.#closed) throw new TypeError('The transfer is over.');
    this.#reading++;
    try {
      return await this.#source.read(offset, length);
    } finally {
      this.#reading--;
      if (this.#closed && this.#reading === 0) this.#source.close();
    }
  }

  /** A block that is being read is read to its end. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#reading === 0 && !(this.#source instanceof Uint8Array)) this.#source.close();
  }
}

export interface TransfersOptions {
  readonly clock: Clock;
  readonly maximum: number;
  readonly maximumPerEndpoint: number;
}

/**
 * Answers that their clients are fetching, by endpoint and request. Files stay open and are read block by block; an
 * abandoned one is closed after two minutes, and before that when its place is needed.
 */
export class Transfers {
  readonly #transfers: BoundedTable<Transfer>;

  constructor({ clock, maximum, maximumPerEndpoint }: TransfersOptions) {
    const dropped = (transfer: Transfer): void => transfer.close();
    this.#transfers = new BoundedTable({ clock, maximum, maximumPerEndpoint, idleMs: IDLE_MS, dropped });
  }

  get size(): number {
    return this.#transfers.size;
  }

  find(key: string): Transfer | undefined {
    return this.#transfers.get(key);
  }

  open(endpointKey: string, key: string, answer: DeviceCoapAnswer, source: PayloadSource): Transfer {
    this.remove(key);
    const transfer = new Transfer(answer, source);
    this.#transfers.set(endpointKey, key, transfer);
    return transfer;
  }

  remove(key: string): void {
    const transfer = this.#transfers.get(key);
    this.#transfers.delete(key);
    transfer?.close();
  }

  sweep(): void {
    this.#transfers.sweep();
  }

  clear(): void {
    this.#transfers.clear();
  }
}

import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const PIECE_BYTES = 1_048_576;

/**
 * A file that only occupies room. A full disk refuses even a DELETE, because that needs space in the WAL; giving the
 * ballast up makes that space.
 */
export class Ballast {
  readonly #path: string;
  readonly #sizeBytes: number;
  #heldBytes = 0;
  /** Kept while the ballast grows: a new one for every piece would leave the whole ballast in memory until it is collected. */
  #piece: Buffer | null = null;

  /** A size of 0 means no ballast. */
  constructor(path: string, sizeBytes: number) {
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#heldBytes = Math.min(statSync(path, { throwIfNoEntry: false })?.size ?? 0, sizeBytes);
  }

  get held(): boolean {
    return this.#heldBytes === this.#sizeBytes;
  }

  /** Occupies one more MiB; true when the whole size is held. Throws what the file system says. */
  takeSome(): boolean {
    if (this.held) return true;
    const file = openSync(this.#path, 'a', 0o600);
    try {
      this.#piece ??= noise(PIECE_BYTES);
      const piece = this.#piece.subarray(0, this.#sizeBytes - this.#heldBytes);
      let written = 0;
      while (written < piece.length) written += writeSync(file, piece, written);
      fsyncSync(file);
      this.#heldBytes += piece.length;
    } finally {
      closeSync(file);
    }
    if (this.held) this.#piece = null;
    return this.held;
  }

  /** Takes the whole size if that leaves `spareBytes` free; else takes nothing and returns false. */
  take(spareBytes: number): boolean {
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    if (bavail * bsize < this.#sizeBytes - this.#heldBytes + spareBytes) return false;
    try {
      while (!this.takeSome());
      return true;
    } catch {
      this.release();
      return false;
    }
  }

  /** Gives the room up. */
  release(): void {
    rmSync(this.#path, { force: true });
    this.#heldBytes = 0;
  }
}

/** Bytes that do not compress: a compressing file system would not give blocks to zeros. */
function noise(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = 0x9e3779b9;
  for (let at = 0; at < sizeBytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

import { type BlockPool, LARGEST_BLOCK } from './block-pool.ts';
import type { Counters } from './counters.ts';
import type { BrokerLimits } from './limits.ts';
import { PayloadPull, type PulledSource, type PullTarget } from './payload-pull.ts';
import type { ByteStream } from './ports.ts';

const EMPTY = new Uint8Array(0);

/** Who flushes at the end of the turn. */
export interface OutputOwner {
  readonly pool: BlockPool;
  readonly limits: BrokerLimits;
  readonly counters: Counters;
  markDirty(output: Output): void;
  goOnLater(waiting: { goOn(): void }): void;
}

/** Told when the stream stops taking bytes, and how a pulled payload ended. */
export interface OutputWatcher {
  watch(): void;
  /** A pulled payload is complete, and the stream takes more at once. */
  unblocked(): void;
  /** A pulled payload cannot be completed, so nothing can follow on this connection. */
  pullFailed(error: unknown): void;
}

/**
 * Collects the packets for one connection during a turn of the event loop, so that they leave in one write. Measured:
 * one write per turn instead of one per packet is worth a factor of 8 (performance.md, section 2).
 */
export class Output implements PullTarget {
  readonly #owner: OutputOwner;
  readonly #stream: ByteStream;
  readonly #watcher: OutputWatcher;
  /** Offset in the block at which the next packet is written. */
  position = 0;
  /** The stream holds bytes that the kernel has not taken, or a packet is being pulled. */
  blocked = false;
  dirty = false;
  /** Shown every packet; null while nobody looks. */
  trace: ((packet: Uint8Array) => void) | null = null;
  /** Counts flushes and drains: whoever finds it unchanged has seen no progress. */
  progress = 0;
  #block: Uint8Array = EMPTY;
  #packets = 0;
  #ended = false;
  /** Blocks that belong to the stream until it has drained. */
  #handed: Uint8Array[] | null = null;
  #whenWritten: (() => void)[] | null = null;
  /** The payload that is being written; every other packet waits behind it. */
  #pull: PayloadPull | null = null;
  #behind: Uint8Array[] | null = null;

  constructor(owner: OutputOwner, stream: ByteStream, watcher: OutputWatcher) {
    this.#owner = owner;
    this.#stream = stream;
    this.#watcher = watcher;
  }

  /** Bytes that have not reached the kernel. */
  get backlog(): number {
    const staged = this.position + this.#stream.writableLength;
    return this.#behind === null ? staged : this.#behind.reduce((sum, block) => sum + block.length, staged);
  }

  /** A piece of a pulled payload has been asked for and has not come. */
  get awaitsPiece(): boolean {
    return this.#pull?.reading ?? false;
  }

  /** Has a payload been pulled on since this was last asked? */
  pullMovedOn(): boolean {
    const pull = this.#pull;
    if (pull === null || pull.progressSeen === this.progress) return false;
    pull.progressSeen = this.progress;
    return true;
  }

  /** Gives the block that has room for `sizeBytes` at `position`. */
  reserve(sizeBytes: number): Uint8Array {
    const block = this.#block;
    return this.position + sizeBytes <= block.length ? block : this.#grow(sizeBytes);
  }

  /** The packet that was written at `position` is complete. */
  commit(sizeBytes: number): void {
    this.trace?.(this.#block.subarray(this.position, this.position + sizeBytes));
    this.position += sizeBytes;
    this.#packets++;
    if (this.position >= LARGEST_BLOCK || this.#packets >= this.#owner.limits.earlyFlushPackets) {
      if (!this.blocked || this.position >= LARGEST_BLOCK) {
        this.#write();
        return;
      }
    }
    if (!this.dirty && !this.blocked) {
      this.dirty = true;
      this.#owner.markDirty(this);
    }
  }

  /** Stages a packet that is encoded already. */
  stage(packet: Uint8Array): void {
    const block = this.reserve(packet.length);
    block.set(packet, this.position);
    this.commit(packet.length);
  }

  /**
   * The packet head that was written at `position` is complete, and its payload, not empty, follows from `source`. Only while the
   * output is not blocked; it is so until the last byte of the payload has been written.
   */
  commitPulled(headBytes: number, source: PulledSource): void {
    this.trace?.(this.#block.subarray(this.position, this.position + headBytes));
    this.position += headBytes;
    this.#packets++;
    this.#write();
    if (this.#ended) {
      source.close();
      return;
    }
    this.#pull = new PayloadPull(source, this);
    if (!this.blocked) {
      this.blocked = true;
      this.#watcher.watch();
    }
    if (this.#stream.writableLength === 0) this.#pull.goOn();
  }

  takePiece(bytes: Uint8Array, last: boolean): void {
    const stream = this.#stream;
    this.#owner.counters.bytesSent += bytes.length;
    stream.write(bytes);
    const pull = this.#pull;
    if (pull === null) return;
    if (last) {
      this.progress++;
      this.#pulled(pull);
    } else if (stream.writableLength === 0) {
      this.progress++;
      this.#owner.goOnLater(pull);
    }
  }

  pullFailed(error: unknown): void {
    this.#watcher.pullFailed(error);
  }

  /** Tells `written` once everything staged so far has reached the kernel. */
  whenWritten(written: () => void): void {
    this.#whenWritten ??= [];
    this.#whenWritten.push(written);
  }

  /** Hands everything staged to the stream, unless that is still busy. */
  flush(): void {
    this.dirty = false;
    if (this.position > 0 && !this.blocked) this.#write();
  }

  /** The stream has drained: its blocks come back. */
  drained(): void {
    this.progress++;
    const handed = this.#handed;
    this.#handed = null;
    if (handed !== null) for (const block of handed) this.#owner.pool.give(block);
    if (this.#pull !== null) {
      this.#pull.goOn();
      return;
    }
    this.blocked = this.#stream.writableLength > 0;
    if (!this.blocked && this.position > 0) this.#write();
    this.#tellWritten();
  }

  /** Writes the rest and closes the stream after it; behind an incomplete payload nothing can be written. */
  end(): void {
    if (this.#ended) return;
    if (this.#pull !== null) this.#dropBehind();
    else if (this.position > 0) this.#write();
    this.#ended = true;
    this.#stream.end();
  }

  /** The stream is gone. */
  discard(): void {
    this.#ended = true;
    // Blocks in the hands of a stream that died are left to the collector: nobody says when it lets go of them.
    this.#handed = null;
    this.#whenWritten = null;
    if (this.#pull !== null) this.#dropBehind();
    if (this.#block !== EMPTY) this.#owner.pool.give(this.#block);
    this.#block = EMPTY;
    this.position = 0;
  }

  #grow(sizeBytes: number): Uint8Array {
    const pool = this.#owner.pool;
    const old = this.#block;
    const needed = this.position + sizeBytes;
    if (needed > LARGEST_BLOCK && this.position > 0) {
      this.#write();
      return this.#grow(sizeBytes);
    }
    const block = pool.take(
      needed > LARGEST_BLOCK ? needed : Math.min(LARGEST_BLOCK, Math.max(needed, old.length * 4)),
    );
    if (this.position > 0) block.set(old.subarray(0, this.position));
    if (old !== EMPTY) pool.give(old);
    this.#block = block;
    return block;
  }

  #write(): void {
    const block = this.#block;
    const length = this.position;
    const { counters } = this.#owner;
    counters.packetsSent += this.#packets;
    counters.bytesSent += length;
    this.#block = EMPTY;
    this.position = 0;
    this.#packets = 0;
    if (this.#ended) {
      this.#owner.pool.give(block);
      return;
    }
    if (this.#pull !== null) {
      this.#behind ??= [];
      this.#behind.push(block.subarray(0, length));
      return;
    }
    const stream = this.#stream;
    stream.write(length === block.length ? block : block.subarray(0, length));
    if (this.#ended) return;
    if (stream.writableLength === 0) {
      this.progress++;
      this.#owner.pool.give(block);
      this.#tellWritten();
      return;
    }
    if (!this.blocked) {
      this.blocked = true;
      this.#watcher.watch();
    }
    this.#handed ??= [];
    this.#handed.push(block);
  }

  /** The pulled payload is complete: what has waited behind it follows. */
  #pulled(pull: PayloadPull): void {
    const stream = this.#stream;
    pull.stop();
    this.#pull = null;
    const behind = this.#behind;
    this.#behind = null;
    if (behind !== null) for (const block of behind) if (!this.#ended) stream.write(block);
    this.blocked = stream.writableLength > 0;
    if (this.#ended || this.blocked) return;
    if (this.position > 0) this.#write();
    this.#tellWritten();
    if (!this.blocked) this.#watcher.unblocked();
  }

  #dropBehind(): void {
    this.#pull?.stop();
    this.#pull = null;
    this.#behind = null;
    this.position = 0;
    this.#packets = 0;
  }

  #tellWritten(): void {
    if (this.#whenWritten === null || this.blocked || this.position > 0) return;
    const list = this.#whenWritten;
    this.#whenWritten = null;
    for (const written of list) written();
  }
}

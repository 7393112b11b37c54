import type { Clock } from '@moorage/core';
import type { Block } from '../message/option-values.ts';
import { BoundedTable } from './bounded-table.ts';

/** A device on a slow radio link may need long for the next block. */
const IDLE_MS = 120_000;

interface Body {
  readonly chunks: Uint8Array[];
  length: number;
}

/** `incomplete`: the block does not follow the last one; `malformed`: its length does not fit its size. RFC 7959, 2.3 */
export type BodyProgress = Uint8Array | 'continue' | 'incomplete' | 'malformed' | 'tooLarge';

export interface BodiesOptions {
  readonly clock: Clock;
  readonly maximum: number;
  readonly maximumPerEndpoint: number;
  /** A body was given up. */
  readonly dropped: () => void;
}

/** Request bodies that arrive block by block (Block1). RFC 7959, 2.5 */
export class Bodies {
  readonly #bodies: BoundedTable<Body>;

  constructor({ clock, maximum, maximumPerEndpoint, dropped }: BodiesOptions) {
    this.#bodies = new BoundedTable({ clock, maximum, maximumPerEndpoint, idleMs: IDLE_MS, dropped });
  }

  /** Takes the next block of the request `key`; the whole body once the last is here. `payload` is copied. */
  add(endpointKey: string, key: string, block: Block, payload: Uint8Array, limit: number): BodyProgress {
    const { number, more, size } = block;
    if (payload.length > size || (more && payload.length < size)) return 'malformed';
    const body = number === 0 ? { chunks: [], length: 0 } : this.#bodies.get(key);
    if (body === undefined || body.length !== number * size) {
      this.#bodies.delete(key);
      return 'incomplete';
    }
    if (body.length + payload.length > limit) {
      this.#bodies.delete(key);
      return 'tooLarge';
    }
    body.chunks.push(payload.slice());
    body.length += payload.length;
    if (more) {
      if (number === 0) this.#bodies.set(endpointKey, key, body);
      return 'continue';
    }
    this.#bodies.delete(key);
    return joined(body);
  }

  get size(): number {
    return this.#bodies.size;
  }

  sweep(): void {
    this.#bodies.sweep();
  }

  clear(): void {
    this.#bodies.clear();
  }
}

function joined({ chunks, length }: Body): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

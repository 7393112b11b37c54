import type { IncomingMessage } from 'node:http';
import { type BodyMemory, FREE_BYTES, HeldBody } from './body-memory.ts';

/** Why a body was not read. `broken`: the client is gone. */
export class BodyRefusal extends Error {
  readonly kind: 'tooLarge' | 'noMemory' | 'broken';

  constructor(kind: 'tooLarge' | 'noMemory' | 'broken') {
    super(`The body was not read: ${kind}`);
    this.name = 'BodyRefusal';
    this.kind = kind;
  }
}

/**
 * Reads a body while it arrives. Rejects with `BodyRefusal`: at the first byte beyond `limit`, at once if Content-Length
 * says so. What comes behind that is thrown away until the connection is closed.
 */
export function readBody(source: IncomingMessage, limit: number, memory: BodyMemory): Promise<HeldBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let held = 0;
    const detach = (): void => void source.off('data', received).off('end', ended).off('close', broken);
    const refuse = (kind: BodyRefusal['kind']): void => {
      detach();
      memory.give(held);
      source.resume();
      reject(new BodyRefusal(kind));
    };
    const received = (chunk: Buffer): void => {
      length += chunk.length;
      const more = Math.max(length - FREE_BYTES, 0) - held;
      if (length > limit) refuse('tooLarge');
      else if (!memory.take(more)) refuse('noMemory');
      else {
        held += more;
        chunks.push(chunk);
      }
    };
    const ended = (): void => {
      detach();
      resolve(new HeldBody(Buffer.concat(chunks, length), memory, held));
    };
    const broken = (): void => refuse('broken');
    // An error is followed by `close`.
    source.on('error', ignore);
    if (Number(source.headers['content-length'] ?? 0) > limit) refuse('tooLarge');
    else source.on('data', received).on('end', ended).on('close', broken);
  });
}

function ignore(): void {}

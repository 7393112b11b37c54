import type { Message, RetainedCursor, RetainedLimits, RetainedStore, StoreCompletion } from '@moorage/mqtt-broker';
import { ByteReader } from '../telemetry/byte-reader.ts';
import { asBuffer, readNumber, viewBytes } from './byte-fields.ts';
import { readMessage } from './message-codec.ts';
import { Operation, type Totals } from './messages.ts';
import { writeBlock } from './operation-writer.ts';
import type { Round } from './round.ts';

/** What the retained store needs from the file it shares with the Sessions. */
export interface RetainedFile {
  /** The round that takes the next operation; null: the thread is gone. */
  round(): Round | null;
  /** Answers a read written by `write`. */
  ask(write: (round: Round) => void): Promise<Uint8Array>;
}

/** Bounds of a space that has none of its own. reliability.md, section 8 */
export const DEFAULT_RETAINED_LIMITS: RetainedLimits = {
  messages: 1_000_000,
  bytes: 1_073_741_824,
  payloadBytes: 1_048_576,
};
/** As the memory store counts. */
const OVERHEAD_BYTES = 200;

/**
 * Retained Messages in the session file. They are read from there page by page and take no memory. A match sees every
 * change made before it, durable or not yet; a message that changes while it is being read is left out, because the
 * change itself reaches the new subscriber.
 */
export class SqliteRetainedStore implements RetainedStore {
  readonly #file: RetainedFile;
  readonly #limitsOf: (space: string) => RetainedLimits;
  #lastChange = 0;
  #totals: Totals = { messages: 0, bytes: 0 };

  /** `limitsOf` bounds each space; a message beyond is refused as `full`. */
  constructor(file: RetainedFile, limitsOf: (space: string) => RetainedLimits) {
    this.#file = file;
    this.#limitsOf = limitsOf;
  }

  /** Nothing has to be loaded. */
  load(): Promise<void> {
    return Promise.resolve();
  }

  put(space: string, topicName: string, message: Message | null, completion: StoreCompletion): void {
    const round = this.#file.round();
    if (round === null) {
      completion.release('failed');
      return;
    }
    const limits = this.#limitsOf(space);
    if (message !== null && message.payload.length > limits.payloadBytes) {
      round.pass(completion, 'full');
      return;
    }
    const writer = round.begin(message === null ? Operation.Unretain : Operation.Retain, completion);
    writer.text(space);
    writer.text(topicName);
    if (message === null) return;
    writer.reserve(64);
    writer.varint(++this.#lastChange);
    writer.varint(message.payload.length + topicName.length + OVERHEAD_BYTES);
    writer.double(message.expiresAt);
    writer.double(limits.messages);
    writer.double(limits.bytes);
    writeBlock(writer, message);
  }

  match(space: string, topicFilter: string, now: number): RetainedCursor {
    return new PagedCursor(this.#file, space, topicFilter, now, this.#lastChange);
  }

  expire(now: number): void {
    this.#file.round()?.begin(Operation.ExpireRetained, null).double(now);
  }

  /** As of the last commit. */
  statistics(): { readonly messages: number; readonly bytes: number } {
    return this.#totals;
  }

  /** What the thread found or has reached. */
  know(totals: Totals, lastChange = this.#lastChange): void {
    this.#totals = totals;
    this.#lastChange = lastChange;
  }
}

class PagedCursor implements RetainedCursor {
  readonly #file: RetainedFile;
  readonly #space: string;
  readonly #topicFilter: string;
  readonly #now: number;
  readonly #upTo: number;
  #from = '';
  #ended = false;

  constructor(file: RetainedFile, space: string, topicFilter: string, now: number, upTo: number) {
    this.#file = file;
    this.#space = space;
    this.#topicFilter = topicFilter;
    this.#now = now;
    this.#upTo = upTo;
  }

  async read(limit: number): Promise<readonly Message[]> {
    const messages: Message[] = [];
    while (!this.#ended && messages.length < limit) {
      const answer = await this.#file.ask((round) => {
        const writer = round.begin(Operation.ReadRetained, null);
        writer.text(this.#space);
        writer.text(this.#topicFilter);
        writer.text(this.#from);
        writer.reserve(64);
        writer.varint(this.#upTo);
        writer.double(this.#now);
        writer.varint(limit - messages.length);
      });
      const reader = new ByteReader(asBuffer(answer));
      const count = readNumber(reader);
      this.#from = reader.text();
      this.#ended = this.#from === '';
      for (let at = 0; at < count; at++) messages.push(readMessage(new ByteReader(viewBytes(reader))));
    }
    return messages;
  }
}

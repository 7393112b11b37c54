import type { StoreCompletion, StoreOutcome } from '@moorage/mqtt-broker';
import { ByteWriter } from '../telemetry/byte-writer.ts';
import { Operation, type RoundReply } from './messages.ts';

/** Who waits for the answer of a read. */
export interface PendingRead {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** Buffers that a huge round has made larger are not kept. */
const LARGEST_KEPT = 8_388_608;

/** The operations of one commit, in their order, and those who wait for it. Used again and again. */
export class Round {
  writer = new ByteWriter(16_384);
  readonly completions: StoreCompletion[] = [];
  /** Completions whose operation was refused as `full` before it was sent. */
  readonly refused: number[] = [];
  readonly reads: PendingRead[] = [];
  /** Numbers of the Sessions it creates, with the indexes of their completions. */
  readonly created: { readonly session: number; readonly completion: number }[] = [];
  /** Numbers of the Sessions it ends: until then drops are told of them. */
  readonly ended: number[] = [];
  /** Rows it writes, about. */
  weight = 0;
  addedMessages = 0;
  addedBytes = 0;
  settledMessages = 0;

  /** Begins an operation with no or one completion. */
  begin(operation: number, completion: StoreCompletion | null): ByteWriter {
    const { writer } = this;
    writer.reserve(64);
    writer.byte(operation);
    writer.byte(completion === null ? 0 : 1);
    if (completion !== null) this.completions.push(completion);
    this.weight++;
    return writer;
  }

  /** A completion without an operation. */
  pass(completion: StoreCompletion, outcome: 'stored' | 'full'): void {
    if (outcome === 'full') this.refused.push(this.completions.length);
    this.begin(Operation.Nothing, completion);
  }

  /** What a completion is told; asked in ascending order of `index` with one `Outcomes` per reply. */
  outcomes(reply: Pick<RoundReply, 'outcome' | 'refused'>): Outcomes {
    return new Outcomes(reply, this.refused);
  }

  clear(): void {
    this.writer.at = 0;
    if (this.writer.bytes.length > LARGEST_KEPT) this.writer = new ByteWriter(16_384);
    this.completions.length = 0;
    this.refused.length = 0;
    this.reads.length = 0;
    this.created.length = 0;
    this.ended.length = 0;
    this.weight = 0;
    this.addedMessages = 0;
    this.addedBytes = 0;
    this.settledMessages = 0;
  }
}

/** Outcomes of the completions of a round, asked in ascending order. */
export class Outcomes {
  readonly #outcome: StoreOutcome;
  readonly #ranges: readonly number[];
  readonly #single: readonly number[];
  #range = 0;
  #next = 0;

  constructor(reply: Pick<RoundReply, 'outcome' | 'refused'>, single: readonly number[]) {
    this.#outcome = reply.outcome;
    this.#ranges = reply.refused;
    this.#single = single;
  }

  of(index: number): StoreOutcome {
    if (this.#outcome === 'failed') return 'failed';
    while ((this.#single[this.#next] ?? Number.POSITIVE_INFINITY) < index) this.#next++;
    if (this.#single[this.#next] === index) return 'full';
    while ((this.#ranges[this.#range + 1] ?? Number.POSITIVE_INFINITY) <= index) this.#range += 2;
    if ((this.#ranges[this.#range] ?? Number.POSITIVE_INFINITY) <= index) return 'full';
    return this.#outcome;
  }
}

import type { EntityId } from '../model/entities.ts';
import type { Clock } from '../ports/runtime.ts';

/** How long what a device reports is taken as caused by a command. Milliseconds. */
const LINEAGE_MS = 10_000;
const MAX_LINEAGES = 100_000;
/** Of one key of one device. Of more, the oldest are forgotten: an answer to them counts as one to the others. */
const MAX_OF_KEY = 64;

/** What a report follows. */
export interface Lineage {
  /** The links that one original message has caused to fire, shared by everything that follows it. */
  readonly fired: Set<EntityId>;
  /** Commands of links since then; 0: this is the original message. */
  readonly hop: number;
}

interface Entry extends Lineage {
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * Which reports of devices follow commands of links. The report is a message like any other, so nothing in it tells; what
 * is known is that commands for this key of the device went out a moment ago.
 */
export class Lineages {
  /** By device and key, the one that heard a command last at the end; the oldest command first. */
  readonly #entries = new Map<string, Entry[]>();
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #max: number;
  #size = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, max: number = MAX_LINEAGES) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** What a report of this key of the device may follow, the oldest first; none: it is an original message. */
  of(deviceId: EntityId, key: string): readonly Lineage[] {
    const entries = this.#entries.get(nameOf(deviceId, key));
    if (entries === undefined) return [];
    const now = this.#clock.monotonic();
    return entries.filter(({ until }) => until > now);
  }

  /** A command that sets the key of the device is about to be sent. The function that is returned takes the note back. */
  note(deviceId: EntityId, key: string, { fired, hop }: Lineage): () => void {
    const name = nameOf(deviceId, key);
    const now = this.#clock.monotonic();
    const known = this.#take(name).filter(({ until }) => until > now);
    const entry: Entry = { fired, hop, until: now + LINEAGE_MS };
    this.#put(name, [...known.slice(1 - MAX_OF_KEY), entry]);
    while (this.#size > this.#max) {
      const [oldest] = this.#entries.keys();
      if (oldest === undefined) break;
      this.#take(oldest);
    }
    return () =>
      this.#put(
        name,
        this.#take(name).filter((one) => one !== entry),
      );
  }

  /** Forgets what is over. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [name, entries] of [...this.#entries]) {
      if (entries.every(({ until }) => until > now)) continue;
      this.#put(
        name,
        this.#take(name).filter(({ until }) => until > now),
      );
    }
  }

  #take(name: string): readonly Entry[] {
    const entries = this.#entries.get(name);
    if (entries === undefined) return [];
    this.#entries.delete(name);
    this.#size -= entries.length;
    return entries;
  }

  #put(name: string, entries: Entry[]): void {
    if (entries.length === 0) return;
    this.#entries.set(name, entries);
    this.#size += entries.length;
  }
}

function nameOf(deviceId: EntityId, key: string): string {
  return `${deviceId}\n${key}`;
}

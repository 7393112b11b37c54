import type { AttributeStore, Completion, DeviceRef, EntityId, PointList, Value } from '@moorage/core';

/** A message of a device on its way to the applications. */
export interface TakenUpload {
  readonly device: DeviceRef;
  readonly points: PointList;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly completion: Completion | null;
}

/** Server attributes by key. */
export type KnownAttributes = ReadonlyMap<string, Value>;

export interface AttributeMemoryOptions {
  readonly attributes: Pick<AttributeStore, 'read'>;
  /** Keys of the attributes that are wanted. */
  readonly keys: readonly string[];
  /** The attributes of the device of this upload are known: it goes on. Must not throw. */
  readonly goOn: (upload: TakenUpload, attributes: KnownAttributes) => void;
  readonly count: (event: string, amount: number) => void;
  readonly fault: (error: unknown) => void;
}

interface Reading {
  readonly waiting: TakenUpload[];
  /** Something was written since the read began. */
  stale: boolean;
  /** Reads that were begun. */
  reads: number;
}

/** Devices whose attributes are kept; beyond it the one that was read first is read again. */
const MAXIMUM_DEVICES = 100_000;
/** Uploads of all devices together that may wait for a read. */
const MAXIMUM_WAITING = 10_000;
/** Reads of one device in a row while somebody keeps writing. */
const MAXIMUM_READS = 3;

const NO_ATTRIBUTES: KnownAttributes = new Map();

/**
 * Server attributes of devices that send, in memory. They are read when they are first needed; while a read is under way
 * the uploads of that device wait in their order, and with them their acknowledgements.
 */
export class AttributeMemory {
  readonly #options: AttributeMemoryOptions;
  readonly #known = new Map<EntityId, KnownAttributes>();
  readonly #readings = new Map<EntityId, Reading>();
  #waiting = 0;

  constructor(options: AttributeMemoryOptions) {
    this.#options = options;
  }

  /** Lets an upload go on at once, or when what is before it and a read are done. */
  take(upload: TakenUpload): void {
    const { goOn, keys } = this.#options;
    const { id } = upload.device;
    const known = keys.length === 0 ? NO_ATTRIBUTES : this.#known.get(id);
    if (known !== undefined) {
      goOn(upload, known);
      return;
    }
    const { completion } = upload;
    completion?.hold();
    if (this.#waiting >= MAXIMUM_WAITING) {
      // Not acknowledged, so the device sends it again.
      this.#options.count('push_overflow', 1);
      completion?.release('failed');
      return;
    }
    this.#waiting++;
    const reading = this.#readings.get(id);
    if (reading !== undefined) {
      reading.waiting.push(upload);
      return;
    }
    const begun: Reading = { waiting: [upload], stale: false, reads: 0 };
    this.#readings.set(id, begun);
    void this.#read(id, begun);
  }

  /** Attributes of the device changed. */
  forget(id: EntityId): void {
    const reading = this.#readings.get(id);
    this.#known.delete(id);
    if (reading !== undefined) reading.stale = true;
  }

  async #read(id: EntityId, reading: Reading): Promise<void> {
    const { attributes, keys, fault } = this.#options;
    try {
      for (;;) {
        reading.stale = false;
        reading.reads++;
        const found = await attributes.read(id, 'SERVER', keys);
        if (reading.stale && reading.reads < MAXIMUM_READS) continue;
        this.#done(id, reading, new Map(found.map(({ key, kind, value }) => [key, { kind, value }])));
        return;
      }
    } catch (error) {
      fault(error);
      this.#giveUp(id, reading);
    }
  }

  #done(id: EntityId, reading: Reading, values: KnownAttributes): void {
    this.#readings.delete(id);
    if (!reading.stale) this.#remember(id, values);
    this.#waiting -= reading.waiting.length;
    for (const upload of reading.waiting) {
      this.#options.goOn(upload, values);
      upload.completion?.release('stored');
    }
  }

  #giveUp(id: EntityId, reading: Reading): void {
    this.#readings.delete(id);
    this.#waiting -= reading.waiting.length;
    this.#options.count('push_failed', reading.waiting.length);
    for (const { completion } of reading.waiting) completion?.release('failed');
  }

  #remember(id: EntityId, values: KnownAttributes): void {
    if (this.#known.size >= MAXIMUM_DEVICES) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(id, values);
  }
}

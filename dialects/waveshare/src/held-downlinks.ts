import type { EntityId } from '@moorage/core';

const DAY_MS = 24 * 60 * 60 * 1000;
const MAXIMUM_IDENTIFIERS = 64;
const MAXIMUM_DEVICES = 100_000;
const MAXIMUM_BYTES = 64 * 1024 * 1024;

interface Held {
  readonly payload: Uint8Array;
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * The last downlink of each identifier of devices whose product asks for it, for 24 h, in memory. Bounded: beyond 64
 * identifiers of a device, 100,000 devices or 64 MiB the oldest go. Section 4.6
 */
export class HeldDownlinks {
  readonly #devices = new Map<EntityId, Map<string, Held>>();
  #bytes = 0;

  remember(deviceId: EntityId, identifier: string, payload: Uint8Array, now: number): void {
    const held = this.#devices.get(deviceId) ?? new Map<string, Held>();
    // Maps keep the order of insertion: the last one told comes last.
    this.#devices.delete(deviceId);
    this.#devices.set(deviceId, held);
    this.#drop(held, identifier);
    held.set(identifier, { payload, at: now });
    this.#bytes += payload.length;
    for (const oldest of held.keys()) {
      if (held.size <= MAXIMUM_IDENTIFIERS) break;
      this.#drop(held, oldest);
    }
    for (const [oldest, others] of this.#devices) {
      if (this.#devices.size <= MAXIMUM_DEVICES && this.#bytes <= MAXIMUM_BYTES) break;
      for (const other of [...others.keys()]) this.#drop(others, other);
      this.#devices.delete(oldest);
    }
  }

  /** In the order in which they were told. */
  of(deviceId: EntityId, now: number): readonly Uint8Array[] {
    const held = this.#devices.get(deviceId);
    if (held === undefined) return [];
    for (const [identifier, { at }] of [...held]) if (now - at > DAY_MS) this.#drop(held, identifier);
    if (held.size === 0) this.#devices.delete(deviceId);
    return Array.from(held.values(), ({ payload }) => payload);
  }

  #drop(held: Map<string, Held>, identifier: string): void {
    this.#bytes -= held.get(identifier)?.payload.length ?? 0;
    held.delete(identifier);
  }
}

import type { EntityId } from '@moorage/core';

const PROCESS_BYTES = 5;
const COUNTER_BYTES = 3;
const COUNTER_LIMIT = 2 ** (8 * COUNTER_BYTES);

/** 24 hex digits: 8 for seconds, 10 for this run of the server, 6 for a counter. sensoro.md, 4.5 */
export class MessageIds {
  readonly #now: () => number;
  readonly #run: string;
  #counter: number;

  constructor(now: () => number, randomBytes: (length: number) => Uint8Array) {
    this.#now = now;
    this.#run = Array.from(randomBytes(PROCESS_BYTES), (byte) => hex(byte, 2)).join('');
    this.#counter = randomBytes(COUNTER_BYTES).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  next(): string {
    this.#counter = (this.#counter + 1) % COUNTER_LIMIT;
    return secondsOf(this.#now()) + this.#run + hex(this.#counter, 6);
  }
}

/** The id of a stored reading, the same whenever it is asked for: its time and the device. */
export function storedMessageId(deviceId: EntityId, ts: number): string {
  const milliseconds = hex(((ts % 1000) + 1000) % 1000, 3);
  return secondsOf(ts) + milliseconds + deviceId.replaceAll('-', '').slice(-13).padStart(13, '0');
}

function secondsOf(ms: number): string {
  return hex(Math.floor(ms / 1000) >>> 0, 8);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

import type { Scheduler } from '@moorage/core';
import type { Endpoint } from './endpoint.ts';

/** RFC 7252, 4.8 */
const ACK_TIMEOUT_MS = 2000;
const ACK_RANDOM_FACTOR = 1.5;
const MAX_RETRANSMIT = 4;

/** `lost`: no acknowledgement after the last repetition. */
export type Delivery = 'acknowledged' | 'reset' | 'lost';

interface Transmission {
  readonly endpoint: Endpoint;
  readonly bytes: Uint8Array;
  readonly done: (delivery: Delivery) => void;
  repetitions: number;
  waitMs: number;
  cancel: () => void;
}

export interface TransmissionOptions {
  readonly send: (bytes: Uint8Array, endpoint: Endpoint) => void;
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly random: () => number;
  /** Confirmable messages at once; one more is lost right away. */
  readonly maximum: number;
}

/** Confirmable messages, repeated until they are acknowledged. RFC 7252, 4.2 */
export class Transmissions {
  readonly #options: TransmissionOptions;
  readonly #underWay = new Map<string, Transmission>();

  constructor(options: TransmissionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#underWay.size;
  }

  /** `done` is told once, never during the call, and not at all after `clear`. */
  send(endpoint: Endpoint, messageId: number, bytes: Uint8Array, done: (delivery: Delivery) => void): void {
    const key = `${endpoint.key}|${messageId}`;
    if (this.#underWay.size >= this.#options.maximum || this.#underWay.has(key)) {
      this.#options.scheduler.after(0, () => done('lost'));
      return;
    }
    const waitMs = ACK_TIMEOUT_MS * (1 + (ACK_RANDOM_FACTOR - 1) * this.#options.random());
    const transmission: Transmission = { endpoint, bytes, done, repetitions: 0, waitMs, cancel: () => undefined };
    this.#underWay.set(key, transmission);
    this.#options.send(bytes, endpoint);
    this.#wait(key, transmission);
  }

  /** An Acknowledgement or a Reset has come; false: for none of these. */
  end(endpoint: Endpoint, messageId: number, delivery: 'acknowledged' | 'reset'): boolean {
    const key = `${endpoint.key}|${messageId}`;
    const transmission = this.#underWay.get(key);
    if (transmission === undefined) return false;
    this.#underWay.delete(key);
    transmission.cancel();
    transmission.done(delivery);
    return true;
  }

  clear(): void {
    for (const { cancel } of this.#underWay.values()) cancel();
    this.#underWay.clear();
  }

  #wait(key: string, transmission: Transmission): void {
    transmission.cancel = this.#options.scheduler.after(transmission.waitMs, () => {
      if (transmission.repetitions === MAX_RETRANSMIT) {
        this.#underWay.delete(key);
        transmission.done('lost');
        return;
      }
      transmission.repetitions++;
      transmission.waitMs *= 2;
      this.#options.send(transmission.bytes, transmission.endpoint);
      this.#wait(key, transmission);
    });
  }
}

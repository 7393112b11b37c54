import type { Scheduler } from '@moorage/core';
import { type CoapMessage, codeNumber, emptyMessage } from '../message/coap-message.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import type { Outlet, Response } from '../transport/outlet.ts';
import type { RememberedMessages } from '../transport/remembered-messages.ts';
import type { Delivery } from '../transport/transmissions.ts';

/** An answer that is ready within this time travels with the acknowledgement. thingsboard-device.md, 10 */
const PIGGYBACK_MS = 500;
const UNAUTHORIZED = codeNumber('4.01');

export interface ExchangeParts {
  readonly outlet: Outlet;
  readonly remembered: RememberedMessages;
  readonly scheduler: Pick<Scheduler, 'after'>;
}

/** One request until it is answered. RFC 7252, 5.2 */
export class Exchange {
  readonly message: CoapMessage;
  readonly endpoint: Endpoint;
  readonly #parts: ExchangeParts;
  readonly #token: Uint8Array;
  readonly #whenGone = new Set<() => void>();
  readonly #cancelAcknowledgement: () => void;
  #acknowledged = false;
  #state: 'waiting' | 'answered' | 'gone' = 'waiting';

  constructor(message: CoapMessage, endpoint: Endpoint, parts: ExchangeParts) {
    this.message = message;
    this.endpoint = endpoint;
    this.#parts = parts;
    // The datagram may be given back while the request is under way.
    this.#token = message.token.slice();
    this.#cancelAcknowledgement =
      message.type === 'confirmable' ? parts.scheduler.after(PIGGYBACK_MS, () => this.#acknowledge()) : () => undefined;
  }

  get isConfirmable(): boolean {
    return this.message.type === 'confirmable';
  }

  get token(): Uint8Array {
    return this.#token;
  }

  get isOver(): boolean {
    return this.#state !== 'waiting';
  }

  /** `done` is told how a separate, confirmable response ended, and nothing for one that travels otherwise. */
  answer(response: Response, done: (delivery: Delivery) => void = () => undefined): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'answered';
    this.#whenGone.clear();
    this.#cancelAcknowledgement();
    const { outlet, remembered } = this.#parts;
    if (this.isConfirmable && !this.#acknowledged) {
      const { messageId } = this.message;
      const bytes = outlet.send({ type: 'acknowledgement', messageId, token: this.#token, ...response }, this.endpoint);
      remembered.answered(this.endpoint.key, messageId, bytes);
      // Whoever is not known gets one datagram for one: no repetitions that a forged address would have to bear.
    } else if (this.isConfirmable && response.code !== UNAUTHORIZED) {
      outlet.confirm(response, this.#token, this.endpoint, done);
    } else {
      outlet.tell(response, this.#token, this.endpoint);
    }
  }

  /** Nobody waits for the answer any more. */
  leave(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'gone';
    this.#cancelAcknowledgement();
    for (const task of this.#whenGone) task();
    this.#whenGone.clear();
  }

  onGone(task: () => void): void {
    if (this.#state === 'waiting') this.#whenGone.add(task);
    else if (this.#state === 'gone') task();
  }

  #acknowledge(): void {
    this.#acknowledged = true;
    const { messageId } = this.message;
    const bytes = this.#parts.outlet.send(emptyMessage('acknowledgement', messageId), this.endpoint);
    this.#parts.remembered.answered(this.endpoint.key, messageId, bytes);
  }
}

import { type CoapMessage, type CoapOption, emptyMessage } from '../message/coap-message.ts';
import { encodeMessage } from '../message/encode-message.ts';
import type { Endpoint } from './endpoint.ts';
import type { MessageIds } from './message-ids.ts';
import type { Delivery, Transmissions } from './transmissions.ts';

/** A response, or a notification, without what the message layer adds. */
export interface Response {
  readonly code: number;
  /** In ascending order. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

/** What the server sends. */
export class Outlet {
  readonly #write: (bytes: Uint8Array, endpoint: Endpoint) => void;
  readonly #ids: MessageIds;
  readonly #transmissions: Transmissions;

  constructor(write: (bytes: Uint8Array, endpoint: Endpoint) => void, ids: MessageIds, transmissions: Transmissions) {
    this.#write = write;
    this.#ids = ids;
    this.#transmissions = transmissions;
  }

  /** Sends once and gives the datagram. */
  send(message: CoapMessage, endpoint: Endpoint): Uint8Array {
    const bytes = encodeMessage(message);
    this.#write(bytes, endpoint);
    return bytes;
  }

  repeat(bytes: Uint8Array, endpoint: Endpoint): void {
    this.#write(bytes, endpoint);
  }

  /** RFC 7252, 4.2 and 4.3 */
  reject(messageId: number, endpoint: Endpoint): void {
    this.send(emptyMessage('reset', messageId), endpoint);
  }

  /** A message of its own, repeated until `done` tells how it ended. */
  confirm(response: Response, token: Uint8Array, endpoint: Endpoint, done: (delivery: Delivery) => void): void {
    const messageId = this.#ids.next(endpoint.key);
    const bytes = encodeMessage({ type: 'confirmable', messageId, token, ...response });
    this.#transmissions.send(endpoint, messageId, bytes, done);
  }

  /** A message of its own that nobody acknowledges. Gives its Message ID. */
  tell(response: Response, token: Uint8Array, endpoint: Endpoint): number {
    const messageId = this.#ids.next(endpoint.key);
    this.send({ type: 'nonConfirmable', messageId, token, ...response }, endpoint);
    return messageId;
  }
}

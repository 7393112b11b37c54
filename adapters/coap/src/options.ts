import type { Clock, Scheduler } from '@moorage/core';
import type { DeviceCoapRoute, DeviceDesk } from '@moorage/dialect-api';

/** What is counted, for a metric each. */
export type CoapEvent =
  | 'coap.request'
  /** Not CoAP, or a broken message. */
  | 'coap.datagram.invalid'
  /** Over the rate of its address. */
  | 'coap.datagram.throttled'
  | 'coap.datagram.duplicate'
  /** Too many requests were under way. */
  | 'coap.request.refused'
  /** A block-wise body that was too long, out of order, left unfinished, or more than could be held. */
  | 'coap.body.dropped'
  | 'coap.observation.opened'
  | 'coap.observation.refused'
  /** Its client acknowledged no longer. */
  | 'coap.observation.lost'
  /** The operating system refused a datagram. */
  | 'coap.send.failed'
  /** A route or the server threw. */
  | 'coap.fault';

/** What the server may hold and take; every one has a default. */
export interface CoapLimits {
  /** Datagrams of one address a second; what comes above is dropped and repeated by its sender. */
  readonly datagramsPerSecond: number;
  /** Datagrams of one address that may come at once. */
  readonly datagramsAtOnce: number;
  readonly requestsUnderWay: number;
  readonly observations: number;
  /** Of one address and port. */
  readonly observationsPerEndpoint: number;
  /** Bodies that arrive block by block. */
  readonly bodies: number;
  readonly bodiesPerEndpoint: number;
  /** Answers that are fetched block by block. */
  readonly transfers: number;
  readonly transfersPerEndpoint: number;
  /** Messages that are remembered to know their repetition, and the bytes of their answers. */
  readonly rememberedMessages: number;
  readonly rememberedBytes: number;
  /** Confirmable messages that await their acknowledgement. */
  readonly unacknowledged: number;
}

export const DEFAULT_COAP_LIMITS: CoapLimits = {
  datagramsPerSecond: 500,
  datagramsAtOnce: 2000,
  requestsUnderWay: 2000,
  observations: 20_000,
  observationsPerEndpoint: 16,
  bodies: 256,
  bodiesPerEndpoint: 4,
  transfers: 512,
  transfersPerEndpoint: 4,
  rememberedMessages: 20_000,
  rememberedBytes: 16_777_216,
  unacknowledged: 20_000,
};

export interface CoapServerOptions {
  /** An address of IPv4 or IPv6; `::` takes both. */
  readonly host: string;
  /** 0 picks a free one; the registered one is 5683. */
  readonly port: number;
  readonly routes: readonly DeviceCoapRoute[];
  readonly desk: DeviceDesk;
  readonly clock: Clock;
  readonly scheduler: Pick<Scheduler, 'after' | 'every'>;
  readonly limits?: Partial<CoapLimits>;
  readonly observer?: { count(event: CoapEvent, amount: number): void };
  /** Never told a path: there are credentials in it. */
  readonly log?: { error(fields: object, message: string): void };
  /** From 0 to below 1, for the spread of repetitions; default `Math.random`. */
  readonly random?: () => number;
}

/** CoAP over UDP for devices. */
export interface CoapServer {
  /** Resolves with the port in use; rejects with the error of the operating system. Once. */
  start(): Promise<number>;
  /** Tells the observers, forgets everything and frees the port. */
  close(): Promise<void>;
}

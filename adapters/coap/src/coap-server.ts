import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { Bodies } from './blocks/bodies.ts';
import { Transfers } from './blocks/transfers.ts';
import { type CoapMessage, codeClass, EMPTY_CODE } from './message/coap-message.ts';
import { decodeMessage } from './message/decode-message.ts';
import { Observers } from './observe/observers.ts';
import {
  type CoapEvent,
  type CoapLimits,
  type CoapServer,
  type CoapServerOptions,
  DEFAULT_COAP_LIMITS,
} from './options.ts';
import { Exchange } from './requests/exchange.ts';
import { RequestHandler } from './requests/request-handler.ts';
import { plainResponse } from './requests/responses.ts';
import { RouteTable } from './requests/route-table.ts';
import { AddressRates } from './transport/address-rates.ts';
import { type Endpoint, endpointOf } from './transport/endpoint.ts';
import { MessageIds } from './transport/message-ids.ts';
import { Outlet } from './transport/outlet.ts';
import { RememberedMessages } from './transport/remembered-messages.ts';
import { Transmissions } from './transport/transmissions.ts';

const SWEEP_MS = 5000;
const REQUEST_CLASS = 0;

/** Makes a CoAP server (RFC 7252, 7641, 7959) for the routes that dialects declare. */
export function createCoapServer(options: CoapServerOptions): CoapServer {
  return new UdpCoapServer(options);
}

/** The message layer: what a datagram is and who it is for. RFC 7252, 4 */
class UdpCoapServer implements CoapServer {
  readonly #options: CoapServerOptions;
  readonly #limits: CoapLimits;
  readonly #rates: AddressRates;
  readonly #remembered: RememberedMessages;
  readonly #transmissions: Transmissions;
  readonly #outlet: Outlet;
  readonly #bodies: Bodies;
  readonly #transfers: Transfers;
  readonly #observers: Observers;
  readonly #handler: RequestHandler;
  /** By endpoint and Message ID. */
  readonly #underWay = new Map<string, Exchange>();
  #socket: Socket | null = null;
  #stopSweep: () => void = () => undefined;

  constructor(options: CoapServerOptions) {
    this.#options = options;
    const limits = { ...DEFAULT_COAP_LIMITS, ...options.limits };
    const { clock, scheduler, desk, random = Math.random } = options;
    const count = (event: CoapEvent): void => this.#count(event);
    const failed = (error: unknown, route: string): void => this.#fault(error, route);
    const send = (bytes: Uint8Array, endpoint: Endpoint): void => this.#write(bytes, endpoint);
    this.#limits = limits;
    this.#rates = new AddressRates(clock, limits.datagramsPerSecond, limits.datagramsAtOnce);
    this.#remembered = new RememberedMessages(clock, limits.rememberedMessages, limits.rememberedBytes);
    this.#transmissions = new Transmissions({ send, scheduler, random, maximum: limits.unacknowledged });
    this.#outlet = new Outlet(send, new MessageIds(random), this.#transmissions);
    this.#bodies = new Bodies({
      clock,
      maximum: limits.bodies,
      maximumPerEndpoint: limits.bodiesPerEndpoint,
      dropped: () => count('coap.body.dropped'),
    });
    this.#transfers = new Transfers({
      clock,
      maximum: limits.transfers,
      maximumPerEndpoint: limits.transfersPerEndpoint,
    });
    this.#observers = new Observers({
      desk,
      clock,
      outlet: this.#outlet,
      transfers: this.#transfers,
      maximum: limits.observations,
      maximumPerEndpoint: limits.observationsPerEndpoint,
      count,
      failed,
    });
    this.#handler = new RequestHandler({
      routes: new RouteTable(options.routes),
      desk,
      bodies: this.#bodies,
      transfers: this.#transfers,
      observers: this.#observers,
      count,
      failed,
    });
  }

  start(): Promise<number> {
    const { host, port, scheduler } = this.#options;
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        socket.on('error', (error) => this.#fault(error, 'socket'));
        socket.on('message', (bytes, { address, port: from }) => this.#receive(bytes, endpointOf(address, from)));
        this.#socket = socket;
        this.#stopSweep = scheduler.every(SWEEP_MS, () => this.#sweep());
        resolve(socket.address().port);
      });
    });
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    this.#stopSweep();
    socket.removeAllListeners('message');
    this.#observers.close();
    for (const exchange of [...this.#underWay.values()]) exchange.leave();
    this.#underWay.clear();
    this.#transmissions.clear();
    this.#bodies.clear();
    this.#transfers.clear();
    this.#remembered.clear();
    // What was told to the observers leaves in the order in which it was given to the socket.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#socket = null;
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #receive(bytes: Uint8Array, endpoint: Endpoint): void {
    // Nothing can be answered to port 0.
    if (endpoint.port === 0) return;
    if (!this.#rates.take(endpoint.address)) {
      this.#count('coap.datagram.throttled');
      return;
    }
    try {
      this.#dispatch(bytes, endpoint);
    } catch (error) {
      this.#fault(error, 'message');
    }
  }

  #dispatch(bytes: Uint8Array, endpoint: Endpoint): void {
    const message = decodeMessage(bytes);
    if (message === undefined) {
      this.#count('coap.datagram.invalid');
      return;
    }
    const { type, messageId } = message;
    if ('formatError' in message) {
      this.#count('coap.datagram.invalid');
      // RFC 7252, 4.2 and 4.3: the rejection of what needs no answer is to ignore it.
      if (type === 'confirmable') this.#outlet.reject(messageId, endpoint);
    } else if (type === 'acknowledgement' || type === 'reset') {
      this.#ended(endpoint, messageId, type);
    } else if (message.code !== EMPTY_CODE && codeClass(message.code) === REQUEST_CLASS) {
      this.#request(message, endpoint, bytes);
    } else if (type === 'confirmable') {
      // An Empty message (a ping), or a response to nothing that was asked. RFC 7252, 4.3 and 5.3.2
      this.#outlet.reject(messageId, endpoint);
    }
  }

  #ended(endpoint: Endpoint, messageId: number, type: 'acknowledgement' | 'reset'): void {
    const delivery = type === 'reset' ? 'reset' : 'acknowledged';
    if (this.#transmissions.end(endpoint, messageId, delivery) || type !== 'reset') return;
    this.#underWay.get(`${endpoint.key}|${messageId}`)?.leave();
    this.#observers.rejected(endpoint, messageId);
  }

  #request(message: CoapMessage, endpoint: Endpoint, datagram: Uint8Array): void {
    const known = this.#remembered.findOrAdd(endpoint.key, message.messageId, datagram);
    if (known !== undefined) {
      this.#count('coap.datagram.duplicate');
      if (known.answer !== null) this.#outlet.repeat(known.answer, endpoint);
      return;
    }
    this.#count('coap.request');
    const { scheduler } = this.#options;
    const exchange = new Exchange(message, endpoint, {
      outlet: this.#outlet,
      remembered: this.#remembered,
      scheduler,
    });
    if (this.#underWay.size >= this.#limits.requestsUnderWay) {
      this.#count('coap.request.refused');
      exchange.answer(plainResponse('5.03'));
      return;
    }
    const key = `${endpoint.key}|${message.messageId}`;
    this.#underWay.set(key, exchange);
    this.#handler
      .handle(exchange)
      .catch((error: unknown) => this.#fault(error, 'request'))
      .finally(() => {
        if (this.#underWay.get(key) === exchange) this.#underWay.delete(key);
      });
  }

  #sweep(): void {
    this.#remembered.sweep();
    this.#bodies.sweep();
    this.#transfers.sweep();
  }

  #write(bytes: Uint8Array, { rawAddress, port }: Endpoint): void {
    this.#socket?.send(bytes, port, rawAddress, (error) => {
      if (error !== null) this.#count('coap.send.failed');
    });
  }

  #count(event: CoapEvent): void {
    this.#options.observer?.count(event, 1);
  }

  #fault(error: unknown, route: string): void {
    this.#count('coap.fault');
    this.#options.log?.error({ err: error, route }, 'CoAP: a request of a device failed');
  }
}

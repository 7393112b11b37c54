import type { DeviceCoapAnswer, DeviceDesk, DeviceRequest } from '@moorage/dialect-api';
import type { Bodies } from '../blocks/bodies.ts';
import type { Transfers } from '../blocks/transfers.ts';
import type { CoapOption } from '../message/coap-message.ts';
import { OptionNumber } from '../message/option-numbers.ts';
import { type Block, writeBlock } from '../message/option-values.ts';
import type { Observers } from '../observe/observers.ts';
import type { CoapEvent } from '../options.ts';
import type { Response } from '../transport/outlet.ts';
import type { Exchange } from './exchange.ts';
import { type CoapRequest, parseRequest } from './parse-request.ts';
import { blockOf, dropAnswer, plainResponse, responseOf, uintOption, type Wanted } from './responses.ts';
import type { FoundRoute, RouteTable } from './route-table.ts';

/** RFC 7641, 2 */
const REGISTER = 0;
const CANCEL = 1;

export interface RequestHandlerParts {
  readonly routes: RouteTable;
  readonly desk: DeviceDesk;
  readonly bodies: Bodies;
  readonly transfers: Transfers;
  readonly observers: Observers;
  readonly count: (event: CoapEvent) => void;
  readonly failed: (error: unknown, path: string) => void;
}

/** A request with its route and its whole body. */
export interface Complete {
  readonly exchange: Exchange;
  readonly request: CoapRequest;
  readonly found: FoundRoute;
  readonly deviceRequest: DeviceRequest;
  readonly wanted: Wanted;
}

/** From a request to its answer: path, blocks of the body, observation, route, blocks of the answer. */
export class RequestHandler {
  readonly #parts: RequestHandlerParts;

  constructor(parts: RequestHandlerParts) {
    this.#parts = parts;
  }

  /** Answers the exchange in any case, unless its client leaves; never rejects. */
  async handle(exchange: Exchange): Promise<void> {
    const request = parseRequest(exchange.message);
    if (typeof request === 'string') {
      exchange.answer(plainResponse(request));
      return;
    }
    const found = this.#parts.routes.find(request.method ?? '', request.levels);
    if (typeof found === 'string') {
      exchange.answer(plainResponse(found === 'notFound' ? '4.04' : '4.05'));
      return;
    }
    try {
      await this.#serve(exchange, request, found);
    } catch (error) {
      this.#parts.failed(error, found.route.path);
      exchange.answer(plainResponse('5.00'));
    }
  }

  async #serve(exchange: Exchange, request: CoapRequest, found: FoundRoute): Promise<void> {
    const { transfers, observers } = this.#parts;
    const transferKey = `${exchange.endpoint.key}|${request.resourceKey}`;
    const wanted: Wanted = { endpointKey: exchange.endpoint.key, transferKey, block2: request.block2, more: [] };
    if ((request.block2?.number ?? 0) > 0 && (request.block1?.number ?? 0) === 0) {
      const transfer = transfers.find(transferKey);
      if (transfer !== undefined) {
        exchange.answer(await blockOf(transfer, wanted, transfers));
        return;
      }
      // To ask again is harmless for GET alone. RFC 7959, 2.9.2
      if (request.method !== 'GET') {
        exchange.answer(plainResponse('4.08'));
        return;
      }
    }
    const body = this.#bodyOf(exchange, request, found, transferKey);
    if (!(body instanceof Uint8Array)) {
      exchange.answer(body);
      return;
    }
    const complete: Complete = {
      exchange,
      request,
      found,
      deviceRequest: deviceRequestOf(exchange, request, found, body),
      wanted: { ...wanted, more: request.block1 === null ? [] : [block1Option(request.block1)] },
    };
    if (request.method === 'GET' && request.observe === REGISTER && found.route.observe !== undefined) {
      await observers.open(complete, found.route.observe.bind(found.route));
    } else if (request.method === 'GET' && request.observe === CANCEL && found.route.cancelled !== undefined) {
      observers.cancel(exchange, found.route.path);
      await this.#answer(complete, found.route.cancelled);
    } else {
      await this.#answer(complete, await found.route.handle(complete.deviceRequest, this.#parts.desk));
    }
  }

  async #answer({ exchange, wanted }: Complete, answer: DeviceCoapAnswer): Promise<void> {
    if (exchange.isOver) dropAnswer(answer);
    else exchange.answer(await responseOf(answer, wanted, this.#parts.transfers));
  }

  /** The whole body, or the answer to the block of it that has come. RFC 7959, 2.9 */
  #bodyOf(exchange: Exchange, request: CoapRequest, found: FoundRoute, key: string): Uint8Array | Response {
    const { payload } = exchange.message;
    const { bodyLimit } = found.route;
    const { block1 } = request;
    const tooLarge = plainResponse('4.13', [uintOption(OptionNumber.size1, bodyLimit)]);
    if (announcedSize(exchange) > bodyLimit || payload.length > bodyLimit) return this.#dropped(tooLarge);
    if (block1 === null) return payload;
    const progress = this.#parts.bodies.add(exchange.endpoint.key, key, block1, payload, bodyLimit);
    switch (progress) {
      case 'continue':
        return plainResponse('2.31', [block1Option(block1)]);
      case 'incomplete':
        return this.#dropped(plainResponse('4.08'));
      case 'malformed':
        return this.#dropped(plainResponse('4.00'));
      case 'tooLarge':
        return this.#dropped(tooLarge);
      default:
        return progress;
    }
  }

  #dropped(response: Response): Response {
    this.#parts.count('coap.body.dropped');
    return response;
  }
}

function deviceRequestOf(exchange: Exchange, request: CoapRequest, found: FoundRoute, body: Uint8Array): DeviceRequest {
  return {
    parameters: found.parameters,
    query: request.query,
    body,
    remoteAddress: exchange.endpoint.address,
    onGone: (task) => exchange.onGone(task),
  };
}

/** Size1: what the client says the whole body will have. RFC 7959, 4 */
function announcedSize({ message }: Exchange): number {
  const size1 = message.options.find(({ number }) => number === OptionNumber.size1);
  if (size1 === undefined || size1.value.length > 4) return 0;
  return size1.value.reduce((size, byte) => size * 256 + byte, 0);
}

function block1Option(block: Block): CoapOption {
  return { number: OptionNumber.block1, value: writeBlock(block) };
}

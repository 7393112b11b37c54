import type { Clock } from '@moorage/core';
import type { DeviceCoapAnswer, DeviceCoapRoute, DeviceDesk } from '@moorage/dialect-api';
import type { Transfers } from '../blocks/transfers.ts';
import { OptionNumber } from '../message/option-numbers.ts';
import type { CoapEvent } from '../options.ts';
import type { Exchange } from '../requests/exchange.ts';
import type { Complete } from '../requests/request-handler.ts';
import { dropAnswer, plainResponse, responseOf, uintOption } from '../requests/responses.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import type { Outlet, Response } from '../transport/outlet.ts';
import { Observation } from './observation.ts';
import { Observations } from './observations.ts';

/** The number of a notification has 24 bits. RFC 7641, 3.4 */
const SEQUENCE_MASK = 0xffffff;
const STOPPED: DeviceCoapAnswer = { code: '5.03', contentFormat: null, body: null };

type Observe = NonNullable<DeviceCoapRoute['observe']>;

export interface ObserversParts {
  readonly desk: DeviceDesk;
  readonly clock: Clock;
  readonly outlet: Outlet;
  readonly transfers: Transfers;
  readonly maximum: number;
  readonly maximumPerEndpoint: number;
  readonly count: (event: CoapEvent) => void;
  readonly failed: (error: unknown, path: string) => void;
}

/** Opens, cancels and ends observations. RFC 7641 */
export class Observers {
  readonly #parts: ObserversParts;
  readonly #observations: Observations;
  /** One count for all, so that it only grows, also when a client registers again with the same Token. */
  #sequence = 0;

  constructor(parts: ObserversParts) {
    this.#parts = parts;
    this.#observations = new Observations(parts.maximum, parts.maximumPerEndpoint);
  }

  get size(): number {
    return this.#observations.size;
  }

  async open(complete: Complete, observe: Observe): Promise<void> {
    const { exchange, deviceRequest, found } = complete;
    const { desk, transfers, count } = this.#parts;
    const { endpoint, token } = exchange;
    // The same Token again renews the observation. RFC 7641, 4.1
    this.#observations.find(endpoint.key, token)?.close('cancelled');
    if (this.#observations.isFull(endpoint.key)) {
      count('coap.observation.refused');
      exchange.answer(plainResponse('5.03'));
      return;
    }
    const observation = this.#observation(complete);
    this.#observations.add(endpoint.key, token, found.route.path, observation);
    exchange.onGone(() => observation.close('cancelled'));
    try {
      const result = await observe(deviceRequest, desk, observation.notify, observation.end);
      if (!('first' in result)) {
        observation.close('ended');
        exchange.answer(await responseOf(result, complete.wanted, transfers));
        return;
      }
      observation.accepted(result);
      if (observation.isOver) {
        dropAnswer(result.first);
        exchange.answer(await responseOf(observation.lastAnswer ?? STOPPED, complete.wanted, transfers));
        return;
      }
      const more = [...complete.wanted.more, this.#nextSequence()];
      const response = await responseOf(result.first, { ...complete.wanted, more }, transfers);
      count('coap.observation.opened');
      exchange.answer(response, (delivery) => {
        if (delivery === 'lost') observation.close('lost');
        if (delivery === 'reset') observation.close('cancelled');
      });
      observation.opened();
    } catch (error) {
      observation.close('ended');
      throw error;
    }
  }

  /** By Token, as the standard says; else whatever this endpoint observes on the path. */
  cancel({ endpoint, token }: Exchange, path: string): void {
    const own = this.#observations.find(endpoint.key, token);
    const cancelled = own === undefined ? this.#observations.ofPath(endpoint.key, path) : [own];
    for (const observation of cancelled) observation.close('cancelled');
  }

  /** A Reset that belongs to no confirmable message. RFC 7641, 3.6 */
  rejected(endpoint: Endpoint, messageId: number): void {
    this.#observations.rejectedBy(endpoint.key, messageId)?.close('cancelled');
  }

  /** Tells every observer once that the server goes. */
  close(): void {
    for (const observation of this.#observations.all()) {
      const { endpoint, token } = observation;
      observation.close('ended');
      this.#parts.outlet.tell(plainResponse(STOPPED.code), token, endpoint);
    }
  }

  #observation({ exchange, found, wanted }: Complete): Observation {
    const { clock, outlet, transfers, count, failed } = this.#parts;
    const { endpoint, token, isConfirmable } = exchange;
    const block2 = wanted.block2 === null ? null : { ...wanted.block2, number: 0 };
    const observation: Observation = new Observation({
      endpoint,
      token,
      isConfirmable,
      clock,
      outlet,
      prepare: (answer, isLast): Promise<Response> =>
        responseOf(answer, { ...wanted, block2, more: isLast ? [] : [this.#nextSequence()] }, transfers),
      over: (why) => {
        this.#observations.remove(endpoint.key, token, observation);
        if (why === 'lost') count('coap.observation.lost');
      },
      failed: (error) => failed(error, found.route.path),
    });
    return observation;
  }

  #nextSequence() {
    this.#sequence = (this.#sequence + 1) & SEQUENCE_MASK;
    return uintOption(OptionNumber.observe, this.#sequence);
  }
}

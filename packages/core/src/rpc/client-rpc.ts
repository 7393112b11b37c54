import type { ClientRpc, SessionLimits } from '../device-platform.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { Clock, Scheduler } from '../ports/runtime.ts';
import { failureText } from './rpc-response.ts';
import { sessionLimitsText } from './session-limits.ts';

/** A device's call of a method of the server. */
export interface ClientRpcCall {
  readonly device: DeviceRef;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly limits: SessionLimits;
}

/** Answers with JSON text; one that throws or rejects is reported, and the device is told that it failed. */
export type ClientRpcHandler = (call: ClientRpcCall) => string | Promise<string>;

export interface ClientRpcOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly fault: (error: unknown) => void;
  /** Time of a handler. Default 60,000. thingsboard-device.md, section 11 */
  readonly timeoutMs?: number;
  /** Calls whose handlers have not answered yet; further ones fail at once. Default 10,000. */
  readonly maxWaiting?: number;
}

/**
 * The methods that devices may call. thingsboard-device.md, 4.4
 *
 * Built in are `getSessionLimits` and, since the examples of the device libraries ask for it, `getTime` and
 * `getCurrentTime`: the server's time in epoch milliseconds, as a bare number.
 */
export class ClientRpcMethods implements ClientRpc {
  readonly #options: ClientRpcOptions;
  /** Of the outside; they beat those that are built in. */
  readonly #handlers = new Map<string, ClientRpcHandler>();
  readonly #builtIn = new Map<string, (limits: SessionLimits) => string>();
  #waiting = 0;

  constructor(options: ClientRpcOptions) {
    this.#options = options;
    const time = (): string => String(options.clock.now());
    this.#builtIn.set('getTime', time).set('getCurrentTime', time).set('getSessionLimits', sessionLimitsText);
  }

  /** Sets the handler of a method, in place of an earlier or built-in one. Returns the function that removes it. */
  handle(method: string, handler: ClientRpcHandler): () => void {
    this.#handlers.set(method, handler);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  call(device: DeviceRef, method: string, params: string, limits: SessionLimits): Promise<string> {
    const handler = this.#handlers.get(method);
    if (handler === undefined) {
      const builtIn = this.#builtIn.get(method);
      return Promise.resolve(builtIn?.(limits) ?? failureText('No handler for this method'));
    }
    if (this.#waiting >= (this.#options.maxWaiting ?? 10_000)) {
      return Promise.resolve(failureText('Too many calls are waiting for an answer'));
    }
    let answer: string | Promise<string>;
    try {
      answer = handler({ device, method, params, limits });
    } catch (error) {
      return Promise.resolve(this.#failed(error));
    }
    return typeof answer === 'string' ? Promise.resolve(answer) : this.#inTime(answer);
  }

  #inTime(answer: Promise<string>): Promise<string> {
    const { scheduler, timeoutMs = 60_000 } = this.#options;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#waiting += 1;
    const cancel = scheduler.after(timeoutMs, () => end(failureText('timeout')));
    let ended = false;
    const end = (text: string): void => {
      if (ended) return;
      ended = true;
      this.#waiting -= 1;
      cancel();
      resolve(text);
    };
    answer.then(end, (error: unknown) => end(this.#failed(error)));
    return promise;
  }

  #failed(error: unknown): string {
    this.#options.fault(error);
    return failureText('The method failed');
  }
}

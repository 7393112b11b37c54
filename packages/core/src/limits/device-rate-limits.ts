import type { EntityId } from '../model/entities.ts';
import type { Clock } from '../ports/runtime.ts';
import { formatRateLimit, type RateLimit } from './rate-limit-text.ts';

/** Limits of one kind of device. thingsboard-device.md, section 11 */
export interface DeviceRateSettings {
  /** Messages without values: subscribe, RPC, claim, connect, empty telemetry. */
  readonly messages: RateLimit;
  /** Messages of telemetry or attributes with values, and those values. */
  readonly telemetryMessages: RateLimit;
  readonly telemetryDataPoints: RateLimit;
}

/** What a device has used, opaque to its keeper: the time of the last message, then what fills each bucket. */
export type DeviceRateState = number[];

/** A window as a bucket that leaks. */
interface Bucket {
  /** In the state of a device. */
  readonly index: number;
  readonly count: number;
  readonly leakPerMs: number;
}

/** What rounding may cost; too little for one more. */
const TOLERANCE = 1e-6;

/**
 * Rate limits of devices of one kind: devices, gateways, or devices behind a gateway.
 *
 * Each window is a bucket that holds `count` and leaks evenly, as the original's: a burst of `count` is allowed, then one
 * more every `seconds / count`. All windows apply together, and a message that is refused uses nothing. A device costs a
 * number for each window and one more, from its first message on.
 */
export class DeviceRateLimits {
  /** False: nothing is limited, and `take` need not be called. */
  readonly active: boolean;
  /** The limits as text, for `getSessionLimits`. */
  readonly texts: {
    readonly messages: string;
    readonly telemetryMessages: string;
    readonly telemetryDataPoints: string;
  };
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #messages: readonly Bucket[];
  readonly #telemetryMessages: readonly Bucket[];
  readonly #telemetryDataPoints: readonly Bucket[];
  readonly #all: readonly Bucket[];
  readonly #states = new Map<EntityId, DeviceRateState>();

  constructor(settings: DeviceRateSettings, clock: Pick<Clock, 'monotonic'>) {
    const { messages, telemetryMessages, telemetryDataPoints } = settings;
    this.#clock = clock;
    this.#messages = bucketsOf(messages, 1);
    this.#telemetryMessages = bucketsOf(telemetryMessages, 1 + messages.length);
    this.#telemetryDataPoints = bucketsOf(telemetryDataPoints, 1 + messages.length + telemetryMessages.length);
    this.#all = [...this.#messages, ...this.#telemetryMessages, ...this.#telemetryDataPoints];
    this.active = this.#all.length > 0;
    this.texts = {
      messages: formatRateLimit(messages),
      telemetryMessages: formatRateLimit(telemetryMessages),
      telemetryDataPoints: formatRateLimit(telemetryDataPoints),
    };
  }

  /**
   * What the device has used so far, over all its connections. The same object until `removed`, so that a connection may
   * keep it; null: nothing is limited.
   */
  of(deviceId: EntityId): DeviceRateState | null {
    if (!this.active) return null;
    let state = this.#states.get(deviceId);
    if (state === undefined) {
      state = new Array<number>(1 + this.#all.length).fill(0);
      this.#states.set(deviceId, state);
    }
    return state;
  }

  /** The device was deleted. */
  removed(deviceId: EntityId): void {
    this.#states.delete(deviceId);
  }

  /**
   * Counts a message if it is within all limits; false: it is not, and nothing was counted. `telemetry` with values is 1
   * telemetry message and its data points, anything else 1 message. A message with more data points than a window allows
   * at all never passes. thingsboard-device.md, section 11
   */
  take(state: DeviceRateState, kind: 'message' | 'telemetry', points: number): boolean {
    this.#leak(state);
    if (kind === 'message' || points === 0) {
      if (!fits(state, this.#messages, 1)) return false;
      fill(state, this.#messages, 1);
      return true;
    }
    if (!fits(state, this.#telemetryMessages, 1) || !fits(state, this.#telemetryDataPoints, points)) return false;
    fill(state, this.#telemetryMessages, 1);
    fill(state, this.#telemetryDataPoints, points);
    return true;
  }

  #leak(state: DeviceRateState): void {
    const now = this.#clock.monotonic();
    const elapsedMs = now - (state[0] ?? 0);
    state[0] = now;
    if (elapsedMs <= 0) return;
    for (const { index, leakPerMs } of this.#all) {
      state[index] = Math.max((state[index] ?? 0) - elapsedMs * leakPerMs, 0);
    }
  }
}

function bucketsOf(limit: RateLimit, first: number): readonly Bucket[] {
  return limit.map(({ count, seconds }, index) => ({
    index: first + index,
    count,
    leakPerMs: count / (seconds * 1000),
  }));
}

function fits(state: DeviceRateState, buckets: readonly Bucket[], amount: number): boolean {
  for (const { index, count } of buckets) if ((state[index] ?? 0) + amount > count + TOLERANCE) return false;
  return true;
}

function fill(state: DeviceRateState, buckets: readonly Bucket[], amount: number): void {
  for (const { index } of buckets) state[index] = (state[index] ?? 0) + amount;
}

import type { AttributeScope, OwnerId } from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';
import type { MessageFault } from './flow-counters.ts';
import type { TelemetryObserver } from './observer.ts';

/** Hears what was stored and nothing else of a `TelemetryObserver`. */
export type StoredValuesObserver = Pick<
  TelemetryObserver,
  'telemetryStored' | 'attributesStored' | 'attributesRemoved'
>;

/**
 * One observer of the telemetry path in place of several: the first hears everything, the others what was stored. One
 * that throws is reported to the first and does not keep the others from hearing.
 */
export class ObserverFan implements TelemetryObserver {
  readonly #first: TelemetryObserver;
  readonly #others: readonly StoredValuesObserver[];

  constructor(first: TelemetryObserver, ...others: readonly StoredValuesObserver[]) {
    this.#first = first;
    this.#others = others;
  }

  telemetryStored(owner: OwnerId, points: PointList): void {
    try {
      this.#first.telemetryStored(owner, points);
    } catch (error) {
      this.#first.fault(error);
    }
    for (const other of this.#others) {
      try {
        other.telemetryStored(owner, points);
      } catch (error) {
        this.#first.fault(error);
      }
    }
  }

  attributesStored(owner: OwnerId, scope: AttributeScope, values: PointList): void {
    this.#tell((observer) => observer.attributesStored(owner, scope, values));
  }

  attributesRemoved(owner: OwnerId, scope: AttributeScope, keys: readonly string[]): void {
    this.#tell((observer) => observer.attributesRemoved(owner, scope, keys));
  }

  dropped(owner: OwnerId, reason: MessageFault, points: number): void {
    this.#first.dropped(owner, reason, points);
  }

  congestionChanged(congested: boolean): void {
    this.#first.congestionChanged(congested);
  }

  fault(error: unknown): void {
    this.#first.fault(error);
  }

  #tell(call: (observer: StoredValuesObserver) => void): void {
    for (const observer of [this.#first, ...this.#others]) {
      try {
        call(observer);
      } catch (error) {
        this.#first.fault(error);
      }
    }
  }
}

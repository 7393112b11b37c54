import type { EntityId } from '../model/entities.ts';
import type { Alarm, AlarmSeverity } from './alarm.ts';

/**
 * What happened to an alarm; `alarm` is as it is afterwards, of a deleted one as it was. `updated` is everything that
 * has no name of its own: details, times, the originator's customer.
 */
export type AlarmEvent =
  | {
      readonly kind: 'created' | 'acknowledged' | 'cleared' | 'assigned' | 'unassigned' | 'updated' | 'deleted';
      readonly alarm: Alarm;
      readonly at: number;
    }
  | {
      readonly kind: 'severityChanged';
      readonly alarm: Alarm;
      readonly formerSeverity: AlarmSeverity;
      readonly at: number;
    };

/** Hears of alarms after the change is durable, in the order of the changes of one originator; must return quickly. */
export interface AlarmListener {
  alarmChanged(event: AlarmEvent): void;
  /** All alarms of an originator are gone, without an event for each. */
  alarmsRemoved?(originatorId: EntityId): void;
}

/** Tells every listener; one that throws is reported and does not keep the others from hearing. */
export class AlarmListeners implements AlarmListener {
  readonly #listeners = new Set<AlarmListener>();
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Returns the function that removes the listener again. */
  add(listener: AlarmListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  alarmChanged(event: AlarmEvent): void {
    this.#tell((listener) => listener.alarmChanged(event));
  }

  alarmsRemoved(originatorId: EntityId): void {
    this.#tell((listener) => listener.alarmsRemoved?.(originatorId));
  }

  #tell(call: (listener: AlarmListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}

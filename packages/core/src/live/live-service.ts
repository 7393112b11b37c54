import type { Result } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller } from '../platform.ts';
import type { LiveAttributes, LiveEvent, LiveTelemetry } from './live-messages.ts';

/** What of a device somebody wants to hear. Whoever listens picks keys and scopes from the messages. */
export interface LiveInterest {
  readonly telemetry: boolean;
  readonly attributes: boolean;
  /** Connections, activity, alarms. */
  readonly events: boolean;
}

/** Why a watch ended without being closed: the device is gone, or the caller may not see it any longer. */
export type LiveEnd = 'deleted' | 'denied';

/**
 * Somebody who listens. Called from inside the write path, so every method returns quickly; what it throws is reported
 * and keeps nobody else from hearing.
 */
export interface LiveSubscriber {
  telemetry(message: LiveTelemetry): void;
  attributes(message: LiveAttributes): void;
  event(deviceId: EntityId, event: LiveEvent): void;
  /** The last call of this watch. */
  ended(deviceId: EntityId, reason: LiveEnd): void;
}

export interface LiveWatch {
  /** Nothing is heard after this. May be called again. */
  close(): void;
}

/** What happens to devices, as it happens. */
export interface LiveService {
  /**
   * Begins to tell of a device. The caller's rights are checked now and again at every message. Refused when the user or
   * the server has as many watches as allowed.
   */
  watch(caller: Caller, deviceId: EntityId, interest: LiveInterest, subscriber: LiveSubscriber): Result<LiveWatch>;
}

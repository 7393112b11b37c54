import type { AttributeChange, OwnerId } from '../ports/telemetry-store.ts';
import { type Scalar, ValueKind } from '../values/value.ts';

/** Server attributes kept for each device. thingsboard-device.md, 1.7 */
export const ACTIVITY_KEYS = [
  'active',
  'lastConnectTime',
  'lastDisconnectTime',
  'lastActivityTime',
  'inactivityAlarmTime',
] as const;
export type ActivityKey = (typeof ACTIVITY_KEYS)[number];

/** The user's override of the time after which a silent device counts as inactive, milliseconds. */
export const INACTIVITY_TIMEOUT_KEY = 'inactivityTimeout';

/** What is known of one device; `unsaved` names the attributes that the store has not got yet. */
export class ActivityState {
  readonly owner: OwnerId;
  active = false;
  /** Epoch milliseconds; 0: never. */
  lastConnectTime = 0;
  lastDisconnectTime = 0;
  lastActivityTime = 0;
  inactivityAlarmTime = 0;
  /** Monotonic time of the last sign of life, at most one report interval too late. */
  heardAt = Number.NEGATIVE_INFINITY;
  /** Something was heard since the last report. */
  heard = false;
  /** Milliseconds; null: the server's. */
  inactivityTimeoutMs: number | null = null;
  /** Listed for the next report. */
  listed = false;
  readonly unsaved = new Set<ActivityKey>();

  constructor(owner: OwnerId) {
    this.owner = owner;
  }

  /** The attributes to save, which count as saved from here on. */
  takeChanges(now: number): AttributeChange[] {
    const changes: AttributeChange[] = [];
    for (const key of this.unsaved) {
      const value = this[key];
      const kind = typeof value === 'boolean' ? ValueKind.Boolean : ValueKind.Long;
      changes.push({ owner: this.owner, scope: 'SERVER', key, attribute: { kind, value, lastUpdateTs: now } });
    }
    this.unsaved.clear();
    return changes;
  }
}

/** Reads a value of `inactivityTimeout`: a positive number of milliseconds, also as text; anything else is no override. */
export function parseInactivityTimeout(value: Scalar): number | null {
  const timeoutMs = typeof value === 'boolean' ? Number.NaN : Number(value);
  return Number.isFinite(timeoutMs) && timeoutMs > 0 ? timeoutMs : null;
}

import type { Clock, Scheduler } from '../ports/runtime.ts';
import type {
  Attribute,
  AttributeChange,
  AttributeScope,
  AttributeStore,
  OwnerId,
  WriteOutcome,
} from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';
import {
  ACTIVITY_KEYS,
  type ActivityKey,
  ActivityState,
  INACTIVITY_TIMEOUT_KEY,
  parseInactivityTimeout,
} from './activity-state.ts';

/** What a rule or an application may hear of a device's state. */
export type ActivityEvent = 'connected' | 'disconnected' | 'active' | 'inactive';

export interface DeviceActivityOptions {
  readonly attributes: AttributeStore;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Hears every change at once; the attributes follow within `reportIntervalMs`. `at` is epoch milliseconds. */
  readonly changed: (owner: OwnerId, event: ActivityEvent, at: number) => void;
  /** A report could not be written; it is tried again with the next one. */
  readonly fault: (error: unknown) => void;
  /** Silence after which a device is inactive unless its own attribute says otherwise. */
  readonly inactivityTimeoutMs?: number;
  readonly reportIntervalMs?: number;
  readonly checkIntervalMs?: number;
}

/** Attribute changes of one report that go to the store together. */
const CHANGES_PER_SAVE = 5000;

/**
 * Which devices are alive: `active` and the times beside it as server attributes. thingsboard-device.md, 1.7
 *
 * A disconnect does not make a device inactive, only silence does. Silence is measured with the monotonic clock, so a
 * jump of the wall clock declares nobody inactive.
 */
export class DeviceActivity {
  readonly #options: DeviceActivityOptions;
  readonly #states = new Map<OwnerId, ActivityState>();
  #unreported: ActivityState[] = [];
  #report: Promise<void> | null = null;
  #stopTimers: (() => void)[] = [];
  #closed = false;
  #restoring: Promise<void> = Promise.resolve();

  constructor(options: DeviceActivityOptions) {
    this.#options = options;
  }

  /** Begins to report (every 3 s) and to look for silent devices (every 60 s). */
  start(): void {
    const { scheduler, reportIntervalMs = 3000, checkIntervalMs = 60_000 } = this.#options;
    this.#stopTimers = [
      scheduler.every(reportIntervalMs, () => this.#reportInBackground()),
      scheduler.every(checkIntervalMs, () => this.#check()),
    ];
  }

  /** Stops the timers and writes what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stopTimers.splice(0)) stop();
    await this.#restoring;
    await this.#report;
    await this.#writeReport();
  }

  /**
   * Takes up the devices of an earlier run, one after the other; what was heard meanwhile stays, and one that is gone by
   * then is left alone. To be called once, after `start`.
   */
  restore(owners: Iterable<OwnerId>, exists: (owner: OwnerId) => boolean = () => true): Promise<void> {
    const restoring = this.#restore(owners, exists);
    this.#restoring = restoring.catch(() => undefined);
    return restoring;
  }

  async #restore(owners: Iterable<OwnerId>, exists: (owner: OwnerId) => boolean): Promise<void> {
    const keys = [...ACTIVITY_KEYS, INACTIVITY_TIMEOUT_KEY];
    for (const owner of owners) {
      if (this.#closed) return;
      const attributes = await this.#options.attributes.read(owner, 'SERVER', keys);
      if (attributes.length > 0 && exists(owner)) this.#adopt(owner, attributes);
    }
  }

  /** A new device: inactive until it is heard. */
  created(owner: OwnerId): void {
    this.#change(this.#stateOf(owner), 'active');
  }

  /** A deleted device: nothing more is written for it. To be called after its connections were closed. */
  removed(owner: OwnerId): void {
    this.#states.get(owner)?.unsaved.clear();
    this.#states.delete(owner);
  }

  /** A connection of the device opened, also in place of another one. Counts as a sign of life. */
  connected(owner: OwnerId): void {
    const state = this.#stateOf(owner);
    const now = this.#options.clock.now();
    state.lastConnectTime = now;
    this.#change(state, 'lastConnectTime');
    this.#options.changed(owner, 'connected', now);
    this.#hear(state, now);
  }

  /** The last connection of the device closed. */
  disconnected(owner: OwnerId): void {
    const state = this.#states.get(owner);
    if (state === undefined) return;
    const now = this.#options.clock.now();
    state.lastDisconnectTime = now;
    this.#change(state, 'lastDisconnectTime');
    this.#options.changed(owner, 'disconnected', now);
  }

  /** The device was heard: any packet over any transport, PINGREQ included. Called for every message. */
  active(owner: OwnerId): void {
    this.#hear(this.#states.get(owner) ?? this.#stateOf(owner), this.#options.clock.now());
  }

  /** Heard within its inactivity timeout. A device that never was known is not. */
  isActive(owner: OwnerId): boolean {
    return this.#states.get(owner)?.active ?? false;
  }

  /** Follows writes of `inactivityTimeout`; for `TelemetryObserver.attributesStored`. */
  attributesStored(owner: OwnerId, scope: AttributeScope, values: PointList): void {
    if (scope !== 'SERVER') return;
    const index = values.keys.lastIndexOf(INACTIVITY_TIMEOUT_KEY);
    if (index >= 0) this.#setTimeout(owner, parseInactivityTimeout(values.values[index] ?? 0));
  }

  /** Follows removals of `inactivityTimeout`; for `TelemetryObserver.attributesRemoved`. */
  attributesRemoved(owner: OwnerId, scope: AttributeScope, keys: readonly string[]): void {
    if (scope === 'SERVER' && keys.includes(INACTIVITY_TIMEOUT_KEY)) this.#setTimeout(owner, null);
  }

  #stateOf(owner: OwnerId): ActivityState {
    let state = this.#states.get(owner);
    if (state === undefined) {
      state = new ActivityState(owner);
      this.#states.set(owner, state);
    }
    return state;
  }

  #hear(state: ActivityState, now: number): void {
    state.lastActivityTime = now;
    if (state.heard) return;
    state.heard = true;
    state.heardAt = this.#options.clock.monotonic();
    this.#change(state, 'lastActivityTime');
    if (!state.active) this.#setActive(state, now);
  }

  #setActive(state: ActivityState, now: number): void {
    state.active = true;
    this.#change(state, 'active');
    if (state.inactivityAlarmTime !== 0) {
      state.inactivityAlarmTime = 0;
      this.#change(state, 'inactivityAlarmTime');
    }
    this.#options.changed(state.owner, 'active', now);
  }

  #setTimeout(owner: OwnerId, timeoutMs: number | null): void {
    const state = this.#stateOf(owner);
    state.inactivityTimeoutMs = timeoutMs;
    if (!state.active && !this.#isSilent(state)) this.#setActive(state, this.#options.clock.now());
  }

  #isSilent(state: ActivityState): boolean {
    const timeoutMs = state.inactivityTimeoutMs ?? this.#options.inactivityTimeoutMs ?? 600_000;
    return this.#options.clock.monotonic() - state.heardAt >= timeoutMs;
  }

  #check(): void {
    const now = this.#options.clock.now();
    for (const state of this.#states.values()) {
      if (!state.active || state.heard || !this.#isSilent(state)) continue;
      state.active = false;
      state.inactivityAlarmTime = now;
      this.#change(state, 'active');
      this.#change(state, 'inactivityAlarmTime');
      this.#options.changed(state.owner, 'inactive', now);
    }
  }

  #adopt(owner: OwnerId, attributes: readonly Attribute[]): void {
    const saved = new Map(attributes.map(({ key, value }) => [key, value]));
    const state = this.#stateOf(owner);
    state.inactivityTimeoutMs ??= parseInactivityTimeout(saved.get(INACTIVITY_TIMEOUT_KEY) ?? 0);
    state.lastConnectTime ||= timeOf(saved.get('lastConnectTime'));
    state.lastDisconnectTime ||= timeOf(saved.get('lastDisconnectTime'));
    const alarmTime = timeOf(saved.get('inactivityAlarmTime'));
    if (state.active) {
      if (alarmTime !== 0) this.#change(state, 'inactivityAlarmTime');
      return;
    }
    state.active = saved.get('active') === true;
    state.inactivityAlarmTime = alarmTime;
    state.lastActivityTime = timeOf(saved.get('lastActivityTime'));
    // A time in the future, from a clock that was wrong, counts as now.
    if (state.lastActivityTime > 0) {
      const { clock } = this.#options;
      state.heardAt = clock.monotonic() - Math.max(clock.now() - state.lastActivityTime, 0);
    }
  }

  #change(state: ActivityState, key: ActivityKey): void {
    state.unsaved.add(key);
    if (state.listed) return;
    state.listed = true;
    this.#unreported.push(state);
  }

  #reportInBackground(): void {
    this.#report ??= this.#writeReport()
      .catch(this.#options.fault)
      .finally(() => {
        this.#report = null;
      });
  }

  async #writeReport(): Promise<void> {
    const { clock } = this.#options;
    const states = this.#unreported;
    this.#unreported = [];
    for (let next = 0; next < states.length; ) {
      const changes: AttributeChange[] = [];
      const taken: TakenChanges[] = [];
      for (; next < states.length && changes.length < CHANGES_PER_SAVE; next++) {
        const state = states[next];
        if (state === undefined) continue;
        state.listed = false;
        if (state.heard) {
          state.heard = false;
          state.heardAt = clock.monotonic();
        }
        taken.push({ state, keys: [...state.unsaved] });
        for (const change of state.takeChanges(clock.now())) changes.push(change);
      }
      await this.#save(changes, taken);
    }
  }

  async #save(changes: readonly AttributeChange[], taken: readonly TakenChanges[]): Promise<void> {
    if (changes.length === 0) return;
    let outcome: WriteOutcome;
    try {
      outcome = await this.#options.attributes.save(changes);
    } catch (error) {
      this.#options.fault(error);
      outcome = 'failed';
    }
    if (outcome === 'stored') return;
    for (const { state, keys } of taken) {
      if (this.#states.get(state.owner) !== state) continue;
      for (const key of keys) this.#change(state, key);
    }
  }
}

/** What a state gave to a report. */
interface TakenChanges {
  readonly state: ActivityState;
  readonly keys: readonly ActivityKey[];
}

function timeOf(value: Attribute['value'] | undefined): number {
  const time = typeof value === 'boolean' ? 0 : Number(value ?? 0);
  return Number.isFinite(time) && time > 0 ? time : 0;
}

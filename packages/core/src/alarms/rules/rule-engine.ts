import type { DeviceRef } from '../../model/connect-registry.ts';
import type { EntityId } from '../../model/entities.ts';
import type { AttributeScope, OwnerId } from '../../ports/telemetry-store.ts';
import type { PointList } from '../../values/point-list.ts';
import type { Value } from '../../values/value.ts';
import type { AlarmEvent } from '../alarm-events.ts';
import type { AlarmStep } from '../alarm-steps.ts';
import { type ApplyOutcome, applyTransitions } from './apply-transitions.ts';
import type { DeviceRules, Transition } from './device-rules.ts';
import { DueTimes } from './due-times.ts';
import {
  type AlarmRuleCounters,
  type AlarmRuleEngineOptions,
  type AlarmRuleLimits,
  DEFAULT_ALARM_RULE_LIMITS,
} from './engine-options.ts';
import { loadDevice } from './load-device.ts';
import { ResidentDevices } from './resident-devices.ts';
import { RuleProfiles } from './rule-profiles.ts';
import { ALARM_RULE_STATES, type BothClocks } from './state-document.ts';
import { StateSaver } from './state-saver.ts';
import type { Update } from './updates.ts';

const VISIT_SLICE = 500;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
/** The longest delay that timers of every platform take. */
const LONGEST_TIMER_MS = 3_600_000;

/**
 * Runs the alarm rules of device profiles. thingsboard-server.md, 8.2
 *
 * It hears of telemetry and attributes when they are durable and judges them behind the write path, in the order in which
 * they came, one device after the other; points older than the newest of their series are history and change nothing.
 * What it costs a device without rules is one look-up.
 *
 * What is guaranteed. A transition of an alarm and what the rules remember of the device (counts, durations, the position
 * up to which its telemetry was judged) are one commit. Between transitions the memory is stored every `saveIntervalMs`.
 * A message may therefore be acknowledged and not yet judged when the process dies, or when too much waits, or when a
 * commit fails. Each such device is read again, at the latest by the visit after the start, and every point from the
 * stored position on is judged from the store in the order of its time, with the counts and durations of that position.
 * So no transition is lost that a message with a time of its own or of the server calls for, and none happens twice, as
 * long as
 * - the device's times ascend: of points that came late, after newer ones had been judged and stored, only the last
 *   values count, and of points that lie ahead of the server's clock the last ones may be judged, and counted by a
 *   repeating rule, a second time;
 * - no more than `MAX_REPLAYED` moments of a device are open; of more, the older ones change the values only (`skipped`);
 * - the series was not overwritten or deleted meanwhile. Of attributes there is no history: the value of now is judged
 *   once, uncounted, if it differs from the one that was judged last.
 * A duration that ended while the server was down counts as unbroken if its values still meet the condition.
 */
export class AlarmRuleEngine {
  readonly #options: AlarmRuleEngineOptions;
  readonly #limits: AlarmRuleLimits;
  readonly #profiles: RuleProfiles;
  readonly #devices: ResidentDevices;
  readonly #due = new DueTimes<DeviceRules>();
  readonly #saver: StateSaver;
  readonly #own = new WeakSet<AlarmEvent>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #retries = new Map<DeviceRules, () => void>();
  #ready: DeviceRules[] = [];
  #waiting = 0;
  #workScheduled = false;
  #closing = false;
  #closed = false;
  #stops: (() => void)[] = [];
  #stopTimer: (() => void) | null = null;
  #timerAt = 0;
  #counts = { judged: 0, transitions: 0, overflowed: 0, replayed: 0, skipped: 0, failed: 0 };

  constructor(options: AlarmRuleEngineOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_ALARM_RULE_LIMITS, ...options.limits };
    const { repositories, clock, report } = options;
    this.#profiles = new RuleProfiles(repositories, clock, report);
    this.#devices = new ResidentDevices(this.#limits.maxResident);
    this.#saver = new StateSaver({
      repositories,
      devices: () => this.#devices.all(),
      exists: (id) => options.deviceRef(id) !== undefined,
      clocks: () => this.#clocks(),
      saveOne: (device) => this.#occupy(device, () => this.#apply(device, [])),
      freed: (device) => {
        if (device.waiting > 0 || device.stale) this.#list(device);
      },
      overtaken: (device) => this.#miss(device),
      failed: (error) => {
        this.#counts.failed += 1;
        if (error !== null) report(error);
      },
    });
  }

  /** Reads the rules of all profiles; then looks, in the background, for what an earlier run left unjudged. */
  async start(): Promise<void> {
    const { scheduler, listeners } = this.#options;
    this.#stops = [
      scheduler.every(this.#limits.saveIntervalMs, () => {
        if (!this.#closing) this.#run(this.#saver.save());
      }),
      listeners.add({ alarmChanged: (event) => this.#alarmChanged(event) }),
    ];
    await this.#profiles.loadAll();
    this.#run(this.#visit());
  }

  /** Judges what waits and stores what is remembered. To be called when nothing is stored any more. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#stopTimer?.();
    await this.settled();
    // One that is under way has not seen everything.
    await this.#saver.save();
    await this.#saver.save();
    this.#closed = true;
    for (const stop of [...this.#stops.splice(0), ...this.#retries.values()]) stop();
    this.#retries.clear();
    await this.#finishTasks();
  }

  /** Whether points and attributes of the owner are to be told. */
  wants(owner: OwnerId): boolean {
    const device = this.#options.deviceRef(owner);
    // A profile that is not known yet may have rules.
    return device !== undefined && this.#profiles.get(device.profileId) !== null;
  }

  telemetryStored(owner: OwnerId, points: PointList): void {
    const device = this.#deviceOf(owner);
    if (device !== null) this.#add(device, { kind: 'series', points });
  }

  attributesStored(owner: OwnerId, scope: AttributeScope, values: PointList): void {
    const device = this.#deviceOf(owner);
    if (device === null) return;
    const changes = new Map<string, Value>();
    for (let i = 0; i < values.length; i++) {
      const [key, kind, value] = [values.keys[i], values.kinds[i], values.values[i]];
      if (key !== undefined && kind !== undefined && value !== undefined) changes.set(key, { kind, value });
    }
    this.#addAttributes(device, scope, changes);
  }

  attributesRemoved(owner: OwnerId, scope: AttributeScope, keys: readonly string[]): void {
    const device = this.#deviceOf(owner);
    if (device !== null) this.#addAttributes(device, scope, new Map(keys.map((key) => [key, null])));
  }

  /** Name, profile or settings of a device changed. */
  deviceChanged(ref: DeviceRef): void {
    const device = this.#devices.get(ref.id);
    if (device === undefined) return;
    const moved = device.device.profileId !== ref.profileId;
    const renamed = device.device.name !== ref.name;
    device.device = ref;
    if (!moved && !renamed) return;
    device.stale = true;
    this.#list(device);
  }

  /** A profile was saved or deleted. */
  profileChanged(profileId: EntityId): void {
    this.#run(
      this.#profiles.load(profileId).then(() => {
        for (const device of this.#devices.all()) {
          if (device.device.profileId !== profileId) continue;
          device.stale = true;
          this.#list(device);
        }
      }),
    );
  }

  /** The device was deleted. */
  removed(owner: OwnerId): void {
    const device = this.#devices.get(owner);
    if (device !== undefined) this.#forget(device);
  }

  /** Resolves when nothing waits and nothing is under way, except what waits for the store after a failure. */
  async settled(): Promise<void> {
    while (this.#ready.length > 0 || this.#tasks.size > 0) {
      if (this.#ready.length > 0) this.#work();
      else await this.#finishTasks();
    }
  }

  counters(): AlarmRuleCounters {
    return { ...this.#counts, waiting: this.#waiting, resident: this.#devices.size };
  }

  #deviceOf(owner: OwnerId): DeviceRules | null {
    const ref = this.#options.deviceRef(owner);
    if (ref === undefined || this.#closed || this.#profiles.get(ref.profileId) === null) return null;
    return this.#devices.ensure(ref);
  }

  #addAttributes(device: DeviceRules, scope: AttributeScope, values: ReadonlyMap<string, Value | null>): void {
    const keys = this.#profiles.get(device.device.profileId)?.rules.attributeKeys;
    if (keys !== undefined && ![...values.keys()].some((key) => keys.has(key))) return;
    this.#add(device, { kind: 'attributes', scope, values });
  }

  #add(device: DeviceRules, update: Update): void {
    // What is read again anyway, after this, brings the update with it.
    if (device.missed) return;
    const { maxBacklog, maxBacklogPerDevice } = this.#limits;
    if (this.#waiting >= maxBacklog || device.waiting >= maxBacklogPerDevice) {
      this.#counts.overflowed += device.waiting + 1;
      this.#miss(device);
      this.#list(device);
      return;
    }
    device.add(update);
    this.#waiting += 1;
    this.#list(device);
  }

  /** From here on the device is judged by what is stored. */
  #miss(device: DeviceRules): void {
    this.#waiting -= device.dropQueue();
    device.missed = true;
    device.stale = true;
  }

  #list(device: DeviceRules): void {
    if (device.listed || device.busy || device.gone || this.#retries.has(device)) return;
    device.listed = true;
    this.#ready.push(device);
    if (this.#workScheduled) return;
    this.#workScheduled = true;
    this.#options.scheduler.endOfTurn(() => {
      this.#workScheduled = false;
      this.#work();
    });
  }

  /** One turn's share of what waits. */
  #work(): void {
    let left = this.#limits.maxUpdatesPerTurn;
    const ready = this.#ready;
    this.#ready = [];
    for (const device of ready) {
      device.listed = false;
      if (left > 0) left -= this.#step(device, left);
      // After the others, whoever has used up the turn.
      if (!device.busy && (device.waiting > 0 || device.stale)) this.#list(device);
    }
    this.#armTimer();
  }

  /** Judges at most `most` updates, or begins what has to be done before; gives how many were judged. */
  #step(device: DeviceRules, most: number): number {
    if (device.busy || device.gone) return 0;
    if (device.stale) {
      this.#occupy(device, () => this.#load(device));
      return 1;
    }
    for (let judged = 0; judged < most; ) {
      const update = device.take();
      if (update === undefined) return judged;
      const waited = device.waiting + 1;
      judged += 1;
      if (update.kind !== 'save') this.#counts.judged += 1;
      if (update.kind === 'group' && update.replay) this.#counts.replayed += 1;
      const transitions = device.judge(update, this.#clocks());
      this.#waiting += device.waiting - waited;
      this.#due.put(device, device.due);
      if (transitions.length === 0 && update.kind !== 'save') continue;
      this.#occupy(device, () => this.#apply(device, transitions));
      return judged;
    }
    return most;
  }

  /** Runs a task during which nothing else touches the device. */
  #occupy(device: DeviceRules, task: () => Promise<boolean>): Promise<void> {
    device.busy = true;
    const run = async (): Promise<void> => {
      let done = false;
      try {
        done = await task();
      } catch (error) {
        this.#options.report(error);
      }
      device.busy = false;
      if (device.gone) return;
      if (done) {
        device.failures = 0;
        if (device.waiting > 0 || device.stale) this.#list(device);
      } else this.#retryLater(device);
      this.#due.put(device, device.due);
      this.#armTimer();
    };
    return this.#run(run());
  }

  /** The store did not take something: the device is read again, so that it is decided again what is to be stored. */
  #retryLater(device: DeviceRules): void {
    this.#counts.failed += 1;
    this.#miss(device);
    if (this.#closing) return;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** device.failures, LAST_RETRY_MS);
    device.failures += 1;
    const stop = this.#options.scheduler.after(delayMs, () => {
      this.#retries.delete(device);
      this.#list(device);
    });
    this.#retries.set(device, stop);
  }

  async #load(device: DeviceRules): Promise<boolean> {
    const { profileId, id } = device.device;
    if (this.#profiles.get(profileId) === undefined) await this.#profiles.load(profileId);
    const profile = this.#profiles.get(profileId) ?? null;
    if (profile === null) {
      this.#forget(device);
      return true;
    }
    if (device.dirty && !device.missed) {
      const saved = await this.#apply(device, []);
      if (!saved || device.gone) return saved;
    }
    // What comes from here on waits, unless it is among what is read now.
    device.missed = false;
    const { records } = this.#options;
    const loaded = await records.locked(id, () =>
      loadDevice(this.#options, device.device, profile.rules, profile.since, this.#clocks()),
    );
    // The profile or the rules may have changed meanwhile.
    if (device.missed || device.device.profileId !== profileId || this.#profiles.get(profileId) !== profile)
      return true;
    const waited = device.waiting;
    device.adopt(loaded, profile);
    this.#waiting += device.waiting - waited;
    this.#counts.skipped += loaded.skippedGroups;
    // From here on there is a position, so that what is acknowledged now is found after a restart.
    return !loaded.unknown || this.#apply(device, []);
  }

  async #apply(device: DeviceRules, transitions: readonly Transition[]): Promise<boolean> {
    const { records, originators, crypto, deviceRef } = this.#options;
    const announce = (steps: readonly AlarmStep[]): void => {
      for (const { event } of steps) this.#own.add(event);
    };
    const exists = (id: EntityId): boolean => deviceRef(id) !== undefined;
    const target = { records, originators, crypto, exists, announce };
    const outcome: ApplyOutcome = await applyTransitions(target, device, transitions, this.#clocks());
    if (outcome === 'gone') this.#forget(device);
    else if (outcome === 'done') this.#counts.transitions += transitions.length;
    return outcome === 'done' || outcome === 'gone';
  }

  #forget(device: DeviceRules): void {
    device.gone = true;
    this.#waiting -= device.dropQueue();
    this.#due.put(device, null);
    this.#retries.get(device)?.();
    this.#retries.delete(device);
    this.#devices.delete(device.device.id);
  }

  #alarmChanged(event: AlarmEvent): void {
    if (this.#own.has(event) || event.alarm.originator.entityType !== 'DEVICE') return;
    const device = this.#devices.get(event.alarm.originator.id);
    if (device === undefined) return;
    // Otherwise what was counted before would be counted after it when the device is read again.
    if (device.alarmChanged(event)) this.#add(device, { kind: 'save' });
    this.#due.put(device, device.due);
  }

  /** Sets the timer for whoever is due first. */
  #armTimer(): void {
    const next = this.#closing ? null : this.#due.next;
    if (next === this.#timerAt && this.#stopTimer !== null) return;
    this.#stopTimer?.();
    this.#stopTimer = null;
    if (next === null) return;
    this.#timerAt = next;
    const { clock, scheduler } = this.#options;
    const delayMs = Math.min(Math.max(Math.ceil(next - clock.monotonic()), 0), LONGEST_TIMER_MS);
    this.#stopTimer = scheduler.after(delayMs, () => {
      this.#stopTimer = null;
      for (const device of this.#due.take(clock.monotonic())) {
        // One that is read again looks at its durations then.
        if (!device.missed) this.#add(device, { kind: 'timer' });
      }
      this.#armTimer();
    });
  }

  /** Every device of a profile with rules is read once, so that what was left unjudged is taken up. */
  async #visit(): Promise<void> {
    const { repositories, deviceRef } = this.#options;
    for (const [profileId, { tenantId }] of this.#profiles.withRules()) {
      for (let after: EntityId | null = null; !this.#closing; ) {
        const query = { tenantId, profileId, customerId: null, withoutPackage: null, after, limit: VISIT_SLICE };
        const ids: readonly EntityId[] = await repositories.deviceIds(query);
        for (const id of ids) {
          const ref = this.#closing ? undefined : deviceRef(id);
          if (ref === undefined || this.#devices.get(id) !== undefined) continue;
          const device = this.#devices.ensure(ref);
          device.used = false;
          await this.#occupy(device, () => this.#load(device));
        }
        after = ids.at(-1) ?? null;
        if (ids.length < VISIT_SLICE) break;
      }
    }
  }

  #clocks(): BothClocks {
    const { clock } = this.#options;
    return { now: clock.now(), monotonic: clock.monotonic() };
  }

  #run(task: Promise<void>): Promise<void> {
    const reported = task.catch((error) => this.#options.report(error));
    this.#tasks.add(reported);
    return reported.finally(() => this.#tasks.delete(reported));
  }

  async #finishTasks(): Promise<void> {
    await Promise.all(this.#tasks);
  }
}

/** Deletes what rules remember of a device; part of the removal of an owner's data. */
export function deleteRuleState(
  repositories: Pick<AlarmRuleEngineOptions['repositories'], 'commit'>,
  owner: EntityId,
): ReturnType<AlarmRuleEngineOptions['repositories']['commit']> {
  return repositories.commit([
    { kind: 'deleteDocument', collection: ALARM_RULE_STATES, id: owner, expectedVersion: null },
  ]);
}

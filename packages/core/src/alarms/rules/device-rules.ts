import type { DeviceRef } from '../../model/connect-registry.ts';
import type { AlarmEvent } from '../alarm-events.ts';
import type { AlarmDefinition, AlarmRule, Slot } from './alarm-rule.ts';
import { type Decision, evaluate, isConcerned, type Moment } from './evaluate.ts';
import { attributeName, type LoadedDevice, type PointGroup, valueFingerprint } from './load-device.ts';
import { type DefinitionState, resetDefinition } from './progress.ts';
import type { RuleProfile } from './rule-profiles.ts';
import type { BothClocks, DeviceStateRecord, Position } from './state-document.ts';
import { groupsOf, type Update } from './updates.ts';

/** An alarm that is to be raised, changed or cleared. `ts`: of what led to it. */
export interface Transition {
  readonly definition: AlarmDefinition;
  readonly state: DefinitionState;
  readonly decision: Exclude<Decision, { kind: 'none' | 'keep' }>;
  readonly ts: number;
}

/** An active alarm whose condition was met again. */
export interface Touch {
  readonly rule: AlarmRule;
  readonly ts: number;
}

/** One device with rules while it is in memory: what waits, what is known, and what is not stored yet. */
export class DeviceRules {
  device: DeviceRef;
  /** Something asynchronous is under way; nothing else may touch the device until it has ended. */
  busy = false;
  /** In the engine's list of devices with something to do. */
  listed = false;
  /** To be read from the store before anything else. */
  stale = true;
  /** Something was not judged, so memory is not to be trusted or stored. */
  missed = false;
  gone = false;
  /** Heard of since the engine last looked for devices to let go. */
  used = true;
  /** Memory has moved on since the state was stored. */
  dirty = false;
  /** Attempts in a row that ended in a failure of the store. */
  failures = 0;
  version = 0;
  readonly touches = new Map<AlarmDefinition, Touch>();
  #loaded: (LoadedDevice & RuleProfile) | null = null;
  #position: { ts: number; keys: Set<string> } = { ts: 0, keys: new Set() };
  #queue: Update[] = [];

  constructor(device: DeviceRef) {
    this.device = device;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get loaded(): LoadedDevice | null {
    return this.#loaded;
  }

  get idle(): boolean {
    return this.#queue.length === 0 && !this.busy && !this.listed && !this.dirty && this.touches.size === 0;
  }

  get position(): Position {
    return this.#position;
  }

  /** Earliest monotonic time at which a rule is to be looked at; null: none is. */
  get due(): number | null {
    let due: number | null = null;
    for (const state of this.#loaded?.states.values() ?? []) {
      if (state.due !== null) due = due === null ? state.due : Math.min(due, state.due);
    }
    return due;
  }

  add(update: Update): void {
    this.#queue.push(update);
  }

  take(): Update | undefined {
    return this.#queue.shift();
  }

  /** To be judged before everything that waits. */
  putBack(updates: readonly Update[]): void {
    this.#queue.unshift(...updates);
  }

  /** Forgets what waits; gives how much that was. */
  dropQueue(): number {
    const dropped = this.#queue.length;
    this.#queue = [];
    return dropped;
  }

  /** Takes what was read. What waits is judged after what was read and has not been judged. */
  adopt(loaded: LoadedDevice, profile: RuleProfile): void {
    const { rules } = profile;
    this.#loaded = { ...loaded, ...profile };
    this.#position = { ts: loaded.position.ts, keys: new Set(loaded.position.keys) };
    this.version = loaded.version;
    this.stale = false;
    this.dirty = false;
    this.touches.clear();
    const waiting = this.#queue.flatMap((update): Update[] =>
      update.kind === 'series'
        ? groupsOf(update.points, rules, loaded.hasRead).map((group) => ({ kind: 'group', group, replay: false }))
        : [update],
    );
    const updates: Update[] = loaded.groups.map((group) => ({ kind: 'group', group, replay: true }));
    const changed = new Set(loaded.changed);
    // Nothing says what was judged before, so the values of now are.
    if (loaded.unknown && updates.length === 0 && waiting.length === 0) {
      for (const key of rules.seriesKeys) changed.add(`series:${key}`);
    }
    if (changed.size > 0) updates.push({ kind: 'changed', slots: changed });
    const held = [...loaded.states.values()].some(isHolding);
    this.#queue = [...updates, ...waiting, ...(held ? [{ kind: 'timer' } as const] : [])];
  }

  /** Judges an update; the answer is to be stored before the next one is judged. */
  judge(update: Update, clocks: BothClocks): readonly Transition[] {
    const loaded = this.#loaded;
    if (loaded === null) return [];
    switch (update.kind) {
      case 'series': {
        const groups = groupsOf(update.points, loaded.rules, () => false);
        const [first, ...rest] = groups;
        this.putBack(rest.map((group) => ({ kind: 'group', group, replay: false })));
        return first === undefined ? [] : this.#judgeGroup(first, false, clocks);
      }
      case 'group':
        return this.#judgeGroup(update.group, update.replay, clocks);
      case 'attributes': {
        const slots = new Set<Slot>();
        for (const [key, value] of update.values) {
          if (!loaded.rules.attributeKeys.has(key)) continue;
          loaded.snapshot.setAttribute(update.scope, key, value);
          const name = attributeName(update.scope, key);
          if (value === null) loaded.attributes.delete(name);
          else loaded.attributes.set(name, valueFingerprint(value));
          slots.add(`attribute:${key}`);
        }
        return this.#judgeMoment({ ...clocks, kind: 'attributes', ts: clocks.now, slots });
      }
      case 'changed':
        return this.#judgeMoment({ ...clocks, kind: 'changed', ts: clocks.now, slots: update.slots });
      case 'timer':
        return this.#judgeMoment({ ...clocks, kind: 'timer', ts: clocks.now, slots: new Set() });
      case 'save':
        return [];
    }
  }

  /** Follows what others did to an alarm of this device; true: what was remembered of it is void. */
  alarmChanged({ kind, alarm }: AlarmEvent): boolean {
    for (const [definition, state] of this.#loaded?.states ?? []) {
      if (definition.alarmType !== alarm.type) continue;
      if (kind === 'deleted' || alarm.cleared) {
        if (state.active !== null && state.active.id !== alarm.id) return false;
        state.active = null;
        resetDefinition(state);
        this.touches.delete(definition);
        this.dirty = true;
        return true;
      }
      if (state.active?.id !== alarm.id || state.active.severity !== alarm.severity) {
        state.active = { id: alarm.id, severity: alarm.severity };
        this.dirty = true;
      }
      return false;
    }
    return false;
  }

  /** What is to be stored; null: nothing is known. */
  record(): DeviceStateRecord | null {
    const loaded = this.#loaded;
    if (loaded === null) return null;
    const { id, tenantId, profileId } = this.device;
    const { since, states, attributes } = loaded;
    const { version } = this;
    return { deviceId: id, tenantId, profileId, version, since, states, attributes, position: this.#position };
  }

  #judgeGroup({ ts, values }: PointGroup, replay: boolean, clocks: BothClocks): readonly Transition[] {
    const loaded = this.#loaded;
    if (loaded === null) return [];
    const slots = new Set<Slot>();
    for (const [key, value] of values) {
      if (loaded.snapshot.setSeries(key, ts, value, clocks.now)) slots.add(`series:${key}`);
      this.#moveOn(ts, key, clocks.now);
    }
    return this.#judgeMoment({ ...clocks, kind: replay ? 'replay' : 'series', ts, slots });
  }

  #judgeMoment(moment: Moment): readonly Transition[] {
    const loaded = this.#loaded;
    const transitions: Transition[] = [];
    if (loaded === null || (moment.kind !== 'timer' && moment.slots.size === 0)) return transitions;
    for (const [definition, state] of loaded.states) {
      const concerned = moment.kind === 'timer' ? isHolding(state) : isConcerned(definition, moment.slots);
      if (!concerned) continue;
      this.dirty = true;
      const decision = evaluate(definition, state, loaded.snapshot, moment);
      if (decision.kind === 'none') continue;
      if (decision.kind === 'keep') this.touches.set(definition, { rule: decision.rule, ts: moment.ts });
      else {
        this.touches.delete(definition);
        transitions.push({ definition, state, decision, ts: moment.ts });
      }
    }
    return transitions;
  }

  /** What lies ahead may be followed by points before it, so the position never does. */
  #moveOn(ts: number, key: string, now: number): void {
    const position = this.#position;
    if (ts > now) {
      if (position.ts < now) this.#position = { ts: now, keys: new Set() };
    } else if (ts > position.ts) this.#position = { ts, keys: new Set([key]) };
    else if (ts === position.ts) position.keys.add(key);
    this.dirty = true;
  }
}

/** Whether a duration runs, so that time alone may decide. */
function isHolding({ create, clear }: DefinitionState): boolean {
  if (clear.heldAt !== null) return true;
  for (const { heldAt } of create.values()) if (heldAt !== null) return true;
  return false;
}

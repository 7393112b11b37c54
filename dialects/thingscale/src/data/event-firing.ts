import type { EntityId, Json, WriteOutcome } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import type { ThingscaleServer } from '../ports.ts';
import { matches } from '../text/event-rule.ts';
import { formatTime } from '../text/times.ts';
import type { AccountRecords } from './account-records.ts';
import { worst } from './channel-stream.ts';
import type { Kept } from './record-table.ts';
import { settled } from './settled.ts';
import type { EventRecord } from './stored-forms.ts';
import { WEBHOOK_KIND } from './webhook-kind.ts';

/** A rule fires at most once in this time. thingscale.md, 4.8 */
const INTERVAL_MS = 10_000;

/** A new point, as the rules of its channel see it. */
export interface FreshPoint {
  readonly channel: number;
  readonly channelName: string;
  readonly tag: string | null;
  readonly deviceId: string | null;
  /** JSON text of an object. */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

interface RuleState {
  matched: boolean;
  /** Monotonic time. */
  firedAt: number;
}

export interface EventFiringOptions {
  readonly server: ThingscaleServer;
  readonly records: AccountRecords;
  readonly tenantId: EntityId;
  readonly applicationId: EntityId;
  readonly timezone: () => string;
}

/** Asks the event rules about new points and tells whoever is to be told. */
export class EventFiring {
  readonly #options: EventFiringOptions;
  readonly #states = new Map<EntityId, RuleState>();
  #byChannel = new Map<number, readonly Kept<EventRecord>[]>();
  #revision = -1;

  constructor(options: EventFiringOptions) {
    this.#options = options;
  }

  /** Points of a channel come in their order. Resolves when all that follows from the point is durable; null: nothing does. */
  taken(point: FreshPoint): Promise<WriteOutcome> | null {
    const rules = this.#rulesOf(point.channel);
    if (rules === undefined) return null;
    const consequences: Promise<WriteOutcome>[] = [];
    for (const rule of rules) {
      const consequence = this.#ask(rule, point);
      if (consequence !== null) consequences.push(consequence);
    }
    return consequences.length === 0 ? null : Promise.all(consequences).then(worst);
  }

  /** The rule was changed or removed: it starts as not matched. */
  reset(id: EntityId): void {
    this.#states.delete(id);
  }

  #rulesOf(channel: number): readonly Kept<EventRecord>[] | undefined {
    const { events } = this.#options.records;
    if (events.revision !== this.#revision) {
      this.#revision = events.revision;
      this.#byChannel = new Map();
      for (const rule of events.all()) {
        const { enabled, mappedChannel } = rule.value;
        if (!enabled || mappedChannel === null) continue;
        this.#byChannel.set(mappedChannel, [...(this.#byChannel.get(mappedChannel) ?? []), rule]);
      }
    }
    return this.#byChannel.get(channel);
  }

  #ask(rule: Kept<EventRecord>, point: FreshPoint): Promise<WriteOutcome> | null {
    const state = this.#stateOf(rule);
    const { matched, value } = matches(rule.value, point.text);
    const before = state.matched;
    state.matched = matched;
    // Told once: the next change to "matched" fires again, also after a restart.
    if (!matched) return before && rule.value.fired ? this.#note(rule, false) : null;
    const now = this.#options.server.monotonic();
    if (before || now - state.firedAt < INTERVAL_MS) return null;
    state.firedAt = now;
    return this.#fire(rule, state, point, value);
  }

  #stateOf({ id, value }: Kept<EventRecord>): RuleState {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    const state = { matched: value.fired, firedAt: Number.NEGATIVE_INFINITY };
    this.#states.set(id, state);
    return state;
  }

  async #fire(rule: Kept<EventRecord>, state: RuleState, point: FreshPoint, value: Json): Promise<WriteOutcome> {
    const { server, applicationId } = this.#options;
    if (rule.value.notifyType === 'email') {
      server.notSent?.(applicationId, rule.value.eventId);
    } else {
      const outcome = await this.#enqueue(rule, point, value);
      if (outcome !== 'stored') {
        // The device sends the point again, or the next one fires.
        state.matched = false;
        state.firedAt = Number.NEGATIVE_INFINITY;
        return outcome;
      }
    }
    // Behind the message: an interruption in between repeats it and loses nothing.
    return this.#note(rule, true);
  }

  #enqueue(rule: Kept<EventRecord>, point: FreshPoint, value: Json): Promise<WriteOutcome> {
    const { server, tenantId } = this.#options;
    const message = {
      kind: WEBHOOK_KIND,
      targetId: rule.id,
      tenantId,
      eventId: server.uuid(),
      orderKey: rule.id,
      url: rule.value.postUrl,
      contentType: 'application/json',
      body: encodeText(this.#body(rule.value, point, value)),
    };
    return settled((completion) => server.outbox.enqueue(message, completion));
  }

  /** What is not noted is told once more after a restart. */
  async #note({ value }: Kept<EventRecord>, fired: boolean): Promise<WriteOutcome> {
    const { events } = this.#options.records;
    try {
      await this.#options.records.change(() => {
        const current = events.get(value.eventId);
        return current === undefined || current.value.fired === fired
          ? []
          : [events.replacing(current, { ...current.value, fired })];
      });
    } catch (error) {
      this.#options.server.report(error);
    }
    return 'stored';
  }

  /** thingscale.md, 4.8 */
  #body(rule: EventRecord, point: FreshPoint, value: Json): string {
    return JSON.stringify({
      event_id: rule.eventId,
      description: rule.description,
      channel: point.channel,
      channel_name: point.channelName,
      tag: point.tag,
      device_id: point.deviceId,
      source: rule.source,
      operator: rule.operator,
      threshold: rule.threshold,
      value,
      at: formatTime(point.at, this.#options.timezone()),
    });
  }
}

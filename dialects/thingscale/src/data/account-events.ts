import type { AccountContext, Refused } from './account-context.ts';
import type { ThingscaleEvent } from './account-data.ts';
import type { EventFiring } from './event-firing.ts';
import type { Kept } from './record-table.ts';
import type { EventRecord } from './stored-forms.ts';

/** Rules of one account. */
const MAXIMUM_EVENTS = 1_000;

/** The event rules of an account. */
export class AccountEvents {
  readonly #context: AccountContext;
  readonly #firing: EventFiring;
  /** Numbers are not given twice while the server runs. */
  #highest = 0;

  constructor(context: AccountContext, firing: EventFiring) {
    this.#context = context;
    this.#firing = firing;
  }

  list(): readonly ThingscaleEvent[] {
    const all = [...this.#context.records.events.all()].map(({ value }) => shown(value));
    return all.sort((a, b) => a.eventId - b.eventId);
  }

  get(eventId: number): ThingscaleEvent | undefined {
    const kept = this.#context.records.events.get(eventId);
    return kept === undefined ? undefined : shown(kept.value);
  }

  /** The number of the new rule; the first one is 1. */
  async create(event: Omit<ThingscaleEvent, 'eventId'>): Promise<number | 'NO_CHANNEL' | Refused> {
    const { server, records } = this.#context;
    let eventId = 0;
    const outcome = await records.change(() => {
      if (this.#lacksChannel(event.mappedChannel)) return 'NO_CHANNEL';
      if (records.events.size >= MAXIMUM_EVENTS) return 'full';
      for (const { value } of records.events.all()) this.#highest = Math.max(this.#highest, value.eventId);
      eventId = this.#highest + 1;
      return [records.events.adding(server.uuid(), server.now(), { ...event, eventId, fired: false })];
    });
    if (outcome !== 'done') return outcome;
    this.#highest = Math.max(this.#highest, eventId);
    return eventId;
  }

  async update(
    eventId: number,
    changes: Partial<Omit<ThingscaleEvent, 'eventId'>>,
  ): Promise<'done' | 'NO_EVENT' | 'NO_CHANNEL' | Refused> {
    const { events } = this.#context.records;
    let changed: Kept<EventRecord> | undefined;
    const outcome = await this.#context.records.change(() => {
      changed = undefined;
      const kept = events.get(eventId);
      if (kept === undefined) return 'NO_EVENT';
      if (this.#lacksChannel(changes.mappedChannel)) return 'NO_CHANNEL';
      const value = { ...kept.value, ...changes };
      const isSame = sameRule(kept.value, value);
      if (!isSame) changed = kept;
      return [events.replacing(kept, { ...value, fired: isSame && kept.value.fired })];
    });
    if (outcome === 'done' && changed !== undefined) this.#firing.reset(changed.id);
    return outcome;
  }

  async remove(eventId: number): Promise<'done' | 'NO_EVENT' | Refused> {
    const { server, records } = this.#context;
    let removed: Kept<EventRecord> | undefined;
    const outcome = await records.change(() => {
      removed = records.events.get(eventId);
      return removed === undefined ? 'NO_EVENT' : [records.events.removing(removed)];
    });
    if (outcome !== 'done' || removed === undefined) return outcome;
    this.#firing.reset(removed.id);
    server.outbox.removeTarget(removed.id);
    return outcome;
  }

  #lacksChannel(number: number | null | undefined): boolean {
    return number !== null && number !== undefined && !this.#context.records.channels.has(number);
  }
}

function shown({ fired: _fired, ...event }: EventRecord): ThingscaleEvent {
  return event;
}

/** What it asks is the same; a rule that asks something else starts as not matched. */
function sameRule(a: ThingscaleEvent, b: ThingscaleEvent): boolean {
  return (
    a.enabled === b.enabled &&
    a.mappedChannel === b.mappedChannel &&
    a.source === b.source &&
    a.operator === b.operator &&
    a.threshold === b.threshold
  );
}

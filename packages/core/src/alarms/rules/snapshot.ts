import type { AttributeScope } from '../../ports/telemetry-store.ts';
import { type Value, ValueKind } from '../../values/value.ts';
import type { EntityField, Slot } from './alarm-rule.ts';

/** Where the same key is in several scopes, the first of these counts. */
const SCOPES: readonly AttributeScope[] = ['SERVER', 'SHARED', 'CLIENT'];
/** A series whose newest point lies further ahead than this has been stamped by a wrong clock; older points replace it. */
const FUTURE_MS = 60_000;

/** The values of one device that its rules look at. */
export class Snapshot {
  readonly #values = new Map<Slot, Value>();
  readonly #times = new Map<string, number>();
  readonly #attributes = new Map<string, Map<AttributeScope, Value>>();

  get(slot: Slot): Value | null {
    return this.#values.get(slot) ?? null;
  }

  /** False: the point is older than the one that is there, so it is history and nothing that happens now. */
  setSeries(key: string, ts: number, value: Value, now: number): boolean {
    const former = this.#times.get(key);
    if (former !== undefined && ts < former && former <= now + FUTURE_MS) return false;
    this.#times.set(key, ts);
    this.#values.set(`series:${key}`, value);
    return true;
  }

  /** `value` null: the attribute is gone. */
  setAttribute(scope: AttributeScope, key: string, value: Value | null): void {
    let scopes = this.#attributes.get(key);
    if (scopes === undefined) {
      scopes = new Map();
      this.#attributes.set(key, scopes);
    }
    if (value === null) scopes.delete(scope);
    else scopes.set(scope, value);
    const slot: Slot = `attribute:${key}`;
    const first = SCOPES.find((one) => scopes.has(one));
    const present = first === undefined ? undefined : scopes.get(first);
    if (present === undefined) this.#values.delete(slot);
    else this.#values.set(slot, present);
  }

  setField(field: EntityField, value: string | number | null): void {
    const slot: Slot = `field:${field}`;
    if (value === null) this.#values.delete(slot);
    else if (typeof value === 'number') this.#values.set(slot, { kind: ValueKind.Long, value });
    else this.#values.set(slot, { kind: ValueKind.String, value });
  }
}

import type { EntityId } from '../model/entities.ts';
import type { AttributeScope } from '../ports/telemetry-store.ts';
import { formatValue } from '../values/format-value.ts';
import type { PointList } from '../values/point-list.ts';
import { type Value, ValueKind } from '../values/value.ts';

/** One value as listeners are shown it. */
export interface LiveEntry {
  /** Epoch milliseconds; 0: the key was removed. */
  readonly ts: number;
  /** Text of the value; empty if it was removed. thingsboard-server.md, 3.2 */
  readonly text: string;
  /** The text as a JSON string. */
  readonly json: string;
}

/** What stands for a value that does not exist. thingsboard-server.md, 7.3 and 7.4 */
export const NO_ENTRY: LiveEntry = { ts: 0, text: '', json: '""' };

/** A value as text: strings as they are, everything else as compact JSON. thingsboard-server.md, 3.2 */
export function valueText(value: Value): string {
  return value.kind === ValueKind.String ? String(value.value) : formatValue(value);
}

/** Shows a value to listeners. */
export function liveEntry(ts: number, value: Value): LiveEntry {
  const text = valueText(value);
  const plain = value.kind !== ValueKind.String && value.kind !== ValueKind.Json;
  return { ts, text, json: plain ? `"${text}"` : JSON.stringify(text) };
}

/** A message for many listeners: whatever several of them need is made once. */
class SharedMessage {
  readonly deviceId: EntityId;
  #texts: Map<string, string> | null = null;

  constructor(deviceId: EntityId) {
    this.deviceId = deviceId;
  }

  /** The text of this name, made by the first who asks. The names must be few: they live as long as the message. */
  shared(name: string, make: () => string): string {
    this.#texts ??= new Map();
    let text = this.#texts.get(name);
    if (text === undefined) {
      text = make();
      this.#texts.set(name, text);
    }
    return text;
  }
}

/** Points of one device that have been stored. */
export class LiveTelemetry extends SharedMessage {
  readonly points: PointList;
  #entries: ReadonlyMap<string, readonly LiveEntry[]> | null = null;

  constructor(deviceId: EntityId, points: PointList) {
    super(deviceId);
    this.points = points;
  }

  /** By key, in the order of the message. */
  get entries(): ReadonlyMap<string, readonly LiveEntry[]> {
    this.#entries ??= entriesOf(this.points);
    return this.#entries;
  }
}

/** Attributes of one device and scope that have been written, or removed where `values` is null. */
export class LiveAttributes extends SharedMessage {
  readonly scope: AttributeScope;
  /** null: `removed` names the keys that are gone. */
  readonly values: PointList | null;
  readonly removed: readonly string[];
  /** Epoch milliseconds. */
  readonly ts: number;
  #entries: ReadonlyMap<string, readonly LiveEntry[]> | null = null;

  constructor(
    deviceId: EntityId,
    scope: AttributeScope,
    change: { readonly values: PointList } | { readonly removed: readonly string[] },
    ts: number,
  ) {
    super(deviceId);
    this.scope = scope;
    this.values = 'values' in change ? change.values : null;
    this.removed = 'removed' in change ? change.removed : [];
    this.ts = ts;
  }

  /** By key; removed keys have `NO_ENTRY`. */
  get entries(): ReadonlyMap<string, readonly LiveEntry[]> {
    if (this.#entries === null) {
      this.#entries =
        this.values === null ? new Map(this.removed.map((key) => [key, [NO_ENTRY]])) : entriesOf(this.values);
    }
    return this.#entries;
  }
}

/** Something that happened to a device: `connected`, `inactive`, `alarm`, ... */
export interface LiveEvent {
  /** Epoch milliseconds. */
  readonly ts: number;
  readonly type: string;
  /** JSON text of an object with what else is to be said; null: nothing. */
  readonly detail: string | null;
}

function entriesOf(points: PointList): Map<string, LiveEntry[]> {
  const entries = new Map<string, LiveEntry[]>();
  for (let index = 0; index < points.length; index++) {
    const key = points.keys[index];
    const kind = points.kinds[index];
    const value = points.values[index];
    if (key === undefined || kind === undefined || value === undefined) continue;
    const entry = liveEntry(points.ts[index] ?? 0, { kind, value });
    const list = entries.get(key);
    if (list === undefined) entries.set(key, [entry]);
    else list.push(entry);
  }
  return entries;
}

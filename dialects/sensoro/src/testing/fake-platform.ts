import type {
  Attribute,
  AttributeScope,
  Completion,
  DeviceRef,
  EntityId,
  Point,
  PointList,
  Value,
} from '@moorage/core';
import { ValueKind } from '@moorage/core';
import type { CommandOutcome, HistoryQuery, SensoroPlatform } from '../ports.ts';

/** A tenant's devices in memory. */
export class FakePlatform implements SensoroPlatform {
  readonly known = new Map<EntityId, DeviceRef>();
  readonly active = new Set<EntityId>();
  /** By `<id>/<scope>/<key>`. */
  readonly stored = new Map<string, Value['value']>();
  readonly series = new Map<EntityId, Map<string, Point[]>>();
  readonly commands: [name: string, values: Readonly<Record<string, unknown>>][] = [];
  readonly uplinks: [name: string, points: PointList][] = [];
  readonly histories: HistoryQuery[] = [];
  commandOutcome: CommandOutcome = 'taken';
  attributeReads = 0;
  fails = false;

  add(...devices: readonly DeviceRef[]): void {
    for (const one of devices) this.known.set(one.id, one);
  }

  attribute({ id }: DeviceRef, scope: AttributeScope, key: string, value: Value['value']): void {
    this.stored.set(`${id}/${scope}/${key}`, value);
  }

  point({ id }: DeviceRef, key: string, ts: number, value: Value['value']): void {
    const keys = this.series.get(id) ?? new Map<string, Point[]>();
    this.series.set(id, keys);
    const points = keys.get(key) ?? [];
    keys.set(key, points);
    points.push({ ts, ...storedValue(value) });
    points.sort((a, b) => a.ts - b.ts);
  }

  async *devices(tenantId: EntityId): AsyncIterable<DeviceRef> {
    for (const one of [...this.known.values()]) if (one.tenantId === tenantId) yield one;
  }

  device(id: EntityId): DeviceRef | undefined {
    return this.known.get(id);
  }

  async isActive(id: EntityId): Promise<boolean> {
    return this.active.has(id);
  }

  async attributes(id: EntityId, scope: AttributeScope, keys: readonly string[] | null): Promise<readonly Attribute[]> {
    this.attributeReads++;
    if (this.fails) throw new TypeError('no store');
    const found: Attribute[] = [];
    for (const [name, value] of this.stored) {
      const [owner, ofScope, ...rest] = name.split('/');
      const key = rest.join('/');
      if (owner !== id || ofScope !== scope || keys?.includes(key) === false) continue;
      found.push({ scope, key, lastUpdateTs: 1, ...storedValue(value) });
    }
    return found;
  }

  async latest({ id }: DeviceRef): Promise<ReadonlyMap<string, Point>> {
    const latest = new Map<string, Point>();
    for (const [key, points] of this.series.get(id) ?? []) {
      const last = points.at(-1);
      if (last !== undefined) latest.set(key, last);
    }
    return latest;
  }

  async history({ id }: DeviceRef, query: HistoryQuery): Promise<ReadonlyMap<string, readonly Point[]>> {
    this.histories.push(query);
    const found = new Map<string, readonly Point[]>();
    for (const key of query.keys) {
      const points = this.series.get(id)?.get(key) ?? [];
      const inside = points.filter(({ ts }) => ts >= query.from && ts <= query.to);
      found.set(key, (query.order === 'asc' ? inside : inside.reverse()).slice(0, query.limit));
    }
    return found;
  }

  async command({ name }: DeviceRef, values: ReadonlyMap<string, Value>): Promise<CommandOutcome> {
    if (this.commandOutcome === 'taken') {
      this.commands.push([name, Object.fromEntries([...values].map(([key, { value }]) => [key, value]))]);
    }
    return this.commandOutcome;
  }

  uplink({ name }: DeviceRef, points: PointList, completion: Completion): void {
    completion.hold();
    this.uplinks.push([name, points]);
    completion.release('stored');
  }
}

function storedValue(value: Value['value']): Value {
  if (typeof value === 'boolean') return { kind: ValueKind.Boolean, value };
  if (typeof value === 'string') return { kind: /^[[{]/.test(value) ? ValueKind.Json : ValueKind.String, value };
  return { kind: Number.isInteger(value) || typeof value === 'bigint' ? ValueKind.Long : ValueKind.Double, value };
}

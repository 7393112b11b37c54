import type { EntityId } from '../model/entities.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import type { Value } from '../values/value.ts';
import type { ServerAttributes } from './server-attributes.ts';

/** Server attributes in memory, for tests. */
export class FakeServerAttributes implements ServerAttributes {
  readonly values = new Map<EntityId, Map<string, Value>>();
  /** What the next writes answer instead of being applied. */
  readonly troubles: WriteOutcome[] = [];

  /** The plain value of one attribute. */
  get(deviceId: EntityId, key: string): Value['value'] | undefined {
    return this.values.get(deviceId)?.get(key)?.value;
  }

  set(deviceId: EntityId, key: string, value: Value): void {
    const attributes = this.values.get(deviceId);
    if (attributes === undefined) this.values.set(deviceId, new Map([[key, value]]));
    else attributes.set(key, value);
  }

  async read(deviceId: EntityId, keys: readonly string[]): Promise<ReadonlyMap<string, Value>> {
    const all = this.values.get(deviceId) ?? new Map<string, Value>();
    return new Map([...all].filter(([key]) => keys.includes(key)));
  }

  async save(deviceId: EntityId, values: ReadonlyMap<string, Value>): Promise<WriteOutcome> {
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return trouble;
    for (const [key, value] of values) this.set(deviceId, key, value);
    return 'stored';
  }

  async remove(deviceId: EntityId, keys: readonly string[]): Promise<WriteOutcome> {
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return trouble;
    for (const key of keys) this.values.get(deviceId)?.delete(key);
    return 'stored';
  }
}

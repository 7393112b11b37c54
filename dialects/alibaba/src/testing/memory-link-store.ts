import type { Attribute, AttributeScope, PointList, Value } from '@moorage/core';
import type { LinkStore } from '../stored-requests.ts';

/** Attributes of one device in memory. */
export class MemoryLinkStore implements LinkStore {
  readonly #attributes = new Map<string, Attribute>();
  /** Whether changes are carried out. */
  working = true;
  /** Time of the next change. */
  now = 1;

  async read(_device: unknown, scope: AttributeScope, keys: readonly string[] | null): Promise<readonly Attribute[]> {
    return this.of(scope).filter(({ key }) => keys === null || keys.includes(key));
  }

  async save(_device: unknown, scope: AttributeScope, values: ReadonlyMap<string, Value>): Promise<boolean> {
    if (!this.working) return false;
    for (const [key, { kind, value }] of values) {
      this.#attributes.set(`${scope} ${key}`, { scope, key, kind, value, lastUpdateTs: this.now });
    }
    return true;
  }

  async remove(_device: unknown, scope: AttributeScope, keys: readonly string[]): Promise<boolean> {
    if (!this.working) return false;
    for (const key of keys) this.#attributes.delete(`${scope} ${key}`);
    return true;
  }

  /** Series as `key=value`, in their order. */
  readonly series: string[] = [];

  async saveSeries(_device: unknown, points: PointList): Promise<boolean> {
    if (this.working) this.series.push(...points.keys.map((key, index) => `${key}=${points.values[index]}`));
    return this.working;
  }

  of(scope: AttributeScope): readonly Attribute[] {
    return [...this.#attributes.values()].filter((attribute) => attribute.scope === scope);
  }

  /** Values of a scope by key. */
  values(scope: AttributeScope): Record<string, unknown> {
    return Object.fromEntries(this.of(scope).map(({ key, value }) => [key, value]));
  }
}

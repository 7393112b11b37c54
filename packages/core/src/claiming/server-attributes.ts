import type { EntityId } from '../model/entities.ts';
import type { Clock } from '../ports/runtime.ts';
import type { AttributeStore, WriteOutcome } from '../ports/telemetry-store.ts';
import type { TelemetryObserver } from '../telemetry/observer.ts';
import { PointList } from '../values/point-list.ts';
import type { Value } from '../values/value.ts';

/** The attributes of scope SERVER that claiming and provisioning keep. Durable when resolved. */
export interface ServerAttributes {
  /** Those of the keys that exist. */
  read(deviceId: EntityId, keys: readonly string[]): Promise<ReadonlyMap<string, Value>>;
  save(deviceId: EntityId, values: ReadonlyMap<string, Value>): Promise<WriteOutcome>;
  remove(deviceId: EntityId, keys: readonly string[]): Promise<WriteOutcome>;
}

export interface ServerAttributesOptions {
  readonly attributes: AttributeStore;
  readonly clock: Pick<Clock, 'now'>;
  /** Hears of every change, as the live feed does of those that users make. */
  readonly observer: Pick<TelemetryObserver, 'attributesStored' | 'attributesRemoved'>;
}

/** Server attributes in an attribute store. */
export function createServerAttributes({ attributes, clock, observer }: ServerAttributesOptions): ServerAttributes {
  const scope = 'SERVER';
  return {
    async read(deviceId, keys) {
      const found = await attributes.read(deviceId, scope, keys);
      return new Map(found.map(({ key, kind, value }) => [key, { kind, value }]));
    },
    async save(deviceId, values) {
      const now = clock.now();
      const points = new PointList();
      for (const [key, { kind, value }] of values) points.add(now, key, kind, value);
      const changes = Array.from(values, ([key, { kind, value }]) => {
        return { owner: deviceId, scope, key, attribute: { kind, value, lastUpdateTs: now } } as const;
      });
      const outcome = await attributes.save(changes);
      if (outcome === 'stored') observer.attributesStored(deviceId, scope, points);
      return outcome;
    },
    async remove(deviceId, keys) {
      const outcome = await attributes.save(keys.map((key) => ({ owner: deviceId, scope, key, attribute: null })));
      if (outcome === 'stored') observer.attributesRemoved(deviceId, scope, keys);
      return outcome;
    },
  };
}

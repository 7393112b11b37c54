import type { EntityId } from '../../model/entities.ts';
import type { Attribute } from '../../ports/telemetry-store.ts';
import type { PointList } from '../../values/point-list.ts';
import type { Value } from '../../values/value.ts';
import type { DeviceOwner, DeviceValues, Written } from './device-values.ts';

/** One write for a device, as text and in order. */
export interface LoggedWrite {
  readonly deviceId: EntityId;
  readonly write: string;
}

/** Telemetry and shared attributes in memory, with a log of every write. For tests. */
export class FakeValues implements DeviceValues {
  readonly log: LoggedWrite[] = [];
  /** What the next writes answer instead of being done. */
  readonly troubles: Written[] = [];
  /** Devices that were written for at the same time, at most. */
  mostAtOnce = 0;
  readonly #shared = new Map<EntityId, Map<string, Attribute>>();
  #atOnce = 0;

  shared(deviceId: EntityId): Record<string, unknown> {
    return Object.fromEntries([...(this.#shared.get(deviceId)?.values() ?? [])].map(({ key, value }) => [key, value]));
  }

  /** The log of one device since it was last asked for. */
  takeLog(deviceId: EntityId): string[] {
    const lines = this.log.filter((line) => line.deviceId === deviceId);
    const rest = this.log.filter((line) => line.deviceId !== deviceId);
    this.log.splice(0, this.log.length, ...rest);
    return lines.map(({ write }) => write);
  }

  saveTelemetry(device: DeviceOwner, points: PointList): Promise<Written> {
    const texts = points.keys.map((key, index) => `${key}=${points.values[index]}@${points.ts[index]}`);
    return this.#write(device, `telemetry ${texts.join(' ')}`, () => {});
  }

  async readShared(device: DeviceOwner, keys: readonly string[]): Promise<readonly Attribute[]> {
    return [...(this.#shared.get(device.id)?.values() ?? [])].filter(({ key }) => keys.includes(key));
  }

  saveShared(device: DeviceOwner, values: ReadonlyMap<string, Value>): Promise<Written> {
    const text = JSON.stringify(Object.fromEntries([...values].map(([key, { value }]) => [key, value])));
    return this.#write(device, `update ${text}`, () => {
      const attributes = this.#shared.get(device.id) ?? new Map<string, Attribute>();
      for (const [key, value] of values) attributes.set(key, { scope: 'SHARED', key, lastUpdateTs: 0, ...value });
      this.#shared.set(device.id, attributes);
    });
  }

  removeShared(device: DeviceOwner, keys: readonly string[]): Promise<Written> {
    return this.#write(device, `deleted ${JSON.stringify(keys)}`, () => {
      for (const key of keys) this.#shared.get(device.id)?.delete(key);
    });
  }

  async #write(device: DeviceOwner, text: string, apply: () => void): Promise<Written> {
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    await Promise.resolve();
    this.#atOnce -= 1;
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return trouble;
    this.log.push({ deviceId: device.id, write: text });
    apply();
    return 'stored';
  }
}

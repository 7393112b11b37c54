import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { Device, EntityId, JsonObject } from '../model/entities.ts';
import type { Caller, DeviceInput, DeviceService, TelemetryService } from '../platform.ts';
import type { Clock } from '../ports/runtime.ts';
import { PointList } from '../values/point-list.ts';
import type { DeviceLine } from './device-line.ts';

/** Where the lines of an import go. */
export interface ImportTarget {
  /** Lines of one device come one after the other. */
  take(line: DeviceLine): Promise<Result<'created' | 'updated'>>;
}

/** The device to save: what the line says over what is there. */
export function lineInput(line: DeviceLine, current: Device | null): DeviceInput {
  const info: Record<string, JsonObject[string]> = { ...current?.additionalInfo };
  if (line.description !== null) info.description = line.description;
  if (line.gateway !== null) info.gateway = line.gateway;
  return {
    id: current?.id ?? null,
    name: line.name,
    label: line.label ?? current?.label ?? null,
    type: line.type,
    deviceProfileId: null,
    deviceData: null,
    additionalInfo: Object.keys(info).length === 0 ? (current?.additionalInfo ?? null) : info,
    version: null,
  };
}

/** The device of the line; null: there is none yet. */
export async function currentDevice(
  devices: Pick<DeviceService, 'byName'>,
  caller: Caller,
  name: string,
): Promise<Result<Device | null>> {
  const found = await devices.byName(caller, name);
  return found.ok || found.code !== 'notFound' ? found : success(null);
}

export interface SavingTargetOptions {
  readonly devices: Pick<DeviceService, 'byName' | 'save' | 'saveWithCredentials'>;
  readonly telemetry: Pick<TelemetryService, 'save' | 'saveAttributes'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Creates and updates devices, and writes their values. */
export class SavingTarget implements ImportTarget {
  readonly #options: SavingTargetOptions;
  readonly #caller: Caller;
  readonly #update: boolean;

  constructor(options: SavingTargetOptions, caller: Caller, update: boolean) {
    this.#options = options;
    this.#caller = caller;
    this.#update = update;
  }

  async take(line: DeviceLine): Promise<Result<'created' | 'updated'>> {
    const { devices } = this.#options;
    const current = await currentDevice(devices, this.#caller, line.name);
    if (!current.ok) return current;
    const input = lineInput(line, current.value);
    const saved =
      line.credentials === null
        ? await devices.save(this.#caller, input, { accessToken: null })
        : await devices.saveWithCredentials(this.#caller, input, line.credentials);
    if (!saved.ok) return saved;
    const isNew = current.value === null;
    const refusal = isNew || this.#update ? await this.#writeValues(saved.value.id, line) : null;
    if (refusal !== null)
      return refuse(refusal.code, `The device is saved, but not all its values: ${refusal.message}`);
    return success(isNew ? 'created' : 'updated');
  }

  async #writeValues(deviceId: EntityId, { values }: DeviceLine): Promise<PlatformError | null> {
    const { telemetry, clock } = this.#options;
    const writes: Promise<Result<null>>[] = [];
    for (const [scope, attributes] of [
      ['SHARED', values.SHARED_ATTRIBUTE],
      ['SERVER', values.SERVER_ATTRIBUTE],
    ] as const) {
      if (attributes.size > 0) writes.push(telemetry.saveAttributes(this.#caller, deviceId, scope, attributes));
    }
    if (values.TIMESERIES.size > 0) {
      const points = new PointList();
      const now = clock.now();
      for (const [key, { kind, value }] of values.TIMESERIES) points.add(now, key, kind, value);
      writes.push(telemetry.save(this.#caller, deviceId, points));
    }
    const results = await Promise.all(writes);
    return results.find((result) => !result.ok) ?? null;
  }
}

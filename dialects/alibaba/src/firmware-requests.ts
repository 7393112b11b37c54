import { type DeviceRef, type JsonObject, PointList, ValueKind } from '@moorage/core';
import type { DownloadLinks } from './download-links.ts';
import { FIRMWARE_KEYS, type FirmwareValues, firmwareTask, firmwareVersion } from './firmware.ts';
import { FIRMWARE_PENDING, FIRMWARE_REPORTED, type FirmwareQuestion, REPORTED_VERSION_ATTRIBUTE } from './ota.ts';
import type { LinkStore } from './stored-requests.ts';

const STATE_KEY = 'fw_state';
const PROGRESS_KEY = 'fw_progress';
const NO_TASK: JsonObject = {};

/** Compares what a device runs with what it is to run. Section 5 */
export class FirmwareRequests {
  readonly #store: () => LinkStore;
  readonly #now: () => number;
  readonly #links: DownloadLinks;

  /** `now`: epoch milliseconds. */
  constructor(store: () => LinkStore, now: () => number, links: DownloadLinks) {
    this.#store = store;
    this.#now = now;
    this.#links = links;
  }

  /** The task; an empty object: there is nothing to do. */
  async answer(device: DeviceRef, request: string, question: FirmwareQuestion): Promise<JsonObject> {
    const values = await this.#assigned(device);
    const target = firmwareVersion(values);
    if (target === null) return NO_TASK;
    const version = question.version ?? (await this.#reported(device));
    // Who connects for the first time tells its version in a moment.
    if (version === null && request === FIRMWARE_PENDING) return NO_TASK;
    if (version !== target) return firmwareTask(values, this.#links.linkOf(question)) ?? NO_TASK;
    if (request === FIRMWARE_REPORTED) await this.#updated(device);
    return NO_TASK;
  }

  async #assigned(device: DeviceRef): Promise<FirmwareValues> {
    const found = await this.#store().read(device, 'SHARED', FIRMWARE_KEYS);
    return new Map(found.map(({ key, value }) => [key, value]));
  }

  async #reported(device: DeviceRef): Promise<string | null> {
    const [attribute] = await this.#store().read(device, 'CLIENT', [REPORTED_VERSION_ATTRIBUTE]);
    return attribute === undefined ? null : String(attribute.value);
  }

  /** The version that is asked for is the one that runs: the upgrade succeeded. Section 5, 1 */
  async #updated(device: DeviceRef): Promise<void> {
    const points = new PointList();
    const now = this.#now();
    points.add(now, STATE_KEY, ValueKind.String, 'UPDATED');
    points.add(now, PROGRESS_KEY, ValueKind.Long, 100);
    await this.#store().saveSeries(device, points);
  }
}

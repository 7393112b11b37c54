import type { CommitOutcome, Repositories } from '../../ports/repositories.ts';
import type { DeviceRules } from './device-rules.ts';
import { type BothClocks, putState } from './state-document.ts';

/** States stored in one commit. */
const SAVE_SLICE = 200;

export interface StateSaverOptions {
  readonly repositories: Pick<Repositories, 'commit'>;
  readonly devices: () => Iterable<DeviceRules>;
  readonly exists: (deviceId: string) => boolean;
  readonly clocks: () => BothClocks;
  /** Stores one device together with the alarms that it touches. */
  readonly saveOne: (device: DeviceRules) => Promise<void>;
  /** The device is not busy any more. */
  readonly freed: (device: DeviceRules) => void;
  /** Somebody else has written the state of the device. */
  readonly overtaken: (device: DeviceRules) => void;
  /** A commit did not succeed; `error` is what it threw, else null. */
  readonly failed: (error: unknown) => void;
}

/** Stores what rules remember of devices, between the transitions that store it themselves. */
export class StateSaver {
  readonly #options: StateSaverOptions;
  #saving: Promise<void> | null = null;

  constructor(options: StateSaverOptions) {
    this.#options = options;
  }

  /** Stores what has changed, unless that is under way already; resolves with it. */
  save(): Promise<void> {
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  async #saveAll(): Promise<void> {
    const unsaved = [...this.#options.devices()].filter((device) => device.dirty || device.touches.size > 0);
    let slice: DeviceRules[] = [];
    for (const device of unsaved) {
      if (!this.#isSavable(device)) continue;
      if (device.touches.size > 0) {
        await this.#options.saveOne(device);
        continue;
      }
      slice.push(device);
      if (slice.length < SAVE_SLICE) continue;
      await this.#saveSlice(slice);
      slice = [];
    }
    await this.#saveSlice(slice);
  }

  #isSavable(device: DeviceRules): boolean {
    return !device.busy && !device.stale && !device.missed && !device.gone;
  }

  async #saveSlice(slice: readonly DeviceRules[]): Promise<void> {
    const { repositories, exists, clocks, freed, overtaken, failed } = this.#options;
    const now = clocks();
    const saved = slice.flatMap((device) => {
      const record = this.#isSavable(device) && exists(device.device.id) ? device.record() : null;
      return record === null ? [] : [{ device, change: putState(record, now) }];
    });
    if (saved.length === 0) return;
    for (const { device } of saved) device.busy = true;
    let outcome: CommitOutcome = 'failed';
    let thrown: unknown = null;
    try {
      outcome = await repositories.commit(saved.map(({ change }) => change));
    } catch (error) {
      thrown = error;
    }
    for (const { device } of saved) {
      device.busy = false;
      if (outcome === 'done') {
        device.version += 1;
        device.dirty = false;
      }
    }
    const atFault = typeof outcome === 'object' ? saved[outcome.change]?.device : undefined;
    if (atFault !== undefined && !atFault.gone) overtaken(atFault);
    if (outcome !== 'done') failed(thrown);
    for (const { device } of saved) freed(device);
  }
}

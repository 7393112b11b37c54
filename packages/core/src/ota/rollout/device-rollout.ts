import type { EntityId } from '../../model/entities.ts';
import type { RegistryListener } from '../../platform.ts';
import type { StoredDocument } from '../../ports/documents.ts';
import type { Change, Repositories } from '../../ports/repositories.ts';
import type { Clock, Scheduler } from '../../ports/runtime.ts';
import { DeviceTeller } from './device-teller.ts';
import type { DeviceValues } from './device-values.ts';
import { DEVICE_WORK, type DeviceWork, type WorkKind, workOf, workRecord } from './device-work.ts';
import { inParallel } from './in-parallel.ts';

/** Single devices, and devices of each profile, that are told in one round. */
const SLICE = 200;
/** Profiles whose devices are told in one round; the others wait for theirs to be done. */
const PROFILES = 4;
const DEFAULT_PARALLEL = 32;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

export interface DeviceRolloutOptions {
  readonly repositories: Repositories;
  readonly values: DeviceValues;
  readonly clock: Pick<Clock, 'now'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Told once of each round that had to be put off. */
  readonly report: (error: unknown) => void;
  /** Devices that are told at the same time; default 32. */
  readonly parallel?: number;
}

/** Devices could not be told because a store had no room or no answer; they are tried again. */
export class RolloutDelayed extends Error {
  override readonly name = 'RolloutDelayed';
  readonly code = 'rolloutDelayed';
}

/**
 * Does the work on devices that saves have put down, in the background and in rounds: first single devices, then a slice
 * of each profile. A round ends with one commit that removes what is done, so after a crash at most one round is done
 * again, which changes nothing for devices that were told. Listens to the registry. thingsboard-device.md, 7.2
 */
export class DeviceRollout implements RegistryListener {
  readonly #options: DeviceRolloutOptions;
  #state: 'new' | 'idle' | 'working' | 'pausing' | 'closed' = 'new';
  #added = false;
  #work: Promise<void> = Promise.resolve();
  #pauseMs = FIRST_PAUSE_MS;
  #endPause: () => void = () => {};

  constructor(options: DeviceRolloutOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier run left. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#begin();
  }

  revoked(): void {}

  deviceChanged(): void {}

  sharedAttributesChanged(): void {}

  deviceWorkAdded(): void {
    this.#added = true;
    if (this.#state === 'idle') this.#begin();
  }

  /** Resolves when nothing is being done: all is done, or the rest waits for the store. */
  async settled(): Promise<void> {
    while (this.#state === 'working') await this.#work;
  }

  /** Ends after the round that is under way. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#endPause();
    await this.#work;
  }

  #begin(): void {
    this.#state = 'working';
    this.#work = this.#run();
  }

  async #run(): Promise<void> {
    let more = true;
    let trouble: unknown = null;
    while (more && trouble === null && this.#state === 'working') {
      this.#added = false;
      try {
        more = (await this.#round()) || this.#added;
      } catch (error) {
        trouble = error;
      }
    }
    if (this.#state !== 'working') return;
    if (trouble === null) {
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#state = 'idle';
      return;
    }
    this.#options.report(trouble);
    this.#state = 'pausing';
    this.#endPause = this.#options.scheduler.after(this.#pauseMs, () => {
      if (this.#state === 'pausing') this.#begin();
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  /** True if more work is left. Throws if some of it has to wait for the store. */
  async #round(): Promise<boolean> {
    const devices = await this.#read('device', SLICE);
    const profiles = await this.#read('profile', PROFILES);
    const { repositories, values, clock } = this.#options;
    const round = new Round(new DeviceTeller({ repositories, values, clock }), this.#options);
    await round.tellDevices(devices.records);
    for (const record of withoutRepeats(profiles.records, round)) await round.tellProfile(record);
    const outcome = round.changes.length === 0 ? 'done' : await repositories.commit(round.changes);
    if (round.trouble !== null) throw round.trouble;
    if (outcome !== 'done') throw new RolloutDelayed('what was done for devices could not be noted');
    return devices.total + profiles.total > round.finished;
  }

  #read(target: DeviceWork['target'], limit: number) {
    return this.#options.repositories.documents(DEVICE_WORK, {
      tenantId: null,
      conditions: [{ member: 'target', is: '=', value: target }],
      textSearch: null,
      sort: 'createdTime',
      descending: false,
      offset: 0,
      limit,
    });
  }
}

/** One pass over some of the work, and what it leaves to be committed. */
class Round {
  readonly #teller: DeviceTeller;
  readonly #options: DeviceRolloutOptions;
  readonly changes: Change[] = [];
  /** Records of work that are removed by `changes`. */
  finished = 0;
  /** The first reason why something has to be tried again. */
  trouble: unknown = null;

  constructor(teller: DeviceTeller, options: DeviceRolloutOptions) {
    this.#teller = teller;
    this.#options = options;
  }

  /** Several pieces of work on one device are done as one. */
  async tellDevices(records: readonly StoredDocument[]): Promise<void> {
    const byDevice = new Map<EntityId, { kinds: Set<WorkKind>; queuedAt: number; records: StoredDocument[] }>();
    for (const record of records) {
      const work = workOf(record);
      if (work === null) {
        this.finish(record);
        continue;
      }
      const known = byDevice.get(work.targetId) ?? { kinds: new Set(), queuedAt: 0, records: [] };
      for (const kind of work.kinds) known.kinds.add(kind);
      known.queuedAt = Math.max(known.queuedAt, work.createdTime);
      known.records.push(record);
      byDevice.set(work.targetId, known);
    }
    await this.#each([...byDevice], async ([id, { kinds, queuedAt, records: done }]) => {
      if (await this.#tell(id, kinds, queuedAt)) for (const record of done) this.finish(record);
    });
  }

  /** The next devices of a profile; the work remembers how far it got. */
  async tellProfile(record: StoredDocument): Promise<void> {
    const work = workOf(record);
    if (work === null) return this.finish(record);
    const { tenantId, targetId: profileId, after, createdTime } = work;
    const kinds = new Set(work.kinds);
    const [only] = kinds.size === 1 ? kinds : [];
    const withoutPackage = only === undefined || only === 'REPORTING' ? null : only;
    const ids = await this.#options.repositories.deviceIds({
      tenantId,
      profileId,
      customerId: null,
      withoutPackage,
      after,
      limit: SLICE,
    });
    let told = 0;
    await this.#each(ids, async (id) => {
      if (await this.#tell(id, kinds, createdTime)) told += 1;
    });
    if (told < ids.length) return;
    if (ids.length < SLICE) return this.finish(record);
    const next: DeviceWork = { ...work, after: ids.at(-1) ?? after, version: work.version + 1 };
    this.changes.push({
      kind: 'putDocument',
      collection: DEVICE_WORK,
      record: workRecord(next),
      expectedVersion: work.version,
    });
  }

  finish(record: StoredDocument): void {
    this.finished += 1;
    this.changes.push({
      kind: 'deleteDocument',
      collection: DEVICE_WORK,
      id: record.id,
      expectedVersion: null,
    });
  }

  async #each<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
    await inParallel(items, this.#options.parallel ?? DEFAULT_PARALLEL, task);
  }

  /** False: the device has to be told later. After the first trouble nothing more is tried. */
  async #tell(id: EntityId, kinds: ReadonlySet<WorkKind>, queuedAt: number): Promise<boolean> {
    if (this.trouble !== null) return false;
    try {
      if ((await this.#teller.tell(id, kinds, queuedAt)) === 'done') return true;
      this.trouble ??= new RolloutDelayed('the store has no room or no answer; devices are told later');
    } catch (error) {
      this.trouble ??= error;
    }
    return false;
  }
}

/** Earlier work on a profile that later work covers goes at once: the later begins with the first device. */
function withoutRepeats(records: readonly StoredDocument[], round: Round): readonly StoredDocument[] {
  return records.filter((record, index) => {
    const work = workOf(record);
    const covered = records.slice(index + 1).some((other) => {
      const later = workOf(other);
      return (
        work !== null &&
        later !== null &&
        later.targetId === work.targetId &&
        later.after === null &&
        work.kinds.every((kind) => later.kinds.includes(kind))
      );
    });
    if (covered) round.finish(record);
    return !covered;
  });
}

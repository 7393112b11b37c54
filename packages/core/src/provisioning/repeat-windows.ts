import type { EntityId } from '../model/entities.ts';
import type { DocumentCollection } from '../ports/documents.ts';
import type { Change, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';

/** What a device asked for, as long as it may ask again. The id is the device's. */
const REPEAT_WINDOWS: DocumentCollection = {
  name: 'provision_repeat',
  filters: [],
  sorts: [],
  search: [],
  unique: [],
};

/** Windows kept at once; beyond it the oldest is closed early. */
const MAX_WINDOWS = 100_000;
/** Windows that one new one may clear away. */
const CLEARED_AT_ONCE = 4;
const LOAD_SLICE = 1000;

interface Window {
  readonly openedAt: number;
  readonly digest: string;
}

/** The members of a request that a repeat must have in common with it. */
export interface Repeatable {
  readonly deviceKey: string;
  readonly deviceSecret: string;
  readonly deviceName: string;
}

/**
 * Remembers who was just given credentials, so that a device that lost the answer gets them again: for some minutes, and
 * only until the device connects. In memory for the decision, in the same commit as the device for a restart.
 * thingsboard-device.md, 6.5
 */
export class RepeatWindows {
  readonly #repositories: Repositories;
  readonly #crypto: Crypto;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #lengthMs: number;
  readonly #report: (error: unknown) => void;
  /** The oldest first. */
  readonly #windows = new Map<EntityId, Window>();
  readonly #closing = new Set<Promise<void>>();

  constructor(
    parts: { readonly repositories: Repositories; readonly crypto: Crypto; readonly clock: Pick<Clock, 'now'> },
    lengthMs: number,
    report: (error: unknown) => void,
  ) {
    this.#repositories = parts.repositories;
    this.#crypto = parts.crypto;
    this.#clock = parts.clock;
    this.#lengthMs = lengthMs;
    this.#report = report;
  }

  /** Takes up the windows that an earlier run left. */
  async load(): Promise<void> {
    for (let offset = 0; ; offset += LOAD_SLICE) {
      const { records, total } = await this.#repositories.documents(REPEAT_WINDOWS, {
        tenantId: null,
        conditions: [],
        textSearch: null,
        sort: 'createdTime',
        descending: false,
        offset,
        limit: LOAD_SLICE,
      });
      for (const { id, createdTime, body } of records) {
        if (typeof body.digest === 'string') this.#windows.set(id, { openedAt: createdTime, digest: body.digest });
      }
      if (offset + LOAD_SLICE >= total) return;
    }
  }

  /** The changes that keep a window, for the commit of what the device is given. */
  changes(deviceId: EntityId, tenantId: EntityId, request: Repeatable): readonly Change[] {
    const record = {
      id: deviceId,
      tenantId,
      createdTime: this.#clock.now(),
      version: 1,
      body: { digest: this.#digest(request) },
    };
    const former: Change = {
      kind: 'deleteDocument',
      collection: REPEAT_WINDOWS,
      id: deviceId,
      expectedVersion: null,
    };
    return [
      ...this.#outdated().map((id): Change => ({ ...former, id })),
      former,
      { kind: 'putDocument', collection: REPEAT_WINDOWS, record, expectedVersion: null },
    ];
  }

  /** The commit with `changes` is durable. */
  opened(deviceId: EntityId, request: Repeatable): void {
    for (const id of this.#outdated()) this.#windows.delete(id);
    this.#windows.delete(deviceId);
    this.#windows.set(deviceId, { openedAt: this.#clock.now(), digest: this.#digest(request) });
  }

  /** Whether the same request may be answered once more. */
  allows(deviceId: EntityId, request: Repeatable): boolean {
    const window = this.#windows.get(deviceId);
    if (window === undefined || !this.#isOpen(window)) return false;
    return this.#crypto.equal(window.digest, this.#digest(request));
  }

  /** The device has what it was given. */
  close(deviceId: EntityId): void {
    if (!this.#windows.delete(deviceId)) return;
    const change: Change = { kind: 'deleteDocument', collection: REPEAT_WINDOWS, id: deviceId, expectedVersion: null };
    const task: Promise<void> = this.#repositories
      .commit([change])
      .then(() => undefined, this.#report)
      .finally(() => this.#closing.delete(task));
    this.#closing.add(task);
  }

  /** Resolves when every closed window is closed in storage. */
  async settled(): Promise<void> {
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  #isOpen({ openedAt }: Window): boolean {
    const age = this.#clock.now() - openedAt;
    return age >= 0 && age < this.#lengthMs;
  }

  /** Some of the windows that have closed by time, or that must make room. */
  #outdated(): readonly EntityId[] {
    const ids: EntityId[] = [];
    for (const [id, window] of this.#windows) {
      if (ids.length >= CLEARED_AT_ONCE) break;
      if (this.#isOpen(window) && this.#windows.size - ids.length < MAX_WINDOWS) break;
      ids.push(id);
    }
    return ids;
  }

  #digest({ deviceKey, deviceSecret, deviceName }: Repeatable): string {
    return this.#crypto.sha3_256(JSON.stringify([deviceKey, deviceSecret, deviceName]));
  }
}

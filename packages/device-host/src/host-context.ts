import type { DialectId } from '@moorage/core';
import type { Dialect, ReasonCode } from '@moorage/dialect-api';
import { GuessLimiter } from './admission/guess-limiter.ts';
import { TargetTable } from './commands/target-table.ts';
import type { DeskListener } from './desk/desk-listener.ts';
import type { DeviceConnection } from './device-connection.ts';
import { LiveFeed } from './feed/live-feed.ts';
import type { SubDevice } from './gateway/sub-device.ts';
import { ConnectionNotes } from './log/connection-notes.ts';
import type { DeviceHostOptions, HostParts } from './options.ts';
import { ReadGate } from './ota/read-gate.ts';

/** Why a message is not carried out: told on 5.0, on 3.x acknowledged all the same, unless the connection is closed. */
export interface Objection {
  readonly reasonCode: ReasonCode;
  /** Plain English for the connection log. */
  readonly reason: string;
  readonly close: boolean;
}

export interface AttachedParts extends HostParts {
  readonly feed: LiveFeed;
}

/** Reads of packages at the same time; each is at most 64 KiB. */
const OTA_READS = 32;

/** What the parts of the host share. */
export class HostContext {
  readonly options: DeviceHostOptions;
  readonly targets = new TargetTable<DeviceConnection | SubDevice | DeskListener>();
  readonly guesses = new GuessLimiter();
  readonly notes: ConnectionNotes;
  readonly otaReads = new ReadGate(OTA_READS);
  #parts: AttachedParts | null = null;

  constructor(options: DeviceHostOptions) {
    this.options = options;
    this.notes = new ConnectionNotes(options.clock);
  }

  get parts(): AttachedParts {
    if (this.#parts === null) throw new TypeError('the host is used before it was attached');
    return this.#parts;
  }

  attach(parts: HostParts): void {
    this.#parts = { ...parts, feed: new LiveFeed(parts.broker) };
  }

  dialect(id: DialectId): Dialect | undefined {
    return this.options.dialects.find(({ manifest }) => manifest.id === id);
  }

  count(event: string, amount = 1): void {
    this.options.observer.count(event, amount);
  }

  fault(error: unknown): void {
    this.options.observer.fault(error);
  }

  /** A device is reached by one more target. */
  present(deviceId: string, target: DeviceConnection | SubDevice): void {
    const { activity } = this.parts;
    if (this.targets.add(deviceId, target)) activity.connected(deviceId);
    else activity.active(deviceId);
  }

  /** A target of a device is gone. */
  absent(deviceId: string, target: DeviceConnection | SubDevice): void {
    if (this.targets.remove(deviceId, target)) this.parts.activity.disconnected(deviceId);
  }
}

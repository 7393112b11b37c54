import {
  type AttributeScope,
  type EntityId,
  MESSAGE_FAULT_TEXTS,
  type MessageFault,
  type PointList,
  type TelemetryObserver,
} from '@moorage/core';
import { ReasonCode } from '@moorage/dialect-api';
import type { HostContext } from '../host-context.ts';

/** Passes on what became of telemetry and attributes: to the live feed, the connection log, and the broker. */
export class FeedObserver implements TelemetryObserver {
  readonly #context: HostContext;

  constructor(context: HostContext) {
    this.#context = context;
  }

  telemetryStored(owner: EntityId, points: PointList): void {
    const device = this.#context.options.deviceRef(owner);
    if (device !== undefined) this.#context.parts.feed.telemetry(device, points);
  }

  attributesStored(owner: EntityId, scope: AttributeScope, values: PointList): void {
    const { parts, options } = this.#context;
    parts.activity.attributesStored(owner, scope, values);
    const device = options.deviceRef(owner);
    if (device !== undefined) parts.feed.attributes(device, scope, options.clock.now(), values);
  }

  attributesRemoved(owner: EntityId, scope: AttributeScope, keys: readonly string[]): void {
    const { parts, options } = this.#context;
    parts.activity.attributesRemoved(owner, scope, keys);
    const device = options.deviceRef(owner);
    if (device !== undefined) parts.feed.attributesDeleted(device, scope, options.clock.now(), keys);
  }

  dropped(owner: EntityId, reason: MessageFault, points: number): void {
    this.#context.count(`telemetry_dropped_${reason}`, points);
    const target = this.#context.targets.of(owner).findLast(({ kind }) => kind !== 'listener');
    if (target === undefined || target.kind === 'listener') return;
    const connection = target.kind === 'connection' ? target : target.connection;
    const code = ReasonCode.PayloadFormatInvalid;
    this.#context.notes.note(connection, 'message', code, MESSAGE_FAULT_TEXTS[reason], owner);
  }

  congestionChanged(congested: boolean): void {
    this.#context.count(congested ? 'store_congested' : 'store_relieved');
    this.#context.parts.broker.holdPublishers(congested);
  }

  fault(error: unknown): void {
    this.#context.fault(error);
  }
}

import type { EntityId, RegistryListener, SendResult } from '@moorage/core';
import type { DeviceCommand } from '@moorage/dialect-api';
import type { HostContext } from '../host-context.ts';
import type { Delivered } from './command-target.ts';

/** What is most worth telling of several targets that did not take a command. */
const RANK: Readonly<Record<SendResult, number>> = { notConnected: 0, notSupported: 1, notSubscribed: 2, sent: 3 };

/** Brings commands to devices, whichever way they are reached. */
export class CommandSender {
  readonly #context: HostContext;

  constructor(context: HostContext) {
    this.#context = context;
  }

  /**
   * `rpc` goes to the newest target that takes it, anything else to all. Nothing is queued here for an absent device.
   * `delivered` is for `rpc`.
   */
  send(deviceId: EntityId, command: DeviceCommand, delivered?: Delivered): SendResult {
    let outcome: SendResult = 'notConnected';
    const single = command.kind === 'rpc';
    for (const target of this.#context.targets.of(deviceId).toReversed()) {
      const result = target.hear(command, single ? delivered : undefined);
      if (RANK[result] > RANK[outcome]) outcome = result;
      if (single && result === 'sent') break;
    }
    return outcome;
  }

  sharedAttributesChanged(
    deviceId: EntityId,
    change: Parameters<RegistryListener['sharedAttributesChanged']>[1],
  ): void {
    const values = 'values' in change ? change.values : null;
    const deleted = 'deleted' in change ? change.deleted : null;
    this.send(deviceId, { kind: 'sharedAttributes', values, deleted });
  }
}

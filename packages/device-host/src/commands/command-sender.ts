import type { EntityId, RegistryListener, SendResult } from '@moorage/core';
import type { DeviceCommand } from '@moorage/dialect-api';
import type { HostContext } from '../host-context.ts';
import type { Delivered, Heard } from './command-target.ts';
import { RoutedCommands } from './routed-commands.ts';

/** What is most worth telling of several targets that did not take a command. */
const RANK: Readonly<Record<Heard, number>> = {
  notConnected: 0,
  notSupported: 1,
  notSubscribed: 2,
  tooLarge: 3,
  sent: 4,
};

/** Brings commands to devices, whichever way they are reached. */
export class CommandSender {
  readonly #context: HostContext;
  readonly #routed: RoutedCommands;

  constructor(context: HostContext) {
    this.#context = context;
    this.#routed = new RoutedCommands(context);
  }

  /**
   * Where the dialect of the device routes commands, it is published; else `rpc` goes to the newest target that takes it,
   * anything else to all, and nothing is queued here for an absent device. `delivered` is for `rpc`.
   */
  send(deviceId: EntityId, command: DeviceCommand, delivered?: Delivered): SendResult {
    const dialect = this.#routed.dialectOf(deviceId);
    if (dialect !== null) return this.#routed.send(deviceId, dialect, command);
    let outcome: Heard = 'notConnected';
    const single = command.kind === 'rpc';
    for (const target of this.#context.targets.of(deviceId).toReversed()) {
      const result = target.hear(command, single ? delivered : undefined);
      if (RANK[result] > RANK[outcome]) outcome = result;
      if (single && result === 'sent') break;
    }
    return outcome;
  }

  /** The device was deleted. */
  removed(deviceId: EntityId): void {
    this.#routed.removed(deviceId);
  }

  close(): void {
    this.#routed.close();
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

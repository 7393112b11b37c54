import type { DeviceCommands } from '../device-platform.ts';
import type { EntityId } from '../model/entities.ts';
import type { CommandRouter } from './command-router.ts';
import type { PersistentRpc } from './persistent-rpc.ts';

/** What devices and the registry tell of commands, for both kinds of RPC. */
export class RpcDeviceCommands implements DeviceCommands {
  readonly #router: CommandRouter;
  readonly #persistent: PersistentRpc;

  constructor(router: CommandRouter, persistent: PersistentRpc) {
    this.#router = router;
    this.#persistent = persistent;
  }

  answer(deviceId: EntityId, id: string, payload: string): void {
    this.#router.answer(deviceId, id, payload);
  }

  listening(deviceId: EntityId): void {
    this.#router.listening(deviceId);
    this.#persistent.listening(deviceId);
  }

  /** The device was deleted: its calls end, and nothing more is sent to it. */
  removed(deviceId: EntityId): void {
    this.#persistent.removed(deviceId);
    this.#router.removed(deviceId);
  }
}

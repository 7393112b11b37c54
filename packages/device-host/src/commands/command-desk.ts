import { type CommandRouter, DEFAULT_RPC_TIMEOUT_MS, type DeviceRef, type RpcOutcome } from '@moorage/core';

/** A command that an application sent to a device by name. */
export interface ApplicationCommand {
  readonly device: DeviceRef;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
}

/** Brings commands of applications to devices; the outcome is told as the JSON of `…/rpc/response/{id}`. */
export class CommandDesk {
  readonly #router: CommandRouter;

  constructor(router: CommandRouter) {
    this.#router = router;
  }

  request(command: ApplicationCommand, answered: (json: string) => void): void {
    const { device, method, params } = command;
    this.#router.call(
      {
        tenantId: device.tenantId,
        device,
        method,
        params,
        timeoutMs: DEFAULT_RPC_TIMEOUT_MS,
        oneway: false,
        waitForDevice: false,
      },
      (outcome) => answered(describeOutcome(outcome)),
    );
  }
}

/** `{"result":…}` or `{"error":{"code","message"}}`. architecture.md, Spaces */
export function describeOutcome(outcome: RpcOutcome): string {
  switch (outcome.kind) {
    case 'answer':
      return isJson(outcome.payload)
        ? `{"result":${outcome.payload}}`
        : rpcError('notJson', 'the device answered with something that is not JSON');
    case 'sent':
      return '{"result":null}';
    case 'routed':
      return JSON.stringify({ result: { receivers: outcome.receivers } });
    case 'notStored':
      return rpcError('notStored', 'the command could not be stored');
    case 'tooLarge':
      return rpcError('tooLarge', 'the command is larger than the device can take');
    case 'timeout':
      return rpcError('timeout', 'the device did not answer in time');
    case 'offline':
      return outcome.reason === 'notConnected'
        ? rpcError('notConnected', 'the device is not connected')
        : rpcError('notSubscribed', 'the device does not listen for commands');
    case 'expired':
      return rpcError('timeout', 'the deadline was past before the command could be sent');
    case 'notSupported':
      return rpcError('notSupported', 'commands cannot be sent to devices of this kind');
    case 'tooMany':
      return rpcError('tooMany', 'too many commands are waiting for an answer');
    case 'stopped':
      return rpcError('stopped', 'the server is stopping');
    default:
      return outcome satisfies never;
  }
}

export function rpcError(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

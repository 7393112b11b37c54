import { QueryFault } from '../entity-query/read-keys.ts';
import { telemetryOfType } from '../telemetry/entity-telemetry.ts';
import {
  badCommand,
  entryLists,
  errorAnswer,
  SOCKET_ERROR,
  type SocketError,
  socketError,
  subscriptionAnswer,
  subscriptionTail,
} from './answers.ts';
import type { Command } from './commands.ts';
import { readEntityCommand } from './entity-command.ts';
import { EntitySubscription } from './entity-subscription.ts';
import { type KeyInterest, KeySubscription } from './key-subscription.ts';
import { readSeries } from './read-series.ts';
import type { SessionContext, Subscription } from './session-context.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

type DeviceCommand = Extract<Command, { readonly entityId: string }>;

/** The subscriptions of one session by the ids that its client chose. */
export class Subscriptions {
  readonly #context: SessionContext;
  readonly #maximum: number;
  readonly #running = new Map<number, Subscription>();

  constructor(context: SessionContext, maximum: number) {
    this.#context = context;
    this.#maximum = maximum;
  }

  /** Does one command and answers it; what breaks is reported and told as an internal error. */
  async run(command: Command): Promise<void> {
    let error: SocketError | null;
    try {
      error = await this.#run(command);
    } catch (fault) {
      this.#context.fault(fault);
      error = { code: SOCKET_ERROR.internal, message: 'General error' };
    }
    if (error === null) return;
    this.#context.channel.send(errorAnswer(command.cmdId, error));
  }

  close(): void {
    for (const subscription of this.#running.values()) subscription.close();
    this.#running.clear();
  }

  async #run(command: Command): Promise<SocketError | null> {
    switch (command.type) {
      case 'IGNORED':
        return null;
      case 'INVALID':
        return badCommand(command.message);
      case 'ENTITY_DATA_UNSUBSCRIBE':
        this.#stop(command.cmdId);
        return null;
      case 'ENTITY_DATA':
        return this.#entityData(command);
      case 'TIMESERIES_HISTORY':
        return this.#history(command);
      case 'TIMESERIES':
      case 'ATTRIBUTES':
        return command.unsubscribe ? this.#unsubscribe(command) : this.#follow(command);
    }
  }

  #unsubscribe({ cmdId, entityId }: DeviceCommand): null {
    if (entityId === '') this.close();
    else this.#stop(cmdId);
    return null;
  }

  async #follow(
    command: Extract<Command, { readonly type: 'TIMESERIES' | 'ATTRIBUTES' }>,
  ): Promise<SocketError | null> {
    const problem = deviceProblem(command) ?? this.#fullFor(command.cmdId);
    if (problem !== null) return problem;
    const { cmdId } = command;
    this.#stop(cmdId);
    const interest: KeyInterest = command;
    const subscription = new KeySubscription(this.#context, interest);
    this.#running.set(cmdId, subscription);
    const refusal = await subscription.open();
    if (refusal === null) return null;
    if (this.#running.get(cmdId) === subscription) this.#stop(cmdId);
    return socketError(refusal);
  }

  async #history(command: Extract<Command, { readonly type: 'TIMESERIES_HISTORY' }>): Promise<SocketError | null> {
    const { platform, caller, channel } = this.#context;
    // Only what is followed has to be a device.
    const found = telemetryOfType(platform, command.entityType === '' ? 'DEVICE' : command.entityType);
    const problem = idProblem(command) ?? (found === undefined ? typeProblem(command) : null);
    if (problem !== null || found === undefined) return problem;
    if (command.keys === null) return badCommand('Keys are empty!');
    const read = await readSeries(found.telemetry, caller, command.entityId, command.keys, command.part);
    if (!read.ok) return socketError(read);
    channel.send(subscriptionAnswer(command.cmdId, subscriptionTail(entryLists(read.value))));
    return null;
  }

  async #entityData({
    cmdId,
    command,
  }: Extract<Command, { readonly type: 'ENTITY_DATA' }>): Promise<SocketError | null> {
    const read = readEntityCommand(cmdId, command);
    if (read instanceof QueryFault) return badCommand(read.message);
    const problem = this.#fullFor(cmdId);
    if (problem !== null) return problem;
    let subscription = this.#running.get(cmdId);
    if (!(subscription instanceof EntitySubscription)) {
      this.#stop(cmdId);
      subscription = new EntitySubscription(this.#context, cmdId);
      this.#running.set(cmdId, subscription);
    }
    if (!(subscription instanceof EntitySubscription)) return null;
    const refusal = await subscription.handle(read);
    if (!subscription.hasEntities && this.#running.get(cmdId) === subscription) this.#stop(cmdId);
    return refusal === null ? null : socketError(refusal);
  }

  #fullFor(cmdId: number): SocketError | null {
    if (this.#running.size < this.#maximum || this.#running.has(cmdId)) return null;
    return { code: SOCKET_ERROR.tooManyUpdates, message: 'Too many subscriptions of one session' };
  }

  #stop(cmdId: number): void {
    this.#running.get(cmdId)?.close();
    this.#running.delete(cmdId);
  }
}

/** thingsboard-server.md, 7.6 */
function idProblem({ entityId }: DeviceCommand): SocketError | null {
  if (entityId === '') return badCommand('Device id is empty!');
  return UUID.test(entityId) ? null : badCommand(`Invalid UUID string: ${entityId.slice(0, 100)}`);
}

function typeProblem({ entityType }: DeviceCommand): SocketError {
  return badCommand(`Telemetry of entities of type ${entityType.slice(0, 64)} is not offered by this server yet`);
}

function deviceProblem(command: DeviceCommand): SocketError | null {
  const isDevice = command.entityType === '' || command.entityType === 'DEVICE';
  return idProblem(command) ?? (isDevice ? null : typeProblem(command));
}

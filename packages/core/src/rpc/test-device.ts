import type { EntityId } from '../model/entities.ts';
import type { RpcRecord, RpcStatus } from '../model/rpc-record.ts';
import type { CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto, Scheduler } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import type { CommandGateway, DeliveryResult, GatewayCommand, SendResult } from './command-gateway.ts';
import { CommandRouter } from './command-router.ts';
import { RpcDeviceCommands } from './device-commands.ts';
import { PersistentRpc, type PersistentRpcOptions, type RpcSubmission } from './persistent-rpc.ts';

export const TENANT = '00000000-0000-4000-8000-0000000000aa';

/** A command that reached a device, and the way to acknowledge it. */
export interface ReceivedCommand extends GatewayCommand {
  readonly deviceId: EntityId;
  delivered(result: DeliveryResult): void;
}

/** Publishes commands; their stores answer when a test says so. */
export class RoutedStore {
  receivers = 1;
  tooLarge = false;
  published = 0;
  #waiting: ((outcome: WriteOutcome) => void)[] = [];

  publish(): SendResult {
    if (this.tooLarge) return 'tooLarge';
    const { receivers } = this;
    if (receivers > 0) this.published++;
    return {
      kind: 'routed',
      receivers,
      whenStored: (done) => {
        if (receivers === 0) done('stored');
        else this.#waiting.push(done);
      },
    };
  }

  commit(outcome: WriteOutcome = 'stored'): void {
    for (const done of this.#waiting.splice(0)) done(outcome);
  }
}

/** Devices in the hand of a test. */
export class FakeDevices implements CommandGateway {
  readonly received: ReceivedCommand[] = [];
  readonly listening = new Set<EntityId>();
  unsupported = false;
  /** Commands are published rather than handed to a connection: so many hear one, or it is too large. null: they are not. */
  routing: RoutedStore | null = null;
  /** Called within `send`, before it returns. */
  onSend: (command: ReceivedCommand) => void = () => {};

  send(deviceId: EntityId, command: GatewayCommand, delivered?: (result: DeliveryResult) => void): SendResult {
    if (this.unsupported) return 'notSupported';
    if (this.routing !== null) return this.routing.publish();
    if (!this.listening.has(deviceId)) return 'notConnected';
    const received = { ...command, deviceId, delivered: (result: DeliveryResult) => delivered?.(result) };
    this.received.push(received);
    this.onSend(received);
    return 'sent';
  }

  get methods(): readonly string[] {
    return this.received.map(({ method }) => method);
  }

  last(): ReceivedCommand {
    const command = this.received.at(-1);
    if (command === undefined) throw new RangeError('no command was received');
    return command;
  }
}

/** What outlives a run: the store, and the time of the test. */
export interface TestWorld {
  readonly repositories: Repositories & { readonly troubles: CommitOutcome[] };
  readonly time: Clock & Scheduler & { readonly timers: number; advance(ms: number): void; endTurn(): void };
  readonly crypto: Crypto;
}

/** A run of persistent RPC in the hand of a test. */
export class TestRpc {
  readonly world: TestWorld;
  readonly devices = new FakeDevices();
  readonly gone = new Set<EntityId>();
  /** `id status` in the order told. */
  readonly told: string[] = [];
  readonly faults: unknown[] = [];
  readonly router: CommandRouter;
  readonly rpc: PersistentRpc;
  readonly commands: RpcDeviceCommands;
  #killed = false;

  private constructor(world: TestWorld, options: Partial<PersistentRpcOptions>) {
    this.world = world;
    const { repositories, time, crypto } = world;
    this.router = new CommandRouter({ gateway: this.devices, scheduler: time });
    this.rpc = new PersistentRpc({
      repositories: {
        commit: (changes) => this.#alive(() => repositories.commit(changes)),
        document: (collection, id) => this.#alive(() => repositories.document(collection, id)),
        documents: (collection, query) => this.#alive(() => repositories.documents(collection, query)),
      },
      router: this.router,
      clock: time,
      scheduler: time,
      crypto,
      deviceExists: (id) => !this.gone.has(id),
      observer: {
        rpcChanged: ({ id, status }: RpcRecord) => this.told.push(`${id} ${status}`),
        fault: (error) => this.faults.push(error),
      },
      ...options,
    });
    this.commands = new RpcDeviceCommands(this.router, this.rpc);
  }

  static async start(world: TestWorld, options: Partial<PersistentRpcOptions> = {}): Promise<TestRpc> {
    const test = new TestRpc(world, options);
    await test.rpc.start();
    await test.settle();
    return test;
  }

  /** Ends this run where it stands, as a crash does, and begins another one on the same store. */
  restart(options: Partial<PersistentRpcOptions> = {}): Promise<TestRpc> {
    this.#killed = true;
    return TestRpc.start(this.world, options);
  }

  get time(): TestWorld['time'] {
    return this.world.time;
  }

  #alive<T>(ask: () => Promise<T>): Promise<T> {
    return this.#killed ? new Promise<T>(() => {}) : ask();
  }

  /** Lets every promise and every end of a turn run. */
  async settle(): Promise<void> {
    for (let i = 0; i < 30; i++) {
      this.time.endTurn();
      await Promise.resolve();
    }
  }

  async advance(ms: number): Promise<void> {
    this.time.advance(ms);
    await this.settle();
  }

  /** Submits and gives the id; expires in 60 s unless said otherwise. */
  async submit(parts: Partial<RpcSubmission> = {}): Promise<EntityId> {
    const result = await this.rpc.submit(this.submission(parts));
    if (!result.ok) throw new RangeError(result.message);
    await this.settle();
    return result.value;
  }

  submission(parts: Partial<RpcSubmission> = {}): RpcSubmission {
    return {
      tenantId: TENANT,
      deviceId: 'd1',
      method: 'm',
      params: 'null',
      oneway: false,
      expirationTime: this.time.now() + 60_000,
      retries: null,
      additionalInfo: null,
      id: null,
      ...parts,
    };
  }

  /** The device begins to listen. */
  async listen(deviceId: EntityId = 'd1'): Promise<void> {
    this.devices.listening.add(deviceId);
    this.commands.listening(deviceId);
    await this.settle();
  }

  async record(id: EntityId): Promise<RpcRecord> {
    const record = await this.rpc.record(id);
    if (record === null) throw new RangeError(`no record ${id}`);
    return record;
  }

  async status(id: EntityId): Promise<RpcStatus | null> {
    return (await this.rpc.record(id))?.status ?? null;
  }

  /** The states of a record as observers heard them. */
  history(id: EntityId): string[] {
    return this.told.filter((line) => line.startsWith(id)).map((line) => line.slice(id.length + 1));
  }

  async acknowledge(result: DeliveryResult = 'acknowledged'): Promise<void> {
    this.devices.last().delivered(result);
    await this.settle();
  }

  async answer(payload: string, id = this.devices.last().id, deviceId: EntityId = 'd1'): Promise<void> {
    this.commands.answer(deviceId, id, payload);
    await this.settle();
  }
}

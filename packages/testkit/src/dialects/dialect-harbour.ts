import {
  type ApplicationRef,
  type AttributeStore,
  type CommandGateway,
  CommandRouter,
  type Completion,
  type CredentialLookup,
  type DeviceActivity,
  type DevicePlatform,
  type DeviceRef,
  type DialectId,
  type EntityId,
  type PointList,
  type RpcOutcome,
  type TelemetryIngest,
} from '@moorage/core';
import type { Dialect } from '@moorage/dialect-api';
import {
  type Authenticator,
  Broker,
  type ListenerInfo,
  MemoryRetainedStore,
  MemorySessionStore,
} from '@moorage/mqtt-broker';
import type { ProtocolLevel } from '@moorage/mqtt-codec';
import { FakeTime } from '../mqtt/fake-time.ts';
import { MemoryStream } from '../mqtt/memory-stream.ts';
import { RawClient, readText } from '../mqtt/raw-client.ts';
import { TEST_LISTENER, TestObserver } from '../mqtt/test-host.ts';

/** What a harbour makes the host of. */
export interface HarbourHostOptions {
  readonly dialects: readonly Dialect[];
  readonly credentials: CredentialLookup;
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly applicationRef: (id: EntityId) => ApplicationRef | undefined;
  readonly dialectOf: (deviceId: EntityId) => DialectId | undefined;
  readonly anonymous: boolean;
  readonly deviceRefByName: () => undefined;
  readonly clock: FakeTime;
  readonly scheduler: FakeTime;
  readonly text: (payload: Uint8Array) => string | undefined;
  readonly serverKeepAlive: null;
  readonly observer: { count(): void; fault(error: unknown): void };
}

/** What the host acts through in a harbour. */
export interface HarbourParts {
  readonly broker: Broker;
  readonly ingest: Pick<TelemetryIngest, 'sink' | 'submit' | 'submitAttributes'>;
  readonly activity: Pick<
    DeviceActivity,
    'connected' | 'disconnected' | 'active' | 'removed' | 'attributesStored' | 'attributesRemoved'
  >;
  readonly attributes: Pick<AttributeStore, 'read'>;
  readonly commands: { request(): never };
  readonly platform: DevicePlatform;
}

/** The device host, as far as a harbour has to do with it. */
export interface HarbourHost extends Authenticator, CommandGateway {
  attach(parts: HarbourParts): void;
  close(): void;
}

export interface DialectHarbourOptions {
  readonly dialect: (time: FakeTime) => Dialect;
  /** Makes the host; given by the test, as this package knows none: `(options) => new DeviceHost(options)`. */
  readonly host: (options: HarbourHostOptions) => HarbourHost;
  readonly credentials: CredentialLookup;
  readonly devices: readonly DeviceRef[];
  readonly applications?: readonly ApplicationRef[];
  /** Absent: nobody has any. */
  readonly attributes?: AttributeStore['read'];
  /** When the stores have what they are given; `byTest`: at `commit`. Default `atOnce`. */
  readonly stores?: 'atOnce' | 'byTest';
}

export interface HarbourCall {
  readonly device: DeviceRef;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly oneway: boolean;
  readonly timeoutMs: number;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function nobodyAsks(): never {
  throw new TypeError('nobody was expected to ask for this');
}

/** A dialect behind a real broker, host and command router, with a clock that a test moves. */
export class DialectHarbour {
  readonly time = new FakeTime();
  readonly broker: Broker;
  readonly router: CommandRouter;
  /** `telemetry <name> <keys>` and `CLIENT <name> <keys>`, in their order. */
  readonly stored: string[] = [];
  /** Names of the devices that are online. */
  readonly online = new Set<string>();
  readonly #host: HarbourHost;
  readonly #options: DialectHarbourOptions;
  #owed: Completion[] = [];

  /** Nothing is accepted before `start`. */
  constructor(options: DialectHarbourOptions) {
    this.#options = options;
    const { time } = this;
    const { credentials, devices, applications = [] } = options;
    const dialect = options.dialect(time);
    this.#host = options.host({
      dialects: [dialect],
      credentials,
      deviceRef: (id) => devices.find((device) => device.id === id),
      dialectOf: () => dialect.manifest.id,
      deviceRefByName: () => undefined,
      applicationRef: (id) => applications.find((one) => one.id === id),
      anonymous: false,
      clock: time,
      scheduler: time,
      text: (payload) => readText(payload, 0, payload.length),
      serverKeepAlive: null,
      observer: {
        count: () => {},
        fault: (error) => {
          throw error;
        },
      },
    });
    this.broker = new Broker({
      authenticator: this.#host,
      sessions: new MemorySessionStore(() => time.now()),
      retained: new MemoryRetainedStore(),
      clock: time,
      scheduler: time,
      readText,
      observer: new TestObserver(),
    });
    this.router = new CommandRouter({ gateway: this.#host, scheduler: time });
    this.#host.attach(this.#parts());
  }

  async start(): Promise<void> {
    await this.broker.start();
  }

  #parts(): HarbourParts {
    const platform: DevicePlatform = {
      claims: { open: nobodyAsks },
      provisioning: { provision: nobodyAsks, connected() {} },
      gateways: { ensure: nobodyAsks },
      downloads: { open: nobodyAsks },
      clientRpc: { call: nobodyAsks },
      commands: this.router,
    };
    return {
      broker: this.broker,
      ingest: {
        sink: (owner) => ({ owner, series: new Map(), waiting: null }),
        submit: ({ owner }, points, completion) => this.#note('telemetry', owner, points, completion),
        submitAttributes: (owner, scope, values, _receivedAt, completion) =>
          this.#note(scope, owner, values, completion),
      },
      activity: {
        connected: (owner) => void this.online.add(this.#nameOf(owner)),
        disconnected: (owner) => void this.online.delete(this.#nameOf(owner)),
        active() {},
        removed() {},
        attributesStored() {},
        attributesRemoved() {},
      },
      attributes: { read: this.#options.attributes ?? (async () => []) },
      commands: { request: nobodyAsks },
      platform,
    };
  }

  #note(kind: string, owner: string, { keys }: PointList, completion: Completion | null): void {
    this.stored.push(`${kind} ${this.#nameOf(owner)} ${keys}`);
    if (completion === null) return;
    completion.hold();
    if (this.#options.stores === 'byTest') this.#owed.push(completion);
    else completion.release('stored');
  }

  #nameOf(owner: string): string {
    return this.#options.devices.find(({ id }) => id === owner)?.name ?? owner;
  }

  /** A connection that has said nothing yet. */
  accept(level: ProtocolLevel = 4, via: Partial<ListenerInfo> = {}): RawClient {
    const client = new RawClient(new MemoryStream(), level, () => this.time.endTurn());
    this.broker.accept(client.stream, { ...TEST_LISTENER, ...via });
    return client;
  }

  /** A call by the API; what becomes of it is collected. */
  request({ device, ...call }: HarbourCall): readonly RpcOutcome[] {
    const outcomes: RpcOutcome[] = [];
    this.router.call({ ...call, tenantId: device.tenantId, device, waitForDevice: false }, (outcome) => {
      outcomes.push(outcome);
    });
    this.time.endTurn();
    return outcomes;
  }

  /** The stores have everything that they were given. */
  async commit(): Promise<void> {
    for (const completion of this.#owed.splice(0)) completion.release('stored');
    await turn();
    this.time.endTurn();
  }

  /** Lets everything that is under way come to its end, without time passing. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.time.endTurn();
      await turn();
    }
    this.time.endTurn();
  }

  async close(): Promise<void> {
    this.#host.close();
    await this.broker.close();
  }
}

import {
  type ApplicationRef,
  type AttributeScope,
  CommandRouter,
  type Completion,
  type DevicePlatform,
  type PointList,
  type RpcOutcome,
  type TelemetrySink,
} from '@moorage/core';
import { DeviceHost, type HostParts } from '@moorage/device-host';
import { Broker, type ListenerInfo, MemoryRetainedStore, MemorySessionStore } from '@moorage/mqtt-broker';
import type { ProtocolLevel } from '@moorage/mqtt-codec';
import {
  type ConnectFields,
  FakeTime,
  MemoryStream,
  RawClient,
  readText,
  TEST_LISTENER,
  TestObserver,
} from '@moorage/testkit';
import { WaveshareDialect } from '../dialect.ts';
import { type TestDevice, testRegistry } from './test-registry.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function nobodyAsks(): never {
  throw new TypeError('nobody was expected to ask for this');
}

/** The dialect behind a real broker, host and command router, with a clock that a test moves. */
export class Harbour {
  readonly time = new FakeTime();
  readonly host: DeviceHost;
  readonly broker: Broker;
  readonly router: CommandRouter;
  /** `telemetry <name> <keys>` and `CLIENT <name> <keys>`, in their order. */
  readonly stored: string[] = [];
  /** Who is online. */
  readonly online = new Set<string>();
  readonly #devices: readonly TestDevice[];

  constructor(devices: readonly TestDevice[], accounts: readonly ApplicationRef[] = []) {
    this.#devices = devices;
    const { time } = this;
    const credentials = testRegistry(devices, accounts);
    const dialect = new WaveshareDialect({ credentials, now: () => time.now(), sampleResource: false });
    const deviceRef = (id: string) => devices.find(({ device }) => device.id === id)?.device;
    this.host = new DeviceHost({
      dialects: [dialect],
      credentials,
      deviceRef,
      dialectOf: () => 'waveshare',
      deviceRefByName: () => undefined,
      applicationRef: (id) => accounts.find((one) => one.id === id),
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
      authenticator: this.host,
      sessions: new MemorySessionStore(() => time.now()),
      retained: new MemoryRetainedStore(),
      clock: time,
      scheduler: time,
      readText,
      observer: new TestObserver(),
    });
    this.router = new CommandRouter({ gateway: this.host, scheduler: time });
    this.host.attach(this.#parts());
  }

  static async open(devices: readonly TestDevice[], accounts: readonly ApplicationRef[] = []): Promise<Harbour> {
    const harbour = new Harbour(devices, accounts);
    await harbour.broker.start();
    return harbour;
  }

  #parts(): HostParts {
    const note = (kind: string, owner: string, values: PointList, completion: Completion | null): void => {
      this.stored.push(`${kind} ${this.#nameOf(owner)} ${values.keys}`);
      completion?.hold();
      completion?.release('stored');
    };
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
        sink: (owner): TelemetrySink => ({ owner, series: new Map(), waiting: null }),
        submit: ({ owner }, points, completion) => note('telemetry', owner, points, completion),
        submitAttributes: (owner, scope: AttributeScope, values, _receivedAt, completion) =>
          note(scope, owner, values, completion),
      },
      activity: {
        connected: (owner) => void this.online.add(this.#nameOf(owner)),
        disconnected: (owner) => void this.online.delete(this.#nameOf(owner)),
        active() {},
        removed() {},
        attributesStored() {},
        attributesRemoved() {},
      },
      attributes: { read: async () => [] },
      commands: { request: nobodyAsks },
      platform,
    };
  }

  #nameOf(owner: string): string {
    return this.#devices.find(({ device }) => device.id === owner)?.device.name ?? owner;
  }

  /** A connection that has said nothing yet. */
  accept(level: ProtocolLevel = 4, via: Partial<ListenerInfo> = {}): RawClient {
    const client = new RawClient(new MemoryStream(), level, () => this.time.endTurn());
    this.broker.accept(client.stream, { ...TEST_LISTENER, ...via });
    return client;
  }

  /** A connection of a device; throws unless it is let in. */
  connect({ clientId }: TestDevice, level: ProtocolLevel = 4, fields: ConnectFields = {}): RawClient {
    const client = this.accept(level);
    const { reasonCode } = client.connect({ clientId, ...fields });
    if (reasonCode !== 0) throw new TypeError(`${clientId} is refused with ${reasonCode}`);
    return client;
  }

  /** A call by the API, and what became of it once it has settled. */
  async call({ device }: TestDevice, method: string, params: string): Promise<RpcOutcome | undefined> {
    let outcome: RpcOutcome | undefined;
    this.router.call(
      {
        tenantId: device.tenantId,
        device,
        method,
        params,
        timeoutMs: 10_000,
        oneway: true,
        waitForDevice: false,
      },
      (result) => {
        outcome = result;
      },
    );
    await this.settle();
    return outcome;
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
    this.host.close();
    await this.broker.close();
  }
}

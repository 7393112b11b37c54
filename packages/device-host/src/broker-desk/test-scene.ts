import type { ApplicationRef, Clock, Scheduler } from '@moorage/core';
import {
  type Dialect,
  type Principal,
  ROUTE,
  type SessionPolicy,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { Broker, MemoryRetainedStore, MemorySessionStore } from '@moorage/mqtt-broker';
import { deviceRef, FakeSession, HostFixture, NO_CREDENTIALS } from '../test-fakes.ts';
import { BrokerDesk } from './broker-desk.ts';
import type { DeskDevice, DeskLimits } from './desk-options.ts';
import type { PacketSummary } from './traced-packet.ts';

export const TENANT = 'tenant';
export const EVERYTHING = { pageSize: 1_000, page: 0, textSearch: null };

const NAMES = [
  ['CONNECT', 1],
  ['CONNACK', 2],
  ['PUBLISH', 3],
  ['PUBACK', 4],
  ['SUBSCRIBE', 8],
  ['SUBACK', 9],
  ['PINGREQ', 12],
  ['PINGRESP', 13],
] as const;

/** What a test brings along: time, and clients of 5.0 that keep their Sessions. */
export interface SceneKit<Client> {
  readonly time: Clock & Scheduler & { endTurn(): void; readonly timers: number };
  readonly readText: (bytes: Uint8Array, start: number, end: number) => string;
  readonly policy: SessionPolicy;
  connect(broker: Broker, clientId: string, address: string): Client;
}

/** Free topics that are routed; those that begin with `own/` may not be received. */
class RoutedSession extends FakeSession {
  override disposition = ROUTE;

  override subscribe(topicFilter = '', options?: SubscriptionOptions): SubscriptionDecision {
    return { reasonCode: options?.qos ?? 0, enter: [topicFilter] };
  }

  override mayReceive(topicName = ''): boolean {
    return !topicName.startsWith('own/');
  }
}

function dialect(id: string, capabilities: Dialect['manifest']['capabilities']): Dialect {
  return {
    manifest: { id, title: id, documents: [], capabilities },
    recognise: () => 'no',
    authenticate: () => ({ outcome: 'notMine', reason: '' }),
    openSession: () => new RoutedSession(),
    connectionGuide: () => ({ dialect: id, endpoints: [], fields: [], snippets: [] }),
  };
}

function text(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    return undefined;
  }
}

/**
 * A desk on the host and a real broker. Devices of the dialect `plain` are routed, those of `pushed` are not, and those of
 * `accounts` are in the account `acc`, but for devices whose id begins with `lone`.
 */
export class Scene<Client> {
  readonly kit: SceneKit<Client>;
  readonly fixture: HostFixture;
  readonly applications = new Map<string, ApplicationRef>();
  readonly faults: unknown[] = [];
  readonly broker: Broker;
  readonly desk: BrokerDesk;
  /** Name of the type of a packet. */
  describe: (packet: Uint8Array) => string = (packet) =>
    NAMES.find(([, type]) => type === (packet[0] ?? 0) >> 4)?.[0] ?? 'OTHER';
  #uuids = 0;

  constructor(kit: SceneKit<Client>, limits: Partial<DeskLimits>) {
    const { time, readText } = kit;
    this.kit = kit;
    this.fixture = new HostFixture({ time });
    this.broker = new Broker({
      authenticator: this.fixture.host,
      sessions: new MemorySessionStore(() => time.now()),
      retained: new MemoryRetainedStore(),
      clock: time,
      scheduler: time,
      readText,
      observer: { count: () => {}, fault: (error) => void this.faults.push(error) },
    });
    this.desk = new BrokerDesk({
      broker: this.broker,
      connectionsOf: (id) => this.fixture.host.connectionsOf(id),
      dialects: [
        { ...dialect('pushed', []), oneSession: ({ id }) => id },
        { ...dialect('named', []), oneSession: ({ id }) => `${id}/a name` },
        dialect('plain', ['routing']),
        { ...dialect('accounts', ['routing']), spaceAccount: ({ id }) => (id.startsWith('lone') ? null : 'acc') },
      ],
      deviceRef: (id) => this.fixture.devices.get(id),
      applicationRef: (id) => this.applications.get(id),
      credentials: NO_CREDENTIALS,
      clock: time,
      scheduler: time,
      uuid: () => `uuid-${++this.#uuids}`,
      text,
      describePacket: (_level, packet) => this.#summary(packet),
      limits,
      fault: (error) => void this.faults.push(error),
    });
  }

  /** Ends everything; gives what was left behind. */
  async end(): Promise<{ readonly traced: readonly string[]; readonly timers: number }> {
    this.desk.close();
    await this.broker.close();
    this.fixture.host.close();
    return { traced: this.broker.traced(), timers: this.kit.time.timers };
  }

  /** Lets the desk do its work to the end. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const settled = work.finally(() => {
      over = true;
    });
    for (let turns = 0; turns < 10_000 && !over; turns++) {
      this.kit.time.endTurn();
      await Promise.resolve();
    }
    return settled;
  }

  device(id: string, dialectId = 'plain', tenantId = TENANT): DeskDevice {
    this.fixture.devices.set(id, deviceRef(id, { tenantId, name: `name of ${id}` }));
    return { id, tenantId, dialect: dialectId };
  }

  plain(device: DeskDevice, clientId: string, address = '127.0.0.1'): Client {
    const { id, tenantId } = device;
    return this.#routed({ tenantId, device: this.fixture.devices.get(id) ?? null }, id, clientId, address);
  }

  pushed(device: DeskDevice, clientId = 'pushed'): Client {
    const { id, tenantId } = device;
    const ref = this.fixture.devices.get(id) ?? null;
    const policy = { ...this.kit.policy, persistence: 'never', maximumGrantedQoS: 1 } as const;
    this.fixture.principal = { dialect: 'pushed', tenantId, device: ref, identity: id, account: null, policy };
    this.fixture.session = new FakeSession();
    return this.kit.connect(this.broker, clientId, '127.0.0.1');
  }

  member({ id, tenantId }: DeskDevice): Client {
    const ref = this.fixture.devices.get(id) ?? null;
    const who = { tenantId, device: ref, identity: id, account: 'acc', policy: this.kit.policy };
    this.fixture.principal = { dialect: 'accounts', ...who };
    this.fixture.session = new RoutedSession();
    return this.kit.connect(this.broker, id, '127.0.0.1');
  }

  application(id: string, clientId: string): Client {
    const application = { id, tenantId: TENANT, name: `app ${id}`, enabled: true, configuration: {} };
    this.applications.set(id, application);
    return this.#routed({ tenantId: TENANT, device: null, application }, id, clientId, '127.0.0.1');
  }

  anonymous(clientId: string): Client {
    return this.#routed({ tenantId: TENANT, device: null }, 'anonymous', clientId, '127.0.0.1');
  }

  #routed(who: Partial<Principal>, ownerId: string, clientId: string, address: string): Client {
    const identity = `${ownerId}/${clientId}`;
    this.fixture.principal = { dialect: 'plain', ...who, identity, account: '', policy: this.kit.policy };
    this.fixture.session = new RoutedSession();
    return this.kit.connect(this.broker, clientId, address);
  }

  #summary(packet: Uint8Array): PacketSummary {
    return {
      type: this.describe(packet),
      sizeBytes: packet.length,
      packetIdentifier: null,
      topicName: null,
      qos: null,
      retain: null,
      dup: null,
      sessionPresent: null,
      reasonCodes: null,
      topicFilters: null,
      payloadBytes: null,
      payload: null,
      properties: null,
      problem: null,
    };
  }
}

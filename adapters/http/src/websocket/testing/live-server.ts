import {
  Assets,
  type AttributeStore,
  assetAccess,
  assetSource,
  type Caller,
  type Clock,
  type Crypto,
  createTelemetryService,
  deviceSource,
  EntityQueries,
  LiveHub,
  type Platform,
  PointList,
  type Registry,
  type Repositories,
  type Result,
  refuse,
  type Scheduler,
  TelemetryIngest,
  type TelemetryObserver,
  type TelemetryStore,
  type Value,
  ValueKind,
} from '@moorage/core';
import { fakeClaims } from '../../testing/fake-customers.ts';
import { registryPlatform } from '../../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../../testing/test-server.ts';
import type { WebSocketOptions } from '../web-socket-options.ts';
import { LiveClient } from './live-client.ts';

/** A clock and timers that move only when the test says so. */
export interface TestTime extends Clock, Pick<Scheduler, 'every' | 'after'> {
  /** Timers that are set. */
  readonly timers: number;
  advance(ms: number): void;
  /** Moves the wall clock alone. */
  jump(ms: number): void;
}

/** What a server is made of. */
export interface LiveParts {
  readonly time: TestTime;
  readonly registry: Registry & {
    readonly admin: Caller;
    readonly repositories: Repositories;
    readonly crypto: Crypto;
  };
  readonly store: TelemetryStore & AttributeStore;
}

/** A customer of the test with one user. */
export interface TestCustomer {
  readonly id: string;
  readonly userId: string;
  readonly token: string;
}

/** A server on real use cases in memory; time stands still unless a test moves it. */
export interface LiveServer extends TestServer {
  readonly port: number;
  readonly hub: LiveHub;
  readonly time: TestTime;
  /** While on, telemetry is stored and announced to nobody. */
  readonly silence: { on: boolean };
  /** API keys and the ids of their users. */
  readonly keys: Map<string, string>;
  /** Creates a device and gives its id. */
  device(name?: string, type?: string): Promise<string>;
  /** Stores points as the platform's administrator; announced when resolved. */
  store(deviceId: string, ts: number, values: Record<string, unknown>): Promise<void>;
  storeAttributes(deviceId: string, scope: 'SHARED' | 'SERVER', values: Record<string, unknown>): Promise<void>;
  removeAttributes(deviceId: string, scope: 'SHARED' | 'SERVER', keys: readonly string[]): Promise<void>;
  /** Makes a customer with a user who is signed in. */
  customer(title: string): Promise<TestCustomer>;
  assign(deviceId: string, customerId: string): Promise<void>;
  unassign(deviceId: string): Promise<void>;
  /** Opens `/api/ws`, with the administrator's token unless told otherwise. */
  connect(path?: string): Promise<LiveClient>;
  close(): Promise<void>;
}

function typedValue(value: unknown): Value {
  if (typeof value === 'boolean') return { kind: ValueKind.Boolean, value };
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? ValueKind.Long : ValueKind.Double, value };
  if (typeof value === 'string') return { kind: ValueKind.String, value };
  return { kind: ValueKind.Json, value: JSON.stringify(value) };
}

function succeeded<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new TypeError(`refused with ${result.code}: ${result.message}`);
}

export async function openLiveServer(
  { time, registry, store }: LiveParts,
  options: WebSocketOptions = {},
): Promise<LiveServer> {
  // Timers are the test's; what runs at the end of a turn follows the sockets, which are real.
  const scheduler: Scheduler = {
    endOfTurn: (task) => void setImmediate(task),
    every: (intervalMs, task) => time.every(intervalMs, task),
    after: (delayMs, task) => time.after(delayMs, task),
  };
  const { admin } = registry;
  const fault = (error: unknown): never => {
    throw error;
  };
  const hub = new LiveHub({ access: (caller, id) => registry.deviceData(caller, id), clock: time, fault });
  registry.addListener({
    revoked: (id, reason) => hub.revoked(id, reason),
    deviceChanged: () => undefined,
    sharedAttributesChanged: () => undefined,
  });
  const silence = { on: false };
  const observer: TelemetryObserver = {
    telemetryStored: (owner, points) => {
      if (!silence.on) hub.telemetryStored(owner, points);
    },
    attributesStored: hub.attributesStored.bind(hub),
    attributesRemoved: hub.attributesRemoved.bind(hub),
    dropped: () => undefined,
    congestionChanged: () => undefined,
    fault,
  };
  const ingest = new TelemetryIngest({ telemetry: store, attributes: store, clock: time, scheduler, observer });
  const base = await registryPlatform(registry, fakeClaims());
  const keys = new Map<string, string>();
  const values = { telemetry: store, attributes: store, ingest, observer, clock: time, scheduler };
  const { repositories, customers, crypto, locks, listeners: listener } = registry;
  const removeData = store.removeOwner.bind(store);
  const assets = new Assets({ repositories, customers, crypto, clock: time, locks, removeData, report: fault });
  const platform: Platform = {
    ...base,
    assets,
    telemetry: createTelemetryService({
      ...values,
      access: { entity: (caller, id) => registry.deviceData(caller, id) },
      listener,
    }),
    assetTelemetry: createTelemetryService({ ...values, access: assetAccess(assets), listener }),
    apiKeys: {
      ...base.apiKeys,
      authenticate: async (value) => {
        const found = keys.get(value);
        return found === undefined ? refuse('badCredentials') : registry.accounts.user(found);
      },
    },
    live: hub,
    entities: new EntityQueries({
      sources: [deviceSource(registry.devices), assetSource(assets)],
      telemetry: store,
      attributes: store,
      owners: {
        customerTitle: async (caller, id) => {
          const customer = await registry.customers.get(caller, id);
          return customer.ok ? customer.value.title : null;
        },
        tenantName: async () => registry.defaultTenant.name,
      },
      scheduler,
    }),
  };
  const t = await openTestServer({ platform, clock: time, webSocket: { scheduler, ...options } });
  const port = await t.server.listen('127.0.0.1', 0);
  const clients: LiveClient[] = [];
  return {
    ...t,
    port,
    hub,
    time,
    keys,
    silence,
    async device(name = 'T1', type) {
      const input = { id: null, name, label: null, type: type ?? null, deviceProfileId: null, deviceData: null };
      const saved = await registry.devices.save(
        admin,
        { ...input, additionalInfo: null, version: null },
        { accessToken: null },
      );
      return succeeded(saved).id;
    },
    async store(deviceId, ts, values) {
      const points = new PointList();
      for (const [key, value] of Object.entries(values)) {
        const typed = typedValue(value);
        points.add(ts, key, typed.kind, typed.value);
      }
      succeeded(await platform.telemetry.save(admin, deviceId, points));
    },
    async storeAttributes(deviceId, scope, values) {
      const typed = new Map(Object.entries(values).map(([key, value]) => [key, typedValue(value)]));
      succeeded(await platform.telemetry.saveAttributes(admin, deviceId, scope, typed));
    },
    async removeAttributes(deviceId, scope, keys) {
      succeeded(await platform.telemetry.removeAttributes(admin, deviceId, scope, keys));
    },
    async customer(title) {
      const { id } = (await t.call('POST', '/api/customer', { title })).json().id;
      const email = `${title.toLowerCase()}@example.org`;
      const user = { email, authority: 'CUSTOMER_USER', customerId: { entityType: 'CUSTOMER', id } };
      const userId = (await t.call('POST', '/api/user?sendActivationMail=false', user)).json().id.id;
      const link = succeeded(await registry.users.activationToken(admin, userId));
      succeeded(await registry.users.activate(link, 'password of a customer'));
      const { token } = (await t.login(email, 'password of a customer')).json();
      return { id, userId, token };
    },
    async assign(deviceId, customerId) {
      succeeded(await registry.customers.assignDevice(admin, customerId, deviceId));
    },
    async unassign(deviceId) {
      succeeded(await registry.customers.unassignDevice(admin, deviceId));
    },
    async connect(path = `/api/ws?token=${t.token}`) {
      const client = await LiveClient.open(`ws://127.0.0.1:${port}${path}`);
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.terminate();
      await t.server.close();
    },
  };
}

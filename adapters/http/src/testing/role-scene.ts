import {
  AlarmListeners,
  AlarmRecords,
  Assets,
  AuditLog,
  assetAccess,
  BulkImport,
  type Caller,
  createTelemetryService,
  Dashboards,
  DeviceLinks,
  DeviceOriginators,
  deviceSource,
  EntityQueries,
  LinkIndex,
  LiveHub,
  OtaPackages,
  type Platform,
  PlatformAlarms,
  Relations,
  type RpcService,
  refuse,
  type Scheduler,
  SharedBlobs,
  StorageMonitor,
  success,
  TelemetryIngest,
  type TelemetryObserver,
  Webhooks,
} from '@moorage/core';
import {
  FakeTime,
  MemoryBlobStore,
  MemoryTelemetryStore,
  openTestRegistry,
  ScriptedSender,
  succeeded,
  type TestRegistry,
} from '@moorage/testkit';
import { DEAD_WEBHOOK_ID, deadWebhook } from './dead-webhook.ts';
import { fakeClaims } from './fake-customers.ts';
import { registryPlatform } from './registry-platform.ts';
import { openTestServer, type TestServer } from './test-server.ts';

export const ROLES = ['another tenant', 'customer user', 'tenant administrator', 'system administrator'] as const;
export type Role = (typeof ROLES)[number];

const PASSWORD = 'a battery staple';
const NOTHING = () => undefined;

/** A server on the real use cases of a tenant, its customer and another tenant. */
export interface RoleScene {
  readonly t: TestServer;
  readonly tokens: Readonly<Record<Role, string>>;
  /** Entities of the tenant, by the name of the path parameter. */
  readonly ids: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Everything that decides on rights is real; devices that answer, and claims, are not there. */
async function platformOf(registry: TestRegistry): Promise<Platform> {
  const { repositories, customers, crypto, clock, locks, devices, credentials } = registry;
  const report = (error: unknown): never => {
    throw error;
  };
  const time = new FakeTime();
  const scheduler: Scheduler = {
    endOfTurn: (task) => void setImmediate(task),
    every: (intervalMs, task) => time.every(intervalMs, task),
    after: (delayMs, task) => time.after(delayMs, task),
  };
  const store = new MemoryTelemetryStore();
  const observer: TelemetryObserver = {
    telemetryStored: NOTHING,
    attributesStored: NOTHING,
    attributesRemoved: NOTHING,
    dropped: NOTHING,
    congestionChanged: NOTHING,
    fault: report,
  };
  const ingest = new TelemetryIngest({ telemetry: store, attributes: store, clock, scheduler, observer });
  const values = {
    telemetry: store,
    attributes: store,
    ingest,
    observer,
    clock,
    scheduler,
    listener: registry.listeners,
  };
  const telemetry = createTelemetryService({ ...values, access: { entity: registry.deviceData } });
  const base = await registryPlatform(registry, fakeClaims());
  const shared = { repositories, customers, crypto, clock, locks };
  const assets = new Assets({ ...shared, removeData: async () => 'stored', report });
  const dashboards = new Dashboards(shared);
  const services = { ...base, assets, dashboards };
  const originators = new DeviceOriginators(repositories);
  const blobs = new MemoryBlobStore();
  const device = (caller: Caller, id: string) => {
    const found = registry.deviceData(caller, id);
    return found.ok ? null : found;
  };
  const rpc: RpcService = {
    call: async (caller, id) => device(caller, id) ?? success({ kind: 'sent' }),
    get: async () => refuse('notFound'),
    list: async (caller, id) => device(caller, id) ?? refuse('notFound'),
    remove: async () => refuse('notFound'),
  };
  const webhooks = new Webhooks({
    store: await deadWebhook(registry.defaultTenant.id),
    sender: async () => new ScriptedSender(),
    kinds: [],
    clock,
    scheduler,
    crypto,
    count: NOTHING,
    notice: NOTHING,
    report,
  });
  await webhooks.start();
  return {
    ...services,
    telemetry,
    assetTelemetry: createTelemetryService({ ...values, access: assetAccess(assets) }),
    rpc,
    relations: new Relations({ ...shared, services }),
    bulkImport: new BulkImport({ devices, telemetry, credentials, crypto, clock, scheduler, report }),
    ota: new OtaPackages({
      repositories,
      blobs,
      readers: new SharedBlobs(blobs),
      crypto,
      clock,
      locks,
      maxBytes: 1000,
      report,
    }),
    links: new DeviceLinks({
      repositories,
      index: new LinkIndex(),
      engine: { resultOf: NOTHING, forget: NOTHING },
      deviceRef: (id) => registry.deviceRef(id),
      crypto,
      clock,
      locks,
      report,
    }),
    webhooks,
    live: new LiveHub({ access: (caller, id) => registry.deviceData(caller, id, 'READ'), clock, fault: report }),
    entities: new EntityQueries({
      sources: [deviceSource(devices)],
      telemetry: store,
      attributes: store,
      owners: { customerTitle: async () => null, tenantName: async () => 'default' },
      scheduler,
    }),
    alarms: new PlatformAlarms({
      records: new AlarmRecords({
        repositories,
        crypto,
        clock,
        locks,
        originators,
        listeners: new AlarmListeners(report),
      }),
      repositories,
      originators,
      crypto,
      clock,
    }),
    audit: new AuditLog({
      repositories,
      crypto,
      clock,
      scheduler,
      soleTenantId: () => null,
      count: NOTHING,
      report,
    }),
    storage: new StorageMonitor({
      repositories,
      stores: async () => [],
      telemetry: () => store.statistics(),
      disk: async () => null,
      retentionDays: 30,
      tenantCount: () => registry.tenants.count(),
      crypto,
      clock,
      scheduler,
      report,
    }),
  };
}

export async function openRoleScene(): Promise<RoleScene> {
  const registry = await openTestRegistry();
  const platform = await platformOf(registry);
  const t = await openTestServer({ platform });
  succeeded(await registry.accounts.setSystemAdministrator('root@example.org', PASSWORD));
  const tokenOf = async (email: string): Promise<string> => (await t.login(email, PASSWORD)).json().token;
  const system = await tokenOf('root@example.org');
  const make = async (url: string, body: object, token = t.token) => {
    const headers = { 'x-authorization': `Bearer ${token}` };
    const answer = await t.send({ method: 'POST', url, headers, payload: body });
    if (answer.statusCode !== 200) throw new TypeError(`${url}: ${answer.body}`);
    return answer.json();
  };
  const user = async (body: object, token = t.token) => {
    const { id } = await make('/api/user', body, token);
    const headers = { 'x-authorization': `Bearer ${token}` };
    const link = await t.send({ url: `/api/user/${id.id}/activationLink`, headers });
    const activateToken = new URL(link.body).searchParams.get('activateToken');
    await make('/api/noauth/activate', { activateToken, password: PASSWORD });
    return id.id;
  };
  const other = await make('/api/tenant', { title: 'other' }, system);
  await user({ email: 'other@example.org', authority: 'TENANT_ADMIN', tenantId: other.id }, system);
  const customer = await make('/api/customer', { title: 'Yard' });
  const customerUser = { email: 'ann@example.org', authority: 'CUSTOMER_USER', customerId: customer.id };
  const userId = await user(customerUser);
  const profile = await make('/api/deviceProfile', { name: 'fleet' });
  const device = await make('/api/device', { name: 'Boiler', type: 'fleet' });
  await make(`/api/customer/${customer.id.id}/device/${device.id.id}`, {});
  const asset = await make('/api/asset', { name: 'Hall', type: 'hall' });
  await make(`/api/customer/${customer.id.id}/asset/${asset.id.id}`, {});
  const dashboard = await make('/api/dashboard', { title: 'Overview' });
  await make(`/api/customer/${customer.id.id}/dashboard/${dashboard.id.id}`, {});
  const application = await make('/api/application', { name: 'app', dialect: 'plain' });
  const ota = { title: 'blink', version: '1', type: 'FIRMWARE', deviceProfileId: profile.id };
  const otaPackage = await make('/api/otaPackage', ota);
  const admin = (await t.call('GET', '/api/auth/user')).json();
  const alarmBody = { type: 'Hot', originator: device.id, severity: 'CRITICAL' };
  const alarm = await make('/api/alarm', alarmBody);
  const end = { deviceId: device.id.id };
  const link = await make('/api/link', { name: 'l', source: { ...end, key: 'a' }, target: { ...end, method: 'm' } });
  const key = await make('/api/apiKey', { userId: admin.id, description: 'script' });
  return {
    t,
    tokens: {
      'another tenant': await tokenOf('other@example.org'),
      'customer user': await tokenOf('ann@example.org'),
      'tenant administrator': t.token,
      'system administrator': system,
    },
    ids: {
      tenantId: admin.tenantId.id,
      adminId: admin.id.id,
      userId,
      customerId: customer.id.id,
      deviceId: device.id.id,
      deviceProfileId: profile.id.id,
      profileId: profile.id.id,
      assetId: asset.id.id,
      assetProfileId: asset.assetProfileId.id,
      dashboardId: dashboard.id.id,
      applicationId: application.id.id,
      otaPackageId: otaPackage.id.id,
      apiKeyId: key.id.id,
      rpcId: '00000000-0000-4000-8000-00000000ffff',
      alarmId: alarm.id.id,
      linkId: link.id.id,
      webhookId: DEAD_WEBHOOK_ID,
    },
    close: () => t.server.close(),
  };
}

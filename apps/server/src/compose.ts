import {
  assetAccess,
  CommandRouter,
  createRegistry,
  createTelemetryService,
  DeviceActivity,
  LiveHub,
  ObserverFan,
  type Platform,
  removeRelations,
  removeRpcRecords,
  TelemetryIngest,
} from '@moorage/core';
import { CommandDesk, DeviceHost } from '@moorage/device-host';
import { createHttpServer, type HealthReport, type HttpServer } from '@moorage/http';
import { Broker, USUAL_FLAPPING_LIMITS } from '@moorage/mqtt-broker';
import { isTopicFilter } from '@moorage/mqtt-codec';
import { readVersion } from './cli/version.ts';
import { setAdministrators } from './composition/administrators.ts';
import { type Alarms, createAlarms } from './composition/alarms.ts';
import { createApiServices } from './composition/api-services.ts';
import { createBrokerDesk, sysTopics } from './composition/broker-desk.ts';
import { type OpenCoap, openCoap } from './composition/coap.ts';
import { deviceLimits } from './composition/device-limits.ts';
import { deviceRoutes } from './composition/device-routes.ts';
import { createDeviceServices } from './composition/device-services.ts';
import { createDialects, preSharedKey, rpcTimeoutRange } from './composition/dialects.ts';
import { createLinks } from './composition/links.ts';
import { type OpenListeners, openListeners } from './composition/listeners.ts';
import { ServerMetrics } from './composition/metrics.ts';
import { payloadText, readText } from './composition/payload-text.ts';
import { createPushes } from './composition/pushes.ts';
import { startRetention } from './composition/retention.ts';
import { sensoroWebhooks } from './composition/sensoro.ts';
import { signingKey } from './composition/signing-key.ts';
import { openStores, type Stores } from './composition/stores.ts';
import { createThingscale } from './composition/thingscale.ts';
import { createWebhooks } from './composition/webhooks.ts';
import { anonymousExposure, bindHost } from './config/exposure.ts';
import type { Configuration } from './config/schema.ts';
import type { RunningServer, Runtime } from './running-server.ts';
import { EXIT, StartError } from './start-error.ts';

const ISSUER = 'moorage';

/** Builds and starts the server: stores, registry, broker, dialects, HTTP, in this order; ports open last. */
export async function compose(configuration: Configuration, runtime: Runtime): Promise<RunningServer> {
  const stores = await openStores(configuration, runtime);
  try {
    return await composeOn(stores, configuration, runtime);
  } catch (error) {
    await stores.close();
    throw error;
  }
}

async function composeOn(stores: Stores, configuration: Configuration, runtime: Runtime): Promise<RunningServer> {
  const { clock, scheduler, crypto, log } = runtime;
  const { repositories, telemetry } = stores;
  const metrics = new ServerMetrics();
  const report = (error: unknown): void => log.error(error, 'something failed in the background');
  const count = (event: string, amount: number): void => metrics.count(event, amount);
  let activity: DeviceActivity | null = null;
  let alarms: Alarms | null = null;

  const registry = await createRegistry({
    repositories,
    crypto,
    clock,
    telemetryOwnerRemoval: async (owner) => {
      // Small records first: the mark stays until everything is gone.
      for (const remove of [removeRpcRecords, removeRelations]) {
        const outcome = await remove(repositories, owner);
        if (outcome !== 'stored') return outcome;
      }
      const outcome = (await alarms?.removeOwner(owner)) ?? 'failed';
      return outcome === 'stored' ? telemetry.removeOwner(owner) : outcome;
    },
    isTopicFilter,
    isActive: (deviceId) => activity?.isActive(deviceId) ?? false,
    report,
  });
  await setAdministrators(registry, configuration);
  const hasAdministrator = registry.accounts.hasAdministrator();
  const exposure = anonymousExposure(configuration, hasAdministrator);
  if (exposure !== null) throw new StartError(exposure.message, { hint: exposure.hint, exitCode: EXIT.configuration });

  const webhooks = createWebhooks({
    configuration,
    runtime,
    stores,
    registry,
    count,
    report,
  });
  const thingscale = createThingscale({
    runtime,
    stores,
    registry,
    desk: () => host.desk('thingscale'),
    broker: () => broker,
    connectionsOf: (id) => host.connectionsOf(id),
    outbox: () => webhooks,
    count,
    report,
  });
  const dialects = createDialects({
    configuration,
    runtime,
    registry,
    telemetry: () => telemetryService,
    admission: () => devices.admission,
    sensoro: { rpc: () => devices.services.rpc, connectionsOf: (id) => host.connectionsOf(id), count, report },
    thingscale: thingscale.dialect,
  });
  for (const kind of [sensoroWebhooks(registry), thingscale.webhooks]) webhooks.addKind(kind);
  const pushes = createPushes({
    runtime,
    stores,
    registry,
    dialects,
    broker: () => broker,
    outbox: webhooks,
    count,
    report,
  });
  const limits = deviceLimits(configuration, clock);
  const host = new DeviceHost({
    dialects,
    credentials: registry.credentials,
    deviceRef: (id) => registry.deviceRef(id),
    applicationRef: (id) => registry.applicationRef(id),
    anonymous: configuration.plain.anonymous,
    deviceRefByName: (tenantId, name) => registry.deviceRefByName(tenantId, name),
    clock,
    scheduler,
    text: payloadText,
    serverKeepAlive: configuration.mqtt.serverKeepAlive,
    limits,
    gateway: { subDevices: configuration.gateway.maximumDevices },
    observer: { count, fault: report },
  });
  const live = new LiveHub({ access: (caller, id) => registry.deviceData(caller, id, 'READ'), clock, fault: report });
  alarms = createAlarms({ runtime, stores, registry, live, report });
  const { rules } = alarms;
  const links = createLinks({
    runtime,
    stores,
    registry,
    router: () => router,
    telemetry: () => telemetryService,
    count,
    report,
  });
  const observer = new ObserverFan(host, live, rules, links.engine, pushes);
  const ingest = new TelemetryIngest({
    telemetry,
    attributes: telemetry,
    clock,
    scheduler,
    observer,
    tap: pushes,
    limits: { commitIntervalMs: configuration.storage.commitIntervalMs },
  });
  const deviceActivity = new DeviceActivity({
    attributes: telemetry,
    clock,
    scheduler,
    inactivityTimeoutMs: configuration.device.inactivityTimeoutMs,
    changed: (owner, event, at) => {
      host.activityChanged(owner, event, at);
      live.happened(owner, { ts: at, type: event, detail: null });
    },
    fault: report,
  });
  activity = deviceActivity;
  const router = new CommandRouter({ gateway: host, scheduler });
  const broker = new Broker({
    authenticator: host,
    sessions: stores.sessions,
    retained: stores.sessions.retained,
    clock,
    scheduler,
    readText,
    observer: { count, fault: report },
    limits: {
      ...configuration.mqtt.limits,
      flapping: configuration.mqtt.flapping === 'on' ? USUAL_FLAPPING_LIMITS : null,
    },
    ...sysTopics(configuration, readVersion()),
  });
  const values = { telemetry, attributes: telemetry, ingest, observer, clock, scheduler };
  const telemetryService = createTelemetryService({
    ...values,
    access: { entity: registry.deviceData },
    listener: registry.listeners,
  });
  const devices = await createDeviceServices({
    configuration,
    runtime,
    stores,
    registry,
    router,
    telemetry: telemetryService,
    observer,
    timeoutRange: (device, method) => rpcTimeoutRange(dialects, device, method, registry.credentials),
    report,
  });
  const api = createApiServices({
    configuration,
    runtime,
    stores,
    registry,
    telemetry: telemetryService,
    live,
    ota: devices.services.ota,
    count,
    report,
  });
  host.attach({
    broker,
    ingest,
    activity: deviceActivity,
    attributes: telemetry,
    commands: new CommandDesk(router),
    platform: devices.platform,
    happened: (id, event) => live.happened(id, event),
    wantsTelemetry: (id) => live.wants(id) || rules.wants(id) || links.engine.wants(id),
  });
  registry.addListener(host);
  registry.addListener({
    revoked: (id, why) => live.revoked(id, why),
    deviceChanged() {},
    sharedAttributesChanged() {},
    deviceCreated: ({ id }) => deviceActivity.created(id),
  });
  metrics.watch(broker, ingest, host, telemetry);
  metrics.watchWebhooks(webhooks);

  const platform: Platform = {
    accounts: registry.accounts,
    users: registry.users,
    customers: registry.customers,
    devices: registry.devices,
    profiles: registry.profiles,
    applications: registry.applications,
    telemetry: telemetryService,
    assetTelemetry: createTelemetryService({
      ...values,
      access: assetAccess(api.services.assets),
      listener: { sharedAttributesChanged() {} },
    }),
    ...devices.services,
    ...api.services,
    alarms: alarms.service,
    links: links.service,
    webhooks,
    credentials: registry.credentials,
    deviceRef: (id) => registry.deviceRef(id),
    deviceRefByName: (tenantId, name) => registry.deviceRefByName(tenantId, name),
  };
  await devices.prepare();
  await rules.start();
  await links.start();
  await webhooks.start();
  await thingscale.start();

  let listeners: OpenListeners | null = null;
  let coap: OpenCoap | null = null;
  let stopping = false;
  const health = (): HealthReport => {
    const checks = Object.entries(stores.states()).map(([name, state]) => ({
      name,
      ok: state === 'ok',
      reason: state === 'ok' ? null : `the store is ${state}`,
    }));
    checks.push({ name: 'listeners', ok: listeners !== null, reason: listeners !== null ? null : 'not open yet' });
    checks.push({ name: 'running', ok: !stopping, reason: stopping ? 'the server is stopping' : null });
    return { ready: checks.every((check) => check.ok), checks };
  };
  const brokerDesk = createBrokerDesk({ broker, host, dialects, registry, runtime, report });
  const http: HttpServer = await createHttpServer({
    platform,
    clock,
    signingKey: await signingKey(repositories, crypto),
    issuer: ISSUER,
    version: readVersion(),
    logger: log,
    health,
    connectionGuide: (device, credentials, name) => {
      const dialect = dialects.find((one) => one.manifest.id === device.dialect);
      const { mqtt = null, mqtts = null, ws = null, wss = null } = listeners?.ports ?? {};
      const coapPort = coap?.port ?? null;
      const endpoint = { host: name, mqttPort: mqtt, mqttsPort: mqtts, wsPort: ws, wssPort: wss, httpPort, coapPort };
      return dialect?.connectionGuide(device, credentials, endpoint);
    },
    connections: {
      logOf: (deviceId) => host.log.of(deviceId),
      recent: (tenantId) => {
        const unclaimed = host.log.recent(null);
        if (tenantId === null) return unclaimed;
        // api-additions.md, 3
        if (registry.tenants.count() !== 1) return host.log.recent(tenantId);
        return [...host.log.recent(tenantId), ...unclaimed].sort((a, b) => b.ts - a.ts);
      },
      disconnect: (deviceId) => host.disconnect(deviceId, 'closed by an administrator'),
    },
    metricsRegistry: metrics.registry,
    revokedSessions: registry.revokedSessions,
    webSocket: { scheduler },
    trustProxy: configuration.http.trustedProxies,
    broker: brokerDesk,
    deviceApi: { routes: deviceRoutes(dialects), desk: host.desk('http') },
  });

  await broker.start();
  deviceActivity.start();
  devices.start();
  await api.start();
  const address = bindHost(configuration, hasAdministrator);
  const httpPort = await http.listen(address, configuration.http.port);
  try {
    listeners = await openListeners({
      configuration,
      host: address,
      dialects: dialects.map((dialect) => dialect.manifest.id),
      accept: (stream, via) => broker.accept(stream, via),
      psk: (identity) => preSharedKey(dialects, identity, registry.credentials),
      http: (socket) => http.serve(socket),
      count,
      scheduler,
      log,
    });
  } catch (error) {
    await http.close();
    throw error;
  }
  const open = listeners;
  coap = await openCoap({
    configuration,
    host: address,
    routes: dialects.flatMap((dialect) => dialect.coapRoutes ?? []),
    desk: host.desk('coap'),
    runtime,
    count,
  });
  const stopRetention = startRetention({ telemetry, clock, scheduler, log, days: configuration.storage.retentionDays });
  registry.finishRemovals().catch(report);
  deviceActivity.restore(registry.deviceIds(), (id) => registry.deviceRef(id) !== undefined).catch(report);

  return {
    ports: { ...open.ports, ...(coap === null ? {} : { coap: coap.port }), http: httpPort },
    hasAdministrator,
    reload: () => open.reload(),
    close: async () => {
      stopping = true;
      stopRetention();
      await open.close();
      await devices.closeCalls();
      brokerDesk.close();
      host.close();
      await Promise.all([broker.close(), http.close(), coap?.close()]);
      await devices.close();
      await api.close();
      await thingscale.close();
      await ingest.drain();
      await links.close();
      await rules.close();
      await deviceActivity.close();
      await registry.settled();
      await links.settled();
      await webhooks.close();
      await stores.close();
    },
  };
}

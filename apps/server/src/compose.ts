import {
  CommandRouter,
  createRegistry,
  createTelemetryService,
  DeviceActivity,
  type Platform,
  type Registry,
  TelemetryIngest,
} from '@moorage/core';
import { CommandDesk, DeviceHost } from '@moorage/device-host';
import type { Dialect } from '@moorage/dialect-api';
import { PlainDialect } from '@moorage/dialect-plain';
import { ThingsboardDialect } from '@moorage/dialect-thingsboard';
import { createHttpServer, type HealthReport, type HttpServer } from '@moorage/http';
import { Broker, USUAL_FLAPPING_LIMITS } from '@moorage/mqtt-broker';
import { isTopicFilter } from '@moorage/mqtt-codec';
import { readVersion } from './cli/version.ts';
import { type OpenListeners, openListeners } from './composition/listeners.ts';
import { ServerMetrics } from './composition/metrics.ts';
import { payloadText, readText } from './composition/payload-text.ts';
import { startRetention } from './composition/retention.ts';
import { signingKey } from './composition/signing-key.ts';
import { openStores, type Stores } from './composition/stores.ts';
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
  let activity: DeviceActivity | null = null;

  const registry = await createRegistry({
    repositories,
    crypto,
    clock,
    telemetryOwnerRemoval: (owner) => telemetry.removeOwner(owner),
    isTopicFilter,
    isActive: (deviceId) => activity?.isActive(deviceId) ?? false,
    report,
  });
  await setAdministrator(registry, configuration);
  const hasAdministrator = registry.accounts.hasAdministrator();
  const exposure = anonymousExposure(configuration, hasAdministrator);
  if (exposure !== null) throw new StartError(exposure.message, { hint: exposure.hint, exitCode: EXIT.configuration });

  const dialects = createDialects(configuration, runtime, registry);
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
    observer: { count: (event, amount) => metrics.count(event, amount), fault: report },
  });
  const ingest = new TelemetryIngest({
    telemetry,
    attributes: telemetry,
    clock,
    scheduler,
    observer: host,
    limits: { commitIntervalMs: configuration.storage.commitIntervalMs },
  });
  const deviceActivity = new DeviceActivity({
    attributes: telemetry,
    clock,
    scheduler,
    changed: (owner, event, at) => host.activityChanged(owner, event, at),
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
    observer: { count: (event, amount) => metrics.count(event, amount), fault: report },
    limits: {
      ...configuration.mqtt.limits,
      flapping: configuration.mqtt.flapping === 'on' ? USUAL_FLAPPING_LIMITS : null,
    },
  });
  host.attach({ broker, ingest, activity: deviceActivity, commands: new CommandDesk(router) });
  registry.addListener(host);
  metrics.watch(broker, ingest, host, telemetry);

  const platform: Platform = {
    accounts: registry.accounts,
    devices: registry.devices,
    profiles: registry.profiles,
    applications: registry.applications,
    telemetry: createTelemetryService({
      telemetry,
      attributes: telemetry,
      ingest,
      observer: host,
      clock,
      scheduler,
      access: { device: (caller, id) => registry.deviceData(caller, id) },
      listener: registry.listeners,
    }),
    credentials: registry.credentials,
    deviceRef: (id) => registry.deviceRef(id),
    deviceRefByName: (tenantId, name) => registry.deviceRefByName(tenantId, name),
  };

  let listeners: OpenListeners | null = null;
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
      const ports = listeners?.ports;
      const endpoint = { host: name, mqttPort: ports?.mqtt ?? null, mqttsPort: ports?.mqtts ?? null, httpPort };
      return dialect?.connectionGuide(device, credentials, endpoint);
    },
    connections: {
      logOf: (deviceId) => host.log.of(deviceId),
      recent: (tenantId) => {
        const unclaimed = host.log.recent(null);
        if (tenantId === null) return unclaimed;
        // There is one tenant so far, so its administrator may see what nobody claimed. api-additions.md, 3
        return [...host.log.recent(tenantId), ...unclaimed].sort((a, b) => b.ts - a.ts);
      },
      disconnect: (deviceId) => host.disconnect(deviceId, 'closed by an administrator'),
    },
    metricsRegistry: metrics.registry,
  });

  await broker.start();
  deviceActivity.start();
  const address = bindHost(configuration, hasAdministrator);
  const httpPort = await http.listen(address, configuration.http.port);
  try {
    listeners = await openListeners({
      configuration,
      host: address,
      dialects: dialects.map((dialect) => dialect.manifest.id),
      accept: (stream, via) => broker.accept(stream, via),
      http: (socket) => http.serve(socket),
      count: (event, amount) => metrics.count(event, amount),
      scheduler,
      log,
    });
  } catch (error) {
    await http.close();
    throw error;
  }
  const open = listeners;
  const stopRetention = startRetention({ telemetry, clock, scheduler, log, days: configuration.storage.retentionDays });
  registry.finishRemovals().catch(report);

  return {
    ports: { ...open.ports, http: httpPort },
    hasAdministrator,
    reload: () => open.reload(),
    close: async () => {
      stopping = true;
      stopRetention();
      await open.close();
      await Promise.all([broker.close(), http.close()]);
      router.close();
      host.close();
      await ingest.drain();
      await deviceActivity.close();
      await registry.settled();
      await stores.close();
    },
  };
}

async function setAdministrator(registry: Registry, configuration: Configuration): Promise<void> {
  const { adminEmail, adminPassword } = configuration;
  if (adminPassword === null) return;
  const result = await registry.accounts.setFirstAdministrator(adminEmail, adminPassword);
  if (!result.ok) {
    throw new StartError(`the administrator could not be set: ${result.message}`, {
      hint: 'see MOORAGE_ADMIN_EMAIL and MOORAGE_ADMIN_PASSWORD',
      exitCode: EXIT.configuration,
    });
  }
}

/** In the order of recognition.md, section 3; the one with anonymous access comes last. */
function createDialects(configuration: Configuration, runtime: Runtime, registry: Registry): readonly Dialect[] {
  const { plain } = configuration;
  return [
    new ThingsboardDialect(),
    new PlainDialect({
      anonymous: plain.anonymous,
      anonymousTenantId: registry.defaultTenant.id,
      denySubscribe: plain.denySubscribe,
      randomBytes: (length) => runtime.crypto.randomBytes(length),
    }),
  ];
}

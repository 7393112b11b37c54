import {
  Assets,
  AuditLog,
  assetSource,
  BulkImport,
  Dashboards,
  deviceSource,
  EntityQueries,
  type LiveHub,
  type Platform,
  packagesOf,
  type Registry,
  Relations,
  StorageMonitor,
  type TelemetryService,
} from '@moorage/core';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';
import { diskSpace, storeUsage } from './storage-usage.ts';
import type { Stores } from './stores.ts';

export interface ApiServicesOptions {
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly stores: Stores;
  readonly registry: Registry;
  readonly telemetry: TelemetryService;
  readonly live: LiveHub;
  readonly ota: Platform['ota'];
  readonly count: (event: string, amount: number) => void;
  readonly report: (error: unknown) => void;
}

/** The services of the API that devices know nothing of. */
export interface ApiServices {
  readonly services: Pick<
    Platform,
    | 'live'
    | 'entities'
    | 'dashboards'
    | 'assets'
    | 'relations'
    | 'bulkImport'
    | 'apiKeys'
    | 'audit'
    | 'tenants'
    | 'storage'
  >;
  /** Takes up what an earlier run left. */
  start(): Promise<void>;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Builds dashboards, assets, relations, import, live updates, entity queries, the audit log and the figures of storage. */
export function createApiServices(options: ApiServicesOptions): ApiServices {
  const { configuration, runtime, stores, registry, telemetry, live, ota, count, report } = options;
  const { clock, scheduler, crypto } = runtime;
  const { repositories } = stores;
  const { accounts, customers, devices, profiles, users, locks } = registry;
  const shared = { repositories, customers, crypto, clock, locks };
  const assets = new Assets({ ...shared, removeData: (owner) => stores.telemetry.removeOwner(owner), report });
  const dashboards = new Dashboards(shared);
  const soleTenant = (): boolean => registry.tenants.count() === 1;
  const audit = new AuditLog({
    repositories,
    crypto,
    clock,
    scheduler,
    retentionDays: configuration.audit.keepDays,
    maxLines: configuration.audit.maxLines,
    soleTenantId: () => (soleTenant() ? registry.defaultTenant.id : null),
    count,
    report,
  });
  const storage = new StorageMonitor({
    repositories,
    stores: () => storeUsage(configuration.dataDir),
    telemetry: () => stores.telemetry.statistics(),
    disk: () => diskSpace(configuration.dataDir),
    retentionDays: configuration.storage.retentionDays,
    tenantCount: () => registry.tenants.count(),
    crypto,
    clock,
    scheduler,
    report,
  });
  registry.addTenantContents(packagesOf(ota));
  return {
    services: {
      apiKeys: registry.apiKeys,
      tenants: registry.tenants,
      audit,
      storage,
      live,
      entities: new EntityQueries({
        sources: [deviceSource(devices), assetSource(assets)],
        telemetry: stores.telemetry,
        attributes: stores.telemetry,
        scheduler,
        owners: {
          async customerTitle(caller, id) {
            const found = await customers.get(caller, id);
            return found.ok ? found.value.title : null;
          },
          async tenantName(id) {
            const found = await accounts.tenant(id);
            return found.ok ? found.value.name : null;
          },
        },
      }),
      assets,
      dashboards,
      relations: new Relations({
        repositories,
        crypto,
        clock,
        locks,
        services: { accounts, assets, customers, dashboards, devices, profiles, users },
      }),
      bulkImport: new BulkImport({
        devices,
        telemetry,
        credentials: registry.credentials,
        crypto,
        clock,
        scheduler,
        report,
      }),
    },
    async start() {
      assets.finishRemovals().catch(report);
      audit.start();
      await storage.start();
    },
    async close() {
      await assets.settled();
      await audit.close();
      await storage.close();
    },
  };
}

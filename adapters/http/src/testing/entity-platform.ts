import {
  Assets,
  assetAccess,
  BulkImport,
  type Clock,
  type Crypto,
  createTelemetryService,
  Dashboards,
  type Platform,
  type Registry,
  Relations,
  type Repositories,
  type Scheduler,
  TelemetryIngest,
  type TelemetryObserver,
  type TelemetryService,
} from '@moorage/core';
import { FakeTime, MemoryTelemetryStore } from '@moorage/testkit';
import { fakeClaims } from './fake-customers.ts';
import { registryPlatform } from './registry-platform.ts';

/** A registry under the control of a test. */
interface OpenRegistry extends Registry {
  readonly repositories: Repositories;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly reports: unknown[];
}

/**
 * The platform of a registry with assets and their values, dashboards, relations and bulk import on it; `telemetry` takes
 * the values of devices.
 */
export async function entityPlatform(
  registry: OpenRegistry,
  telemetry: Partial<Pick<TelemetryService, 'save' | 'saveAttributes'>> = {},
): Promise<Platform> {
  const { repositories, customers, crypto, clock, locks, devices, credentials, reports } = registry;
  const report = (error: unknown) => reports.push(error);
  const base = await registryPlatform(registry, fakeClaims());
  const shared = { repositories, customers, crypto, clock, locks };
  const store = new MemoryTelemetryStore();
  const assets = new Assets({ ...shared, removeData: (owner) => store.removeOwner(owner), report });
  const dashboards = new Dashboards(shared);
  const services = { ...base, assets, dashboards };
  const time = new FakeTime();
  const scheduler: Scheduler = {
    endOfTurn: (task) => void setImmediate(task),
    every: (intervalMs, task) => time.every(intervalMs, task),
    after: (delayMs, task) => time.after(delayMs, task),
  };
  const nothing = () => undefined;
  const observer: TelemetryObserver = {
    telemetryStored: nothing,
    attributesStored: nothing,
    attributesRemoved: nothing,
    dropped: nothing,
    congestionChanged: nothing,
    fault: report,
  };
  const ingest = new TelemetryIngest({ telemetry: store, attributes: store, clock, scheduler, observer });
  const values = { ...base.telemetry, ...telemetry };
  return {
    ...services,
    assetTelemetry: createTelemetryService({
      telemetry: store,
      attributes: store,
      ingest,
      observer,
      clock,
      scheduler,
      access: assetAccess(assets),
      listener: { sharedAttributesChanged: nothing },
    }),
    relations: new Relations({ ...shared, services }),
    bulkImport: new BulkImport({ devices, telemetry: values, credentials, crypto, clock, scheduler, report }),
  };
}

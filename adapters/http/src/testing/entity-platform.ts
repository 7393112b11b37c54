import {
  Assets,
  BulkImport,
  type Clock,
  type Crypto,
  Dashboards,
  type Platform,
  type Registry,
  Relations,
  type Repositories,
  type TelemetryService,
} from '@moorage/core';
import { fakeClaims } from './fake-customers.ts';
import { registryPlatform } from './registry-platform.ts';

/** A registry under the control of a test. */
interface OpenRegistry extends Registry {
  readonly repositories: Repositories;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly reports: unknown[];
}

/** The platform of a registry with assets, dashboards, relations and bulk import on it; `telemetry` takes the values. */
export async function entityPlatform(
  registry: OpenRegistry,
  telemetry: Partial<Pick<TelemetryService, 'save' | 'saveAttributes'>> = {},
): Promise<Platform> {
  const { repositories, customers, crypto, clock, locks, devices, credentials, reports } = registry;
  const report = (error: unknown) => reports.push(error);
  const base = await registryPlatform(registry, fakeClaims());
  const shared = { repositories, customers, crypto, clock, locks };
  const assets = new Assets({ ...shared, removeData: async () => 'stored', report });
  const dashboards = new Dashboards(shared);
  const services = { ...base, assets, dashboards };
  const scheduler = { endOfTurn: (task: () => void) => void setImmediate(task) };
  const values = { ...base.telemetry, ...telemetry };
  return {
    ...services,
    relations: new Relations({ ...shared, services }),
    bulkImport: new BulkImport({ devices, telemetry: values, credentials, crypto, clock, scheduler, report }),
  };
}

import type { AssetInput } from '../assets/asset-service.ts';
import { Assets } from '../assets/assets.ts';
import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { Caller, CustomerInput } from '../platform.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import type { Registry } from '../registry/create-registry.ts';
import { Relations } from '../relations/relations.ts';
import type { DashboardInput } from './dashboard-service.ts';
import { Dashboards } from './dashboards.ts';

const NO_CONTACT = {
  country: null,
  state: null,
  city: null,
  address: null,
  address2: null,
  zip: null,
  phone: null,
  email: null,
};

/** A registry under the control of a test. */
interface SceneRegistry extends Registry {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly admin: Caller;
  readonly reports: unknown[];
}

/** Assets, dashboards and relations on a registry. */
export function sceneOn<R extends Repositories>(t: SceneRegistry, repositories: R) {
  const { customers, crypto, clock, locks } = t;
  const removedData: EntityId[] = [];
  const dataOutcomes: WriteOutcome[] = [];
  const assets = new Assets({
    repositories,
    customers,
    crypto,
    clock,
    locks,
    removeData: async (owner) => {
      removedData.push(owner);
      return dataOutcomes.shift() ?? 'stored';
    },
    report: (error) => t.reports.push(error),
  });
  const dashboards = new Dashboards({ repositories, customers, crypto, clock, locks });
  const services = { ...t, assets, dashboards };
  const relations = new Relations({ repositories, services, crypto, clock, locks });
  const customer = async (title: string) => {
    const input: CustomerInput = { id: null, title, ...NO_CONTACT, additionalInfo: null, version: null };
    const saved = await customers.save(t.admin, input);
    if (!saved.ok) throw new TypeError(saved.message);
    const { id, tenantId } = saved.value;
    const user: Caller = { userId: NULL_ID, authority: 'CUSTOMER_USER', tenantId, customerId: id };
    return { id, user };
  };
  return { ...services, relations, repositories, customer, removedData, dataOutcomes };
}

/** An administrator of another tenant. */
export const STRANGER: Caller = {
  userId: NULL_ID,
  authority: 'TENANT_ADMIN',
  tenantId: '00000000-0000-4000-8000-0000000000bb',
  customerId: NULL_ID,
};

export function dashboardInput(title: string, parts: Partial<DashboardInput> = {}): DashboardInput {
  return { id: null, title, image: null, mobileHide: false, mobileOrder: null, version: null, ...parts };
}

export function assetInput(name: string, parts: Partial<AssetInput> = {}): AssetInput {
  return {
    id: null,
    name,
    label: null,
    type: null,
    assetProfileId: null,
    additionalInfo: null,
    version: null,
    ...parts,
  };
}

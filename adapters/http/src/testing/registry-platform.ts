import type { ClaimService, Platform, Registry } from '@moorage/core';
import { ADMIN_EMAIL, ADMIN_PASSWORD, newState } from './fake-state.ts';
import { fakePlatform } from './test-server.ts';

/** The platform of a registry, with the administrator that a test server signs in; telemetry stays a fake. */
export async function registryPlatform(registry: Registry, claims: ClaimService): Promise<Platform> {
  const administrator = await registry.accounts.setFirstAdministrator(ADMIN_EMAIL, ADMIN_PASSWORD);
  if (!administrator.ok) throw new TypeError(administrator.message);
  const { accounts, devices, profiles, applications, customers, users, apiKeys, tenants, credentials } = registry;
  return {
    ...fakePlatform(newState()),
    accounts,
    devices,
    profiles,
    applications,
    customers,
    users,
    apiKeys,
    tenants,
    claims,
    credentials,
  };
}

import {
  applicationInput,
  callerOf,
  deviceInput,
  listQuery,
  MemoryRepositories,
  openTestRegistry,
  profileInput,
  succeeded,
  type TestRegistry,
  thingscaleInput,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import type { Caller, UserInput } from '../platform.ts';
import type { TenantInput } from './tenant.ts';

const SYSTEM = { ...callerOf('SYS_ADMIN', NULL_ID), userId: '00000000-0000-4000-8000-00000000cccc' };
const NO_TOKEN = { accessToken: null };
const denied = { code: 'permissionDenied' };
const badRequest = { code: 'badRequest' };
const page = { ...listQuery(), sortProperty: 'title' };

const input = (title: string, parts: Partial<TenantInput> = {}): TenantInput => ({
  id: null,
  title,
  region: null,
  country: null,
  state: null,
  city: null,
  address: null,
  address2: null,
  zip: null,
  phone: null,
  email: null,
  additionalInfo: null,
  version: null,
  ...parts,
});

const userInput = (email: string, parts: Partial<UserInput> = {}): UserInput => ({
  id: null,
  email,
  authority: 'TENANT_ADMIN',
  customerId: null,
  firstName: null,
  lastName: null,
  additionalInfo: null,
  version: null,
  ...parts,
});

const create = async (t: TestRegistry, title: string) => succeeded(await t.tenants.save(SYSTEM, input(title)));

describe('tenants', () => {
  it('are saved, read and listed by the system administrator, each with a default profile', async () => {
    const t = await openTestRegistry();
    const tenant = await create(t, 'Acme');
    expect(tenant).toMatchObject({ title: 'Acme', region: null, version: 1 });
    expect(succeeded(await t.tenants.get(SYSTEM, tenant.id))).toEqual(tenant);
    expect(succeeded(await t.tenants.list(SYSTEM, page)).data.map(({ title }) => title)).toEqual(['Acme', 'default']);
    expect(t.tenants.count()).toBe(2);
    const admin = callerOf('TENANT_ADMIN', tenant.id);
    expect(succeeded(await t.profiles.defaultProfile(admin)).tenantId).toBe(tenant.id);
    expect((await t.devices.save(admin, deviceInput('A'), NO_TOKEN)).ok).toBe(true);
    const renamed = await t.tenants.save(SYSTEM, input('Acme 2', { id: tenant.id, city: 'Kiel', version: 1 }));
    expect(succeeded(renamed)).toMatchObject({ title: 'Acme 2', city: 'Kiel', version: 2 });
    expect((await t.repositories.tenant(tenant.id))?.name).toBe('Acme 2');
    expect(await t.tenants.save(SYSTEM, input('x', { id: tenant.id, version: 1 }))).toMatchObject({
      code: 'versionConflict',
    });
  });

  it('have titles that are unique on the server', async () => {
    const t = await openTestRegistry();
    const { id } = await create(t, 'Acme');
    const taken = { code: 'badRequest', message: 'Tenant with such title already exists!' };
    expect(await t.tenants.save(SYSTEM, input('Acme'))).toMatchObject(taken);
    expect(await t.tenants.save(SYSTEM, input('default', { id }))).toMatchObject(taken);
    for (const title of ['', ' ', 'a<b>', 'x'.repeat(256)]) {
      expect(await t.tenants.save(SYSTEM, input(title))).toMatchObject(badRequest);
    }
    const missing = { id: '00000000-0000-4000-8000-000000000001' };
    expect(await t.tenants.save(SYSTEM, input('x', missing))).toMatchObject({ code: 'notFound' });
  });

  it('keep the one that the server needs', async () => {
    const t = await openTestRegistry();
    const { id } = t.defaultTenant;
    expect(await t.tenants.remove(SYSTEM, id)).toMatchObject(badRequest);
    expect(await t.tenants.save(SYSTEM, input('other', { id }))).toMatchObject(badRequest);
    expect((await t.tenants.save(SYSTEM, input('default', { id, city: 'Kiel' }))).ok).toBe(true);
  });

  it('are for system administrators; others may read their own as its administrator', async () => {
    const t = await openTestRegistry();
    const { id } = await create(t, 'Acme');
    expect((await t.tenants.get(t.admin, t.defaultTenant.id)).ok).toBe(true);
    const user = callerOf('CUSTOMER_USER', t.admin.tenantId, '00000000-0000-4000-8000-0000000000cc');
    for (const caller of [t.admin, user]) {
      expect(await t.tenants.get(caller, id)).toMatchObject(denied);
      expect(await t.tenants.list(caller, page)).toMatchObject(denied);
      expect(await t.tenants.save(caller, input('x'))).toMatchObject(denied);
      expect(await t.tenants.save(caller, input('x', { id }))).toMatchObject(denied);
      expect(await t.tenants.remove(caller, id)).toMatchObject(denied);
    }
    expect(await t.tenants.get(user, t.defaultTenant.id)).toMatchObject(denied);
  });
});

describe('the system administrator', () => {
  it('is made by the operator alone and keeps to the tenants', async () => {
    const t = await openTestRegistry();
    const user = succeeded(await t.accounts.setSystemAdministrator('Root@example.org', 'correct horse'));
    expect(user).toMatchObject({ authority: 'SYS_ADMIN', tenantId: NULL_ID, customerId: NULL_ID, enabled: true });
    expect((await t.accounts.login('root@example.org', 'correct horse', '192.0.2.1')).ok).toBe(true);
    expect(succeeded(await t.accounts.setSystemAdministrator('root@example.org', 'correct horse')).version).toBe(1);
    expect(await t.accounts.setFirstAdministrator('root@example.org', 'another horse')).toMatchObject(badRequest);
    succeeded(await t.accounts.setFirstAdministrator('admin@example.org', 'correct horse'));
    expect(await t.accounts.setSystemAdministrator('admin@example.org', 'another horse')).toMatchObject(badRequest);
    const system = { ...SYSTEM, userId: user.id };
    expect((await t.users.get(system, user.id)).ok).toBe(true);
    expect(await t.users.save(system, userInput('x@example.org', { authority: 'SYS_ADMIN' }))).toMatchObject(denied);
  });

  it('makes and governs administrators of tenants, and never acts as one', async () => {
    const t = await openTestRegistry();
    const { id: tenantId } = await create(t, 'Acme');
    const admin = succeeded(await t.users.save(SYSTEM, userInput('boss@example.org', { tenantId })));
    expect(admin).toMatchObject({ authority: 'TENANT_ADMIN', tenantId });
    const token = succeeded(await t.users.activationToken(SYSTEM, admin.id));
    expect((await t.users.activate(token, 'correct horse')).ok).toBe(true);
    expect(await t.users.actAs(SYSTEM, admin.id)).toMatchObject(denied);
    const asAdmin: Caller = { ...callerOf('TENANT_ADMIN', tenantId), userId: admin.id };
    expect((await t.users.actAs(asAdmin, admin.id)).ok).toBe(true);
    const key = { id: null, userId: admin.id, description: 'x', enabled: true, expirationTime: 0 };
    expect(await t.apiKeys.save(SYSTEM, key)).toMatchObject(denied);
    const ids = async (list: ReturnType<typeof t.users.list>) => succeeded(await list).data.map(({ id }) => id);
    expect(await ids(t.users.list(SYSTEM, listQuery()))).toEqual([admin.id]);
    expect(await ids(t.users.ofTenant(SYSTEM, tenantId, listQuery()))).toEqual([admin.id]);
    expect(await ids(t.users.ofTenant(SYSTEM, t.defaultTenant.id, listQuery()))).toEqual([]);
    expect(await t.users.ofTenant(t.admin, tenantId, listQuery())).toMatchObject(denied);
    expect((await t.users.setEnabled(SYSTEM, admin.id, false)).ok).toBe(true);
    expect((await t.users.remove(SYSTEM, admin.id)).ok).toBe(true);
  });

  it('makes them for tenants that exist, and nobody else', async () => {
    const t = await openTestRegistry();
    const tenantId = '00000000-0000-4000-8000-000000000001';
    const save = (parts: Partial<UserInput>) => t.users.save(SYSTEM, userInput('x@example.org', parts));
    expect(await save({})).toMatchObject(badRequest);
    expect(await save({ tenantId })).toMatchObject(badRequest);
    expect(await save({ tenantId: NULL_ID })).toMatchObject(badRequest);
    expect(await save({ authority: 'CUSTOMER_USER', customerId: tenantId })).toMatchObject(denied);
    expect(await t.users.ofTenant(SYSTEM, tenantId, listQuery())).toMatchObject({ code: 'notFound' });
    // Whatever an administrator sends, it makes users of its own tenant.
    const other = await create(t, 'Acme');
    const made = await t.users.save(t.admin, userInput('y@example.org', { tenantId: other.id }));
    expect(succeeded(made).tenantId).toBe(t.admin.tenantId);
  });

  it('TBS-15 sees no customer, no user of one and no device', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.devices.save(t.admin, deviceInput('A'), NO_TOKEN));
    expect(t.deviceData(SYSTEM, id)).toMatchObject(denied);
    const customer = succeeded(await t.customers.save(t.admin, { ...input('Yard') }));
    const parts = { authority: 'CUSTOMER_USER', customerId: customer.id } as const;
    const user = succeeded(await t.users.save(t.admin, userInput('ann@example.org', parts)));
    expect(await t.users.get(SYSTEM, user.id)).toMatchObject(denied);
    expect(await t.users.resetToken(SYSTEM, user.id)).toMatchObject(denied);
    expect(await t.users.remove(SYSTEM, user.id)).toMatchObject(denied);
    expect(await t.users.ofCustomer(SYSTEM, customer.id, listQuery())).toMatchObject(denied);
  });
});

describe('deleting a tenant', () => {
  async function scene() {
    const repositories = new MemoryRepositories();
    const t = await openTestRegistry({ repositories });
    const { id } = await create(t, 'Acme');
    const admin = callerOf('TENANT_ADMIN', id);
    const user = succeeded(await t.users.save(SYSTEM, userInput('boss@example.org', { tenantId: id })));
    const devices: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      devices.push(succeeded(await t.devices.save(admin, deviceInput(name, { type: name }), NO_TOKEN)).id);
    }
    const application = succeeded(await t.applications.save(admin, applicationInput('app')));
    const provisioning = { provisionType: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceKey: 'key-of-acme' };
    succeeded(await t.profiles.save(admin, profileInput('fleet', provisioning)));
    succeeded(await t.customers.save(admin, { ...input('Yard') }));
    const kept = succeeded(await t.devices.save(t.admin, deviceInput('kept'), NO_TOKEN)).id;
    return { t, id, admin, user, devices, application, kept, repositories };
  }

  const leftOf = async (repositories: MemoryRepositories, tenantId: string) => {
    const query = { tenantId, offset: 0, limit: 10, textSearch: null, sort: 'id', descending: false } as const;
    const scope = { tenantId, profileId: null, customerId: null, withoutPackage: null, after: null, limit: 10 };
    return [
      (await repositories.users({ ...query, customerId: null, authority: null })).total,
      (await repositories.profiles(query)).total,
      (await repositories.applications(query)).total,
      (await repositories.deviceIds(scope)).length,
      await repositories.tenantDocuments(tenantId),
      (await repositories.tenant(tenantId)) === null ? 0 : 1,
    ];
  };

  it('takes users, devices and everything else away, and nothing of others', async () => {
    const { t, id, user, devices, application, kept, repositories } = await scene();
    const asked: string[] = [];
    t.addTenantContents({ removeOf: async (tenantId) => void asked.push(tenantId) });
    expect((await t.tenants.remove(SYSTEM, id)).ok).toBe(true);
    expect(await t.accounts.user(user.id)).toMatchObject({ code: 'notFound' });
    expect(await t.tenants.get(SYSTEM, id)).toMatchObject({ code: 'notFound' });
    expect(await t.tenants.remove(SYSTEM, id)).toMatchObject({ code: 'notFound' });
    expect(t.tenants.count()).toBe(1);
    await t.finishRemovals();
    expect(await leftOf(repositories, id)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(asked).toEqual([id]);
    expect([...t.removed].sort()).toEqual([...devices].sort());
    for (const principal of [...devices, application.id]) expect(t.revoked).toContain(`deleted ${principal}`);
    expect(devices.map((device) => t.deviceRef(device))).toEqual([undefined, undefined, undefined]);
    expect((await t.devices.get(t.admin, kept)).ok).toBe(true);
    expect(t.reports).toEqual([]);
    expect((await t.tenants.save(SYSTEM, input('Acme'))).ok).toBe(true);
  });

  it('takes accounts away that devices belong to', async () => {
    const repositories = new MemoryRepositories();
    const t = await openTestRegistry({ repositories });
    const { id } = await create(t, 'Acme');
    const admin = callerOf('TENANT_ADMIN', id);
    const account = succeeded(await t.applications.save(admin, applicationInput('a', { dialect: 'thingscale' })));
    const credentials = thingscaleInput(account.id, 'one');
    succeeded(await t.devices.saveWithCredentials(admin, deviceInput('one'), credentials));
    expect((await t.applications.remove(admin, account.id)).ok).toBe(false);
    await t.tenants.remove(SYSTEM, id);
    await t.finishRemovals();
    expect(await leftOf(repositories, id)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(t.credentials.accountDevice?.(account.id, 'one')).toBeUndefined();
  });

  it('is finished at the next start when it was interrupted', async () => {
    const { t, id, devices, repositories } = await scene();
    const commit = repositories.commit.bind(repositories);
    let commits = 0;
    repositories.commit = async (changes) => {
      commits += 1;
      return commits <= 3 ? commit(changes) : 'failed';
    };
    expect((await t.tenants.remove(SYSTEM, id)).ok).toBe(true);
    await t.settled();
    repositories.commit = commit;
    const before = await leftOf(repositories, id);
    expect(before[3]).toBeGreaterThan(0);
    // The title is free at once.
    expect((await t.tenants.save(SYSTEM, input('Acme'))).ok).toBe(true);
    const next = await openTestRegistry({ repositories });
    expect(await next.tenants.get(SYSTEM, id)).toMatchObject({ code: 'notFound' });
    await next.finishRemovals();
    expect(await leftOf(repositories, id)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(devices.map((device) => next.deviceRef(device))).toEqual([undefined, undefined, undefined]);
  });

  it('goes again over what came in between', async () => {
    const { t, id, admin, repositories } = await scene();
    let rounds = 0;
    t.addTenantContents({
      removeOf: async () => {
        rounds += 1;
        if (rounds === 1) await t.applications.save(admin, applicationInput('late'));
      },
    });
    await t.tenants.remove(SYSTEM, id);
    await t.finishRemovals();
    expect(rounds).toBe(2);
    expect(await leftOf(repositories, id)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

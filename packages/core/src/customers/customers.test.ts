import {
  callerOf,
  deviceInput,
  listQuery,
  MemoryRepositories,
  openTestRegistry,
  sampleUser,
  succeeded,
  type TestRegistry,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import type { CustomerInput } from '../platform.ts';
import { CUSTOMERS } from './customer-collection.ts';

const input = (title: string, parts: Partial<CustomerInput> = {}): CustomerInput => ({
  id: null,
  title,
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

const create = async (t: TestRegistry, title: string) => succeeded(await t.customers.save(t.admin, input(title)));
const device = async (t: TestRegistry, name: string) =>
  succeeded(await t.devices.save(t.admin, deviceInput(name), { accessToken: null })).id;
const page = { ...listQuery(), sortProperty: 'title' };

describe('customers', () => {
  it('are saved, read and listed', async () => {
    const t = await openTestRegistry();
    const parts = { city: 'Kiel', email: 'Office@Example.org', additionalInfo: { note: 1 } };
    const saved = succeeded(await t.customers.save(t.admin, input('Yard', parts)));
    expect(saved).toMatchObject({ title: 'Yard', city: 'Kiel', country: null, isPublic: false, version: 1 });
    expect(succeeded(await t.customers.get(t.admin, saved.id))).toEqual(saved);
    expect(succeeded(await t.customers.byTitle(t.admin, 'Yard'))).toEqual(saved);
    expect(await t.customers.byTitle(t.admin, 'yard')).toMatchObject({ code: 'notFound' });
    await create(t, 'Boat Club');
    const list = succeeded(await t.customers.list(t.admin, page));
    expect(list).toMatchObject({ totalElements: 2, hasNext: false });
    expect(list.data.map(({ title }) => title)).toEqual(['Boat Club', 'Yard']);
    expect(succeeded(await t.customers.list(t.admin, { ...page, textSearch: 'YAR' })).totalElements).toBe(1);
  });

  it('are updated under their version', async () => {
    const t = await openTestRegistry();
    const { id } = await create(t, 'Yard');
    const update = (title: string, version: number | null) => t.customers.save(t.admin, input(title, { id, version }));
    expect(succeeded(await update('Dock', 1))).toMatchObject({ id, title: 'Dock', version: 2 });
    expect(await update('Pier', 1)).toMatchObject({ code: 'versionConflict' });
    expect(succeeded(await update('Pier', null)).version).toBe(3);
    const unknown = input('x', { id: '00000000-0000-4000-8000-000000000001' });
    expect(await t.customers.save(t.admin, unknown)).toMatchObject({ code: 'notFound' });
  });

  it('have titles that are unique in the tenant and not reserved', async () => {
    const t = await openTestRegistry();
    await create(t, 'Yard');
    const other = await create(t, 'Dock');
    const duplicate = { code: 'badRequest', message: 'Customer with such title already exists!' };
    expect(await t.customers.save(t.admin, input('Yard'))).toMatchObject(duplicate);
    expect(await t.customers.save(t.admin, input('Yard', { id: other.id }))).toMatchObject(duplicate);
    for (const title of ['', '  ', 'Public', 'a<b>', 'x'.repeat(256)]) {
      expect(await t.customers.save(t.admin, input(title)), title).toMatchObject({ code: 'badRequest' });
    }
    expect(await t.customers.save(t.admin, input('x', { email: 'nobody' }))).toMatchObject({ code: 'badRequest' });
  });

  it('are shown to their own users alone, and changed by administrators', async () => {
    const t = await openTestRegistry();
    const [yard, dock] = [await create(t, 'Yard'), await create(t, 'Dock')];
    const user = callerOf('CUSTOMER_USER', t.admin.tenantId, yard.id);
    const denied = { code: 'permissionDenied' };
    expect((await t.customers.get(user, yard.id)).ok).toBe(true);
    expect(await t.customers.get(user, dock.id)).toMatchObject(denied);
    expect(await t.customers.list(user, page)).toMatchObject(denied);
    expect(await t.customers.save(user, input('New'))).toMatchObject(denied);
    expect(await t.customers.remove(user, yard.id)).toMatchObject(denied);
    const foreign = callerOf('TENANT_ADMIN', '00000000-0000-4000-8000-0000000000bb');
    expect(await t.customers.get(foreign, yard.id)).toMatchObject(denied);
    expect(await t.customers.get(callerOf('SYS_ADMIN', NULL_ID), yard.id)).toMatchObject(denied);
  });
});

describe('devices of customers', () => {
  it('TBS-32 are gained and lost; taking back twice is refused', async () => {
    const t = await openTestRegistry();
    const { id } = await create(t, 'Yard');
    const [a, b] = [await device(t, 'a'), await device(t, 'b')];
    expect(succeeded(await t.customers.assignDevice(t.admin, id, a)).customerId).toBe(id);
    const names = async () =>
      succeeded(await t.customers.devices(t.admin, id, listQuery())).data.map((one) => one.name);
    expect(await names()).toEqual(['a']);
    await t.customers.assignDevice(t.admin, id, b);
    expect(await names()).toHaveLength(2);
    expect(succeeded(await t.customers.unassignDevice(t.admin, a)).customerId).toBe(NULL_ID);
    expect(await names()).toEqual(['b']);
    expect(await t.customers.unassignDevice(t.admin, a)).toMatchObject({
      code: 'badRequest',
      message: "Device isn't assigned to any customer!",
    });
  });

  it('TBS-43 are all that a customer user sees, in lists, infos, types and data', async () => {
    const t = await openTestRegistry();
    const [yard, dock] = [await create(t, 'Yard'), await create(t, 'Dock')];
    const [mine, other] = [await device(t, 'mine'), await device(t, 'other')];
    await t.customers.assignDevice(t.admin, yard.id, mine);
    await t.customers.assignDevice(t.admin, dock.id, other);
    const user = callerOf('CUSTOMER_USER', t.admin.tenantId, yard.id);
    const ids = (list: { readonly data: readonly { readonly id: string }[] }) => list.data.map(({ id }) => id);
    expect(ids(succeeded(await t.devices.list(user, listQuery())))).toEqual([mine]);
    expect(ids(succeeded(await t.customers.devices(user, yard.id, listQuery())))).toEqual([mine]);
    expect(await t.customers.devices(user, dock.id, listQuery())).toMatchObject({ code: 'permissionDenied' });
    expect(await t.customers.deviceInfos(user, dock.id, listQuery())).toMatchObject({ code: 'permissionDenied' });
    expect(t.deviceData(user, mine).ok).toBe(true);
    expect(t.deviceData(user, other)).toMatchObject({ code: 'permissionDenied' });
    await t.customers.unassignDevice(t.admin, mine);
    expect(t.deviceData(user, mine)).toMatchObject({ code: 'permissionDenied' });
  });

  it('TBS-30 carry the title of their customer, also a new one', async () => {
    const t = await openTestRegistry();
    const { id } = await create(t, 'Yard');
    const deviceId = await device(t, 'a');
    await t.customers.assignDevice(t.admin, id, deviceId);
    const info = async () => succeeded(await t.customers.deviceInfos(t.admin, id, listQuery())).data[0];
    expect(await info()).toMatchObject({
      customerTitle: 'Yard',
      customerIsPublic: false,
      deviceProfileName: 'default',
    });
    await t.customers.save(t.admin, input('Dock', { id }));
    expect(await info()).toMatchObject({ customerTitle: 'Dock' });
    expect(succeeded(await t.devices.info(t.admin, deviceId)).customerTitle).toBe('Dock');
  });

  it('are assigned by administrators only, to customers and of devices of their tenant', async () => {
    const t = await openTestRegistry();
    const { id } = await create(t, 'Yard');
    const deviceId = await device(t, 'a');
    const user = callerOf('CUSTOMER_USER', t.admin.tenantId, id);
    expect(await t.customers.assignDevice(user, id, deviceId)).toMatchObject({ code: 'permissionDenied' });
    expect(await t.customers.assignDeviceToPublic(user, deviceId)).toMatchObject({ code: 'permissionDenied' });
    expect(await t.customers.unassignDevice(user, deviceId)).toMatchObject({ code: 'permissionDenied' });
    const nobody = '00000000-0000-4000-8000-000000000001';
    expect(await t.customers.assignDevice(t.admin, nobody, deviceId)).toMatchObject({ code: 'notFound' });
    expect(await t.customers.assignDevice(t.admin, id, nobody)).toMatchObject({ code: 'notFound' });
    const foreign = callerOf('TENANT_ADMIN', '00000000-0000-4000-8000-0000000000bb');
    expect(await t.customers.assignDevice(foreign, id, deviceId)).toMatchObject({ code: 'permissionDenied' });
  });

  it('go to the one public customer, which is made at first use and keeps its title', async () => {
    const t = await openTestRegistry();
    const [a, b] = [await device(t, 'a'), await device(t, 'b')];
    const [first, second] = await Promise.all([
      t.customers.assignDeviceToPublic(t.admin, a),
      t.customers.assignDeviceToPublic(t.admin, b),
    ]);
    const { customerId } = succeeded(first);
    expect(succeeded(second).customerId).toBe(customerId);
    const customer = succeeded(await t.customers.get(t.admin, customerId));
    expect(customer).toMatchObject({ title: 'Public', isPublic: true, additionalInfo: { isPublic: true } });
    expect(succeeded(await t.devices.info(t.admin, a))).toMatchObject({
      customerTitle: 'Public',
      customerIsPublic: true,
    });
    const renamed = input('Open', { id: customerId });
    expect(await t.customers.save(t.admin, renamed)).toMatchObject({ code: 'badRequest' });
  });
});

describe('deleting a customer', () => {
  async function scene(repositories = new MemoryRepositories()) {
    const t = await openTestRegistry({ repositories });
    const { id } = await create(t, 'Yard');
    const devices = [];
    for (let count = 0; count < 5; count += 1) {
      const deviceId = await device(t, `device ${count}`);
      await t.customers.assignDevice(t.admin, id, deviceId);
      devices.push(deviceId);
    }
    const user = sampleUser(t.admin.tenantId, { customerId: id, authority: 'CUSTOMER_USER', email: 'ann@example.org' });
    await repositories.commit([{ kind: 'putUser', record: user, expectedVersion: null }]);
    return { t, id, devices, user, repositories };
  }

  it('takes its devices back, deletes its users, and frees its title', async () => {
    const { t, id, devices, user } = await scene();
    expect((await t.accounts.user(user.id)).ok).toBe(true);
    expect(await t.customers.remove(t.admin, id)).toEqual({ ok: true, value: null });
    expect(await t.accounts.user(user.id)).toMatchObject({ code: 'notFound' });
    for (const deviceId of devices) {
      expect(succeeded(await t.devices.get(t.admin, deviceId)).customerId).toBe(NULL_ID);
      expect(t.deviceData(callerOf('CUSTOMER_USER', t.admin.tenantId, id), deviceId).ok).toBe(false);
    }
    expect(await t.customers.get(t.admin, id)).toMatchObject({ code: 'notFound' });
    expect(await t.repositories.document(CUSTOMERS, id)).toBeNull();
    expect((await t.customers.save(t.admin, input('Yard'))).ok).toBe(true);
    expect(await t.customers.remove(t.admin, id)).toMatchObject({ code: 'notFound' });
  });

  it('is finished at the next start when it was interrupted', async () => {
    const { t, id, devices, user, repositories } = await scene();
    // The mark is kept; then nothing can be written any more.
    const commit = repositories.commit.bind(repositories);
    let commits = 0;
    repositories.commit = async (changes) => {
      commits += 1;
      return commits === 1 ? commit(changes) : 'failed';
    };
    expect((await t.customers.remove(t.admin, id)).ok).toBe(true);
    expect(await t.customers.get(t.admin, id)).toMatchObject({ code: 'notFound' });
    expect(await t.customers.assignDevice(t.admin, id, devices[0] ?? '')).toMatchObject({ code: 'notFound' });
    repositories.commit = commit;
    const next = await openTestRegistry({ repositories });
    expect(succeeded(await next.devices.get(next.admin, devices[0] ?? '')).customerId).toBe(id);
    await next.finishRemovals();
    for (const deviceId of devices) {
      expect(succeeded(await next.devices.get(next.admin, deviceId)).customerId).toBe(NULL_ID);
    }
    expect(await repositories.user(user.id)).toBeNull();
    expect(await repositories.document(CUSTOMERS, id)).toBeNull();
  });
});

import { callerOf, deviceInput, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../platform.ts';
import { authorizeRole } from '../registry/authorize.ts';

const HERE = '192.0.2.1';
const STRANGER = '00000000-0000-4000-8000-000000000001';

async function scene() {
  const t = await openTestRegistry();
  const { id } = succeeded(await t.devices.save(t.admin, deviceInput('A'), { accessToken: null }));
  const { customerId } = succeeded(await t.customers.assignDeviceToPublic(t.admin, id));
  return { ...t, deviceId: id, customerId };
}

describe('the public log-in', () => {
  it('is for public customers that exist', async () => {
    const s = await scene();
    const user = succeeded(await s.accounts.loginPublic(s.customerId, HERE));
    expect(user).toMatchObject({ authority: 'CUSTOMER_USER', tenantId: s.admin.tenantId, customerId: s.customerId });
    const contact = { country: null, state: null, city: null, address: null, address2: null, zip: null, phone: null };
    const parts = { ...contact, email: null, additionalInfo: null, version: null };
    const ordinary = succeeded(await s.customers.save(s.admin, { id: null, title: 'Yard', ...parts }));
    for (const id of [ordinary.id, STRANGER]) {
      expect(await s.accounts.loginPublic(id, HERE)).toMatchObject({ code: 'badCredentials' });
    }
    succeeded(await s.customers.remove(s.admin, s.customerId));
    expect(await s.accounts.publicUser(s.customerId)).toMatchObject({ code: 'notFound' });
    expect((await s.accounts.loginPublic(s.customerId, HERE)).ok).toBe(false);
  });

  it('slows a guesser down, and many screens that start at once not', async () => {
    const s = await scene();
    const screens = await Promise.all(Array.from({ length: 50 }, () => s.accounts.loginPublic(s.customerId, HERE)));
    expect(screens.every(({ ok }) => ok)).toBe(true);
    for (let guess = 0; guess < 10; guess += 1) await s.accounts.loginPublic(STRANGER, HERE);
    expect(await s.accounts.loginPublic(s.customerId, HERE)).toMatchObject({ code: 'accountLocked' });
    expect((await s.accounts.loginPublic(s.customerId, '192.0.2.2')).ok).toBe(true);
    s.clock.advance(60_000);
    expect((await s.accounts.loginPublic(s.customerId, HERE)).ok).toBe(true);
  });

  it('lets anybody see what is assigned to the customer, and change nothing', async () => {
    const s = await scene();
    const caller: Caller = { ...callerOf('CUSTOMER_USER', s.admin.tenantId, s.customerId), isPublic: true };
    const denied = { code: 'permissionDenied' };
    expect((await s.devices.get(caller, s.deviceId)).ok).toBe(true);
    expect(s.deviceData(caller, s.deviceId, 'READ').ok).toBe(true);
    expect(s.deviceData(caller, s.deviceId, 'WRITE')).toMatchObject(denied);
    expect(s.deviceData(caller, s.deviceId)).toMatchObject(denied);
    expect(await s.devices.credentials(caller, s.deviceId)).toMatchObject(denied);
    const rename = deviceInput('B', { id: s.deviceId });
    expect(await s.devices.save(caller, rename, { accessToken: null })).toMatchObject(denied);
    expect(await s.users.get(caller, s.admin.userId)).toMatchObject(denied);
    expect(authorizeRole(caller, 'claim', 'device')).toMatchObject(denied);
    expect(authorizeRole(caller, 'read', 'otaPackage')).toMatchObject(denied);
    expect(authorizeRole(caller, 'read', 'apiKey')).toMatchObject(denied);
  });
});
